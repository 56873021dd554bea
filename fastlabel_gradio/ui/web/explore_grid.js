// The grid of the view `explore`: cards of what was found, as many as are in view. Everything that scrolls, nothing that asks.

import { CardDeck } from "./cards.js";
import { classNode } from "./class_colours.js";
import { el, nameNode } from "./dom.js";
import { placeTile } from "./sheet.js";
import { ageOf } from "./time_text.js";
import { VirtualWindow } from "./virtual_window.js";
import { phrase, t } from "./words.js";

/** @typedef {import("./found_list.js").FoundList} FoundList */
/** @typedef {import("./found_list.js").Found} Found */
/** @typedef {import("./found_selection.js").FoundSelection} FoundSelection */
/** @typedef {import("./cards.js").CardNode} CardNode */
/** @typedef {import("./sheet.js").Sheet} Sheet */
/** @typedef {{ built: CardNode, item: Found, who: HTMLElement, place: number }} Shown */

const ROWS_AHEAD = 3;
const FIRST_ROW_PX = 210;
const GAP_PX = 10;

export class ExploreGrid {
  /**
   * @param {import("./label_view.js").Settings} settings
   * @param {import("./sound_player.js").SoundPlayer | null} player
   * @param {(url: string) => string} mediaUrl
   * @param {FoundSelection} selection
   * @param {() => void} onScroll
   */
  constructor(settings, player, mediaUrl, selection, onScroll) {
    this.settings = settings;
    this.player = player;
    this.mediaUrl = mediaUrl;
    this.selection = selection;
    this.onScrolled = onScroll;
    this.onCurrent = () => {}; // told when another card is the current one
    this.window = new VirtualWindow();
    this.window.rowPx = FIRST_ROW_PX;
    this.current = 0;
    this.wantsFocus = false;
    /** @type {Set<string>} ids of what the person said something of that could not be stored */
    this.unsaved = new Set();
    /** @type {FoundList | null} */
    this.list = null;
    /** @type {Map<number, Shown>} by place */
    this.shown = new Map();
    /** @type {Map<number, Sheet>} by the first place of its page */
    this.sheets = new Map();
    this.box = el("div", "fl-found-box");
    this.node = el("div", "fl-found", this.box);
    this.node.setAttribute("role", "group");
    this.node.setAttribute("aria-label", t("explore_found_items"));
    this.node.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.sizes = new ResizeObserver(() => this.layOut());
    this.sizes.observe(this.node);
    this.useClasses([]);
    selection.on("change", () => this.paintSelection());
  }

  /** @param {string[]} classes */
  useClasses(classes) {
    this.classes = classes;
    this.deck = new CardDeck(classes, this.player, this.mediaUrl, this.settings.sound_view.expand);
  }

  /**
   * @param {FoundList} list that was opened
   * @param {number} place to begin with
   */
  open(list, place) {
    this.clear();
    this.list = list;
    this.window.count = list.total;
    this.current = Math.min(place, Math.max(list.total - 1, 0));
    this.layOut();
    this.#scrollTo(this.window.show(place));
  }

  clear() {
    if (this.hasSound()) this.player?.close();
    for (const place of [...this.shown.keys()]) this.#drop(place);
    this.sheets.clear();
    this.list = null;
  }

  /** As many columns as there is room for; what is in view stays in view. */
  layOut() {
    const { width, cardPx } = this.#measures();
    if (!width) return; // it is not on screen
    const { window } = this;
    const place = window.firstPlace;
    const columns = Math.max(1, Math.floor((width + GAP_PX) / (cardPx + GAP_PX)));
    const isOther = columns !== window.columns;
    window.columns = columns;
    window.viewPx = this.node.clientHeight;
    this.node.style.setProperty("--fl-columns", String(columns));
    this.box.style.height = `${window.boxPx}px`;
    if (isOther) this.#scrollTo(window.show(place));
    this.paint();
  }

  #measures() {
    const cardPx = Number.parseFloat(getComputedStyle(this.node).getPropertyValue("--fl-card")) || 136;
    return { width: this.box.clientWidth, cardPx };
  }

  #scrolled() {
    const wanted = this.window.scroll(this.node.scrollTop);
    if (wanted !== this.node.scrollTop) this.#scrollTo(wanted);
    this.paint();
    this.onScrolled();
  }

  /** @param {number} scrollTop */
  #scrollTo(scrollTop) {
    this.node.scrollTop = scrollTop;
    this.paint();
  }

  /** Puts the cards in view on the page, and has those asked for that are not there. */
  paint() {
    if (!this.list) return;
    const [first, end] = this.window.range(ROWS_AHEAD);
    this.list.want(first, end);
    for (const place of [...this.shown.keys()]) if (place < first || place >= end) this.#drop(place);
    for (let place = first; place < end; place++) this.#put(place);
    this.#measureRows();
  }

  /** @param {number} place */
  #put(place) {
    const item = this.list?.item(place);
    const before = this.shown.get(place);
    if (!item) return;
    if (before?.item !== item) {
      const hadFocus = before?.built.node.contains(document.activeElement);
      if (before) this.#drop(place);
      this.#build(place, item);
      if (hadFocus) this.shown.get(place)?.built.node.focus({ preventScroll: true });
    }
    const node = this.shown.get(place)?.built.node;
    if (!node) return;
    node.style.setProperty("--fl-column", String(place % this.window.columns));
    node.style.top = `${this.window.yOf(place)}px`;
  }

  /**
   * @param {number} place
   * @param {Found} item
   */
  #build(place, item) {
    const built = this.deck?.buildCard(cardOf(item, place, this.window.count, this.classes ?? []));
    if (!built) return;
    const who = el("div", "fl-who", ...whoWords(item, this.classes ?? [], this.list?.query.order === "known_labels"));
    built.node.append(who);
    built.node.title = item.id;
    this.shown.set(place, { built, item, who, place });
    this.#paintState(place);
    const sheet = this.sheets.get(this.#pageOf(place));
    if (sheet) this.#paintTile(place, sheet);
    this.box.append(built.node);
    if (this.wantsFocus && place === this.current) this.focusCurrent();
  }

  /** @param {number} place */
  #pageOf(place) {
    for (const page of this.list?.pages.values() ?? []) {
      if (place >= page.first && place < page.first + page.items.length) return page.first;
    }
    return -1;
  }

  /** @param {number} place */
  #drop(place) {
    const shown = this.shown.get(place);
    if (!shown) return;
    const { built } = shown;
    if (built.sound && built.sound === this.player?.sound) this.player?.close();
    built.node.remove();
    this.shown.delete(place);
  }

  /** Cards are as high as one another; how high depends on what they say. */
  #measureRows() {
    let most = 0;
    for (const { built } of this.shown.values()) most = Math.max(most, built.node.offsetHeight);
    if (!most || most + GAP_PX === this.window.rowPx) return;
    const { firstPlace } = this.window;
    this.window.rowPx = most + GAP_PX;
    this.box.style.height = `${this.window.boxPx}px`;
    for (const place of this.shown.keys()) this.#put(place);
    this.#scrollTo(this.window.show(firstPlace));
  }

  /**
   * @param {number} first of its page
   * @param {Sheet} sheet
   */
  paintSheet(first, sheet) {
    this.sheets.set(first, sheet);
    for (const known of [...this.sheets.keys()]) if (!this.#isKept(known)) this.sheets.delete(known);
    for (const { place } of this.shown.values()) if (this.#pageOf(place) === first) this.#paintTile(place, sheet);
  }

  /** @param {number} first of a page */
  #isKept(first) {
    return [...(this.list?.pages.values() ?? [])].some((page) => page.first === first);
  }

  /**
   * @param {number} place
   * @param {Sheet} sheet
   */
  #paintTile(place, sheet) {
    const tile = this.shown.get(place)?.built.tile;
    if (tile) placeTile(tile, place - this.#pageOf(place), sheet);
  }

  paintSelection() {
    for (const place of this.shown.keys()) this.#paintState(place);
  }

  /** @param {number} place */
  #paintState(place) {
    const shown = this.shown.get(place);
    if (!shown) return;
    const { node, select, chip } = shown.built;
    const selected = this.selection.has(shown.item.id);
    const current = place === this.current;
    node.dataset.selected = String(selected);
    this.#paintUnsaved(shown);
    node.setAttribute(
      "aria-label",
      [this.describe(shown), selected && t("explore_selected")].filter(Boolean).join("; "),
    );
    node.classList.toggle("fl-current", current);
    for (const part of [node, select, chip]) if (part) part.tabIndex = current ? 0 : -1;
  }

  /** @param {Shown} shown */
  #paintUnsaved({ built, item, who }) {
    const isUnsaved = this.unsaved.has(item.id);
    const before = who.querySelector(".fl-not-saved");
    built.node.dataset.unsaved = String(isUnsaved);
    if (!isUnsaved) before?.remove();
    else if (!before) who.prepend(el("span", "fl-not-saved", t("explore_not_saved")));
  }

  /**
   * Cards say that what was said of them is not stored.
   * @param {string[] | null} ids null of a whole query, whose cards look as before
   * @param {boolean} goesBack to the first of all such cards
   */
  sayUnsaved(ids, goesBack) {
    for (const id of ids ?? []) this.unsaved.add(id);
    const first = this.list?.loaded.find(({ id }) => this.unsaved.has(id));
    this.paintSelection();
    this.#measureRows();
    if (goesBack && first) this.go(first.place, { focus: this.node.contains(document.activeElement) });
  }

  /** @param {string[] | null} ids that are stored now; null of a whole query */
  forgetUnsaved(ids) {
    for (const id of ids ?? [...this.unsaved]) this.unsaved.delete(id);
    this.paintSelection();
  }

  /** @param {Shown} shown */
  describe({ built, item, who }) {
    const { card } = built;
    const of = t("item_of", { place: card.index + 1, count: card.count });
    const said = item.label ?? (item.state ? t(`explore_state_${item.state}`) : t("not_labeled"));
    const suggested = item.prediction && t("explore_predicted_as", { name: item.prediction.label });
    return [of, item.id, said, suggested, who.textContent, item.note].filter(Boolean).join("; ");
  }

  /**
   * @param {number} place
   * @param {{ focus?: boolean }} how
   */
  go(place, { focus = true } = {}) {
    const before = this.current;
    this.current = Math.min(Math.max(place, 0), Math.max(this.window.count - 1, 0));
    this.#scrollTo(this.window.reveal(this.current, GAP_PX));
    for (const one of [before, this.current]) this.#paintState(one);
    this.wantsFocus = focus && !this.shown.has(this.current); // it is still asked for
    if (focus) this.focusCurrent();
    if (before !== this.current) this.arrive();
    if (before !== this.current) this.onCurrent();
  }

  focusCurrent() {
    if (this.shown.has(this.current)) this.wantsFocus = false;
    this.shown.get(this.current)?.built.node.focus({ preventScroll: true });
  }

  // What is heard is the current card or nothing.
  arrive() {
    const sound = this.shown.get(this.current)?.built.sound;
    if (!sound || !this.player) return;
    if (this.player.settings.playOnFocus) this.player.play(sound);
    else this.player.warm(sound);
  }

  /** Whether the player holds a sound of this grid. */
  hasSound() {
    return [...this.shown.values()].some(({ built }) => built.sound && built.sound === this.player?.sound);
  }

  /** @param {import("./batch.js").Move | "page-up" | "page-down"} move */
  placeAfter(move) {
    const { columns, count, viewPx, rowPx } = this.window;
    const page = Math.max(1, Math.floor(viewPx / rowPx)) * columns;
    const steps = { left: -1, right: 1, up: -columns, down: columns, "page-up": -page, "page-down": page };
    if (move === "first") return 0;
    if (move === "last") return count - 1;
    const place = this.current + steps[move];
    if (move === "left" || move === "right") return Math.min(Math.max(place, 0), count - 1);
    if (place < 0) return move === "up" ? this.current : this.current % columns;
    return Math.min(place, count - 1);
  }

  /**
   * The card of something that was clicked, if it is on one.
   * @param {Element} target
   */
  cardOf(target) {
    const node = /** @type {HTMLElement | null} */ (target.closest(".fl-card"));
    return node ? this.shown.get(Number(node.dataset.index)) : undefined;
  }

  get currentItem() {
    return this.list?.item(this.current);
  }

  /** Those of the selected items that are in view. */
  get selectedItems() {
    return [...this.shown.values()].flatMap(({ item }) => (this.selection.has(item.id) ? [item] : []));
  }

  stop() {
    this.sizes.disconnect();
    this.clear();
  }
}

/**
 * What was found as a card of the house's; it says the label that stands.
 * @param {Found} item
 * @param {number} index
 * @param {number} count
 * @param {string[]} classes
 * @returns {any} a Card of batch.js
 */
function cardOf(item, index, count, classes) {
  const { prediction } = item;
  const label = item.label === null ? -1 : classes.indexOf(item.label);
  const suggestion = prediction && {
    index: prediction.index,
    name: prediction.label,
    confidence: prediction.confidence,
    runnersUp: prediction.runners_up,
  };
  const aside = item.state && item.state !== "label" ? item.state : null;
  const answer = { label: label < 0 ? null : label, aside, source: "person", excluded: false };
  return { index, count, item, suggestion, ...answer, isStored: true };
}

/**
 * @param {Found} item
 * @param {string[]} classes of which the menu says which
 * @param {boolean} isOfSource what is doubted is the label that the source gives
 * @returns {import("./dom.js").Child[]}
 */
function whoWords(item, classes, isOfSource) {
  const words = [];
  if (item.similarity !== null) words.push(el("span", "fl-similarity", item.similarity.toFixed(2)));
  const state = item.state && item.state !== "label" ? t(`explore_state_${item.state}`) : "";
  if (state) words.push(el("span", "fl-said", state));
  else if (item.label !== null && !classes.includes(item.label)) words.push(classNode(item.label, "fl-said"));
  else if (isOfSource && item.label === null && item.known_label)
    words.push(el("span", "fl-of-source", ...phrase("explore_of_source", { name: classNode(item.known_label) })));
  if (item.annotator) words.push(nameNode(item.annotator, "fl-annotator-name"));
  if (item.created_at) {
    const age = el("time", "", ageOf(item.created_at, Date.now()));
    age.dateTime = item.created_at;
    age.title = `${new Date(item.created_at).toLocaleString()} · ${t(`explore_source_${item.source ?? "person"}`)}`;
    words.push(age);
  }
  return words;
}
