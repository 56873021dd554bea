// What clicks, menus and the focus do in the view `label`: which card they mean, and where the focus goes afterwards.

/** @typedef {import("./label_view.js").LabelView} LabelView */
/** @typedef {import("./cards.js").CardNode} CardNode */

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
    document.addEventListener("click", (event) => this.closeMenus(/** @type {Node} */ (event.target)), { signal });
  }

  /**
   * Closes every menu that a click was not in, and says whether any was open.
   * @param {Node | null} target
   */
  closeMenus(target) {
    const { root, evaluation } = this.view;
    /** @type {HTMLDetailsElement[]} */
    const menus = [...root.querySelectorAll("details")];
    const open = menus.filter((menu) => menu.matches(".fl-menu[open]") && !menu.contains(target));
    for (const menu of open) menu.open = false;
    const left = evaluation.open && !evaluation.node.contains(target);
    if (left) evaluation.leave();
    return left || open.length > 0;
  }

  /** @param {MouseEvent & { target: Element }} event */
  onClick(event) {
    const { cards, zoom } = this.view;
    const control = event.target.closest("[data-action]");
    if (this.pointed?.matches(".fl-play, .fl-picture")) this.pointed = null;
    if (control) this.press(/** @type {HTMLElement} */ (control));
    else if (event.target.closest(".fl-picture")) this.onPicture(event, cards.cardOf(event.target));
    else if (event.target.closest(".fl-zoom-frame")) this.onPicture(event, zoom.shown);
  }

  /**
   * A click on a spectrogram plays from that moment.
   * @param {MouseEvent & { target: Element }} event
   * @param {CardNode | null | undefined} card
   */
  onPicture(event, card) {
    const box = event.target.closest(".fl-picture, .fl-zoom-frame")?.getBoundingClientRect();
    if (!card || !box) return;
    const place = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    if (card.sound) this.view.cards.playFrom(card, place);
    else this.view.cards.focusCard(card.card.index);
  }

  /**
   * Two clicks on a spectrogram seek twice.
   * @param {MouseEvent & { target: Element }} event
   */
  onDoubleClick(event) {
    if (this.view.settings.kind === "image" && event.target.closest(".fl-picture")) this.view.cards.toggleZoom();
  }

  /** @param {HTMLElement} control */
  press(control) {
    const { view } = this;
    const action = control.dataset.action ?? "";
    if (action === "close-help") view.help.close();
    else if (action === "close-zoom") view.zoom.close();
    else if (action === "accept" || action === "class" || action === "play" || action === "zoom") {
      if (view.session.batch && !view.session.busy) this.pressOnCard(action, control);
    } else if (view.runByName(action)) this.giveFocusBack(control);
  }

  /**
   * The keys go back to the cards, but a panel that was opened keeps them.
   * @param {HTMLElement} control
   */
  giveFocusBack(control) {
    const keeps = { "accept-rest": true, submit: true, help: true, evaluation: this.view.evaluation.open };
    const action = /** @type {keyof keeps} */ (control.dataset.action);
    if (this.pointed === control && !keeps[action]) this.view.cards.focusCurrent();
  }

  /**
   * @param {"accept" | "class" | "play" | "zoom"} action
   * @param {HTMLElement} control
   */
  pressOnCard(action, control) {
    const { cards, zoom } = this.view;
    const card = cards.cardOf(control) ?? zoom.shown;
    if (action === "class") cards.labelCurrent(Number(control.dataset.classIndex));
    else if (!card) return;
    else if (action === "accept") cards.acceptCard(card);
    else if (action === "play") cards.toggleCard(card);
    else {
      cards.goTo(card.card.index);
      cards.toggleZoom();
    }
  }

  /** @param {HTMLSelectElement} menu */
  onMenuChange(menu) {
    if (menu.matches(".fl-select")) this.onClassChosen(menu);
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
    session.batch?.change([built.card], () => (value === "" ? null : Number(value)));
    // Chosen by pointer, the keys go back to the grid; chosen by keyboard, the menu keeps them.
    if (this.pointed === menu) cards.focusCard(built.card.index);
  }

  /** @param {Element} target */
  onPointerDown(target) {
    const { cards } = this.view;
    this.pointed = target.closest("select, button, .fl-picture");
    const built = target.matches(".fl-select") ? cards.cardOf(target) : undefined;
    if (built) cards.deck?.fillMenu(built);
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
