// The headings of the groups: the predicted class, how many of its cards are open, that Enter accepts them, and a slider that
// selects those above a confidence.

import { isGiven } from "./answers.js";
import { classNode } from "./class_colours.js";
import { button, el, setShown, setText } from "./dom.js";
import { formatCount } from "./numbers.js";
import { t } from "./words.js";

/** @typedef {import("./batch.js").Batch} Batch */
/** @typedef {import("./batch_layout.js").Group} Group */
/**
 * @typedef {{
 *   group: Group, node: HTMLElement, press: HTMLButtonElement, count: HTMLElement, rest: HTMLElement,
 *   above: HTMLInputElement,
 * }} GroupHead
 */

const LEAST_ABOVE = 50; // percent: what the slider begins with

/**
 * One heading a group; none where the cards are not grouped.
 * @param {Batch} batch
 * @returns {GroupHead[]}
 */
export function buildHeads(batch) {
  const isGrouped = batch.groups.some(({ index }) => index !== null);
  const heads = isGrouped ? batch.groups.map((group, place) => buildHead(batch, group, place)) : [];
  paintHeads(batch, heads);
  return heads;
}

/**
 * @param {Batch} batch
 * @param {GroupHead[]} heads
 */
export function paintHeads(batch, heads) {
  for (const { group, press, count, rest } of heads) {
    const all = group.cards.length;
    const left = group.cards.filter((card) => !isGiven(card)).length;
    const isDone = left === 0;
    setText(count, isDone ? `✓ ${formatCount(all)}` : countWords(left, all, group.index === null));
    setShown(
      rest,
      batch.acceptable.some((card) => group.cards.includes(card)),
    );
    press.dataset.done = String(isDone);
  }
}

/**
 * How many cards there are, or how many of them are left: those that were left out count, too, as in what is said after Enter.
 * @param {number} left
 * @param {number} all
 * @param {boolean} isPlain they have no suggestion
 */
function countWords(left, all, isPlain) {
  return left === all || isPlain ? formatCount(all) : t("cards_left", { n: left });
}

/**
 * @param {Batch} batch
 * @param {Group} group
 * @param {number} place
 * @returns {GroupHead}
 */
function buildHead(batch, group, place) {
  const press = button("fl-group", "", "accept-group-of");
  press.dataset.group = String(place);
  press.disabled = group.index === null;
  const name = group.index === null ? el("span", "", t("group_without")) : classNode(batch.classes[group.index]);
  name.classList.add("fl-group-name");
  const count = el("span", "fl-group-count");
  const rest = el("span", "fl-group-rest", " · ", el("kbd", "fl-key", "Enter"), ` ${t("group_rest")}`);
  press.append(name, " · ", count, rest);
  const above = el("input", "fl-above");
  Object.assign(above, { type: "range", min: String(LEAST_ABOVE), max: "100", step: "1", value: "100" });
  above.dataset.group = String(place);
  const title = t("select_above", { name: group.index === null ? "" : batch.classes[group.index] });
  above.setAttribute("aria-label", title);
  const least = el("output", "", "100 %");
  above.addEventListener("input", () => setText(least, `${above.value} %`));
  const words = el("span", "fl-choose-words", t("select_from"));
  const choose = el("label", "fl-choose", words, above, least);
  choose.title = title;
  setShown(choose, group.index !== null);
  const node = el("div", "fl-group-head", el("h2", "fl-group-title", press), choose);
  return { group, node, press, count, rest, above };
}
