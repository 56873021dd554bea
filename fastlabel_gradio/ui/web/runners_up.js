// The classes that are most probable after the suggested one, on the card under the pointer: mostly the right one of a card
// whose suggestion is wrong is among them, and one click away.

import { classNode } from "./class_colours.js";
import { button, el } from "./dom.js";
import { t } from "./words.js";

/** @typedef {import("./cards.js").CardNode} CardNode */

export class RunnersUp {
  /**
   * @param {import("./batch_view.js").BatchView} cards
   * @param {AbortSignal} signal ends it
   */
  constructor(cards, signal) {
    this.cards = cards;
    this.node = el("div", "fl-runners-up");
    cards.node.addEventListener("pointerover", (event) => this.#onOver(event), { signal });
    cards.node.addEventListener("pointerleave", () => this.hide(), { signal });
  }

  /** @param {CardNode} built shown on it, where it has any; on one card at a time */
  show({ card, node }) {
    const classes = this.cards.batch?.classes ?? [];
    const { index, runnersUp } = card.suggestion ?? { index: -1, runnersUp: [] };
    const others = card.label === null ? runnersUp : [index, ...runnersUp].filter((place) => place !== card.label);
    this.node.replaceChildren(...others.map((place) => choice(place, classes[place])));
    if (others.length) node.querySelector(".fl-picture")?.append(this.node);
    else this.hide();
  }

  hide() {
    this.node.remove();
  }

  /** @param {PointerEvent} event a finger has no place before it presses: its press shows them */
  #onOver({ target, pointerType }) {
    const built = this.cards.cardOf(/** @type {Element} */ (target));
    if (!built || pointerType === "touch") return this.hide();
    if (!built.node.contains(this.node)) this.show(built);
  }
}

/**
 * @param {number} place of a class
 * @param {string} name
 */
function choice(place, name) {
  const press = button("fl-runner-up", "", "runner-up", t("label_as", { name }));
  press.dataset.classIndex = String(place);
  press.tabIndex = -1;
  press.append(classNode(name));
  press.setAttribute("aria-label", t("label_as", { name }));
  return press;
}
