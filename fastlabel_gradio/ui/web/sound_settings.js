// How sounds are played, for all tabs of the page and kept in this browser.

import { openStorage } from "./storage.js";

/** @typedef {"playOnFocus" | "loop" | "normalise"} Switch */

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];
const SOUND_SETTINGS_KEY = "fastlabel:sound";

/** Dispatches `change`. */
export class SoundSettings extends EventTarget {
  constructor() {
    super();
    this.storage = openStorage();
    const stored = this.read();
    this.playOnFocus = stored.playOnFocus === true;
    this.loop = stored.loop === true;
    this.normalise = stored.normalise !== false;
    this.speed = SPEEDS.includes(stored.speed) ? stored.speed : 1;
  }

  /**
   * @param {Switch | "speed"} name
   * @param {boolean | number} value
   */
  set(name, value) {
    Object.assign(this, { [name]: value });
    const { playOnFocus, loop, normalise, speed } = this;
    try {
      this.storage?.setItem(SOUND_SETTINGS_KEY, JSON.stringify({ playOnFocus, loop, normalise, speed }));
    } catch {
      this.storage = null;
    }
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Some speeds up or down, as far as they go.
   * @param {number} steps
   */
  changeSpeed(steps) {
    const place = SPEEDS.indexOf(this.speed) + steps;
    this.set("speed", SPEEDS[Math.min(Math.max(place, 0), SPEEDS.length - 1)]);
  }

  read() {
    try {
      return JSON.parse(this.storage?.getItem(SOUND_SETTINGS_KEY) ?? "null") ?? {};
    } catch {
      return {};
    }
  }
}
