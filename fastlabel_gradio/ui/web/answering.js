// What keys and buttons say of the cards: of the current one, of all that are selected, of a group, of the rest. What is said
// of several at once is said of those only that the person had the time to look at.

import { isGiven, labelAs, NO_ANSWER } from "./answers.js";
import { t } from "./words.js";

/** @typedef {import("./answers.js").Answer} Answer */
/** @typedef {import("./answers.js").Aside} Aside */
/** @typedef {import("./batch.js").Batch} Batch */
/** @typedef {import("./batch.js").Card} Card */
/** @typedef {import("./batch.js").StepKind} StepKind */

export class Answering {
  /**
   * @param {import("./batch_view.js").BatchView} cards
   * @param {import("./dock.js").Dock} dock
   */
  constructor(cards, dock) {
    this.cards = cards;
    this.dock = dock;
  }

  get batch() {
    return this.cards.batch;
  }

  /** @param {number} index of a class */
  label(index) {
    if (this.batch?.classes[index] !== undefined) this.#say((source) => labelAs(index, source), "label");
  }

  /** @param {Aside} aside */
  setAside(aside) {
    this.#say((source) => ({ ...NO_ANSWER, source, aside }), aside);
  }

  /** Enter: the suggestion of the current card, or those of all that are selected. */
  accept() {
    const { batch } = this;
    if (!batch) return;
    const suggested = batch.targets.filter(({ suggestion }) => suggestion);
    if (!suggested.length) this.dock.say(t("no_suggestion"), "warning");
    else this.#say((source, card) => labelAs(card.suggestion?.index ?? null, source), "accept", suggested);
  }

  /** @param {Card} card whose suggestion was clicked */
  acceptCard(card) {
    this.batch?.change([card], suggested("person"), "accept");
    this.cards.focusCard(card.index);
  }

  /**
   * @param {Card} card
   * @param {number} index of the class that was clicked on it
   */
  labelCard(card, index) {
    this.batch?.change([card], () => index, "label");
    this.cards.focusCard(card.index);
  }

  /** @param {number} place of a group; without one: the group of the current card */
  acceptGroup(place = this.cards.currentGroup) {
    const { batch } = this;
    const group = batch?.groups[place];
    if (!batch || !group) return;
    const n = batch.change(batch.confirmable(group.cards), suggested("group"), "group");
    const left = group.cards.filter((card) => !isGiven(card));
    this.#sayAccepted(n, left);
    const next = left.find(({ excluded, seen }) => !excluded && !seen);
    if (next) this.cards.bringUp(next);
    if (n && !left.some(({ excluded }) => !excluded)) this.cards.focusHead(place + 1);
  }

  /** All that was looked at; what was not yet is brought into view, so that the same key goes through a batch. */
  acceptRest() {
    const { batch } = this;
    if (!batch) return;
    const n = batch.change(batch.confirmable(batch.cards), suggested("group"), "rest");
    const left = batch.acceptable;
    if (n && !left.length) this.dock.say(t("accepted_rest", { n }));
    else this.#sayAccepted(n, left);
    const next = left.find(({ seen }) => !seen);
    if (next) this.cards.focusCard(next.index);
    if (next) this.cards.bringUp(next);
  }

  clear() {
    const { batch } = this;
    if (!batch) return;
    batch.change(batch.targets, () => NO_ANSWER, "clear");
    batch.selection.clear();
  }

  clearAll() {
    const count = this.batch?.change(this.batch.cards, () => NO_ANSWER, "clear");
    if (count) this.dock.say(t("cleared", { n: count }));
  }

  /** Leaves cards out of what their group accepts, or takes them in again. */
  exclude(cards = this.batch?.targets ?? []) {
    const open = cards.filter((card) => !isGiven(card));
    if (!this.batch || !open.length) return;
    const excluded = open.some((card) => !card.excluded);
    this.batch.change(open, () => ({ ...NO_ANSWER, excluded }), excluded ? "exclude" : "include");
    this.batch.selection.clear();
  }

  /**
   * Selects what is predicted with at least some confidence, 0 to 1, and open.
   * @param {number} place of a group
   * @param {number} confidence
   */
  selectAbove(place, confidence) {
    const cards = this.batch?.groups[place]?.cards ?? [];
    const above = cards.filter((card) => !isGiven(card) && (card.suggestion?.confidence ?? 0) >= confidence);
    this.batch?.selection.set(above);
    this.dock.say(t("selected", { n: above.length }));
  }

  /**
   * Of the current card, or of all that are selected and were looked at.
   * @param {(source: "person" | "group", card: Card) => Answer} answer
   * @param {StepKind} kind
   */
  #say(answer, kind, targets = this.batch?.targets ?? []) {
    const { batch } = this;
    if (!batch) return;
    const several = batch.selection.size > 1;
    const cards = several ? targets.filter(({ seen }) => seen) : targets;
    const n = batch.change(cards, (card) => answer(several ? "group" : "person", card), kind);
    if (!batch.selection.size) return this.cards.moveOn();
    const left = targets.filter((card) => !cards.includes(card));
    batch.selection.set(left);
    this.dock.say(left.length ? t("answered_of", { n, left: left.length }) : t("answered_all", { n }), tone(left));
  }

  /**
   * @param {number} n cards that were accepted
   * @param {Card[]} left
   */
  #sayAccepted(n, left) {
    const unseen = left.filter((card) => !card.excluded && !card.seen).length;
    if (!n && !unseen) return this.dock.say(t("nothing_to_accept"));
    const said = t("accepted_group", { n, left: left.length });
    if (n)
      this.dock.say(said); // what was not looked at comes into view
    else this.dock.say(`${said} ${t("not_seen", { n: unseen })}`, "warning");
  }
}

/** @param {"person" | "group"} source */
function suggested(source) {
  return (/** @type {Card} */ { suggestion }) => labelAs(suggestion ? suggestion.index : null, source);
}

/** @param {Card[]} left */
function tone(left) {
  return left.length ? "warning" : "";
}
