// The menu of exports: every format there is, prepared by the server while the menu says how far it is, what is taken
// (`export_options.js`), and the trained classifier; in the view `explore` of what is shown there.

import { ApiError } from "./api.js";
import { el, link, setText } from "./dom.js";
import { ExportOptions } from "./export_options.js";
import { keepInWindow } from "./list_menu.js";
import { needing } from "./rights.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").ProjectApi} ProjectApi */
/** @typedef {() => import("./api.js").Query} Chosen what is exported, as `GET /api/export` takes it, in the moment of the click */

const LOOK_AFTER_MS = 400;

/**
 * @param {ProjectApi} api
 * @param {string[]} formats
 * @param {HTMLElement[]} ofTheHead links that are there once a head is trained
 * @param {Chosen} chosen everything by default
 */
export function buildExports(api, formats, ofTheHead, chosen = () => ({}), title = t("export")) {
  const said = el("p", "fl-menu-said");
  said.setAttribute("role", "status");
  const options = new ExportOptions(chosen());
  const wanted = () => {
    const { predictions: _, ...meant } = chosen(); // theirs is the tick that was there at first
    return { ...meant, ...options.query() };
  };
  const links = formats.map((format) => exportLink(api, format, wanted, said));
  const body = el("div", "fl-menu-body", options.toggle, options.panel, ...links, ...ofTheHead, said);
  const menu = el("details", "fl-menu fl-export", el("summary", "fl-quiet", title), body);
  for (const [node, type] of /** @type {[HTMLElement, string][]} */ ([
    [menu, "toggle"],
    [options.toggle, "click"],
  ]))
    node.addEventListener(type, () => keepInWindow(body));
  return needing("POST /api/export", menu);
}

/**
 * Its address gives the file at once, for whoever copies it; a click prepares the file first.
 * @param {ProjectApi} api
 * @param {string} format
 * @param {Chosen} chosen
 * @param {HTMLElement} said
 */
function exportLink(api, format, chosen, said) {
  const node = link(t("labels_as", { format: format.toUpperCase() }), api.exportUrl(format, chosen()));
  for (const name of ["pointerenter", "focus"])
    node.addEventListener(name, () => Object.assign(node, { href: api.exportUrl(format, chosen()) }));
  node.addEventListener("click", (event) => {
    event.preventDefault();
    download(api, format, chosen(), said).catch((error) => setText(said, error.message));
  });
  return node;
}

/**
 * @param {ProjectApi} api
 * @param {string} format
 * @param {import("./api.js").Query} chosen
 * @param {HTMLElement} said
 */
async function download(api, format, chosen, said) {
  let answer = await api.prepareExport(format, chosen);
  while (answer.state === "running") {
    setText(said, t("export_rows", { n: answer.rows }));
    await new Promise((resolve) => setTimeout(resolve, LOOK_AFTER_MS));
    answer = await api.preparedExport(answer.id);
  }
  if (!answer.url) throw new ApiError(answer.error, 0);
  const left = answer.unreadable_count;
  setText(said, left ? t("export_left_out", { n: left }) : "");
  link("", api.url(answer.url)).click();
}
