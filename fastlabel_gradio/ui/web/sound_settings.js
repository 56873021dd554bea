// How sounds are played, for all tabs of the page and kept in this browser, and the controls for it above the cards.

import { openStorage } from "./storage.js";

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];
const SOUND_SETTINGS_KEY = "fastlabel:sound";

export class SoundSettings extends EventTarget {
  constructor() {
    super();
    this.storage = openStorage();
    const kept = this.read();
    this.playOnFocus = kept.playOnFocus === true;
    this.loop = kept.loop === true;
    this.normalise = kept.normalise !== false;
    this.speed = SPEEDS.includes(kept.speed) ? kept.speed : 1;
  }

  set(name, value) {
    this[name] = value;
    const { playOnFocus, loop, normalise, speed } = this;
    try {
      this.storage?.setItem(SOUND_SETTINGS_KEY, JSON.stringify({ playOnFocus, loop, normalise, speed }));
    } catch {
      this.storage = null;
    }
    this.dispatchEvent(new Event("change"));
  }

  // One speed up or down, as far as they go.
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
