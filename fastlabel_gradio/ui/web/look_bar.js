// The controls of how cards are shown, above them: size, whole or filled, in groups or not.

import { LEAST_CARD_PX, MOST_CARD_PX } from "./card_look.js";
import { button, el } from "./dom.js";
import { t } from "./words.js";

export class LookBar {
  /**
   * @param {import("./card_look.js").CardLook} look
   * @param {"image" | "audio"} kind
   * @param {AbortSignal} signal ends it
   */
  constructor(look, kind, signal) {
    this.look = look;
    this.size = el("input", "fl-size");
    Object.assign(this.size, { type: "range", min: String(LEAST_CARD_PX), max: String(MOST_CARD_PX), step: "4" });
    this.size.setAttribute("aria-label", t("card_size"));
    this.size.title = t("card_size_title");
    this.size.addEventListener("input", () => look.set("sizePx", Number(this.size.value)));
    this.groups = lookSwitch(t("groups"), "g", "groups", t("groups_title"));
    this.fills = lookSwitch(t("fill"), "f", "fill", t("fill_title"));
    const parts = [this.groups, kind === "image" ? this.fills : null, this.size];
    this.node = el("div", "fl-look", ...parts);
    this.node.setAttribute("role", "group");
    this.node.setAttribute("aria-label", t("card_look"));
    look.addEventListener("change", () => this.paint(), { signal });
    this.paint();
  }

  paint() {
    this.size.value = String(this.look.sizePx);
    this.groups.setAttribute("aria-pressed", String(this.look.groups));
    this.fills.setAttribute("aria-pressed", String(this.look.fills));
  }
}

/**
 * @param {string} text
 * @param {string} key
 * @param {string} command
 * @param {string} title
 */
function lookSwitch(text, key, command, title) {
  const node = button("fl-quiet fl-switch", text, command, title);
  node.append(el("kbd", "fl-key", key));
  return node;
}
