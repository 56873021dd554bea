// What a query has found: pages of a list that stays as it was when it was asked for, few of them in memory. No DOM.

import { Emitter } from "./emitter.js";

/** @typedef {import("./api.js").Schemas["FoundAnswer"]} Found */
/** @typedef {import("./api.js").Schemas["ItemsAnswer"]} ItemsAnswer */
/** @typedef {import("./explore_filter.js").Query} Query */
/** @typedef {(body: { query: Query, list_id: string, offset: number, size: number }) => Promise<ItemsAnswer>} Ask */
/**
 * `items`: by place in the page, a hole where an item left the pool.
 * @typedef {{ first: number, items: Found[] }} Page
 */

export const PAGE_ITEMS = 60;
const PAGES_KEPT = 20;
const ASKED_AT_ONCE = 3;
const EXPIRED = 410;

/** Emits `page`, with one that has come, and `failed`, with the error. */
export class FoundList extends Emitter {
  /**
   * @param {Query} query
   * @param {Ask} ask
   */
  constructor(query, ask) {
    super();
    this.query = query;
    this.ask = ask;
    this.id = "";
    this.total = 0;
    this.event = 0; // all that was said up to it is known of the list
    /** @type {Map<string, number>} and of an item, by its id */
    this.events = new Map();
    /** @type {Map<number, Page>} the page looked at last at the end */
    this.pages = new Map();
    /** @type {Set<number>} */
    this.asked = new Set();
    /** @type {number[]} */
    this.wanted = [];
  }

  /**
   * Asks anew, from a place on; resolves with the answer's totals.
   * @param {number} place
   * @returns {Promise<ItemsAnswer>}
   */
  async open(place = 0) {
    const number = Math.floor(place / PAGE_ITEMS);
    const answer = await this.#askFor(number, "");
    if (!answer.items.length && number && answer.total) return this.open(0); // it is shorter now
    this.id = answer.list_id;
    this.total = answer.total;
    this.event = answer.event;
    this.#keep(number, answer);
    return answer;
  }

  /** @param {number} place */
  item(place) {
    return this.pages.get(Math.floor(place / PAGE_ITEMS))?.items[place % PAGE_ITEMS];
  }

  /**
   * Has the pages of a range asked for, those that are not there; ranges before it are not waited for any more.
   * @param {number} first
   * @param {number} end
   */
  want(first, end) {
    this.wanted = pagesOf(first, Math.min(end, this.total)).filter((number) => !this.#touch(number));
    this.#askOn();
  }

  /**
   * The items of a range, whatever is in memory.
   * @param {number} first
   * @param {number} end
   * @param {number} atOnce how many a request may ask for
   */
  async load(first, end, atOnce) {
    /** @type {Found[]} */
    const items = [];
    for (let offset = first; offset < end; offset += atOnce) {
      const size = Math.min(atOnce, end - offset);
      items.push(...(await this.ask({ query: this.query, list_id: this.id, offset, size })).items);
    }
    return items;
  }

  /**
   * Puts what is known now of some items in place of what was.
   * @param {Found[]} items of any query
   * @param {number} event of the answer that had them
   */
  update(items, event) {
    const news = new Map(items.map((item) => [item.id, item]));
    /** @type {number[]} */
    const places = [];
    for (const { items: listed } of this.pages.values()) {
      for (const [index, item] of listed.entries()) {
        const now = item && news.get(item.id);
        if (!now) continue;
        listed[index] = { ...now, place: item.place, similarity: item.similarity };
        this.events.set(item.id, event);
        places.push(item.place);
      }
    }
    return places;
  }

  /**
   * Up to which event the person saw all of some items; null of all that was found.
   * @param {string[] | null} ids
   */
  seen(ids) {
    const events = (ids ?? []).flatMap((id) => this.events.get(id) ?? []);
    return events.length ? Math.min(...events) : this.event;
  }

  /** Of the pages in memory. @returns {Found[]} */
  get loaded() {
    return [...this.pages.values()].flatMap(({ items }) => items.filter(Boolean));
  }

  #askOn() {
    for (const number of this.wanted) {
      if (this.asked.size >= ASKED_AT_ONCE) return;
      if (this.asked.has(number) || this.pages.has(number)) continue;
      this.asked.add(number);
      this.#askFor(number, this.id)
        .then((answer) => this.#keep(number, answer))
        .catch((error) => this.#fail(error))
        .finally(() => {
          this.asked.delete(number);
          this.#askOn();
        });
    }
  }

  /** @param {any} error */
  #fail(error) {
    this.wanted = [];
    this.emit(error.status === EXPIRED ? "expired" : "failed", error);
  }

  /**
   * @param {number} number
   * @param {string} listId
   */
  #askFor(number, listId) {
    return this.ask({ query: this.query, list_id: listId, offset: number * PAGE_ITEMS, size: PAGE_ITEMS });
  }

  /**
   * @param {number} number
   * @param {ItemsAnswer} answer
   */
  #keep(number, answer) {
    const first = number * PAGE_ITEMS;
    /** @type {Found[]} */
    const items = [];
    for (const item of answer.items) {
      items[item.place - first] = item;
      this.events.set(item.id, answer.event);
    }
    this.pages.set(number, { first, items });
    while (this.pages.size > PAGES_KEPT) this.#forget(/** @type {number} */ (this.pages.keys().next().value));
    this.emit("page", this.pages.get(number));
  }

  /** @param {number} number of a page */
  #forget(number) {
    for (const item of this.pages.get(number)?.items ?? []) if (item) this.events.delete(item.id);
    this.pages.delete(number);
  }

  /**
   * Whether a page is there; if so it is the one looked at last.
   * @param {number} number
   */
  #touch(number) {
    const page = this.pages.get(number);
    if (!page) return false;
    this.pages.delete(number);
    this.pages.set(number, page);
    return true;
  }
}

/**
 * @param {number} first
 * @param {number} end
 */
function pagesOf(first, end) {
  if (end <= first) return [];
  const from = Math.floor(first / PAGE_ITEMS);
  const to = Math.floor((end - 1) / PAGE_ITEMS);
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
