// The dock below the cards: classes with keys and counts, how far the batch is, messages, the buttons that end it.

import { button, el, nameNode, setShown, setText } from "./dom.js";
import { digitsOfClasses } from "./keys.js";
import { formatCount } from "./numbers.js";

const LEGEND_LIMIT = 60;
const MESSAGE_MS = 8000; // what needs no answer goes by itself; warnings and errors stay

export class Dock {
  constructor() {
    this.legend = el("div", "fl-legend");
    this.legend.setAttribute("role", "group");
    this.legend.setAttribute("aria-label", "Classes: a click labels the current card");
    this.message = el("p", "fl-message");
    this.message.setAttribute("role", "status");
    this.message.setAttribute("aria-live", "polite");
    this.bar = el("progress", "fl-batch-bar");
    this.bar.setAttribute("aria-label", "Labeled cards of this batch");
    this.progress = el("span", "fl-batch-progress");
    this.accept = button("fl-dock-button", "Accept the rest", "accept-rest", "Shift+Enter");
    this.submit = button("fl-dock-button fl-dock-submit", "Submit", "submit", "s");
    const actions = el("div", "fl-dock-actions", this.progress, this.accept, this.submit);
    this.node = el("footer", "fl-dock", this.bar, this.message, el("div", "fl-dock-line", this.legend, actions));
    this.setClasses([]);
  }

  setClasses(classes) {
    const digits = digitsOfClasses(classes);
    this.entries = classes.slice(0, LEGEND_LIMIT).map((name, index) => legendEntry(name, index, digits[index]));
    const rest = classes.length - this.entries.length;
    this.legend.replaceChildren(...this.entries.map((entry) => entry.node));
    const more = "and " + formatCount(rest) + " more in each card's menu";
    if (rest > 0) this.legend.append(el("span", "fl-legend-more", more));
  }

  say(text, tone) {
    clearTimeout(this.fading);
    setText(this.message, text);
    this.message.dataset.tone = tone ?? "";
    if (!tone) this.fading = setTimeout(() => setText(this.message, ""), MESSAGE_MS);
  }

  forgetWarning() {
    if (this.message.dataset.tone === "warning") this.say("");
  }

  paint(cards) {
    const counts = new Array(this.entries.length).fill(0);
    let labeled = 0;
    let acceptable = 0;
    for (const card of cards) {
      if (card.label === null) acceptable += card.suggestion ? 1 : 0;
      else labeled += 1;
      if (card.label !== null && card.label < counts.length) counts[card.label] += 1;
    }
    this.entries.forEach((entry, index) => paintLegendEntry(entry, counts[index]));
    this.paintProgress(labeled, cards.length, acceptable);
  }

  paintProgress(labeled, count, acceptable) {
    this.bar.max = count || 1;
    this.bar.value = labeled;
    setText(this.progress, formatCount(labeled) + " of " + formatCount(count));
    this.submit.dataset.labels = labeled;
    setText(this.submit, labeled ? "Submit " + formatCount(labeled) : "Submit");
    const rest = formatCount(acceptable);
    setText(this.accept, labeled ? "Accept " + rest + " more" : "Accept all " + rest);
    setShown(this.accept, acceptable > 0);
  }
}

function legendEntry(name, index, digit) {
  const key = el("kbd", "fl-key", digit ?? "");
  setShown(key, digit !== undefined);
  const count = el("span", "fl-legend-count");
  const node = el("button", "fl-legend-class", key, nameNode(name, "fl-legend-name"), count);
  node.type = "button";
  node.dataset.action = "class";
  node.dataset.classIndex = index;
  node.title = name; // a long one is cut short
  return { node, count };
}

function paintLegendEntry(entry, count) {
  setText(entry.count, count ? formatCount(count) : "");
}
