// The dock below the cards: classes with keys and counts, how far the batch is, messages, the buttons that end it.

import { digitsOfClasses } from "./commands.js";
import { button, el, nameNode, setShown, setText } from "./dom.js";
import { formatCount } from "./numbers.js";
import { t } from "./words.js";

/** @typedef {{ node: HTMLElement, count: HTMLElement }} LegendEntry */

const LEGEND_LIMIT = 60;
const MESSAGE_MS = 8000; // what needs no answer goes by itself; warnings and errors stay

export class Dock {
  constructor() {
    this.legend = el("div", "fl-legend");
    this.legend.setAttribute("role", "group");
    this.legend.setAttribute("aria-label", t("legend"));
    this.message = el("p", "fl-message");
    this.message.setAttribute("role", "status");
    this.message.setAttribute("aria-live", "polite");
    this.bar = el("progress", "fl-batch-bar");
    this.bar.setAttribute("aria-label", t("batch_bar"));
    this.progress = el("span", "fl-batch-progress");
    this.accept = button("fl-dock-button", t("accept_the_rest"), "accept-rest", "Shift+Enter");
    this.submit = button("fl-dock-button fl-dock-submit", t("submit"), "submit", "s");
    const actions = el("div", "fl-dock-actions", this.progress, this.accept, this.submit);
    this.node = el("footer", "fl-dock", this.bar, this.message, el("div", "fl-dock-line", this.legend, actions));
    /** @type {LegendEntry[]} */
    this.entries = [];
    this.setClasses([]);
  }

  /** @param {string[]} classes */
  setClasses(classes) {
    const digits = digitsOfClasses(classes);
    this.entries = classes.slice(0, LEGEND_LIMIT).map((name, index) => legendEntry(name, index, digits[index]));
    const rest = classes.length - this.entries.length;
    this.legend.replaceChildren(...this.entries.map((entry) => entry.node));
    if (rest > 0) this.legend.append(el("span", "fl-legend-more", t("more_classes", { n: rest })));
  }

  /**
   * @param {string} text
   * @param {"" | "warning" | "error"} tone
   */
  say(text, tone = "") {
    clearTimeout(this.fading);
    setText(this.message, text);
    this.message.dataset.tone = tone;
    if (!tone) this.fading = setTimeout(() => setText(this.message, ""), MESSAGE_MS);
  }

  forgetWarning() {
    if (this.message.dataset.tone === "warning") this.say("");
  }

  /** @param {import("./batch.js").Batch} batch */
  paint(batch) {
    const { classes, labeled, acceptable } = batch.counts();
    this.entries.forEach(({ count }, index) => {
      setText(count, classes[index] ? formatCount(classes[index]) : "");
    });
    const count = batch.cards.length;
    this.bar.max = count || 1;
    this.bar.value = labeled;
    setText(this.progress, t("of", { done: labeled, all: count }));
    this.submit.dataset.labels = String(labeled);
    setText(this.submit, labeled ? t("submit_count", { n: labeled }) : t("submit"));
    setText(this.accept, t(labeled ? "accept_more" : "accept_all", { n: acceptable }));
    setShown(this.accept, acceptable > 0);
  }
}

/**
 * @param {string} name
 * @param {number} index
 * @param {string | undefined} digit
 * @returns {LegendEntry}
 */
function legendEntry(name, index, digit) {
  const key = el("kbd", "fl-key", digit ?? "");
  setShown(key, digit !== undefined);
  const count = el("span", "fl-legend-count");
  const node = el("button", "fl-legend-class", key, nameNode(name, "fl-legend-name"), count);
  node.type = "button";
  node.dataset.action = "class";
  node.dataset.classIndex = String(index);
  node.title = name; // a long one is cut short
  return { node, count };
}
