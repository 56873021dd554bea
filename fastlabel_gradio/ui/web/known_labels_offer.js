// The line that offers to check the labels which the data came with, once there are some to check. Whoever follows or dismisses
// it is not shown it again in this browser.

import { button, el, setShown } from "./dom.js";
import { openStorage } from "./storage.js";
import { t } from "./words.js";

export class KnownLabelsOffer {
  /**
   * @param {string} project
   * @param {() => void} check leads to these labels
   */
  constructor(project, check) {
    this.key = `fastlabel:known-labels:${project}`;
    this.isAnswered = Boolean(openStorage()?.getItem(this.key));
    const follow = button("fl-quiet", t("known_offer"), undefined, t("known_offer_title"));
    const close = button("fl-dismiss", "✕", undefined, t("dismiss"));
    close.setAttribute("aria-label", t("dismiss"));
    this.node = el("div", "fl-known-offer", follow, close);
    setShown(this.node, false);
    follow.addEventListener("click", () => {
      this.#answer();
      check();
    });
    close.addEventListener("click", () => this.#answer());
  }

  /** @param {import("./api.js").StatusAnswer} status */
  follow({ known_labels: knows, embedding }) {
    setShown(this.node, knows && embedding.state === "done" && !this.isAnswered);
  }

  #answer() {
    this.isAnswered = true;
    setShown(this.node, false);
    try {
      openStorage()?.setItem(this.key, "answered");
    } catch {
      // a full store forgets: the line comes again
    }
  }
}
