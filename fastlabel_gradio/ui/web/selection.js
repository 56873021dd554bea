// Which cards of a batch are selected, so that one key is about all of them. No DOM.

import { Emitter } from "./emitter.js";

/** @typedef {import("./batch.js").Card} Card */

/** Emits `change`, with the cards that are selected now or were before. */
export class Selection extends Emitter {
  /** @type {Set<Card>} */
  #chosen = new Set();
  /** @type {Card | null} */
  #anchor = null; // where a range begins

  /** @param {() => Card[]} cards in the order of the screen */
  constructor(cards) {
    super();
    this.all = cards;
  }

  get size() {
    return this.#chosen.size;
  }

  /** In the order of the screen. */
  get cards() {
    return this.size ? this.all().filter((card) => this.#chosen.has(card)) : [];
  }

  /** @param {Card} card */
  has(card) {
    return this.#chosen.has(card);
  }

  /**
   * One more or one less; the next range begins there.
   * @param {Card} card
   */
  toggle(card) {
    const chosen = new Set(this.#chosen);
    if (!chosen.delete(card)) chosen.add(card);
    this.#anchor = card;
    this.set(chosen);
  }

  /**
   * All from where the last range began, or from a card, to another one.
   * @param {Card} from
   * @param {Card} to
   */
  extend(from, to) {
    if (!this.#anchor || !this.size) this.#anchor = from;
    const [first, last] = [this.#anchor.index, to.index].sort((one, other) => one - other);
    this.set(this.all().slice(first, last + 1));
  }

  /** @param {Iterable<Card>} cards in place of what was selected */
  set(cards) {
    const before = this.#chosen;
    this.#chosen = new Set(cards);
    const changed = [...new Set([...before, ...this.#chosen])].filter((one) => before.has(one) !== this.has(one));
    if (changed.length) this.emit("change", changed);
  }

  clear() {
    this.#anchor = null;
    this.set([]);
  }
}
