// A screen of cards whose labels are proposed: checks of a promise, or one predicted class of which the wrong ones are
// picked out. Its cards are those of the grid; what is said of them is a batch like any other.

import { Batch } from "./batch.js";
import { CardDeck } from "./cards.js";
import { commandOfKey } from "./commands.js";
import { button, el, isVisible, setShown, setText } from "./dom.js";
import { FINISH_COMMANDS } from "./finish_commands.js";
import { buildHelp } from "./help.js";
import { loadSheet, placeTile } from "./sheet.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").BatchAnswer} BatchAnswer */
/** @typedef {import("./batch.js").Card} Card */
/** @typedef {import("./cards.js").CardNode} CardNode */
/** @typedef {{ hint: string, startsAccepted: boolean, submit: (batch: Batch) => Promise<void> }} Purpose */

export class FinishScreen {
  /**
   * @param {import("./views.js").ViewContext} context
   * @param {AbortSignal} signal ends it
   */
  constructor({ settings, api, player, classKeys }, signal) {
    this.settings = settings;
    this.api = api;
    this.player = player;
    this.classKeys = classKeys;
    /** @type {Batch | null} */
    this.batch = null;
    this.warned = "";
    /** @type {CardNode[]} */
    this.cards = [];
    this.hint = el("p", "fl-finish-hint");
    this.message = el("p", "fl-finish-message");
    this.message.setAttribute("role", "status");
    this.grid = el("div", "fl-cards");
    this.grid.setAttribute("role", "group");
    this.grid.setAttribute("aria-label", t("batch"));
    this.rest = button("fl-quiet", t("finish_all_right"), "accept-rest", "Shift+Enter");
    this.send = button("fl-finish-go", t("submit"), "submit", "s");
    this.done = el("span", "fl-batch-progress");
    this.help = buildHelp(settings.kind, FINISH_COMMANDS, t("finish_clicks"));
    const keys = button("fl-quiet", t("keys"), "help", "?");
    const actions = el("div", "fl-finish-actions", this.done, keys, this.rest, this.send);
    this.node = el("div", "fl-finish-screen", this.hint, this.grid, this.message, actions, this.help);
    setShown(this.node, false);
    this.listen(signal);
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    const on = (/** @type {string} */ type, /** @type {(event: any) => void} */ handler) =>
      this.node.addEventListener(type, handler, { signal });
    on("click", (event) => this.onClick(event.target));
    on("change", (event) => this.onMenu(event.target));
    on("focusin", (event) => this.onFocus(event.target));
    on("pointerdown", (event) => this.fillMenuOf(event.target));
    document.addEventListener("keydown", (event) => this.onKey(event), { signal });
  }

  /**
   * @param {BatchAnswer} answer
   * @param {Purpose} purpose
   */
  async open(answer, purpose) {
    this.purpose = purpose;
    const batch = new Batch(answer);
    this.batch = batch;
    const { columns, sheet_url: url, items } = answer;
    const loading = loadSheet(this.api.url(url), columns, items.length);
    const { expand } = this.settings.sound_view;
    const deck = new CardDeck(batch.classes, this.player, (path) => this.api.url(path), expand);
    this.deck = deck;
    this.cards = batch.cards.map((card) => deck.buildCard(card));
    batch.on("labels", (/** @type {Card[]} */ changed) => this.paint(changed));
    if (purpose.startsAccepted) batch.change(batch.cards, suggested);
    setText(this.hint, purpose.hint);
    this.say("");
    const sheet = await loading.catch(() => null);
    if (this.batch !== batch) return;
    if (sheet) for (const { tile, card } of this.cards) placeTile(tile, card.index, sheet);
    this.grid.replaceChildren(...this.cards.map(({ node }) => node));
    setShown(this.node, true);
    this.paint(batch.cards);
    this.focus(0);
    this.node.dataset.readyBatch = batch.id;
    this.endFilling = deck.fillWhenIdle(this.cards);
  }

  close() {
    if (this.cards.some(({ sound }) => sound && sound === this.player?.sound)) this.player?.stop();
    this.endFilling?.();
    this.batch = null;
    this.cards = [];
    this.grid.replaceChildren();
    delete this.node.dataset.readyBatch;
    setShown(this.node, false);
  }

  /** @param {Card[]} changed */
  paint(changed) {
    if (!this.batch) return;
    for (const { index } of changed) this.deck?.paint(this.cards[index]);
    const all = this.batch.cards.length;
    const done = this.batch.submission().length;
    setText(this.done, t("of", { done, all }));
    setText(this.send, t("submit_count", { n: done }));
    this.send.disabled = !this.#maySend;
    setShown(this.rest, this.#hasRest && this.batch.cards.some(isOpen));
  }

  /** @param {string} text */
  say(text, tone = "") {
    setText(this.message, text);
    this.message.dataset.tone = tone;
  }

  get current() {
    return this.batch ? this.cards[this.batch.current] : undefined;
  }

  accept() {
    const { batch } = this;
    if (!batch || !batch.currentCard.suggestion) return;
    batch.change([batch.currentCard], suggested);
    this.focus(batch.current + 1);
  }

  /** Whether open cards may be said to be right at once: not where they were picked out because they are wrong. */
  get #hasRest() {
    return !this.purpose?.startsAccepted;
  }

  /** Checks may all be left open: they count as wrong. Of a screen of one class nothing would be said then. */
  get #maySend() {
    return this.#hasRest || Boolean(this.batch?.submission().length);
  }

  acceptRest() {
    const { batch } = this;
    if (!this.#hasRest) return;
    batch?.change(
      batch.cards.filter((card) => isOpen(card) && card.suggestion),
      suggested,
    );
  }

  clear() {
    if (this.batch) this.batch.change([this.batch.currentCard], () => null);
  }

  /** @param {string} key */
  labelByKey(key) {
    const index = this.classKeys.of(this.batch?.classes ?? []).indexOf(key);
    if (!this.batch || index < 0) return;
    this.batch.change([this.batch.currentCard], () => index);
    this.focus(this.batch.current + 1);
  }

  /** @param {import("./batch_layout.js").Move} move */
  move(move) {
    const columns = getComputedStyle(this.grid).gridTemplateColumns.split(" ").length;
    if (this.batch) this.focus(this.batch.neighbour(move, columns));
  }

  play() {
    if (this.current?.sound) this.player?.toggle(this.current.sound);
  }

  undo() {
    this.batch?.undoChange();
  }

  redo() {
    this.batch?.redoChange();
  }

  /** @param {number} index */
  focus(index) {
    const { batch } = this;
    if (!batch || !this.cards[index]) return;
    this.reach(batch.current, false);
    batch.current = index;
    this.reach(index, true);
    if (isVisible(this.node)) this.cards[index].node.focus({ preventScroll: true });
    this.cards[index].node.scrollIntoView({ block: "nearest" });
  }

  /**
   * @param {number} index
   * @param {boolean} reachable
   */
  reach(index, reachable) {
    const built = this.cards[index];
    built?.node.classList.toggle("fl-current", reachable);
    for (const node of [built?.node, built?.chip, built?.select]) if (node) node.tabIndex = reachable ? 0 : -1;
  }

  async submit() {
    const { batch } = this;
    if (!batch || this.busy || !this.#maySend) return;
    if (!batch.submission().length && this.warned !== batch.id) {
      this.warned = batch.id; // a slip of the hand would have all of them count as wrong
      return this.say(t("finish_all_open", { n: batch.cards.length }), "error");
    }
    this.busy = true;
    this.send.disabled = true;
    try {
      await this.purpose?.submit(batch);
    } finally {
      this.busy = false;
      this.paint([]);
    }
  }

  /** @param {Element} target */
  onClick(target) {
    const action = /** @type {HTMLElement | null} */ (target.closest("[data-action]"))?.dataset.action;
    const built = this.cardOf(target);
    if (action === "submit") this.submit();
    else if (action === "accept-rest") this.acceptRest();
    else if (action === "help") return this.help.showModal();
    else if (action === "close-help") return this.help.close();
    else if (!built || !this.batch) return;
    else if (action === "play" && built.sound) this.player?.toggle(built.sound);
    else if (action === "accept") this.batch.change([built.card], suggested);
    else if (target.closest(".fl-picture")) this.turn(built.card);
    this.focus(built?.card.index ?? -1);
  }

  /**
   * A click on a picture says that it is right or, where it was said to be, that it is not.
   * @param {Card} card
   */
  turn(card) {
    this.batch?.change([card], (one) => (isOpen(one) ? suggested(one) : null));
  }

  /** @param {HTMLSelectElement} menu */
  onMenu(menu) {
    const built = this.cardOf(menu);
    if (built) this.batch?.change([built.card], () => (menu.value === "" ? null : Number(menu.value)));
  }

  /** @param {Element} target */
  onFocus(target) {
    const built = this.cardOf(target);
    if (!built || !this.batch || built.card.index === this.batch.current) return;
    this.reach(this.batch.current, false);
    this.batch.current = built.card.index;
    this.reach(built.card.index, true);
  }

  /** @param {Element} target */
  fillMenuOf(target) {
    const built = target.matches(".fl-select") ? this.cardOf(target) : undefined;
    if (built) this.deck?.fillMenu(built);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (!this.batch || !isVisible(this.node) || document.querySelector("dialog[open]")) return;
    const letters = this.classKeys.lettersOf(this.batch.classes);
    const found = commandOfKey(event, this.settings.kind, letters, FINISH_COMMANDS);
    if (!found) return;
    event.preventDefault();
    found.command.run(this, found.argument);
  }

  /** @param {Element} target */
  cardOf(target) {
    const node = /** @type {HTMLElement | null} */ (target.closest(".fl-card"));
    return node ? this.cards[Number(node.dataset.index)] : undefined;
  }
}

/** @param {Card} card */
function suggested({ suggestion }) {
  return suggestion ? suggestion.index : null;
}

/** @param {Card} card */
function isOpen({ label }) {
  return label === null;
}
