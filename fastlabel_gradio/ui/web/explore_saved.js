// The saved filters of a project: a menu that opens one, and keeps the one on screen under a name.

import { button, el, nameNode, setText } from "./dom.js";
import { formatFilter } from "./explore_filter.js";
import { needing } from "./rights.js";
import { t } from "./words.js";

/** @typedef {import("./explore_filter.js").Query} Query */

export class ExploreSaved {
  /**
   * @param {import("./api.js").ProjectApi} api
   * @param {() => Query} query the one on screen
   * @param {(query: Query) => void} show
   * @param {(text: string, tone?: "" | "warning" | "error") => void} say
   */
  constructor(api, query, show, say) {
    this.api = api;
    this.query = query;
    this.show = show;
    this.say = say;
    this.summary = el("summary", "fl-quiet", t("explore_saved"));
    this.list = el("ul", "fl-out-list fl-saved-list");
    this.name = el("input", "fl-saved-name");
    Object.assign(this.name, { type: "text", maxLength: 64, placeholder: t("explore_filter_name") });
    this.name.setAttribute("aria-label", t("explore_filter_name"));
    const form = el("form", "fl-saved-line", this.name, button("fl-quiet", t("explore_save")));
    needing("POST /api/filters", form);
    form.lastElementChild?.setAttribute("type", "submit");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save(this.name.value.trim());
    });
    this.node = el("details", "fl-menu fl-saved", this.summary, el("div", "fl-menu-body", form, this.list));
    this.node.addEventListener("toggle", () => this.node.open && this.load());
  }

  load() {
    return this.#during(() => this.api.filters());
  }

  /** @param {string} name */
  async save(name) {
    if (!name) return this.name.focus();
    await this.#during(() => this.api.saveFilter(name, this.query()));
    this.name.value = "";
    return this.say(t("explore_filter_saved", { name }));
  }

  /** @param {() => Promise<import("./api.js").Schemas["FiltersAnswer"]>} asks */
  async #during(asks) {
    try {
      this.paint((await asks()).filters);
    } catch (error) {
      this.say(/** @type {Error} */ (error).message, "error");
    }
  }

  /** @param {{ name: string, query: Query }[]} filters */
  paint(filters) {
    const here = formatFilter(this.query());
    const lines = filters.map(({ name, query }) => {
      const open = button("fl-saved-open", "");
      open.append(nameNode(name));
      if (formatFilter(query) === here) open.setAttribute("aria-current", "true");
      open.addEventListener("click", () => {
        this.node.open = false;
        this.show(query);
      });
      const drop = button("fl-dismiss", "✕", "", t("explore_drop_filter", { name }));
      needing("POST /api/filters", drop);
      drop.setAttribute("aria-label", drop.title);
      drop.addEventListener("click", () => this.#during(() => this.api.saveFilter(name, null)));
      return el("li", "fl-saved-line", open, drop);
    });
    this.list.replaceChildren(...lines);
    if (!lines.length) this.list.append(el("li", "fl-reason", t("explore_none_saved")));
    setText(this.summary, lines.length ? t("explore_saved_count", { n: lines.length }) : t("explore_saved"));
  }
}
