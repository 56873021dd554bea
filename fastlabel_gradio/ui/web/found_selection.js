// Which of the found items are selected: some, or all that were found but some. No DOM.

import { Emitter } from "./emitter.js";

/** @typedef {import("./found_list.js").Found} Found */

export const MOST_SELECTED = 10000; // that are named one by one; "all" has no limit

/** Emits `change`. */
export class FoundSelection extends Emitter {
  /** @type {Map<string, number>} place by item id: the selected ones, or with `all` those that are not */
  named = new Map();
  all = false;
  total = 0;
  anchor = -1; // where a range begins

  /** @param {number} total what is found */
  restart(total) {
    this.total = total;
    this.#set(false, []);
    this.anchor = -1;
  }

  get size() {
    return this.all ? this.total - this.named.size : this.named.size;
  }

  get ids() {
    return [...this.named.keys()];
  }

  /** @param {string} id */
  has(id) {
    return this.named.has(id) !== this.all;
  }

  /** @param {Found} item */
  toggle(item) {
    if (!this.named.delete(item.id) && this.named.size < MOST_SELECTED) this.named.set(item.id, item.place);
    this.anchor = item.place;
    this.emit("change");
  }

  /**
   * More, up to MOST_SELECTED; with `all` there are no more.
   * @param {Found[]} items
   */
  add(items) {
    for (const item of items) {
      if (this.all) this.named.delete(item.id);
      else if (this.named.size < MOST_SELECTED) this.named.set(item.id, item.place);
    }
    this.emit("change");
  }

  /** @param {Found[]} items in place of what was selected */
  set(items) {
    this.#set(false, items.slice(0, MOST_SELECTED));
  }

  selectAll() {
    this.#set(true, []);
  }

  clear() {
    this.#set(false, []);
    this.anchor = -1;
  }

  /**
   * From where the last range began, or from a place, to another one: first and end of the range.
   * @param {number} from
   * @param {number} to
   * @returns {[number, number]}
   */
  rangeTo(from, to) {
    if (this.anchor < 0) this.anchor = from;
    const [first, last] = [this.anchor, to].sort((one, other) => one - other);
    return [first, Math.min(last + 1, first + MOST_SELECTED)];
  }

  /**
   * @param {boolean} all
   * @param {Found[]} items
   */
  #set(all, items) {
    this.all = all;
    this.named = new Map(items.map((item) => [item.id, item.place]));
    this.emit("change");
  }
}
