// Search by likeness in the view `explore`: more like some cards, less like them, like a picture or sound of one's own.

import { nearPart } from "./explore_chips.js";
import { t } from "./words.js";

/** @typedef {import("./explore_view.js").ExploreView} ExploreView */

export const MOST_SEEDS = 100; // cards that a search by likeness begins with

export class ExploreLikeness {
  /** @param {ExploreView} view */
  constructor(view) {
    this.view = view;
  }

  more() {
    const { near } = this.view.query;
    this.#near({ ...near, ids: withSeeds(near?.ids, this.#seeds()) });
  }

  less() {
    const { near } = this.view.query;
    if (!near) return this.view.say(t("explore_less_than_what"), "warning");
    return this.#near({ ...near, not_ids: withSeeds(near.not_ids, this.#seeds()) });
  }

  /** @param {Blob} file a picture or sound */
  async like(file) {
    try {
      const { vector } = await this.view.api.vector(file);
      this.#near({ vectors: [vector] });
    } catch (error) {
      this.view.fail(error);
    }
  }

  #seeds() {
    const { selection, grid } = this.view;
    const ids = selection.all ? [] : selection.ids.slice(0, MOST_SEEDS);
    return ids.length ? ids : grid.currentItem ? [grid.currentItem.id] : [];
  }

  /** @param {import("./explore_filter.js").Near} near */
  #near(near) {
    this.view.narrow({ ...nearPart(near), text: undefined, order: undefined });
  }
}

/**
 * @param {string[] | undefined} known
 * @param {string[]} seeds
 */
function withSeeds(known, seeds) {
  return [...new Set([...(known ?? []), ...seeds])].slice(-MOST_SEEDS);
}
