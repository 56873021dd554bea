// What clicks, menus and the focus do in the view `label`: which card they mean, and where the focus goes afterwards.

import { openPaletteByMenu } from "./long_menus.js";
import { closeMenus } from "./menus.js";
import { Rectangle } from "./rectangle.js";

/** @typedef {import("./label_view.js").LabelView} LabelView */
/** @typedef {import("./cards.js").CardNode} CardNode */

const ON_CARDS = ["accept", "runner-up", "class", "play", "zoom"];

export class Pointer {
  /**
   * @param {LabelView} view
   * @param {AbortSignal} signal ends it
   */
  constructor(view, signal) {
    this.view = view;
    /** @type {Element | null} */
    this.pointed = null; // what the pointer went down on: the focus goes back to the cards from it
    const on = (/** @type {string} */ type, /** @type {(event: any) => void} */ handler) =>
      view.root.addEventListener(type, handler, { signal });
    on("click", (event) => this.onClick(event));
    on("dblclick", (event) => this.onDoubleClick(event));
    on("change", (event) => this.onMenuChange(event.target));
    on("pointerdown", (event) => this.onPointerDown(event.target));
    on("focusin", (event) => this.onFocusIn(event.target));
    on("input", (event) => this.onAbove(event.target));
    const classes = () => view.session.batch?.classes ?? [];
    openPaletteByMenu(view.root, signal, classes, (menu, typed) => this.openPaletteOf(menu, typed));
    this.rectangle = new Rectangle(view, signal);
    document.addEventListener("click", (event) => this.closeMenus(/** @type {Node} */ (event.target)), { signal });
  }

  /**
   * Closes every menu that a click was not in, and says whether any was open.
   * @param {Node | null} target
   */
  closeMenus(target) {
    const { root, evaluation } = this.view;
    const closed = closeMenus(root, target);
    const left = evaluation.open && !evaluation.node.contains(target);
    if (left) evaluation.leave();
    return left || closed;
  }

  /** @param {MouseEvent & { target: Element }} event */
  onClick(event) {
    const { cards, zoom } = this.view;
    const control = event.target.closest("[data-action]");
    if (this.pointed?.matches(".fl-play, .fl-picture")) this.pointed = null;
    if (this.rectangle.hasDrawn || this.select(event)) return;
    if (control) this.press(/** @type {HTMLElement} */ (control));
    else if (event.target.closest(".fl-picture")) this.onPicture(event, cards.cardOf(event.target));
    else if (event.target.closest(".fl-zoom-frame")) this.onPicture(event, zoom.shown);
  }

  /**
   * A click with Shift or Ctrl selects; says whether it was one.
   * @param {MouseEvent & { target: Element }} event
   */
  select(event) {
    const { cards, session } = this.view;
    const built = cards.cardOf(event.target);
    const { batch } = session;
    if (!built || !batch || !(event.shiftKey || event.ctrlKey || event.metaKey)) return false;
    const from = batch.currentCard;
    cards.focusCard(built.card.index);
    if (event.shiftKey) batch.selection.extend(from, built.card);
    else batch.selection.toggle(built.card);
    return true;
  }

  /** @param {HTMLInputElement} slider of a group: its cards above a confidence are selected */
  onAbove(slider) {
    if (slider.matches(".fl-above"))
      this.view.answers.selectAbove(Number(slider.dataset.group), Number(slider.value) / 100);
  }

  /**
   * A click on a spectrogram plays from that moment. In a group a click on a picture says that it is none of these.
   * @param {MouseEvent & { target: Element }} event
   * @param {CardNode | null | undefined} card
   */
  onPicture(event, card) {
    const box = event.target.closest(".fl-picture, .fl-zoom-frame")?.getBoundingClientRect();
    if (!card || !box) return;
    const place = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    const { batch } = this.view.session;
    const hadSelected = batch?.selection.size;
    batch?.selection.clear();
    if (card.sound) this.view.cards.playFrom(card, place);
    else this.view.cards.focusCard(card.card.index);
    if (!event.target.closest(".fl-card") || this.view.session.busy) return;
    const isInGroup = card.card.suggestion && this.view.cards.heads.length > 0;
    if (!card.sound && isInGroup && !hadSelected) this.view.answers.exclude([card.card]);
    this.view.runnersUp.show(card);
  }

  /**
   * Two clicks on a spectrogram seek twice.
   * @param {MouseEvent & { target: Element }} event
   */
  onDoubleClick(event) {
    if (event.target.closest("[data-action]")) return; // two quick presses of what stands on the picture
    if (this.view.settings.kind === "image" && event.target.closest(".fl-picture")) this.view.cards.toggleZoom();
  }

  /** @param {HTMLElement} control */
  press(control) {
    const { view } = this;
    const action = control.dataset.action ?? "";
    if (action === "accept-group-of") this.acceptGroup(control);
    else if (action === "close-help") view.help.close();
    else if (action === "close-zoom") view.zoom.close();
    else if (ON_CARDS.includes(action)) {
      if (view.session.batch && !view.session.busy) this.pressOnCard(action, control);
    } else if (view.runByName(action)) this.giveFocusBack(control);
  }

  /** @param {HTMLElement} heading */
  acceptGroup(heading) {
    const { session, answers } = this.view;
    if (session.batch && !session.busy) answers.acceptGroup(Number(heading.dataset.group));
  }

  /**
   * The keys go back to the cards, but a panel that was opened keeps them.
   * @param {HTMLElement} control
   */
  giveFocusBack(control) {
    const { evaluation } = this.view;
    const keeps = { "accept-rest": true, submit: true, help: true, palette: true, evaluation: evaluation.open };
    const action = /** @type {keyof keeps} */ (control.dataset.action);
    if (this.pointed === control && !keeps[action]) this.view.cards.focusCurrent();
  }

  /**
   * @param {string} action one of ON_CARDS
   * @param {HTMLElement} control
   */
  pressOnCard(action, control) {
    const { cards, zoom, answers } = this.view;
    const card = cards.cardOf(control) ?? zoom.shown;
    if (action === "class") answers.label(Number(control.dataset.classIndex));
    else if (!card) return;
    else if (action === "accept") answers.acceptCard(card.card);
    else if (action === "runner-up") answers.labelCard(card.card, Number(control.dataset.classIndex));
    else if (action === "play") cards.toggleCard(card);
    else {
      cards.goTo(card.card.index);
      cards.toggleZoom();
    }
  }

  /** @param {HTMLSelectElement} menu */
  onMenuChange(menu) {
    if (menu.matches(".fl-select")) this.onClassChosen(menu);
    else if (menu.matches(".fl-above")) this.view.cards.focusCurrent();
    else if (this.pointed === menu) this.view.cards.focusCurrent(); // of the speed
    this.pointed = null;
  }

  /** @param {HTMLSelectElement} menu */
  onClassChosen(menu) {
    const { cards, session } = this.view;
    const built = cards.cardOf(menu);
    const { value } = menu;
    if (!built || session.busy) {
      menu.value = String(built?.card.label ?? ""); // on its way: a label given now would belong to no batch
      return;
    }
    session.batch?.change([built.card], () => (value === "" ? null : Number(value)), value === "" ? "clear" : "label");
    // Chosen by pointer, the keys go back to the grid; chosen by keyboard, the menu keeps them.
    if (this.pointed === menu) cards.focusCard(built.card.index);
  }

  /** @param {Element} target */
  onPointerDown(target) {
    const { cards } = this.view;
    this.pointed = target.closest("select, button, .fl-picture, .fl-size");
    const built = target.matches(".fl-select") ? cards.cardOf(target) : undefined;
    if (built) cards.deck?.fillMenu(built);
  }

  /**
   * @param {Element} menu
   * @param {string} typed
   */
  openPaletteOf(menu, typed) {
    const { cards, session } = this.view;
    const built = cards.cardOf(menu);
    if (!built || session.busy) return;
    if (!session.batch?.selection.has(built.card)) session.batch?.selection.clear();
    cards.goTo(built.card.index);
    this.view.openPalette(typed);
  }

  /** @param {Element} target */
  onFocusIn(target) {
    const { cards } = this.view;
    const built = cards.cardOf(target);
    if (!built || this.pointed?.matches(".fl-play, .fl-picture")) return; // its click goes there, and plays
    cards.goTo(built.card.index);
    if (target === built.select) cards.deck?.fillMenu(built);
  }
}
