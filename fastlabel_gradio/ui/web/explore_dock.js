// The dock of the view `explore`: the classes with their keys, the states, and what else is done to the selected items.

import { Dock } from "./dock.js";
import { button, el, setShown, setText } from "./dom.js";
import { needing } from "./rights.js";
import { t } from "./words.js";

/** @typedef {import("./found_selection.js").FoundSelection} FoundSelection */

export class ExploreDock extends Dock {
  /** @param {import("./class_keys.js").ClassKeys} keys */
  constructor(keys) {
    super(keys);
    this.bar.remove(); // it says how far a batch is
    this.scope = el("span", "fl-scope");
    this.scope.setAttribute("role", "status");
    this.all = dockButton("explore_select_all", "all", "⇧a");
    this.none = dockButton("explore_select_none", "none", "Esc");
    for (const part of [this.legend, this.asideList]) needing("POST /api/apply", part);
    const more = [
      needing("POST /api/apply", dockButton("explore_clear_labels", "clear", "⌫")),
      dockButton("explore_more_like", "more-like", "m"),
      dockButton("explore_less_like", "less-like", "⇧m"),
      needing("POST /api/items/claim", dockButton("explore_send", "send", "⇧s")),
      needing("POST /api/undo", dockButton("explore_undo", "undo", "u")),
      needing("POST /api/redo", dockButton("explore_redo", "redo", "⇧u")),
      dockButton("explore_help", "help", "?"),
    ];
    this.actions.replaceChildren(this.scope, this.all, this.none);
    this.more = el("div", "fl-explore-acts", this.asideList, ...more);
    this.node.append(this.more);
  }

  /** @param {import("./api.js").ApiError} error */
  sayFailure(error) {
    this.isUnanswered = error.status === 0;
    this.say(this.isUnanswered ? `${error.message} ${t("try_again")}` : error.message, "error");
  }

  /** The server answers again, or it would stand there for ever that it does not. @returns {boolean} whether it stood there */
  sayAnswered() {
    const stood = Boolean(this.isUnanswered) && this.message.dataset.tone === "error";
    this.isUnanswered = false;
    if (stood) this.say(t("answers_again"));
    return stood;
  }

  /** @param {FoundSelection} selection */
  paintScope(selection) {
    const { size, all, total } = selection;
    setText(this.scope, size ? t(all ? "explore_all_selected" : "selected", { n: size }) : t("explore_current_card"));
    setText(/** @type {HTMLElement} */ (this.all.firstElementChild), t("explore_select_all", { n: total }));
    setShown(this.all, total > 0 && !(all && size === total));
    setShown(this.none, size > 0);
  }
}

/**
 * @param {import("./words.js").Word} word
 * @param {string} action
 * @param {string} key
 */
function dockButton(word, action, key) {
  const node = button("fl-quiet fl-act", "", action, t(/** @type {any} */ (`${word}_title`)));
  node.append(el("span", "", t(word)), el("kbd", "fl-key", key));
  return node;
}
