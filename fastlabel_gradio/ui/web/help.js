// The help: every key with what it does, as the table of commands says it.

import { commandsOf } from "./commands.js";
import { button, el } from "./dom.js";
import { t } from "./words.js";

/**
 * A dialog, not yet open.
 * @param {"image" | "audio"} kind
 * @param {any[]} [table] the commands of a view; those of `label` where none is named
 * @param {string} [clicks] what clicks do there
 */
export function buildHelp(kind, table, clicks = t(kind === "audio" ? "clicks_of_sounds" : "clicks_of_pictures")) {
  const rows = commandsOf(kind, table).map(({ caps, help }) => {
    return caps && help ? el("tr", "", el("th", "", keyCaps(caps)), el("td", "", t(help))) : null;
  });
  const close = button("fl-quiet", t("close"), "close-help", "Esc");
  const title = el("h2", "fl-help-title", t("keys"));
  const note = el("p", "fl-help-note", clicks);
  // The button is above, as the focus goes to it, and what has the focus is in view.
  const head = el("div", "fl-help-head", title, close);
  const help = el("dialog", "fl-help", head, el("table", "", el("tbody", "", ...rows)), note);
  help.setAttribute("aria-label", t("keys"));
  help.addEventListener("click", (event) => {
    if (event.target === help) help.close();
  });
  help.addEventListener("keydown", (event) => {
    if (event.key !== "?") return;
    if (!event.repeat) help.close();
    event.preventDefault(); // or the page's own handler, finding it closed, opens it again
  });
  return help;
}

/** @param {string} keys */
function keyCaps(keys) {
  const caps = el("span", "fl-keycaps");
  const isBetween = (/** @type {string} */ part) => /^( \+ |, | |…)$/.test(part);
  for (const part of keys.split(/( \+ |, | )/)) caps.append(isBetween(part) ? part : el("kbd", "fl-key", part));
  return caps;
}
