// Classes by what somebody types of their names: whole beginnings first, then beginnings of words, then parts. No DOM.

/**
 * @typedef {{
 *   classes: string[], recent?: string[], likely?: number[], hidden?: Set<number>,
 * }} Classes `recent`: names, the newest first; `likely`: positions, the most likely first
 */

/**
 * The positions of the classes that a text may mean, the best first. An empty text means all: recent ones first, then likely
 * ones, then in the order of the screen.
 * @param {string} text
 * @param {Classes} classes
 * @returns {number[]}
 */
export function findClasses(text, { classes, recent = [], likely = [] }) {
  const typed = plain(text);
  const found = classes.map((name, index) => ({ index, rank: typed ? rankOf(plain(name), typed) : 0 }));
  const nearness = (/** @type {number} */ index) => nearnessOf(index, classes, recent, likely);
  return found
    .filter(({ rank }) => rank < Number.POSITIVE_INFINITY)
    .sort(
      (one, other) => one.rank - other.rank || nearness(one.index) - nearness(other.index) || one.index - other.index,
    )
    .map(({ index }) => index);
}

/**
 * The name that a text would add as a class; "" where there is one of that name, or nothing was typed.
 * @param {string} text
 * @param {string[]} classes
 */
export function newClassName(text, classes) {
  const name = text.normalize("NFC").trim();
  return classes.includes(name) ? "" : name;
}

/**
 * 0 for the whole name, 1 for its beginning, 2 for that of a word, 3 for a part, 4 for letters in that order.
 * @param {string} name
 * @param {string} typed
 */
function rankOf(name, typed) {
  if (name === typed) return 0;
  if (name.startsWith(typed)) return 1;
  if (name.split(/[\s/_.-]+/).some((word) => word.startsWith(typed))) return 2;
  if (name.includes(typed)) return 3;
  return hasInOrder(name, typed) ? 4 : Number.POSITIVE_INFINITY;
}

/**
 * @param {string} name
 * @param {string} typed
 */
function hasInOrder(name, typed) {
  let from = 0;
  for (const letter of typed) {
    from = name.indexOf(letter, from) + 1;
    if (!from) return false;
  }
  return true;
}

/**
 * @param {number} index
 * @param {string[]} classes
 * @param {string[]} recent
 * @param {number[]} likely
 */
function nearnessOf(index, classes, recent, likely) {
  const used = recent.indexOf(classes[index]);
  if (used >= 0) return used;
  const place = likely.indexOf(index);
  return recent.length + (place >= 0 ? place : likely.length);
}

/** @param {string} text */
function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
}
