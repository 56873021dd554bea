// The classes that the person chose last, the newest first, kept in this browser.

import { openStorage } from "./storage.js";

const RECENT_PREFIX = "fastlabel:recent:";
const KEPT = 8;

export class RecentClasses {
  /** @param {string} project */
  constructor(project) {
    this.key = RECENT_PREFIX + project;
    this.storage = openStorage();
    this.names = this.read();
  }

  /** @param {string} name */
  use(name) {
    this.names = [name, ...this.names.filter((other) => other !== name)].slice(0, KEPT);
    try {
      this.storage?.setItem(this.key, JSON.stringify(this.names));
    } catch {
      this.storage = null;
    }
  }

  /** @returns {string[]} */
  read() {
    try {
      const stored = JSON.parse(this.storage?.getItem(this.key) ?? "null");
      return Array.isArray(stored) ? stored.filter((name) => typeof name === "string") : [];
    } catch {
      return [];
    }
  }
}
