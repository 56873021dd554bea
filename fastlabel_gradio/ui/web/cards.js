// One card: picture or spectrogram, suggestion, menu of classes. Building and painting only; batch.js knows what it says.

import { cardState } from "./answers.js";
import { classNode, markClass } from "./class_colours.js";
import { branchesOf } from "./class_tree.js";
import { button, el, setText } from "./dom.js";
import { eachWhenIdle } from "./idle.js";
import { formatPercent } from "./numbers.js";
import { cardFace } from "./sound_face.js";
import { Sound } from "./sound_player.js";
import { t } from "./words.js";

/** @typedef {import("./batch.js").Card} Card */
/** @typedef {import("./answers.js").CardState} CardState */
/** @typedef {import("./batch.js").Suggestion} Suggestion */
/** @typedef {import("./sound_player.js").SoundPlayer} SoundPlayer */
/**
 * A card on screen. `isShort`: its menu has one line, what is chosen; all classes come when it is opened or the page is idle.
 * @typedef {{
 *   card: Card, node: HTMLElement, tile: HTMLElement, badge: HTMLElement, sound: Sound | null,
 *   chip: HTMLButtonElement | null, select: HTMLSelectElement, isShort: boolean,
 * }} CardNode
 */

const UNSURE_ABOVE_CHANCE = 0.15; // less than this above 1 / classes is marked as unsure
const MOST_OPTIONS = 20000; // more than this on one page, and menus are filled only when they are opened
const NO_CLASS = "—";

export const STATE_MARKS = {
  open: "",
  accepted: "✓",
  labeled: "✓",
  changed: "✎",
  differs: "✓",
  skip: "↷",
  unsure: "?",
  bad: "⊘",
};

export class CardDeck {
  /**
   * @param {string[]} classes
   * @param {SoundPlayer | null} player
   * @param {(url: string) => string} mediaUrl
   * @param {number} expand how many times slower than they were recorded sounds are played
   */
  constructor(classes, player, mediaUrl, expand) {
    this.player = player;
    this.expand = expand;
    this.mediaUrl = mediaUrl;
    this.unsureBelow = 1 / classes.length + UNSURE_ABOVE_CHANCE;
    this.classes = classes;
    this.menu = menuOf(classes);
  }

  /** @param {string[]} classes that there are now */
  useClasses(classes) {
    this.classes = classes;
    this.menu = menuOf(classes);
  }

  /** @param {CardNode} built whose menu has other classes now */
  renewMenu(built) {
    built.isShort = true;
    this.showChoice(built);
  }

  /**
   * @param {Card} card
   * @returns {CardNode}
   */
  buildCard(card) {
    const node = el("div", "fl-card");
    node.dataset.itemId = card.item.id;
    node.tabIndex = card.index === 0 ? 0 : -1;
    node.setAttribute("role", "group");
    const badge = el("span", "fl-badge");
    badge.setAttribute("aria-hidden", "true");
    const sound = this.player && new Sound(this.mediaUrl(card.item.media_url), card.item, this.expand);
    const chip = card.suggestion ? buildChip(card.suggestion, this.unsureBelow) : null;
    const select = el("select", "fl-select");
    select.tabIndex = card.index === 0 ? 0 : -1;
    const lines = el("div", "fl-lines", chip, select);
    const built = { card, node, tile: el("div", "fl-tile"), badge, sound, chip, select, isShort: true };
    const face = sound && cardFace(card.index);
    node.append(...[buildPicture(built, face), face?.time, lines].filter(isThere));
    if (face && sound) this.player?.show(sound, face);
    this.place(built);
    return built;
  }

  /**
   * All classes, before anybody can choose one.
   * @param {CardNode} built
   */
  fillMenu(built) {
    if (!built.isShort) return;
    built.isShort = false;
    built.select.replaceChildren(this.menu.cloneNode(true));
    built.select.value = menuValue(built.card);
  }

  /**
   * Whoever chooses without opening a menu, as a script does, finds all classes too.
   * @param {CardNode[]} cards
   * @returns {() => void} ends it
   */
  fillWhenIdle(cards) {
    const fits = cards.length * this.classes.length <= MOST_OPTIONS;
    return eachWhenIdle(fits ? cards : [], (built) => this.fillMenu(built));
  }

  /** @param {CardNode} built */
  showChoice({ card, select, isShort }) {
    const shown = card.label === null ? NO_CLASS : this.classes[card.label];
    markClass(select, card.label === null ? null : shown);
    if (isShort) select.replaceChildren(new Option(shown, menuValue(card)));
    else select.value = menuValue(card);
  }

  /**
   * What of it depends on where it stands.
   * @param {CardNode} built
   */
  place(built) {
    const { node, select, card } = built;
    node.dataset.index = String(card.index);
    select.setAttribute("aria-label", t("class_of_item", { place: card.index + 1 }));
    this.paint(built);
  }

  /**
   * @param {CardNode} built
   * @param {boolean} selected
   */
  paintSelected(built, selected) {
    built.node.dataset.selected = String(selected);
    built.node.setAttribute("aria-label", this.describe(built.card, cardState(built.card), selected));
  }

  /** @param {CardNode} built */
  paint(built) {
    const { card } = built;
    const state = cardState(card);
    built.node.dataset.state = state;
    built.node.dataset.excluded = String(card.excluded);
    setText(built.badge, card.excluded ? "✕" : badgeWords(card, state));
    this.showChoice(built);
    if (built.chip && card.suggestion) paintChip(built.chip, card.suggestion, state);
    built.node.setAttribute("aria-label", this.describe(card, state, built.node.dataset.selected === "true"));
  }

  /**
   * @param {Card} card
   * @param {CardState} state
   * @param {boolean} selected
   */
  describe(card, state, selected) {
    const { suggestion } = card;
    const suggested =
      suggestion && t("suggestion_is", { name: suggestion.name, share: formatPercent(suggestion.confidence) });
    const label = t(`is_${state}`, { name: card.label === null ? "" : this.classes[card.label] });
    const marks = [card.excluded ? t("is_excluded") : "", selected ? t("is_selected") : ""];
    const place = t("item_of", { place: card.index + 1, count: card.count });
    return [place, suggested, label, ...marks, card.item.note].filter(Boolean).join("; ");
  }
}

/**
 * @param {Card} card
 * @param {CardState} state
 */
function badgeWords({ aside }, state) {
  if (aside) return `${STATE_MARKS[aside]} ${t(`is_${aside}`)}`;
  return state === "changed" ? `${STATE_MARKS.changed} ${t("changed")}` : STATE_MARKS[state];
}

/** @param {string[]} classes */
function menuOf(classes) {
  const menu = document.createDocumentFragment();
  menu.append(new Option(NO_CLASS, ""));
  for (const { prefix, places } of branchesOf(classes)) {
    const options = places.map((index) => new Option(classes[index], String(index)));
    menu.append(...(prefix ? [branchOf(prefix, options)] : options));
  }
  return menu;
}

/**
 * @param {string} prefix
 * @param {HTMLOptionElement[]} options
 */
function branchOf(prefix, options) {
  const group = el("optgroup", "", ...options);
  group.label = prefix;
  return group;
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
  chip.append(el("span", "fl-chip-words"), " ", percent);
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
  const name = classNode(suggestion.name);
  chip.firstElementChild?.replaceChildren(name, state === "open" && unsure ? "?" : "");
  // A screen reader says the words that are seen, or a person who speaks commands could not name the button.
  const values = { name: shownName(suggestion, state), share: formatPercent(suggestion.confidence) };
  const spoken = t(unsure ? "chip_unsure" : "chip", values);
  chip.title = state === "open" ? t("accept_key", { what: spoken }) : spoken;
  chip.setAttribute("aria-label", t(state === "accepted" ? "accepted_what" : "accept_what", { what: spoken }));
}

/**
 * @param {Suggestion} suggestion
 * @param {CardState} state
 */
function shownName({ name }, state) {
  if (state === "differs") return t("explore_predicted_as", { name });
  return state === "changed" ? t("was", { name }) : name;
}

/**
 * @template T
 * @param {T | null | undefined} part
 * @returns {part is T}
 */
function isThere(part) {
  return Boolean(part);
}
