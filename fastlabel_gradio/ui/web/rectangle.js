// Cards are selected by a rectangle, drawn from a gap between them, or with Alt from anywhere. Not by touch, which scrolls.

import { el } from "./dom.js";

/** @typedef {import("./label_view.js").LabelView} LabelView */
/** @typedef {{ left: number, top: number, right: number, bottom: number }} Box */

const LEAST_PX = 5; // less is a click

export class Rectangle {
  /**
   * @param {LabelView} view
   * @param {AbortSignal} signal ends it
   */
  constructor(view, signal) {
    this.view = view;
    this.node = el("div", "fl-rectangle");
    this.hasDrawn = false; // the click at its end means nothing
    view.cards.node.addEventListener("pointerdown", (event) => this.onDown(event), { signal });
    view.cards.node.addEventListener("pointermove", (event) => this.onMove(event), { signal });
    for (const type of ["pointerup", "pointercancel"])
      view.cards.node.addEventListener(type, () => this.onEnd(), { signal });
  }

  /** @param {PointerEvent} event */
  onDown(event) {
    this.hasDrawn = false;
    this.from = null;
    const target = /** @type {Element} */ (event.target);
    const isGap = !target.closest(".fl-card, button, input");
    const { batch, busy } = this.view.session;
    if (event.button || event.pointerType === "touch" || !batch || busy || !(isGap || event.altKey)) return;
    this.from = { x: event.clientX + window.scrollX, y: event.clientY + window.scrollY };
    this.selectedBefore = event.ctrlKey || event.metaKey ? batch.selection.cards : [];
    event.preventDefault(); // or it would select text and drag pictures
  }

  /** @param {PointerEvent} event */
  onMove(event) {
    const { batch } = this.view.session;
    if (!this.from || !batch) return;
    const box = boxOf(this.from, { x: event.clientX + window.scrollX, y: event.clientY + window.scrollY });
    if (!this.hasDrawn && box.right - box.left < LEAST_PX && box.bottom - box.top < LEAST_PX) return;
    if (!this.hasDrawn) this.begin(event.pointerId);
    const { style } = this.node;
    Object.assign(style, { left: `${box.left - window.scrollX}px`, top: `${box.top - window.scrollY}px` });
    Object.assign(style, { width: `${box.right - box.left}px`, height: `${box.bottom - box.top}px` });
    const inside = this.view.cards.cards.filter(({ node }) => touches(box, node.getBoundingClientRect()));
    batch.selection.set([...(this.selectedBefore ?? []), ...inside.map(({ card }) => card)]);
  }

  /** @param {number} pointer */
  begin(pointer) {
    this.hasDrawn = true;
    this.view.cards.node.setPointerCapture(pointer);
    this.view.root.append(this.node);
    this.view.root.dataset.drawing = "true";
  }

  onEnd() {
    if (this.from && !this.hasDrawn) this.view.session.batch?.selection.clear(); // a click into a gap
    if (this.hasDrawn) setTimeout(() => this.forget()); // after its click
    this.from = null;
    this.node.remove();
    delete this.view.root.dataset.drawing;
  }

  forget() {
    this.hasDrawn = false;
  }
}

/**
 * @param {{ x: number, y: number }} one
 * @param {{ x: number, y: number }} other
 * @returns {Box} on the page
 */
function boxOf(one, other) {
  const [left, right] = [one.x, other.x].sort((a, b) => a - b);
  const [top, bottom] = [one.y, other.y].sort((a, b) => a - b);
  return { left, top, right, bottom };
}

/**
 * @param {Box} box on the page
 * @param {DOMRect} card in the window
 */
function touches(box, card) {
  const [x, y] = [window.scrollX, window.scrollY];
  return (
    card.left + x < box.right && card.right + x > box.left && card.top + y < box.bottom && card.bottom + y > box.top
  );
}
