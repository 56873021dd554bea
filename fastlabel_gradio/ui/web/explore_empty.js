// What stands in place of the cards of the view `explore` where nothing is found: why, or how far the list is that is worked out.

import { el, isVisible, setShown } from "./dom.js";
import { emptyWords, isWorkedOut } from "./explore_filter.js";
import { serverWords } from "./server_words.js";
import { t } from "./words.js";

/** @typedef {import("./explore_filter.js").Query} Query */

const WORKING_MS = 1500;

export class ExploreEmpty {
  /**
   * @param {import("./api.js").ProjectApi} api
   * @param {() => unknown} refresh asks anew when the list is there
   */
  constructor(api, refresh) {
    this.api = api;
    this.refresh = refresh;
    this.asked = 0;
    this.node = el("p", "fl-explore-empty");
    this.node.setAttribute("role", "status");
  }

  hide() {
    this.#begin();
    setShown(this.node, false);
  }

  /** @param {Query} query that finds nothing */
  say(query) {
    const number = this.#begin();
    setShown(this.node, true);
    if (isWorkedOut(query)) this.#follow(query, number);
    else this.node.textContent = emptyWords(query);
  }

  /** @param {(Node | string)[]} words why nothing can be found, and what to do */
  refuse(...words) {
    this.#begin();
    setShown(this.node, true);
    this.node.replaceChildren(...words);
  }

  #begin() {
    clearTimeout(this.waiting);
    return ++this.asked;
  }

  /**
   * @param {Query} query
   * @param {number} number
   */
  async #follow(query, number, wasWorking = false) {
    const list = /** @type {string} */ (query.order);
    const answer = await this.api.get("api/mistakes", { list }).catch(() => null);
    if (number !== this.asked) return;
    const { working, missing = 0, problem = "" } = answer ?? {};
    if (working) this.node.textContent = t("explore_ranking", { n: missing });
    else this.node.textContent = [emptyWords(query), serverWords(problem)].filter(Boolean).join(" ");
    if (working) this.#followLater(query, number);
    else if (wasWorking) this.refresh();
  }

  /**
   * @param {Query} query
   * @param {number} number
   */
  #followLater(query, number) {
    this.waiting = setTimeout(() => {
      if (isVisible(this.node)) this.#follow(query, number, true);
      else this.#followLater(query, number);
    }, WORKING_MS);
  }
}
