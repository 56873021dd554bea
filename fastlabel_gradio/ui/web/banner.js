// A line that says what went wrong or what there is to know, hidden while there is nothing to say. It is one line: what does
// not fit, and the reason where there is one, opens over the page, so that no card moves.

import { codeParts } from "./code_parts.js";
import { button, el, setShown, setText } from "./dom.js";
import { t } from "./words.js";

/**
 * @param {string} className
 * @param {"error" | "warning"} tone
 * @param {() => void} [onDismiss] adds a button
 */
export function banner(className, tone, onDismiss) {
  const words = el("span", "fl-banner-words");
  const whole = el("p", "fl-banner-whole");
  const reason = el("p", "fl-banner-reason");
  const summary = el("summary", "");
  const why = el("details", "fl-menu fl-why", summary, el("div", "fl-menu-body", whole, reason));
  const close = onDismiss ? button("fl-dismiss", "✕") : null;
  close?.setAttribute("aria-label", t("dismiss"));
  if (onDismiss) close?.addEventListener("click", onDismiss);
  const node = el("div", `fl-banner ${className}`, words, why, close);
  node.dataset.tone = tone;
  node.setAttribute("role", tone === "error" ? "alert" : "note");
  node.hidden = true;
  const self = {
    node,
    text: "",
    say: (/** @type {string} */ text, more = "") => {
      self.text = text;
      setCoded(words, text);
      setCoded(reason, more);
      setText(summary, t(more ? "why" : "more"));
      setShown(node, text !== "");
      self.fold();
    },
    /** Offers the rest where there is one. */
    fold: () => {
      const isCut = words.scrollWidth > words.clientWidth;
      setCoded(whole, isCut ? self.text : ""); // or it would stand there twice
      setShown(whole, isCut);
      setShown(why, isCut || reason.textContent !== "");
    },
  };
  new ResizeObserver(self.fold).observe(words);
  return self;
}

/**
 * Shows a text whose parts between backticks are what one types.
 *
 * @param {HTMLElement} node
 * @param {string} text
 */
function setCoded(node, text) {
  const parts = codeParts(text);
  const plain = parts.map((part) => part.text).join("");
  if (node.textContent === plain) return;
  node.replaceChildren(...parts.map(({ text, isCode }) => (isCode ? el("code", "", text) : text)));
}
