// The recall of each class on random items: the weakest first, those without any item last.

import { classNode } from "./class_colours.js";
import { el } from "./dom.js";
import { formatCount } from "./numbers.js";
import { t } from "./words.js";

/** @typedef {{ label: string, correct: number, items: number }} Recall */

const RECALL_SHOWN = 60;

/** @param {Recall[]} recall */
export function buildRecall(recall) {
  const known = recall.filter(({ items }) => items > 0);
  const unknown = recall.filter(({ items }) => items === 0);
  known.sort((a, b) => a.correct / a.items - b.correct / b.items || b.items - a.items);
  const rows = [...known, ...unknown].slice(0, RECALL_SHOWN).map(recallRow);
  const left = recall.length - rows.length;
  const more = left > 0 ? el("p", "fl-curve-note", t("and_more", { n: left })) : "";
  return [el("h2", "fl-evaluation-title", t("recall")), el("ul", "fl-recall-list", ...rows), more];
}

/** @param {Recall} row */
function recallRow({ label, correct, items }) {
  const name = classNode(label, "fl-recall-name");
  name.title = label;
  const bar = el("progress", "fl-recall-bar");
  bar.max = Math.max(items, 1);
  bar.value = correct;
  bar.setAttribute("aria-hidden", "true"); // the words beside it say as much
  const words = items ? t("of", { done: formatCount(correct), all: formatCount(items) }) : t("none_yet");
  return el("li", "fl-recall-row", name, bar, el("span", "fl-recall-count", words));
}
