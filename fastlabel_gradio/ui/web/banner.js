// A line that says what went wrong or what there is to know, hidden while there is nothing to say. Behind "why" is more of
// it, where there is more.

import { button, el, setShown, setText } from "./dom.js";
import { t } from "./words.js";

/**
 * @param {string} className
 * @param {"error" | "warning"} tone
 * @param {() => void} [onDismiss] adds a button
 */
export function banner(className, tone, onDismiss) {
  const words = el("span", "");
  const reason = el("span", "");
  const why = el("details", "fl-why", el("summary", "", t("why")), reason);
  const close = onDismiss ? button("fl-dismiss", "✕") : null;
  close?.setAttribute("aria-label", t("dismiss"));
  if (onDismiss) close?.addEventListener("click", onDismiss);
  const node = el("div", `fl-banner ${className}`, el("div", "", words, why), close);
  node.dataset.tone = tone;
  node.setAttribute("role", tone === "error" ? "alert" : "note");
  node.hidden = true;
  const self = {
    node,
    text: "",
    say: (/** @type {string} */ text, more = "") => {
      self.text = text;
      setText(words, text);
      setText(reason, more);
      setShown(why, more !== "");
      setShown(node, text !== "");
    },
  };
  return self;
}
