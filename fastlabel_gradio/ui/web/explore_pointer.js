// What clicks, drags, menus and the focus do in the view `explore`.

import { el } from "./dom.js";
import { idsTarget } from "./explore_acting.js";
import { runByName } from "./explore_keys.js";
import { closeMenus } from "./menus.js";

/** @typedef {import("./explore_view.js").ExploreView} ExploreView */

const LEAST_PX = 5; // less is a click

export class ExplorePointer {
  /**
   * @param {ExploreView} view
   * @param {AbortSignal} signal ends it
   */
  constructor(view, signal) {
    this.view = view;
    this.drawn = el("div", "fl-rectangle");
    this.before = 0; // the card that was current
    this.hasDrawn = false; // the click at its end means nothing
    const root = /** @type {HTMLElement} */ (view.root);
    const on = (/** @type {string} */ type, /** @type {(event: any) => void} */ handler) =>
      root.addEventListener(type, handler, { signal });
    on("click", (event) => this.onClick(event));
    document.addEventListener("click", ({ target }) => closeMenus(root, /** @type {Node} */ (target)), { signal });
    on("dblclick", (event) => this.onDoubleClick(event));
    on("change", (event) => this.onChange(event.target));
    on("focusin", (event) => this.onFocusIn(event.target));
    on("pointerdown", (event) => this.onDown(event));
    on("pointermove", (event) => this.onMove(event));
    for (const type of ["pointerup", "pointercancel"]) on(type, () => this.onEnd());
    on("dragover", (event) => this.onDrag(event, true));
    on("dragleave", (event) => this.onDrag(event, false));
    on("drop", (event) => this.onDrop(event));
  }

  /** @param {MouseEvent & { target: Element }} event */
  onClick(event) {
    if (this.hasDrawn) return;
    const control = /** @type {HTMLElement | null} */ (event.target.closest("[data-action]"));
    const shown = this.view.grid.cardOf(event.target);
    if (control) return this.press(control, shown);
    if (event.target.closest(".fl-zoom-frame")) return this.onPicture(event, this.view.zoom.shown?.sound ?? null);
    if (!shown || event.target.closest("select")) return;
    if (event.shiftKey) return this.select(() => this.view.selectRange(this.before, shown.place), shown.place);
    if (event.ctrlKey || event.metaKey) return this.select(() => this.view.selection.toggle(shown.item), shown.place);
    this.view.grid.go(shown.place);
    if (event.target.closest(".fl-picture")) this.onPicture(event, shown.built.sound);
  }

  /**
   * The cards between are those from the one that was current.
   * @param {() => unknown} selects
   * @param {number} place
   */
  select(selects, place) {
    selects();
    this.view.grid.go(place);
  }

  /**
   * A click on a spectrogram plays from that moment.
   * @param {MouseEvent & { target: Element }} event
   * @param {import("./sound_player.js").Sound | null} sound
   */
  onPicture(event, sound) {
    const box = event.target.closest(".fl-picture, .fl-zoom-frame")?.getBoundingClientRect();
    if (!sound || !box) return;
    this.view.player?.play(sound, Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1));
  }

  /** @param {MouseEvent & { target: Element }} event */
  onDoubleClick(event) {
    if (this.view.settings.kind === "image" && event.target.closest(".fl-picture")) this.view.toggleZoom();
  }

  /**
   * @param {HTMLElement} control
   * @param {import("./explore_grid.js").Shown | undefined} shown its card
   */
  press(control, shown) {
    const { view } = this;
    const action = control.dataset.action ?? "";
    if (shown) view.grid.go(shown.place);
    if (action === "close-help") view.help.close();
    else if (action === "close-zoom") view.zoom.close();
    else if (action === "panel") view.togglePanel(control.dataset.panel ?? "");
    else if (action === "class") view.acts.apply({ label: view.classes[Number(control.dataset.classIndex)] });
    else if (action === "none") view.selection.clear();
    else if (action === "accept" && shown?.item.prediction) this.acceptOne(shown);
    else if (action === "zoom") view.toggleZoom();
    else if (action === "play") this.play(shown);
    else runByName(view, action);
  }

  /** @param {import("./explore_grid.js").Shown} shown */
  acceptOne({ item }) {
    this.view.acts.accept(idsTarget([item.id])); // as Enter does: no class was chosen that would be a recent one
  }

  /** @param {import("./explore_grid.js").Shown | undefined} shown none: the enlarged one */
  play(shown) {
    const sound = shown ? shown.built.sound : this.view.zoom.shown?.sound;
    if (sound) this.view.player?.toggle(sound);
  }

  /** @param {HTMLSelectElement} menu */
  onChange(menu) {
    const { view } = this;
    const shown = menu.matches(".fl-select") ? view.grid.cardOf(menu) : undefined;
    if (!shown) return;
    view.acts.applyTo([shown.item.id], menu.value === "" ? {} : { label: view.classes[Number(menu.value)] });
    shown.built.node.focus({ preventScroll: true });
  }

  /** @param {Element} target */
  onFocusIn(target) {
    const { grid } = this.view;
    const shown = grid.cardOf(target);
    if (!shown) return;
    if (target === shown.built.select) grid.deck?.fillMenu(shown.built);
    if (shown.place !== grid.current) grid.go(shown.place, { focus: false });
  }

  // A rectangle from a gap, or with Alt from anywhere. Not by touch, which scrolls.

  /** @param {PointerEvent} event */
  onDown(event) {
    this.hasDrawn = false;
    this.from = null;
    this.before = this.view.grid.current; // the focus moves before the click comes
    const target = /** @type {Element} */ (event.target);
    const menu = target.matches(".fl-select") ? this.view.grid.cardOf(target) : undefined;
    if (menu) this.view.grid.deck?.fillMenu(menu.built);
    const isOnGrid = target.closest(".fl-found") && !target.closest("button, input, select");
    const isGap = !target.closest(".fl-card");
    const isOnBar = event.offsetX > target.clientWidth && isGap; // of the scrollbar
    if (event.button || event.pointerType === "touch" || !isOnGrid || isOnBar || !(isGap || event.altKey)) return;
    this.from = { x: event.clientX, y: event.clientY };
    this.selectedBefore = event.ctrlKey || event.metaKey ? this.view.grid.selectedItems : [];
    event.preventDefault(); // or it would select text and drag pictures
  }

  /** @param {PointerEvent} event */
  onMove(event) {
    if (!this.from) return;
    const [left, right] = [this.from.x, event.clientX].sort((a, b) => a - b);
    const [top, bottom] = [this.from.y, event.clientY].sort((a, b) => a - b);
    if (!this.hasDrawn && right - left < LEAST_PX && bottom - top < LEAST_PX) return;
    if (!this.hasDrawn) this.begin(event.pointerId);
    const { style } = this.drawn;
    Object.assign(style, {
      left: `${left}px`,
      top: `${top}px`,
      width: `${right - left}px`,
      height: `${bottom - top}px`,
    });
    const inside = [...this.view.grid.shown.values()].filter(({ built }) => {
      const box = built.node.getBoundingClientRect();
      return box.left < right && box.right > left && box.top < bottom && box.bottom > top;
    });
    this.view.selection.set([...(this.selectedBefore ?? []), ...inside.map(({ item }) => item)]);
  }

  /** @param {number} pointer */
  begin(pointer) {
    this.hasDrawn = true;
    const root = /** @type {HTMLElement} */ (this.view.root);
    this.view.grid.node.setPointerCapture(pointer);
    root.append(this.drawn);
    root.dataset.drawing = "true";
  }

  onEnd() {
    if (this.from && !this.hasDrawn) this.view.selection.clear(); // a click into a gap
    if (this.hasDrawn) setTimeout(() => Object.assign(this, { hasDrawn: false })); // after its click
    this.from = null;
    this.drawn.remove();
    delete (/** @type {HTMLElement} */ (this.view.root).dataset.drawing);
  }

  // A picture or sound that is dropped

  /**
   * @param {DragEvent} event
   * @param {boolean} over
   */
  onDrag(event, over) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    /** @type {HTMLElement} */ (this.view.root).dataset.dropping = String(over);
  }

  /** @param {DragEvent} event */
  onDrop(event) {
    /** @type {HTMLElement} */ (this.view.root).dataset.dropping = "false";
    if (this.view.search.onFiles(event.dataTransfer?.files)) event.preventDefault();
  }
}
