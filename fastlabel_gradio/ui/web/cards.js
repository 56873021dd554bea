// One card: picture or spectrogram, suggestion, menu of classes. Building and painting only; batch_view.js decides what
// happens to it.

import { button, el, nameNode, setText } from "./dom.js";
import { formatPercent } from "./numbers.js";
import { cardFace } from "./sound_face.js";
import { Sound } from "./sound_player.js";

const UNSURE_ABOVE_CHANCE = 0.15; // less than this above 1 / classes is marked as unsure
const MENU_OPTIONS_AT_ONCE = 20000; // more than this on one page, and menus are filled when they are opened
export const STATE_MARKS = { open: "", accepted: "✓", labeled: "✓", changed: "✎" };

export function cardState(card) {
  if (card.label === null) return "open";
  if (!card.suggestion) return "labeled";
  return card.suggestion.index === card.label ? "accepted" : "changed";
}

export class CardDeck {
  // `expand`: how many times slower than they were recorded sounds are played.
  constructor(classes, player, mediaUrl, expand) {
    this.classes = classes;
    this.player = player;
    this.expand = expand;
    this.mediaUrl = mediaUrl;
    this.unsureBelow = 1 / classes.length + UNSURE_ABOVE_CHANCE;
    this.menu = document.createDocumentFragment();
    this.menu.append(new Option("—", ""), ...classes.map((name, index) => new Option(name, String(index))));
  }

  build(items) {
    const lazy = items.length * this.classes.length > MENU_OPTIONS_AT_ONCE;
    return items.map((item, index) => this.buildCard(item, index, items.length, lazy));
  }

  buildCard(item, index, count, lazy) {
    const node = el("div", "fl-card");
    node.dataset.itemId = item.id;
    node.dataset.index = index;
    node.tabIndex = index === 0 ? 0 : -1;
    node.setAttribute("role", "group");
    const card = { item, index, count, node, lazy, label: null, suggestion: suggestionOf(item, this.classes) };
    card.tile = el("div", "fl-tile");
    card.badge = el("span", "fl-badge");
    card.badge.setAttribute("aria-hidden", "true");
    card.sound = this.player && new Sound(this.mediaUrl(item.media_url), item, this.expand);
    const face = card.sound && cardFace(index);
    card.chip = card.suggestion ? buildChip(card.suggestion, this.unsureBelow) : null;
    card.select = this.buildMenu(index, lazy);
    const zoom = button("fl-zoom-button", "⤢", "zoom", "Enlarge (z)");
    zoom.setAttribute("aria-label", "Enlarge");
    zoom.tabIndex = -1;
    const note = item.note ? noteMark(item.note) : null;
    const picture = el("div", "fl-picture", card.tile, face?.cursor, card.badge, face?.problem, face?.play, zoom);
    picture.append(...[note, face?.gain].filter(Boolean));
    picture.title = card.item.id;
    node.append(...[picture, face?.time, card.chip, card.select].filter(Boolean));
    if (face) this.player.show(card.sound, face);
    this.paint(card);
    return card;
  }

  buildMenu(index, lazy) {
    const select = el("select", "fl-select");
    select.tabIndex = index === 0 ? 0 : -1;
    select.setAttribute("aria-label", "Class of item " + (index + 1));
    if (lazy) select.append(new Option("—", ""));
    else select.append(this.menu.cloneNode(true));
    return select;
  }

  fillMenu(card) {
    if (!card.lazy) return;
    card.lazy = false;
    card.select.replaceChildren(this.menu.cloneNode(true));
    card.select.value = card.label === null ? "" : String(card.label);
  }

  paint(card) {
    const state = cardState(card);
    card.node.dataset.state = state;
    setText(card.badge, STATE_MARKS[state] + (state === "changed" ? " changed" : ""));
    if (card.label !== null) this.fillMenu(card);
    card.select.value = card.label === null ? "" : String(card.label);
    if (card.chip) paintChip(card.chip, card.suggestion, state);
    card.node.setAttribute("aria-label", this.describe(card, state));
  }

  describe(card, state) {
    const place = "Item " + (card.index + 1) + " of " + card.count;
    const { suggestion } = card;
    const said = suggestion && "suggestion " + suggestion.name + ", " + formatPercent(suggestion.confidence);
    const label = state === "open" ? "not labeled" : state + ": " + this.classes[card.label];
    return [place, said, label, card.item.note].filter(Boolean).join("; ");
  }
}

// What had to be done to read the item; the card's own name says it too, for those who do not see the mark.
function noteMark(text) {
  const mark = el("span", "fl-note", "i");
  mark.title = text;
  mark.setAttribute("aria-hidden", "true");
  return mark;
}

function suggestionOf(item, classes) {
  const prediction = item.prediction;
  if (!prediction) return null;
  const name = classes[prediction.index] ?? prediction.label;
  return { index: prediction.index, name, confidence: prediction.confidence };
}

function buildChip(suggestion, unsureBelow) {
  const words = el("span", "fl-chip-words");
  const percent = el("span", "fl-chip-percent");
  percent.textContent = formatPercent(suggestion.confidence);
  const chip = button("fl-chip", "", "accept");
  chip.tabIndex = -1;
  chip.append(words, percent);
  chip.style.setProperty("--confidence", suggestion.confidence);
  chip.dataset.unsure = suggestion.confidence < unsureBelow;
  return chip;
}

function paintChip(chip, suggestion, state) {
  const unsure = chip.dataset.unsure === "true";
  const before = state === "changed" ? "was " : "";
  const after = state === "open" && unsure ? "?" : "";
  chip.firstChild.replaceChildren(before, nameNode(suggestion.name), after);
  const words = suggestion.name + ", " + formatPercent(suggestion.confidence) + (unsure ? ", unsure" : "");
  chip.title = (state === "open" ? "Accept (Enter): " : "") + words;
  chip.setAttribute("aria-label", (state === "accepted" ? "Accepted: " : "Accept: ") + words);
}
