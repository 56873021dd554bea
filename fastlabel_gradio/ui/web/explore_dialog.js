// What the view `explore` asks before it does something to many items, or to items that somebody else changed meanwhile.

import { classNode } from "./class_colours.js";
import { button, el, nameNode } from "./dom.js";
import { overruledBy } from "./explore_acts.js";
import { t } from "./words.js";

/** @typedef {import("./explore_acts.js").Said} Said */
/** @typedef {import("./api.js").Schemas["ApplyAnswer"]} Preview */
/** @typedef {import("./found_list.js").Found} Found */
/** What stands of an item and what was to stand. @typedef {{ id: string, label: string | null, state: string | null, annotator: string | null }} Conflict */

/**
 * @param {HTMLElement} root
 * @param {string} title
 * @param {Node[]} body
 * @param {string} yes what the button that goes on says
 * @returns {Promise<boolean>} whether the person goes on
 */
export function ask(root, title, body, yes) {
  const dialog = el("dialog", "fl-ask", el("h2", "fl-ask-title", title), ...body);
  dialog.setAttribute("aria-label", title);
  const go = button("fl-dock-button fl-dock-submit", yes);
  const leave = button("fl-dock-button", t("explore_cancel"), "", "Esc");
  dialog.append(el("div", "fl-ask-line", leave, go));
  root.append(dialog);
  return new Promise((resolve) => {
    let goesOn = false;
    go.addEventListener("click", () => {
      goesOn = true;
      dialog.close();
    });
    leave.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(goesOn);
    });
    dialog.showModal();
    go.focus();
  });
}

/**
 * What is to be done, in a sentence.
 * @param {Said} said
 * @param {number} n
 */
export function doingWords(said, n) {
  if (said.accepted) return t("explore_do_accept", { n });
  if (said.label !== undefined) return t("explore_do_label", { n, name: said.label });
  if (said.state) return t("explore_do_state", { n, name: t(`explore_state_${said.state}`) });
  return t("explore_do_clear", { n });
}

/**
 * What it changes, exactly, in lines.
 * @param {Preview} found
 * @param {number} size of the query
 */
export function previewLines(found, size) {
  const { labels, people } = overruledBy(found);
  const lines = [];
  if (labels) lines.push(t("explore_changes_labels", { n: labels, people: peopleWords(people) }));
  if (found.unlabeled) lines.push(t("explore_first_said", { n: found.unlabeled }));
  if (size > found.changed) lines.push(t("explore_already", { n: size - found.changed }));
  lines.push(t("explore_one_undo"));
  return lines.map((line) => el("p", "fl-ask-text", line));
}

/** @param {string[]} people */
function peopleWords(people) {
  return people.length === 1 ? people[0] : t("explore_n_people", { n: people.length });
}

/**
 * What somebody else said of items since they were shown, beside what is shown.
 * @param {Conflict[]} conflicts of the first items
 * @param {number} count of how many items
 * @param {Map<string, Found>} shown by id
 */
export function conflictTable(conflicts, count, shown) {
  const head = el("tr", "", ...["explore_item", "explore_you_see", "explore_now_it_is"].map((word) => heading(word)));
  const rows = conflicts.map((now) => {
    const who = [saidWords(now), " (", nameNode(now.annotator ?? t("explore_nobody")), ")"];
    const saw = shown.get(now.id);
    return el("tr", "", el("td", "", nameNode(now.id)), el("td", "", saw ? saidWords(saw) : "…"), el("td", "", ...who));
  });
  const table = el("table", "fl-conflicts", el("thead", "", head), el("tbody", "", ...rows));
  const more = count - rows.length;
  return [table, ...(more > 0 ? [el("p", "fl-ask-text", t("explore_and_more", { n: more }))] : [])];
}

/** @param {string} word */
function heading(word) {
  return el("th", "", t(/** @type {any} */ (word)));
}

/** @param {{ label: string | null, state: string | null }} item */
function saidWords({ label, state }) {
  if (label !== null) return classNode(label);
  return state && state !== "clear" ? t(/** @type {any} */ (`explore_state_${state}`)) : t("not_labeled");
}
