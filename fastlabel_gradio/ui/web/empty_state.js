// What stands in place of the cards while there are none.

import { el, setText } from "./dom.js";

export class EmptyState {
  constructor() {
    this.title = el("h2", "fl-empty-title");
    this.text = el("p", "fl-empty-text");
    this.node = el("div", "fl-empty", this.title, this.text);
    this.node.setAttribute("role", "status");
  }

  /**
   * @param {string} title
   * @param {string} text
   */
  say(title, text) {
    setText(this.title, title);
    setText(this.text, text);
  }
}
