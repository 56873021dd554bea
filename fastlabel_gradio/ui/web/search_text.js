// What somebody types into the search box, as a part of a query. No DOM.

/** @typedef {import("./explore_filter.js").Query} Query */

/**
 * A name where it looks like one or the encoder reads no texts, otherwise a text that items shall be like.
 * @param {string} typed
 * @param {boolean} readsTexts
 * @returns {Query}
 */
export function searchFor(typed, readsTexts) {
  const text = typed.trim();
  if (!text) return { text: undefined, near: undefined };
  return readsTexts && !looksLikeName(text) ? { text: undefined, near: likeText(text) } : { text, near: undefined };
}

/**
 * `a dog -snow -"a cat"`: like "a dog", unlike "snow, a cat".
 * @param {string} text
 * @returns {Query["near"]}
 */
export function likeText(text) {
  /** @type {string[]} */
  const unlike = [];
  const like = text.replace(/(^|\s)-(?:"([^"]+)"|([^\s"]+))/g, (_, before, phrase, word) => {
    unlike.push((phrase ?? word).trim());
    return before;
  });
  const near = { text: like.replace(/"/g, "").replace(/\s+/g, " ").trim(), not_text: unlike.join(", ") };
  return near.text ? near : { text: text.replace(/["-]/g, " ").trim(), not_text: "" };
}

/**
 * A path, a file name, or a number.
 * @param {string} text
 */
export function looksLikeName(text) {
  return /[/\\]|\.[a-z0-9]{2,5}(#t=|$)|^\d+$/i.test(text);
}

/**
 * How the box shows what a query asks for.
 * @param {Query} query
 */
export function searchedText({ text, near }) {
  if (text) return text;
  const unlike = (near?.not_text ?? "").split(", ").filter(Boolean);
  const terms = unlike.map((term) => (/\s/.test(term) ? `-"${term}"` : `-${term}`));
  return [near?.text ?? "", ...terms].filter(Boolean).join(" ");
}
