// The key of each class: what the person chose in this browser, what the project has for everybody, or a digit in the order
// of the screen.

import { COMMANDS, digitsOfClasses } from "./commands.js";
import { EXPLORE_COMMANDS } from "./explore_commands.js";
import { FINISH_COMMANDS } from "./finish_commands.js";
import { openStorage } from "./storage.js";
import { t } from "./words.js";

/** @typedef {{ name: string, help?: import("./words.js").Word }} AnyCommand */

const KEYS_PREFIX = "fastlabel:keys:";

/**
 * The command that a key has in any view where classes have keys, whatever the kind of items; undefined for a free one.
 * @param {string} key
 * @returns {AnyCommand | undefined}
 */
export function commandWithKey(key) {
  return [...COMMANDS, ...EXPLORE_COMMANDS, ...FINISH_COMMANDS].find(({ keys }) => keys.includes(key));
}

/**
 * That a key cannot be a class's, and what it does.
 * @param {string} key
 * @param {AnyCommand} command
 */
export function takenWords(key, { help, name }) {
  return t("key_taken", { key, what: help ? t(help) : name });
}

/** The keys of one project for all of its views. Dispatches `change`. */
export class ClassKeys extends EventTarget {
  /** @param {string} project */
  constructor(project) {
    super();
    this.key = KEYS_PREFIX + project;
    this.storage = openStorage();
    this.chosen = this.read();
    /** @type {Map<string, string>} by class name, for everybody */
    this.shared = new Map();
  }

  /**
   * The key of each class, "" for none. A key that two of them would have is that of the one that has it by choice.
   * @param {string[]} classes
   */
  of(classes) {
    const digits = digitsOfClasses(classes);
    const places = new Map(classes.map((name, index) => [name, digits[index] ?? ""]));
    const keys = classes.map(() => "");
    for (const given of [this.chosen, this.shared, places]) {
      for (const [index, name] of classes.entries()) {
        const key = given.get(name);
        if (key && !keys[index] && !keys.includes(key)) keys[index] = key;
      }
    }
    return keys;
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
   * @param {string} key one character; "" for the one that it has for everybody, or by its place
   * @returns {AnyCommand | null}
   */
  choose(name, key) {
    const command = key ? commandWithKey(key) : undefined;
    if (command) return command;
    const rest = [...this.chosen].filter(([other, its]) => other !== name && its !== key);
    this.chosen = new Map(key ? [...rest, [name, key]] : rest);
    try {
      this.storage?.setItem(this.key, JSON.stringify(Object.fromEntries(this.chosen)));
    } catch {
      this.storage = null;
    }
    this.dispatchEvent(new Event("change"));
    return null;
  }

  /**
   * What the project has for everybody.
   * @param {Record<string, string>} keys by class name
   */
  share(keys) {
    const shared = usableKeys(keys);
    if (JSON.stringify([...shared]) === JSON.stringify([...this.shared])) return;
    this.shared = shared;
    this.dispatchEvent(new Event("change"));
  }

  read() {
    try {
      return usableKeys(JSON.parse(this.storage?.getItem(this.key) ?? "null") ?? {});
    } catch {
      return usableKeys({});
    }
  }
}

/**
 * Those of one character that have no other meaning on the page.
 * @param {Record<string, unknown>} keys by class name
 * @returns {Map<string, string>}
 */
function usableKeys(keys) {
  const pairs = Object.entries(keys).map(([name, key]) => /** @type {const} */ ([name, String(key).toLowerCase()]));
  return new Map(pairs.filter(([, key]) => [...key].length === 1 && !commandWithKey(key)));
}
