// The menu of orders in the view `explore`.

import { el } from "./dom.js";
import { t } from "./words.js";

/** @typedef {import("./explore_filter.js").Query} Query */

const ORDERS = /** @type {const} */ ([
  ["", "explore_order_pool"],
  ["confidence", "explore_order_confidence"],
  ["-confidence", "explore_order_-confidence"],
  ["margin", "explore_order_margin"],
  ["label_probability", "explore_order_label_probability"],
  ["-time", "explore_order_-time"],
  ["time", "explore_order_time"],
  ["similarity", "explore_order_similarity"],
  ["mistakes", "order_mistakes"],
  ["near_duplicates", "order_near_duplicates"],
  ["known_labels", "order_known_labels"],
]);

const LISTS = ["mistakes", "near_duplicates", "known_labels"]; // how like an item is to others is no doubt of its label

export class ExploreOrder {
  /** @param {(part: Query) => void} narrow a step of the person */
  constructor(narrow) {
    const options = ORDERS.map(([order, word]) => new Option(t(word), order));
    this.alike = options[ORDERS.findIndex(([order]) => order === "similarity")];
    this.node = el("select", "fl-order", ...options);
    this.node.setAttribute("aria-label", t("explore_order"));
    this.node.addEventListener("change", () => {
      const order = /** @type {any} */ (this.node.value);
      narrow(LISTS.includes(order) ? { order, near: undefined } : { order });
    });
  }

  /** @param {Query} query */
  paint({ order, near }) {
    this.node.value = order ?? (near ? "similarity" : "");
    this.alike.disabled = !near;
  }
}
