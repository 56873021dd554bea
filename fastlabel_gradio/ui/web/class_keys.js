// The key of each class: a digit in the order of the screen, or what the person chose in this browser.

import { commandWithKey, digitsOfClasses } from "./commands.js";
import { openStorage } from "./storage.js";

const KEYS_PREFIX = "fastlabel:keys:";

/** Dispatches `change`. */
export class ClassKeys extends EventTarget {
  /** @param {string} project */
  constructor(project) {
    super();
    this.key = KEYS_PREFIX + project;
    this.storage = openStorage();
    /** @type {Record<string, string>} key by class name */
    this.chosen = this.read();
  }

  /**
   * The key of each class, "" for none. A chosen key is taken from the class that would have it by its place.
   * @param {string[]} classes
   */
  of(classes) {
    const taken = new Set(classes.map((name) => this.chosen[name]).filter(Boolean));
    const digits = digitsOfClasses(classes);
    return classes.map((name, index) => this.chosen[name] ?? (taken.has(digits[index]) ? "" : (digits[index] ?? "")));
  }

  /**
   * Letters that are keys of classes.
   * @param {string[]} classes
   */
  lettersOf(classes) {
    return this.of(classes).filter((key) => key && !/^[0-9]$/.test(key));
  }

  /**
   * Gives a class a key, which no other class has then; says the command that has it already, if there is one.
   * @param {string} name
   * @param {string} key one character; "" for that of its place
   * @returns {import("./commands.js").Command | null}
   */
  choose(name, key) {
    const command = key ? commandWithKey(key) : undefined;
    if (command) return command;
    const rest = Object.entries(this.chosen).filter(([other, kept]) => other !== name && kept !== key);
    this.chosen = Object.fromEntries(key ? [...rest, [name, key]] : rest);
    try {
      this.storage?.setItem(this.key, JSON.stringify(this.chosen));
    } catch {
      this.storage = null;
    }
    this.dispatchEvent(new Event("change"));
    return null;
  }

  /** @returns {Record<string, string>} */
  read() {
    try {
      const kept = JSON.parse(this.storage?.getItem(this.key) ?? "null") ?? {};
      const pairs = Object.entries(kept).filter(([, key]) => typeof key === "string" && [...key].length === 1);
      return Object.fromEntries(pairs);
    } catch {
      return {};
    }
  }
}
