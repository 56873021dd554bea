// The words of Gradio's own parts: toolbar and tabs. Gradio picks them by the browser's language alone; where the page is
// in another one, they are put in here.

import { DICTIONARIES, t } from "./words.js";

/** @typedef {import("./words.js").Word} Word */

/** @type {Record<string, Word>} */
const TOOLBAR = {
  load: "load_next",
  submit: "submit",
  undo: "undo",
  train: "train_now",
  strategy: "strategy",
  size: "batch_size",
};

/**
 * The toolbar and the tabs of a project, now and whenever Gradio paints them anew.
 * @param {string} project
 */
export function translateGradio(project) {
  follow(document.getElementById(`fl-toolbar-${project}`), (toolbar) => {
    for (const [name, word] of Object.entries(TOOLBAR)) {
      const part = toolbar.querySelector(`#fl-${name}-${project}`);
      if (part) translate(part, word);
    }
  });
  follow(document.querySelector(".fl-tabs > .tab-wrapper"), (tabs) => {
    for (const tab of tabs.querySelectorAll("button")) {
      translate(tab, "images");
      translate(tab, "audio");
    }
  });
}

/**
 * @param {Element | null} part
 * @param {(part: Element) => void} paint
 */
function follow(part, paint) {
  if (!part) return;
  paint(part);
  new MutationObserver(() => paint(part)).observe(part, { childList: true, characterData: true, subtree: true });
}

/**
 * Replaces a word of any language by that of the page, in texts and names.
 * @param {Element} part
 * @param {Word} word
 */
function translate(part, word) {
  const known = Object.values(DICTIONARIES).map((words) => words[word]);
  const texts = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const text = /** @type {Text} */ (node);
    if (known.includes(text.data.trim()) && text.data.trim() !== t(word)) text.data = t(word);
  }
  for (const named of part.querySelectorAll("[aria-label]")) {
    if (known.includes(named.getAttribute("aria-label") ?? "")) named.setAttribute("aria-label", t(word));
  }
}
