// Beside the grid of the view `explore`: labels to look at again. Which list, how it stands, the current card's nearest
// labeled neighbours, and the answer that its label is right. A label that is wrong is corrected as any other card.

import { classNode } from "./class_colours.js";
import { button, el, setShown, setText } from "./dom.js";
import { registerPanel } from "./explore_panels.js";
import { needing } from "./rights.js";
import { t } from "./words.js";

/** @typedef {import("./explore_panels.js").Exploring} Exploring */
/** @typedef {import("./api.js").Schemas["FoundAnswer"]} FoundAnswer */
/** @typedef {"mistakes" | "near_duplicates" | "known_labels"} ListName */

const LISTS = /** @type {const} */ ([
  ["mistakes", "list_mistakes", "list_mistakes_says"],
  ["near_duplicates", "list_near_duplicates", "list_near_duplicates_says"],
  ["known_labels", "list_known_labels", "list_known_labels_says"],
]);
const NEIGHBOURS = 6;
const WORKING_MS = 1500;
const SETTLE_MS = 120; // a key that is held leads past many cards

class MistakesPanel {
  /**
   * @param {HTMLElement} root
   * @param {Exploring} exploring
   */
  constructor(root, exploring) {
    this.exploring = exploring;
    this.isOpen = false;
    this.isOpening = false; // the first list is shown where the person opens the panel
    this.asked = 0;
    /** @type {ListName | null} */
    this.lookedAgain = null;
    this.lists = LISTS.map(([name, title]) => this.#listButton(name, t(title)));
    this.about = el("p", "fl-suspects-about");
    this.line = el("p", "fl-suspects-line");
    this.line.setAttribute("role", "status");
    this.label = el("p", "fl-suspects-label");
    this.right = button("fl-quiet fl-right", t("label_is_right"));
    needing("POST /api/checks", this.right);
    this.right.title = t("label_is_right_title");
    this.right.addEventListener("click", () => this.confirm());
    this.instead = button("fl-quiet", "");
    needing("POST /api/apply", this.instead);
    this.instead.addEventListener("click", () => this.correct());
    setShown(this.instead, false); // without a name until there is a card
    this.near = el("ul", "fl-suspects-near");
    const title = el("h2", "fl-evaluation-title", t("nearest_labeled"));
    this.card = el(
      "div",
      "fl-suspects-card",
      this.label,
      el("div", "fl-suspects-answers", this.right, this.instead),
      title,
      this.near,
    );
    root.classList.add("fl-suspects");
    root.append(el("div", "fl-suspects-lists", ...this.lists), this.about, this.line, this.card);
    exploring.on("query", () => this.follow());
    exploring.on("changed", () => this.follow());
    exploring.on("current", () => this.showCurrent());
  }

  show() {
    this.isOpen = true;
    this.isOpening = !this.list;
    if (this.list || this.exploring.current()) this.follow(); // otherwise what the address asks for is not there yet
  }

  hide() {
    this.isOpen = false;
    clearTimeout(this.asking);
    clearTimeout(this.settling);
  }

  stop() {
    this.hide();
  }

  /** The list that the grid shows. @returns {ListName | null} */
  get list() {
    const { order } = this.exploring.query();
    return LISTS.find(([name]) => name === order)?.[0] ?? null;
  }

  /** How the list stands that is asked for, now and as long as it is worked out. */
  async follow() {
    if (!this.isOpen) return;
    clearTimeout(this.asking);
    if (this.isOpening && !this.list) {
      this.isOpening = false;
      const first = await this.#firstList();
      if (this.isOpen && !this.list) this.#open(first);
      return undefined;
    }
    const { list } = this;
    for (const node of this.lists) node.setAttribute("aria-pressed", String(node.dataset.list === list));
    const says = LISTS.find(([name]) => name === list)?.[2];
    setText(this.about, says ? t(says) : "");
    this.showCurrent();
    if (!list) return setText(this.line, "");
    try {
      this.#paint(await this.exploring.api.get("api/mistakes", { list }), list);
    } catch (error) {
      this.exploring.say(/** @type {Error} */ (error).message, "error");
    }
  }

  /**
   * Without what the items were like before: how like is no doubt of a label.
   * @param {ListName} order
   */
  #open(order) {
    this.exploring.narrow({ order, near: undefined });
  }

  /**
   * What there is to check: people's labels or, where nobody gave one, those that the source knows.
   * @returns {Promise<ListName>}
   */
  async #firstList() {
    const { api } = this.exploring;
    try {
      if ((await api.status()).labeled) return "mistakes";
      return (await api.get("api/mistakes", { list: "mistakes" })).known ? "known_labels" : "mistakes";
    } catch {
      return "mistakes"; // asking for it says why nothing can be asked
    }
  }

  /**
   * @param {import("./api.js").Schemas["ListingAnswer"]} answer
   * @param {ListName} list
   */
  #paint({ doubted, missing, working, right, wrong, known, problem }, list) {
    const knownButton = this.lists.find((node) => node.dataset.list === "known_labels");
    if (knownButton) knownButton.disabled = !known;
    const counts = list === "mistakes" ? t("suspects_found", { wrong, right }) : "";
    const work = working ? t("suspects_working", { n: missing }) : problem;
    const left = working && !doubted ? "" : t("suspects_left", { n: doubted }); // none yet is not none
    setText(this.line, [left, counts, work].filter(Boolean).join(" "));
    if (working) this.asking = setTimeout(() => this.follow(), WORKING_MS);
    else if (this.wasWorking || (doubted && !this.exploring.total() && this.lookedAgain !== list)) {
      this.lookedAgain = list; // the grid asked before the list was worked out; once, as a filter may leave none of it
      this.exploring.refresh();
    }
    this.wasWorking = working;
  }

  showCurrent() {
    clearTimeout(this.settling);
    if (this.isOpen) this.settling = setTimeout(() => this.#showCard(this.exploring.current()), SETTLE_MS);
  }

  /** @param {FoundAnswer | null} item */
  async #showCard(item) {
    const number = ++this.asked;
    const label = item && labelOf(item);
    setShown(this.card, Boolean(this.list && item));
    if (!this.list || !item) return;
    const who = item.annotator ? t("said_by", { name: item.annotator }) : t("said_by_source");
    this.label.replaceChildren(...(label ? [el("strong", "", classNode(label)), ` ${who}`] : [t("not_labeled")]));
    const instead = item.instead !== label ? item.instead : null; // it was corrected, and stays until it is asked anew
    if (instead) this.label.append(` · ${t("heads_say")} `, el("strong", "", classNode(instead)));
    setShown(this.instead, Boolean(instead));
    setText(this.instead, instead ? t("label_as", { name: instead }) : "");
    this.right.disabled = !label;
    const near = { near: { ids: [item.id] }, states: ["label"], exclude: [item.id] };
    const found = await this.exploring.api.post("api/items", { query: near, size: NEIGHBOURS }).catch(() => null);
    if (number === this.asked && found)
      this.near.replaceChildren(...found.items.map((/** @type {FoundAnswer} */ one) => this.#neighbour(one, label)));
  }

  /**
   * @param {FoundAnswer} item
   * @param {string | null} label of the card
   */
  #neighbour(item, label) {
    const tile = el("img", "fl-suspects-tile");
    tile.src = this.exploring.api.rowsUrl([item.row]);
    tile.alt = item.id;
    tile.title = item.id;
    const name = classNode(item.label ?? "");
    const likeness = el("span", "fl-map-count", Number(item.similarity).toFixed(2));
    return el("li", item.label === label ? "" : "fl-suspects-other", tile, name, likeness);
  }

  /** The current card gets the class that heads hold more likely which did not see its label. */
  correct() {
    const item = this.exploring.current();
    if (item?.instead) this.exploring.label(item.id, item.instead);
  }

  /** The label of the current card is right. */
  async confirm() {
    const item = this.exploring.current();
    const label = item && labelOf(item);
    if (!item || !label) return;
    try {
      await this.exploring.api.post("api/checks", { labels: [{ id: item.id, label }] });
      this.exploring.say(t("is_right_now", { name: label }));
      await this.exploring.refresh();
      this.follow();
    } catch (error) {
      this.exploring.say(/** @type {Error} */ (error).message, "error");
    }
  }

  /**
   * @param {ListName} name
   * @param {string} title
   */
  #listButton(name, title) {
    const node = button("fl-quiet", title);
    node.dataset.list = name;
    node.addEventListener("click", () => this.#open(name));
    return node;
  }
}

/** @param {FoundAnswer} item */
function labelOf(item) {
  return item.label ?? (item.state ? null : item.known_label);
}

registerPanel({
  name: "mistakes",
  title: () => t("suspects"),
  mount: (root, exploring) => new MistakesPanel(root, exploring),
});
