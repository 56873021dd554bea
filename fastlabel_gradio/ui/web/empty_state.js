// What stands in place of the cards while there are none.

import { button, el, setShown, setText } from "./dom.js";
import { t } from "./words.js";

export class EmptyState {
  /** @param {() => void} goOn past the labels that are asked of one person */
  constructor(goOn) {
    this.title = el("h2", "fl-empty-title");
    this.text = el("p", "fl-empty-text");
    this.more = button("fl-quiet fl-go-on", t("go_on"));
    this.more.addEventListener("click", goOn);
    setShown(this.more, false);
    this.node = el("div", "fl-empty", this.title, this.text, this.more);
    this.node.setAttribute("role", "status");
  }

  /**
   * @param {string} title
   * @param {string} text
   * @param {boolean} mayGoOn offers a button
   */
  say(title, text, mayGoOn = false) {
    setShown(this.more, mayGoOn);
    setText(this.title, title);
    setText(this.text, text);
  }
}
