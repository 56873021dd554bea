// The cards of the batch on screen: paints what the batch says, leads the focus, plays sounds. Knows no server.

import { CardDeck } from "./cards.js";
import { el } from "./dom.js";
import { buildHeads, paintHeads } from "./group_heads.js";
import { SeenWatch } from "./seen.js";
import { placeTile } from "./sheet.js";
import { t } from "./words.js";

/** @typedef {import("./batch.js").Batch} Batch */
/** @typedef {import("./batch.js").Card} Card */
/** @typedef {import("./cards.js").CardNode} CardNode */
/** @typedef {import("./group_heads.js").GroupHead} GroupHead */
/** @typedef {import("./sheet.js").Sheet} Sheet */

const MANY_CARDS = 200;
const SHEET_TILE_PX = 200; // from so many pixels on a tile of the sheet looks coarse

export class BatchView {
  /**
   * @param {import("./dock.js").Dock} dock
   * @param {import("./zoom_view.js").ZoomView} zoom
   * @param {import("./sound_player.js").SoundPlayer | null} player null where the items are pictures
   * @param {(url: string) => string} mediaUrl
   * @param {number} expand how many times slower than recorded sounds are played
   * @param {import("./card_look.js").CardLook} look
   */
  constructor(dock, zoom, player, mediaUrl, expand, look) {
    this.dock = dock;
    this.zoom = zoom;
    this.player = player;
    this.mediaUrl = mediaUrl;
    this.expand = expand;
    this.look = look;
    this.node = el("div", "fl-cards");
    this.node.setAttribute("role", "group");
    this.node.setAttribute("aria-label", t("batch"));
    this.hasShown = false; // a batch, since the page was loaded
    /** @type {Batch | null} */
    this.batch = null;
    /** @type {CardNode[]} */
    this.cards = []; // in the order of the screen
    /** @type {GroupHead[]} */
    this.heads = [];
    this.flows = false;
    this.seen = new SeenWatch((node) => this.onSeen(node), isCovered);
  }

  // Drops the batch; its cards stay on screen until the next one is there, so that nothing flickers.
  forget() {
    if (this.hasSound()) this.player?.close();
    this.endFilling?.();
    this.batch = null;
    this.cards = [];
    this.heads = [];
    this.seen.stop();
  }

  /** @param {Batch} batch */
  open(batch) {
    this.forget();
    this.batch = batch;
    batch.arrange(this.look.groups);
    batch.goToFirstOpen();
    const deck = new CardDeck(batch.classes, this.player, this.mediaUrl, this.expand);
    this.deck = deck;
    this.cards = batch.cards.map((card) => deck.buildCard(card));
    batch.on("labels", (cards) => this.paintLabels(cards));
    batch.on("taken back", ([first]) => this.focusCard(first.index));
    batch.on("seen", () => this.dock.paint(batch));
    batch.on("arranged", () => this.rearrange(batch));
    batch.on("classes", () => this.renameClasses(batch));
    batch.selection.on("change", (cards) => this.paintSelection(batch, cards));
  }

  /** @param {Sheet | null} sheet */
  paintSheet(sheet) {
    this.sheet = sheet; // kept: a decoded picture stays decoded while something holds it
    if (sheet) for (const { tile, card } of this.cards) placeTile(tile, card.tile, sheet);
  }

  /** Large cards of pictures show more of them than the sheet has. */
  paintTiles() {
    const isLarge = !this.player && this.look.sizePx * window.devicePixelRatio > SHEET_TILE_PX;
    for (const { tile, card } of this.cards) {
      if (!isLarge) tile.replaceChildren();
      else if (!tile.firstChild) tile.append(largePicture(this.mediaUrl(card.item.media_url)));
    }
  }

  /** @param {Batch} batch */
  paintDock(batch) {
    this.dock.setClasses(batch.classes);
    this.dock.paint(batch);
  }

  /** @param {Batch} batch the one that is open, of which the dock is painted and measured */
  reveal(batch) {
    this.node.classList.toggle("fl-many", this.cards.length > MANY_CARDS);
    this.lay(batch);
    this.paintTiles();
    this.setCurrent(batch, batch.current);
    if (this.hasShown) this.arrive(); // while the page loads, no sound is asked for
    this.hasShown = true;
    this.fillMenus();
  }

  fillMenus() {
    this.endFilling?.();
    this.endFilling = this.deck?.fillWhenIdle(this.cards);
  }

  /**
   * Puts cards and headings where the batch has them.
   * @param {Batch} batch
   */
  lay(batch) {
    this.heads = buildHeads(batch);
    this.measure(); // while the cards before stand there, which are laid out: the new ones are laid out once, not twice
    const fragment = document.createDocumentFragment();
    for (const [place, { cards }] of batch.groups.entries()) {
      const head = this.heads[place];
      if (head) fragment.append(head.node);
      fragment.append(...cards.map(({ index }) => this.cards[index].node));
    }
    this.node.replaceChildren(fragment);
    this.seen.watch(this.cards.filter(({ card }) => !card.seen).map(({ node }) => node));
  }

  /** @param {Batch} batch */
  renameClasses(batch) {
    this.deck?.useClasses(batch.classes);
    for (const one of this.cards) this.deck?.renewMenu(one);
    this.fillMenus();
    this.paintDock(batch);
    batch.arrange(this.look.groups);
  }

  // Small groups follow one another in a row, each behind its heading; large ones begin rows of their own.
  measure() {
    this.flows = this.heads.length > 0 && this.cards.length / this.heads.length < this.columns() / 2;
    this.node.classList.toggle("fl-flow", this.flows);
  }

  /** @param {Batch} batch whose cards have other places now */
  rearrange(batch) {
    const built = new Map(this.cards.map((one) => [one.card, one]));
    this.cards = batch.cards.map((card) => /** @type {CardNode} */ (built.get(card)));
    for (const one of this.cards) this.deck?.place(one);
    this.lay(batch);
    this.setCurrent(batch, batch.current);
    if (!this.zoom.open) this.focusCurrent();
  }

  /** @param {Element} node of a card that was looked at */
  onSeen(node) {
    const built = this.cardOf(node);
    if (!built) return;
    built.node.dataset.seen = "";
    this.batch?.see([built.card]);
  }

  /**
   * @param {Batch} batch
   * @param {Card[]} cards
   */
  paintSelection(batch, cards) {
    for (const card of cards) this.deck?.paintSelected(this.cards[card.index], batch.selection.has(card));
    this.dock.paint(batch);
  }

  /** @param {Card[]} cards */
  paintLabels(cards) {
    if (!this.batch) return;
    for (const { index } of cards) this.deck?.paint(this.cards[index]);
    paintHeads(this.batch, this.heads);
    this.zoom.paint(this.batch);
    this.dock.paint(this.batch);
    this.dock.forgetWarning();
  }

  moveOn() {
    if (!this.batch) return;
    if (this.batch.current < this.cards.length - 1) this.focusCard(this.batch.current + 1);
    else this.dock.say(t("last_card"));
  }

  /**
   * To a neighbour, which may be the heading of a group.
   * @param {import("./batch_layout.js").Move} move
   */
  move(move) {
    if (!this.batch) return;
    const from = this.focusedHead;
    if (from >= 0) return this.moveFromHead(from, move);
    const index = this.batch.neighbour(move, this.columns(), this.flows);
    const head = this.headBetween(index, move);
    if (head >= 0) return this.focusHead(head);
    if (index !== this.batch.current || move === "down" || move === "first" || move === "last") this.focusCard(index);
  }

  /**
   * As `move`, and selects what lies between.
   * @param {import("./batch_layout.js").Move} move
   */
  extend(move) {
    if (!this.batch) return;
    const from = this.batch.currentCard;
    this.focusCard(this.batch.neighbour(move, this.columns(), this.flows));
    this.batch.selection.extend(from, this.batch.currentCard);
  }

  /**
   * The heading that stands between the current card and another one; -1 for none.
   * @param {number} index
   * @param {import("./batch_layout.js").Move} move
   */
  headBetween(index, move) {
    const { batch } = this;
    if (!batch || !this.heads.length || this.zoom.open) return -1;
    const here = this.currentGroup;
    const there = groupOf(batch, index);
    if (this.flows) return move === "left" && (there !== here || index === batch.current) ? here : -1;
    if (move === "up" && (there !== here || index === batch.current)) return here;
    return move === "down" && there !== here ? there : -1;
  }

  /**
   * @param {number} place of the heading that has the focus
   * @param {import("./batch_layout.js").Move} move
   */
  moveFromHead(place, move) {
    const groups = this.batch?.groups ?? [];
    if (move === (this.flows ? "left" : "up")) this.focusCard(groups[place - 1]?.cards.at(-1)?.index ?? 0);
    else if (move === "down" || move === "right") this.focusCard(groups[place].cards[0].index);
    else if (move !== "left") this.focusCard(move === "first" ? 0 : this.cards.length - 1);
  }

  columns() {
    return getComputedStyle(this.node).gridTemplateColumns.split(" ").length;
  }

  /** The place of the heading that has the focus; -1 where none has it. */
  get focusedHead() {
    return this.heads.findIndex(({ press }) => press === document.activeElement);
  }

  get currentGroup() {
    return this.batch ? groupOf(this.batch, this.batch.current) : -1;
  }

  /** @param {number} place of a group; past the last one nothing happens */
  focusHead(place) {
    const head = this.heads[place];
    const first = this.batch?.groups[place]?.cards[0];
    if (!head || !first || head.press.disabled) return;
    this.goTo(first.index);
    head.press.focus({ preventScroll: true });
    head.node.scrollIntoView({ block: "nearest" });
    this.cards[first.index].node.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} index */
  focusCard(index) {
    if (!this.batch || !this.cards[index]) return;
    this.goTo(index);
    if (this.zoom.open) this.zoom.show(this.cards[index], this.batch);
    else this.focusCurrent();
  }

  /** @param {Card} card that comes to the top of the window, with its heading where it is the first of its group */
  bringUp(card) {
    this.goTo(card.index);
    const group = this.batch?.groups[this.currentGroup];
    const head = group?.cards[0] === card ? this.heads[this.currentGroup] : undefined;
    if (!this.zoom.open) (head ?? this.cards[card.index]).node.scrollIntoView({ block: "start" });
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
   * One card takes part in the Tab order, with the heading of its group, so that Tab leads from the toolbar to it, its menu
   * and on to the dock.
   * @param {Batch} batch
   * @param {number} index
   */
  setCurrent(batch, index) {
    reach(this.cards[batch.current], false);
    batch.current = index;
    reach(this.cards[index], true);
    for (const [place, { press, above }] of this.heads.entries())
      for (const control of [press, above]) control.tabIndex = place === this.currentGroup ? 0 : -1;
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

  toggleSelected() {
    if (this.batch) this.batch.selection.toggle(this.batch.currentCard);
  }

  selectAll() {
    this.batch?.selection.set(this.batch.cards);
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

/**
 * The place of the group of a card.
 * @param {Batch} batch
 * @param {number} index
 */
function groupOf(batch, index) {
  return batch.groups.findIndex(({ cards }) => cards.includes(batch.cards[index]));
}

/**
 * Loaded once it comes near the window.
 * @param {string} url
 */
function largePicture(url) {
  const picture = el("img", "fl-large");
  Object.assign(picture, { loading: "lazy", decoding: "async", alt: "", draggable: false, src: url });
  return picture;
}

/** Whether something stands before the cards. */
function isCovered() {
  return document.hidden || document.querySelector("dialog[open]") !== null;
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
