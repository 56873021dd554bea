// The menu of exports: every format there is, prepared by the server while the menu says how far it is, and the trained classifier.

import { ApiError } from "./api.js";
import { el, link, setText } from "./dom.js";
import { needing } from "./rights.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").ProjectApi} ProjectApi */

const LOOK_AFTER_MS = 400;

/**
 * @param {ProjectApi} api
 * @param {string[]} formats
 * @param {HTMLElement[]} ofTheHead links that are there once a head is trained
 */
export function buildExports(api, formats, ofTheHead) {
  const said = el("p", "fl-menu-said");
  said.setAttribute("role", "status");
  const links = formats.map((format) => exportLink(api, format, said));
  const body = el("div", "fl-menu-body", ...links, ...ofTheHead, said);
  const menu = el("details", "fl-menu fl-export", el("summary", "fl-quiet", t("export")), body);
  return needing("POST /api/export", menu);
}

/**
 * Its address gives the file at once, for whoever copies it; a click prepares the file first.
 * @param {ProjectApi} api
 * @param {string} format
 * @param {HTMLElement} said
 */
function exportLink(api, format, said) {
  const node = link(t("labels_as", { format: format.toUpperCase() }), api.exportUrl(format));
  node.addEventListener("click", (event) => {
    event.preventDefault();
    download(api, format, said).catch((error) => setText(said, error.message));
  });
  return node;
}

/**
 * @param {ProjectApi} api
 * @param {string} format
 * @param {HTMLElement} said
 */
async function download(api, format, said) {
  let answer = await api.prepareExport(format);
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
