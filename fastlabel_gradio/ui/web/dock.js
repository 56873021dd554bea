// The dock below the cards: classes with keys and counts, states, how far the batch is, messages, the buttons that end it.

import { ASIDES } from "./answers.js";
import { STATE_MARKS } from "./cards.js";
import { classNode } from "./class_colours.js";
import { COMMANDS } from "./commands.js";
import { button, el, setShown, setText } from "./dom.js";
import { formatCount } from "./numbers.js";
import { t } from "./words.js";

/** @typedef {{ node: HTMLElement, key: HTMLElement, count: HTMLElement }} LegendEntry */

const LEGEND_LIMIT = 60;
const MESSAGE_MS = 8000; // what needs no answer goes by itself; warnings and errors stay

export class Dock {
  /** @param {import("./class_keys.js").ClassKeys} keys */
  constructor(keys) {
    this.keys = keys;
    this.legend = el("div", "fl-legend");
    this.legend.setAttribute("role", "group");
    this.legend.setAttribute("aria-label", t("legend"));
    this.message = el("p", "fl-message");
    this.message.setAttribute("role", "status");
    this.message.setAttribute("aria-live", "polite");
    this.bar = el("progress", "fl-batch-bar");
    this.bar.setAttribute("aria-label", t("batch_bar"));
    this.progress = el("span", "fl-batch-progress");
    this.accept = button("fl-dock-button fl-dock-accept", t("accept_the_rest"), "accept-rest", "Shift+Enter");
    this.submit = button("fl-dock-button fl-dock-submit", t("submit"), "submit", "s");
    this.asides = ASIDES.map(asideEntry);
    this.asideList = el("div", "fl-asides", ...this.asides.map(({ node }) => node));
    this.palette = button("fl-aside fl-palette-button", "", "palette", t("palette_title"));
    this.palette.append(el("kbd", "fl-key", "/"), el("span", "fl-aside-words", t("all_classes")));
    this.asideList.prepend(this.palette);
    this.actions = el("div", "fl-dock-actions", this.progress, this.accept, this.submit);
    this.node = el("footer", "fl-dock", this.message, this.bar);
    this.line = el("div", "fl-dock-line", this.legend, this.asideList, this.actions);
    this.node.append(this.line);
    /** @type {LegendEntry[]} */
    this.entries = [];
    this.setClasses([]);
  }

  /** @param {HTMLElement} menu */
  addMenu(menu) {
    this.actions.prepend(menu);
  }

  /** @param {string[]} classes */
  setClasses(classes) {
    this.classes = classes;
    this.entries = classes.slice(0, LEGEND_LIMIT).map(legendEntry);
    const rest = classes.length - this.entries.length;
    this.legend.replaceChildren(...this.entries.map((entry) => entry.node));
    if (rest > 0) this.legend.append(el("span", "fl-legend-more", t("more_classes", { n: rest })));
    this.paintKeys();
  }

  paintKeys() {
    const keys = this.keys.of(this.classes ?? []);
    for (const [index, { key }] of this.entries.entries()) {
      setText(key, keys[index]);
      setShown(key, keys[index] !== "");
    }
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
    const { classes } = batch.counts();
    this.entries.forEach(({ count }, index) => {
      setText(count, classes[index] ? formatCount(classes[index]) : "");
    });
    const asides = batch.asides();
    this.asides.forEach(({ count }, index) => {
      setText(count, asides[index] ? formatCount(asides[index]) : "");
    });
    const all = batch.cards.length;
    const done = batch.answered.length;
    const selected = batch.selection.size;
    this.bar.max = all || 1;
    this.bar.value = done;
    setText(this.progress, selected ? t("selected", { n: selected }) : t("of", { done, all }));
    this.submit.dataset.labels = String(done);
    setText(this.submit, done ? t("submit_count", { n: done }) : t("submit"));
    const acceptable = batch.confirmable(batch.cards).length;
    setText(this.accept, t(done ? "accept_more" : "accept_all", { n: acceptable }));
    setShown(this.accept, batch.acceptable.length > 0);
  }
}

/**
 * @param {string} name
 * @param {number} index
 * @returns {LegendEntry}
 */
function legendEntry(name, index) {
  const key = el("kbd", "fl-key", "");
  const count = el("span", "fl-legend-count");
  const node = el("button", "fl-legend-class", key, classNode(name, "fl-legend-name"), count);
  node.type = "button";
  node.dataset.action = "class";
  node.dataset.classIndex = String(index);
  node.title = name; // a long one is cut short
  return { node, key, count };
}

/** @param {import("./answers.js").Aside} aside */
function asideEntry(aside) {
  const key = COMMANDS.find(({ name }) => name === aside)?.caps ?? "";
  const count = el("span", "fl-legend-count");
  const node = button("fl-aside", "", aside, t(`help_${aside}`));
  node.append(el("kbd", "fl-key", key), el("span", "fl-aside-words", t(`is_${aside}`)), count);
  node.dataset.mark = STATE_MARKS[aside];
  return { node, count };
}
