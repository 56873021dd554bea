// How cards are shown, kept in this browser for pictures and for sounds: how large, whole or filled, in groups or not.

import { openStorage } from "./storage.js";

const LOOK_PREFIX = "fastlabel:look:";
export const LEAST_CARD_PX = 72;
export const MOST_CARD_PX = 320;
const STEP = 1.2; // a key makes cards larger or smaller by this factor
const USUAL_PX = { image: 108, audio: 200 };

/** Dispatches `change`. */
export class CardLook extends EventTarget {
  /** @param {"image" | "audio"} kind */
  constructor(kind) {
    super();
    this.key = LOOK_PREFIX + kind;
    this.storage = openStorage();
    const stored = this.read();
    const usual = Math.min(USUAL_PX[kind], 0.43 * window.innerWidth); // two in a row at least
    this.sizePx = clampSize(stored.sizePx ?? usual) || USUAL_PX[kind];
    this.fills = stored.fills === true;
    this.groups = stored.groups !== false;
  }

  /**
   * @param {"sizePx" | "fills" | "groups"} name
   * @param {number | boolean} value
   */
  set(name, value) {
    Object.assign(this, { [name]: name === "sizePx" ? clampSize(value) : value });
    const { sizePx, fills, groups } = this;
    try {
      this.storage?.setItem(this.key, JSON.stringify({ sizePx, fills, groups }));
    } catch {
      this.storage = null;
    }
    this.dispatchEvent(new Event("change"));
  }

  /** @param {number} steps larger, or smaller below 0 */
  resize(steps) {
    this.set("sizePx", this.sizePx * STEP ** steps);
  }

  /** As another view has left it; `change` is not dispatched. */
  catchUp() {
    const { sizePx = this.sizePx, fills = this.fills, groups = this.groups } = this.read();
    Object.assign(this, { sizePx: clampSize(sizePx) || this.sizePx, fills: fills === true, groups: groups !== false });
  }

  read() {
    try {
      return JSON.parse(this.storage?.getItem(this.key) ?? "null") ?? {};
    } catch {
      return {};
    }
  }
}

/** @param {unknown} sizePx */
function clampSize(sizePx) {
  return Math.min(Math.max(Math.round(Number(sizePx)), LEAST_CARD_PX), MOST_CARD_PX);
}
