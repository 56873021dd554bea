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

/** @typedef {import("./words.js").Word} Word */

const LOOK_AFTER_MS = 400;
// Formats that are called by no name of files; another one, of a plug-in, is called as it registered.
const FORMAT_WORDS = /** @type {Record<string, Word>} */ ({
  hf: "labels_as_hf",
  hf_parquet: "labels_as_hf_parquet",
  tree: "labels_as_tree",
  label_studio: "labels_as_label_studio",
  raven: "labels_as_raven",
  audacity: "labels_as_audacity",
});

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
  const links = formats.map((format) => exportLink(api, format, { wanted, problem: () => options.problem() }, said));
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
 * @param {string} format
 * @returns {string} what the menu calls it
 */
export function formatWords(format) {
  const word = FORMAT_WORDS[format];
  if (word) return t(word);
  return t("labels_as", { format: format === "parquet" ? "Parquet" : format.toUpperCase() });
}

/**
 * Its address gives the file at once, for whoever copies it; a click prepares the file first.
 * @param {ProjectApi} api
 * @param {string} format
 * @param {{ wanted: Chosen, problem: () => string }} chosen `problem`: why that cannot be exported, "" where it can
 * @param {HTMLElement} said
 */
function exportLink(api, format, { wanted, problem }, said) {
  const node = link(formatWords(format), api.exportUrl(format, wanted()));
  for (const name of ["pointerenter", "focus"])
    node.addEventListener(name, () => Object.assign(node, { href: api.exportUrl(format, wanted()) }));
  node.addEventListener("click", (event) => {
    event.preventDefault();
    const why = problem();
    if (why) setText(said, why);
    else download(api, format, wanted(), said).catch((error) => setText(said, error.message));
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
