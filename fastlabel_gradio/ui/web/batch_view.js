// The cards of the batch on screen: paints what the batch says, leads the focus, plays sounds. Knows no server.

import { CardDeck } from "./cards.js";
import { digitsOfClasses } from "./commands.js";
import { el } from "./dom.js";
import { placeTile } from "./sheet.js";
import { t } from "./words.js";

/** @typedef {import("./batch.js").Batch} Batch */
/** @typedef {import("./batch.js").Card} Card */
/** @typedef {import("./cards.js").CardNode} CardNode */
/** @typedef {import("./sheet.js").Sheet} Sheet */

const MANY_CARDS = 200;

export class BatchView {
  /**
   * @param {import("./dock.js").Dock} dock
   * @param {import("./zoom_view.js").ZoomView} zoom
   * @param {import("./sound_player.js").SoundPlayer | null} player null where the items are pictures
   * @param {(url: string) => string} mediaUrl
   * @param {number} expand how many times slower than recorded sounds are played
   */
  constructor(dock, zoom, player, mediaUrl, expand) {
    this.dock = dock;
    this.zoom = zoom;
    this.player = player;
    this.mediaUrl = mediaUrl;
    this.expand = expand;
    this.node = el("div", "fl-cards");
    this.node.setAttribute("role", "group");
    this.node.setAttribute("aria-label", t("batch"));
    this.hasShown = false; // a batch, since the page was loaded
    /** @type {Batch | null} */
    this.batch = null;
    /** @type {CardNode[]} */
    this.cards = [];
  }

  // Drops the batch; its cards stay on screen until the next one is there, so that nothing flickers.
  forget() {
    if (this.hasSound()) this.player?.close();
    this.batch = null;
    this.cards = [];
  }

  /** @param {Batch} batch */
  open(batch) {
    this.forget();
    this.batch = batch;
    this.deck = new CardDeck(batch.classes, this.player, this.mediaUrl, this.expand);
    this.cards = this.deck.build(batch.cards);
    batch.on("labels", (cards) => this.paintLabels(cards));
    batch.on("taken back", ([first]) => this.focusCard(first.index));
  }

  /** @param {Sheet | null} sheet */
  paintSheet(sheet) {
    this.sheet = sheet; // kept: a decoded picture stays decoded while something holds it
    if (sheet) for (const { tile, card } of this.cards) placeTile(tile, card.index, sheet);
  }

  /** @param {Batch} batch the one that is open */
  reveal(batch) {
    this.node.classList.toggle("fl-many", this.cards.length > MANY_CARDS);
    const fragment = document.createDocumentFragment();
    fragment.append(...this.cards.map((card) => card.node));
    this.node.replaceChildren(fragment);
    this.dock.setClasses(batch.classes);
    this.dock.paint(batch);
    this.setCurrent(batch, batch.current);
    if (this.hasShown) this.arrive(); // while the page loads, no sound is asked for
    this.hasShown = true;
  }

  /** @param {Card[]} cards */
  paintLabels(cards) {
    if (!this.batch) return;
    for (const { index } of cards) this.deck?.paint(this.cards[index]);
    this.zoom.paint(this.batch);
    this.dock.paint(this.batch);
    this.dock.forgetWarning();
  }

  /** @param {number} index of a class */
  labelCurrent(index) {
    if (!this.batch || index >= this.batch.classes.length) return;
    this.batch.change([this.batch.currentCard], () => index);
    this.moveOn();
  }

  /** @param {string} digit */
  labelByDigit(digit) {
    const index = digitsOfClasses(this.batch?.classes ?? []).indexOf(digit);
    if (index >= 0) this.labelCurrent(index);
  }

  acceptCurrent() {
    const card = this.batch?.currentCard;
    if (!card?.suggestion) return this.dock.say(t("no_suggestion"), "warning");
    this.batch?.change([card], suggested);
    return this.moveOn();
  }

  /** @param {CardNode} built */
  acceptCard({ card }) {
    this.batch?.change([card], suggested);
    this.focusCard(card.index);
  }

  acceptRest() {
    const count = this.batch?.change(this.batch.acceptable, suggested) ?? 0;
    this.dock.say(count ? t("accepted_rest", { n: count }) : t("nothing_to_accept"));
  }

  clearCurrent() {
    if (this.batch) this.batch.change([this.batch.currentCard], () => null);
  }

  clearAll() {
    const count = this.batch?.change(this.batch.cards, () => null);
    if (count) this.dock.say(t("cleared", { n: count }));
  }

  moveOn() {
    if (!this.batch) return;
    if (this.batch.current < this.cards.length - 1) this.focusCard(this.batch.current + 1);
    else this.dock.say(t("last_card"));
  }

  /** @param {import("./batch.js").Move} move */
  move(move) {
    if (!this.batch) return;
    const index = this.batch.neighbour(move, this.columns());
    if (index !== this.batch.current || move === "down" || move === "first" || move === "last") this.focusCard(index);
  }

  columns() {
    return getComputedStyle(this.node).gridTemplateColumns.split(" ").length;
  }

  /** @param {number} index */
  focusCard(index) {
    if (!this.batch || !this.cards[index]) return;
    this.goTo(index);
    if (this.zoom.open) this.zoom.show(this.cards[index], this.batch);
    else this.focusCurrent();
  }

  get current() {
    return this.batch ? this.cards[this.batch.current] : undefined;
  }

  focusCurrent() {
    this.current?.node.focus({ preventScroll: true });
    this.current?.node.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  keepFocusInView() {
    if (this.current?.node === document.activeElement) this.focusCurrent();
  }

  /**
   * One card takes part in the Tab order, so that Tab leads from the toolbar to it, its menu and on to the dock.
   * @param {Batch} batch
   * @param {number} index
   */
  setCurrent(batch, index) {
    reach(this.cards[batch.current], false);
    batch.current = index;
    reach(this.cards[index], true);
  }

  /** @param {number} index */
  goTo(index) {
    if (!this.batch || index === this.batch.current) return;
    this.setCurrent(this.batch, index);
    this.arrive();
  }

  // What is heard is the current card or nothing.
  arrive() {
    const sound = this.current?.sound;
    if (!sound || !this.player) return;
    if (this.player.settings.playOnFocus) this.player.play(sound);
    else this.player.warm(sound);
  }

  toggleZoom() {
    if (this.zoom.open) this.zoom.close();
    else if (this.current && this.batch) this.zoom.show(this.current, this.batch);
  }

  toggleSound() {
    if (this.current?.sound) this.player?.toggle(this.current.sound);
  }

  /** @param {CardNode} built */
  toggleCard({ card, sound }) {
    if (!sound || !this.player) return;
    const stops = this.player.isPlaying(sound);
    this.focusCard(card.index); // which may play it
    if (stops) this.player.stop();
    else this.player.play(sound);
  }

  /**
   * @param {CardNode} built
   * @param {number} fraction of the sound, 0 to 1
   */
  playFrom({ card, sound }, fraction) {
    this.focusCard(card.index);
    if (sound) this.player?.play(sound, fraction);
  }

  stopSound() {
    if (this.hasSound()) this.player?.stop();
  }

  paintSounds() {
    for (const { sound } of this.cards) if (sound) this.player?.paintFaces(sound);
  }

  // Whether the player holds a sound of this batch, and not one of another tab.
  hasSound() {
    return this.cards.some(({ sound }) => sound && sound === this.player?.sound);
  }

  /**
   * The card of something that was clicked, if it is on one.
   * @param {Element} target
   * @returns {CardNode | undefined}
   */
  cardOf(target) {
    const node = /** @type {HTMLElement | null} */ (target.closest(".fl-card"));
    return node ? this.cards[Number(node.dataset.index)] : undefined;
  }
}

/** @param {Card} card */
function suggested({ suggestion }) {
  return suggestion ? suggestion.index : null;
}

/**
 * @param {CardNode | undefined} built
 * @param {boolean} reachable
 */
function reach(built, reachable) {
  if (!built) return;
  built.node.classList.toggle("fl-current", reachable);
  for (const node of [built.node, built.chip, built.select]) if (node) node.tabIndex = reachable ? 0 : -1;
}
