// One card: picture or spectrogram, suggestion, menu of classes. Building and painting only; batch.js knows what it says.

import { cardState } from "./batch.js";
import { button, el, nameNode, setText } from "./dom.js";
import { formatPercent } from "./numbers.js";
import { cardFace } from "./sound_face.js";
import { Sound } from "./sound_player.js";
import { phrase, t } from "./words.js";

/** @typedef {import("./batch.js").Card} Card */
/** @typedef {import("./batch.js").CardState} CardState */
/** @typedef {import("./batch.js").Suggestion} Suggestion */
/** @typedef {import("./sound_player.js").SoundPlayer} SoundPlayer */
/**
 * A card on screen. `lazy`: its menu is filled when it is opened.
 * @typedef {{
 *   card: Card, node: HTMLElement, tile: HTMLElement, badge: HTMLElement, sound: Sound | null,
 *   chip: HTMLButtonElement | null, select: HTMLSelectElement, lazy: boolean,
 * }} CardNode
 */

const UNSURE_ABOVE_CHANCE = 0.15; // less than this above 1 / classes is marked as unsure
const MENU_OPTIONS_AT_ONCE = 20000; // more than this on one page, and menus are filled when they are opened
const NO_CLASS = "—";

export const STATE_MARKS = { open: "", accepted: "✓", labeled: "✓", changed: "✎" };

export class CardDeck {
  /**
   * @param {string[]} classes
   * @param {SoundPlayer | null} player
   * @param {(url: string) => string} mediaUrl
   * @param {number} expand how many times slower than they were recorded sounds are played
   */
  constructor(classes, player, mediaUrl, expand) {
    this.classes = classes;
    this.player = player;
    this.expand = expand;
    this.mediaUrl = mediaUrl;
    this.unsureBelow = 1 / classes.length + UNSURE_ABOVE_CHANCE;
    this.menu = document.createDocumentFragment();
    this.menu.append(new Option(NO_CLASS, ""), ...classes.map((name, index) => new Option(name, String(index))));
  }

  /** @param {Card[]} cards */
  build(cards) {
    const lazy = cards.length * this.classes.length > MENU_OPTIONS_AT_ONCE;
    return cards.map((card) => this.buildCard(card, lazy));
  }

  /**
   * @param {Card} card
   * @param {boolean} lazy
   * @returns {CardNode}
   */
  buildCard(card, lazy) {
    const node = el("div", "fl-card");
    node.dataset.itemId = card.item.id;
    node.dataset.index = String(card.index);
    node.tabIndex = card.index === 0 ? 0 : -1;
    node.setAttribute("role", "group");
    const badge = el("span", "fl-badge");
    badge.setAttribute("aria-hidden", "true");
    const sound = this.player && new Sound(this.mediaUrl(card.item.media_url), card.item, this.expand);
    const chip = card.suggestion ? buildChip(card.suggestion, this.unsureBelow) : null;
    const select = this.buildMenu(card.index, lazy);
    const built = { card, node, tile: el("div", "fl-tile"), badge, sound, chip, select, lazy };
    const face = sound && cardFace(card.index);
    node.append(...[buildPicture(built, face), face?.time, chip, select].filter(isThere));
    if (face && sound) this.player?.show(sound, face);
    this.paint(built);
    return built;
  }

  /**
   * @param {number} index
   * @param {boolean} lazy
   */
  buildMenu(index, lazy) {
    const select = el("select", "fl-select");
    select.tabIndex = index === 0 ? 0 : -1;
    select.setAttribute("aria-label", t("class_of_item", { place: index + 1 }));
    if (lazy) select.append(new Option(NO_CLASS, ""));
    else select.append(this.menu.cloneNode(true));
    return select;
  }

  /** @param {CardNode} built */
  fillMenu(built) {
    if (!built.lazy) return;
    built.lazy = false;
    built.select.replaceChildren(this.menu.cloneNode(true));
    built.select.value = menuValue(built.card);
  }

  /** @param {CardNode} built */
  paint(built) {
    const { card } = built;
    const state = cardState(card);
    built.node.dataset.state = state;
    setText(built.badge, state === "changed" ? `${STATE_MARKS.changed} ${t("changed")}` : STATE_MARKS[state]);
    if (card.label !== null) this.fillMenu(built);
    built.select.value = menuValue(card);
    if (built.chip && card.suggestion) paintChip(built.chip, card.suggestion, state);
    built.node.setAttribute("aria-label", this.describe(card, state));
  }

  /**
   * @param {Card} card
   * @param {CardState} state
   */
  describe(card, state) {
    const { suggestion } = card;
    const suggested =
      suggestion && t("suggestion_is", { name: suggestion.name, share: formatPercent(suggestion.confidence) });
    const label = card.label === null ? t("not_labeled") : t(`is_${state}`, { name: this.classes[card.label] });
    const place = t("item_of", { place: card.index + 1, count: card.count });
    return [place, suggested, label, card.item.note].filter(Boolean).join("; ");
  }
}

/** @param {Card} card */
function menuValue({ label }) {
  return label === null ? "" : String(label);
}

/**
 * @param {CardNode} built
 * @param {import("./sound_face.js").SoundFace | null} face
 */
function buildPicture({ card, tile, badge }, face) {
  const zoom = button("fl-zoom-button", "⤢", "zoom", t("enlarge_key"));
  zoom.setAttribute("aria-label", t("enlarge"));
  zoom.tabIndex = -1;
  const note = card.item.note ? noteMark(card.item.note) : null;
  const parts = [tile, face?.cursor, badge, face?.problem, face?.play, zoom, note, face?.gain];
  const picture = el("div", "fl-picture", ...parts);
  picture.title = card.item.id;
  return picture;
}

/**
 * What had to be done to read the item; the card's own name says it too, for those who do not see the mark.
 * @param {string} text
 */
function noteMark(text) {
  const mark = el("span", "fl-note", "i");
  mark.title = text;
  mark.setAttribute("aria-hidden", "true");
  return mark;
}

/**
 * @param {Suggestion} suggestion
 * @param {number} unsureBelow
 */
function buildChip(suggestion, unsureBelow) {
  const percent = el("span", "fl-chip-percent", formatPercent(suggestion.confidence));
  const chip = button("fl-chip", "", "accept");
  chip.tabIndex = -1;
  chip.append(el("span", "fl-chip-words"), percent);
  chip.style.setProperty("--confidence", String(suggestion.confidence));
  chip.dataset.unsure = String(suggestion.confidence < unsureBelow);
  return chip;
}

/**
 * @param {HTMLButtonElement} chip
 * @param {Suggestion} suggestion
 * @param {CardState} state
 */
function paintChip(chip, suggestion, state) {
  const unsure = chip.dataset.unsure === "true";
  const name = nameNode(suggestion.name);
  const words = state === "changed" ? phrase("was", { name }) : [name, state === "open" && unsure ? "?" : ""];
  chip.firstElementChild?.replaceChildren(...words);
  const values = { name: suggestion.name, share: formatPercent(suggestion.confidence) };
  const spoken = t(unsure ? "chip_unsure" : "chip", values);
  chip.title = state === "open" ? t("accept_key", { what: spoken }) : spoken;
  chip.setAttribute("aria-label", t(state === "accepted" ? "accepted_what" : "accept_what", { what: spoken }));
}

/**
 * @template T
 * @param {T | null | undefined} part
 * @returns {part is T}
 */
function isThere(part) {
  return Boolean(part);
}
