// Three lines for whoever opens the page for the first time in this browser. Dismissed once, they never come again.

import { button, el } from "./dom.js";
import { openStorage } from "./storage.js";
import { t } from "./words.js";

const HINT_KEY = "fastlabel:hint";
const LINES = /** @type {const} */ (["hint_one", "hint_many", "hint_go_on"]);

/** The lines with their button; null where they were dismissed. */
export function firstHint() {
  const storage = openStorage();
  if (storage?.getItem(HINT_KEY)) return null;
  const close = button("fl-quiet fl-hint-close", t("hint_close"));
  const lines = LINES.map((word) => el("li", "", t(word)));
  const node = el("div", "fl-hint", el("ol", "fl-hint-lines", ...lines), close);
  node.setAttribute("role", "note");
  close.addEventListener("click", () => {
    node.remove();
    try {
      storage?.setItem(HINT_KEY, "dismissed");
    } catch {
      // a full store forgets: the lines come again
    }
  });
  return node;
}
