// What the server says of a promise, in the language of the page: it sends the key of each sentence and its values.

import { DICTIONARIES, t } from "./words.js";

/** @typedef {import("./api.js").Schemas["LineAnswer"]} Line */

/** @param {Line} line */
export function lineText({ key, values, text }) {
  const word = `finish_${key}`;
  return word in DICTIONARIES.en ? t(/** @type {import("./words.js").Word} */ (word), values) : text;
}

/** @param {Line[]} lines */
export function linesText(lines) {
  return lines.map(lineText).join(" ");
}

/**
 * A promise in percent, as it was chosen.
 * @param {number} precision 0 to 1
 */
export function promiseText(precision) {
  return String(Math.round(1000 * precision) / 10);
}
