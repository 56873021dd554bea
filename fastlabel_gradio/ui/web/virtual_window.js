// Which rows of a very long grid are in view, and where they lie. No DOM.
//
// A browser cannot lay out a million cards, nor a box as high as they would be. Rows are as high as one another; a grid higher
// than MOST_PX is scrolled in a box of that height: small steps move it pixel by pixel, a pull at the scrollbar by its share.

export const MOST_PX = 8_000_000; // browsers end at 17 million
const JUMP = 3; // views; who moves further than this at once pulled at the scrollbar

export class VirtualWindow {
  count = 0;
  columns = 1;
  rowPx = 100;
  viewPx = 100;
  #scrollTop = 0;
  #shiftPx = 0; // what lies above the box

  get rows() {
    return Math.ceil(this.count / this.columns);
  }

  get fullPx() {
    return this.rows * this.rowPx;
  }

  /** How high the box is. */
  get boxPx() {
    return Math.min(this.fullPx, MOST_PX);
  }

  /** Where the view begins in the whole grid. */
  get topPx() {
    return this.#scrollTop + this.#shiftPx;
  }

  get #mostTopPx() {
    return Math.max(this.fullPx - this.viewPx, 0);
  }

  /**
   * Takes in how far the box is scrolled; returns how far it should be, another number where it came to an end of the box
   * and not of the grid.
   * @param {number} scrollTop
   */
  scroll(scrollTop) {
    const moved = scrollTop - this.#scrollTop;
    if (this.fullPx <= MOST_PX) return this.#hold(scrollTop, 0);
    if (Math.abs(moved) > JUMP * this.viewPx) {
      return this.#hold(scrollTop, (scrollTop / (this.boxPx - this.viewPx)) * this.#mostTopPx - scrollTop);
    }
    this.#hold(scrollTop, this.#shiftPx);
    const isAtEnd = scrollTop < this.viewPx || scrollTop > this.boxPx - 2 * this.viewPx;
    return isAtEnd ? this.#moveTo(this.topPx) : scrollTop;
  }

  /**
   * Moves the view to a place of the grid; returns how far the box is to be scrolled.
   * @param {number} place of an item
   */
  show(place) {
    return this.#moveTo(Math.floor(place / this.columns) * this.rowPx);
  }

  /**
   * As little as brings an item into view, with room above and below it.
   * @param {number} place of an item
   * @param {number} roomPx
   */
  reveal(place, roomPx = 0) {
    const top = Math.floor(place / this.columns) * this.rowPx;
    if (top - roomPx < this.topPx) return this.#moveTo(top - roomPx);
    const bottom = top + this.rowPx + roomPx;
    if (bottom > this.topPx + this.viewPx) return this.#moveTo(bottom - this.viewPx);
    return this.#scrollTop;
  }

  /** The first item in view. */
  get firstPlace() {
    return Math.min(Math.round(this.topPx / this.rowPx) * this.columns, Math.max(this.count - 1, 0));
  }

  /**
   * The items in view, and of some rows above and below: from the first to before the second.
   * @param {number} moreRows
   * @returns {[number, number]}
   */
  range(moreRows = 0) {
    const first = Math.max(Math.floor(this.topPx / this.rowPx) - moreRows, 0);
    const last = Math.ceil((this.topPx + this.viewPx) / this.rowPx) + moreRows;
    return [Math.min(first * this.columns, this.count), Math.min(Math.max(last, 0) * this.columns, this.count)];
  }

  /**
   * Where an item's row lies in the box.
   * @param {number} place
   */
  yOf(place) {
    return Math.floor(place / this.columns) * this.rowPx - this.#shiftPx;
  }

  /** @param {number} wanted in the whole grid */
  #moveTo(wanted) {
    const topPx = Math.min(Math.max(wanted, 0), this.#mostTopPx);
    const { boxPx, viewPx, fullPx } = this;
    const near = boxPx / 4; // near an end it is scrolled pixel by pixel
    if (fullPx <= MOST_PX || topPx < near) return this.#hold(topPx, 0);
    if (topPx > this.#mostTopPx - near) return this.#hold(topPx - (fullPx - boxPx), fullPx - boxPx);
    const scrollTop = Math.round((topPx / this.#mostTopPx) * (boxPx - viewPx));
    return this.#hold(scrollTop, topPx - scrollTop);
  }

  /**
   * @param {number} scrollTop
   * @param {number} shiftPx
   */
  #hold(scrollTop, shiftPx) {
    this.#scrollTop = scrollTop;
    this.#shiftPx = shiftPx;
    return scrollTop;
  }
}
