// What the server says in English, in the language of the page. As in gettext the English sentence is the key: those whose
// names begin with `server_` stand in the dictionaries as the server writes them, and what is in their braces goes over.
// A sentence that is in no dictionary stays English.

import { DICTIONARIES, isEnglish, t } from "./words.js";

/** @typedef {import("./words.js").Word} Word */

const PREFIX = "server_";
/** @type {{ word: Word, found: RegExp, names: string[] }[] | undefined} */
let sentences; // made when they are first needed, which on an English page is never

/** @param {string | null | undefined} text one sentence or several */
export function serverWords(text) {
  if (!text || isEnglish()) return text ?? "";
  sentences ??= Object.keys(DICTIONARIES.en)
    .filter((word) => word.startsWith(PREFIX))
    .map((word) => sentenceOf(/** @type {Word} */ (word)));
  return sentences.reduce((said, { word, found, names }) => {
    return said.replace(found, (_, ...groups) =>
      t(word, Object.fromEntries(names.map((name, at) => [name, groups[at]]))),
    );
  }, text);
}

/** @param {Word} word */
function sentenceOf(word) {
  const text = DICTIONARIES.en[word];
  const parts = text.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const names = [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  // A value at the end is the rest of the text, any other one as short as it can be.
  const found = parts.join("([^]+?)").replace(/\(\[\^\]\+\?\)$/, "([^]+)");
  return { word, found: new RegExp(found, "g"), names };
}

/** @param {string} text what a scan found: "12 new items, 1 changed, 2 gone" */
export function scanWords(text) {
  if (isEnglish()) return text;
  const words = /** @type {const} */ ([
    [/([\d,]+) new items?/, "scan_new"],
    [/([\d,]+) changed/, "scan_changed"],
    [/([\d,]+) gone/, "scan_gone"],
  ]);
  return words.reduce((said, [found, word]) => said.replace(found, (_, count) => t(word, { count })), text);
}
