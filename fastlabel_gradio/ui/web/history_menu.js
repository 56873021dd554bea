// What was done lately, the newest first: steps on screen that can be taken back, those that were, and what was submitted.

import { button, el } from "./dom.js";
import { t } from "./words.js";

/** @typedef {import("./batch.js").StepKind} StepKind */
/** @typedef {import("./batch.js").StepWords} StepWords */
/** @typedef {{ words: string, isUndone: boolean }} Line */

const SHOWN = 12;

/** @type {Record<StepKind, import("./words.js").Word>} */
const STEP_WORDS = {
  label: "step_label",
  accept: "step_accept",
  group: "step_group",
  rest: "step_rest",
  clear: "step_clear",
  exclude: "step_exclude",
  include: "step_include",
  skip: "step_skip",
  unsure: "step_unsure",
  bad: "step_bad",
};

/** @param {StepWords} step */
export function stepWords({ kind, n, name }) {
  return t(kind === "label" && !name ? "step_labels" : STEP_WORDS[kind], { n, name });
}

/** @param {import("./api.js").Schemas["StepAnswer"]} step that was sent */
export function sentWords(step) {
  const { items, parts, edits, checks } = step;
  if (edits.length) return edits.map(editWords).join("; ");
  if (checks) return t("step_checks", { n: checks });
  const [one, ...others] = parts;
  const n = items;
  if (isAccepted(step)) return t("step_accepted", { n });
  if (!others.length && one?.label) return t("step_submit_one", { n, name: one.label });
  return t("step_submit", { n });
}

/**
 * Whether all of it was accepted as heads had predicted it.
 * @param {import("./api.js").Schemas["StepAnswer"]} step
 */
export function isAccepted({ parts }) {
  return parts.length > 0 && parts.every(({ predicted }) => predicted);
}

/** @param {import("./api.js").Schemas["ClassEditAnswer"]} edit of a class */
function editWords({ kind, label, value, before }) {
  const name = before ?? label;
  if (kind === "archive") return t(value ? "edit_archive" : "edit_restore", { name });
  if (kind === "order") return t("edit_order");
  if (kind === "add" || kind === "rename" || kind === "merge") return t(`edit_${kind}`, { name, value: String(value) });
  return t("edit_look", { name });
}

export class HistoryMenu {
  /** @param {{ history: () => Promise<Line[]> }} told what it lists */
  constructor(told) {
    this.told = told;
    const summary = el("summary", "fl-dock-button fl-history-button", "↶");
    summary.setAttribute("aria-label", t("history"));
    summary.title = t("history_title");
    this.undo = button("fl-quiet", t("undo"), "undo", "u");
    this.undo.append(el("kbd", "fl-key", "u"));
    this.redo = button("fl-quiet", t("redo"), "redo", "Shift+u");
    this.redo.append(el("kbd", "fl-key", "⇧u"));
    this.list = el("ol", "fl-history-list");
    this.list.setAttribute("aria-label", t("history"));
    const body = el("div", "fl-menu-body", el("div", "fl-history-actions", this.undo, this.redo), this.list);
    this.node = el("details", "fl-menu fl-history", summary, body);
    this.node.addEventListener("toggle", () => this.paint());
  }

  toggle() {
    this.node.open = !this.node.open;
  }

  async paint() {
    if (!this.node.open) return;
    const lines = await this.told.history().catch(() => []);
    const items = lines.slice(0, SHOWN).map(({ words, isUndone }) => {
      const item = el("li", isUndone ? "fl-undone" : "", words);
      if (isUndone) item.append(` (${t("history_undone")})`);
      return item;
    });
    this.list.replaceChildren(...(items.length ? items : [el("li", "", t("history_none"))]));
  }
}
