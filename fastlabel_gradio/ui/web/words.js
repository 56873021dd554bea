// The words of the page. English and Chinese stand in words/, one entry each for every word; nothing else has text.

import en from "./words/en.js";
import zh from "./words/zh-CN.js";

/** @typedef {keyof typeof en} Word */
/** @typedef {"en" | "zh-CN"} Language */

/** @type {Record<Language, Record<Word, string>>} */
export const DICTIONARIES = { en, "zh-CN": zh };

/** @type {Language} */
let language = "en";

/**
 * The language for a page: the one that `?lang=` names, or the first of the browser's that is there, or English.
 * @param {string | null} asked
 * @param {readonly string[]} preferred
 * @returns {Language}
 */
export function pickLanguage(asked, preferred) {
  for (const tag of [asked ?? "", ...preferred]) {
    const base = tag.toLowerCase().split(/[-_]/)[0];
    if (base === "zh") return "zh-CN";
    if (base === "en") return "en";
  }
  return "en";
}

/**
 * @param {Language} chosen
 * @returns {Language}
 */
export function useLanguage(chosen) {
  language = chosen;
  return language;
}

/** Whether the page speaks as the server does. */
export function isEnglish() {
  return language === "en";
}

/**
 * A word with its values in place. Of "a label|{n} labels" the first is for n = 1.
 * @param {Word} word
 * @param {Record<string, string | number>} values
 */
export function t(word, values = {}) {
  return pattern(word, values.n).replace(/\{(\w+)\}/g, (place, name, at, whole) => {
    const value = values[name];
    if (typeof value === "number") return formatCount(value);
    return at + place.length < whole.length ? isolated(value ?? "") : (value ?? "");
  });
}

/**
 * A name that holds controls of direction, as classes of an old project may, must not turn the words behind it.
 * @param {string} text
 */
function isolated(text) {
  return /[\u202a-\u202e\u2066-\u2069]/.test(text) ? `\u2068${text}\u2069` : text;
}

/**
 * A word with nodes in place, as what `append` takes.
 * @param {Word} word
 * @param {Record<string, Node | string>} nodes
 * @returns {(Node | string)[]}
 */
export function phrase(word, nodes) {
  return pattern(word, undefined)
    .split(/\{(\w+)\}/)
    .map((part, index) => (index % 2 ? nodes[part] : part))
    .filter((part) => part !== "");
}

const formatCount = new Intl.NumberFormat("en-US").format;

/**
 * @param {Word} word
 * @param {string | number | undefined} n
 */
function pattern(word, n) {
  const [one, many] = DICTIONARIES[language][word].split("|");
  return many === undefined || n === 1 ? one : many;
}
