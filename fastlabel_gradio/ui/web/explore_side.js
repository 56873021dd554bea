// The place beside the grid of the view `explore` where one panel at a time is open, and the buttons that open them.

import { button, el, setShown } from "./dom.js";
import { registeredPanels } from "./explore_panels.js";

/** @typedef {import("./explore_panels.js").Panel} Panel */
/** @typedef {{ node: HTMLElement, mounted: import("./explore_panels.js").MountedPanel }} Place */

export class ExploreSide {
  /** @param {() => import("./explore_panels.js").Exploring} exploring what a panel is given */
  constructor(exploring) {
    this.exploring = exploring;
    this.name = ""; // of the panel that is open; "" for none
    this.isLeft = false; // with the whole view; the panel is open again when one comes back
    /** @type {Map<string, Place>} those that were opened, by name */
    this.places = new Map();
    this.buttons = el("span", "fl-panel-line", ...registeredPanels().map((panel) => panelButton(panel)));
    this.node = el("aside", "fl-explore-panel");
    setShown(this.node, false);
  }

  get #open() {
    return this.places.get(this.name);
  }

  /**
   * @param {string} name "" for none
   * @returns {boolean} whether it was not on screen before
   */
  show(name) {
    const panel = registeredPanels().find((one) => one.name === name);
    if ((panel?.name ?? "") === this.name && !this.isLeft) return false;
    this.hide();
    this.isLeft = false;
    if (panel && !this.places.has(panel.name)) this.#mount(panel);
    this.name = panel?.name ?? "";
    for (const [known, { node }] of this.places) setShown(node, known === this.name);
    setShown(this.node, this.name !== "");
    for (const node of /** @type {Iterable<HTMLElement>} */ (this.buttons.children))
      node.setAttribute("aria-pressed", String(node.dataset.panel === this.name));
    this.#open?.mounted.show?.();
    return true;
  }

  /** @param {Panel} panel */
  #mount(panel) {
    const node = el("section", "fl-explore-part");
    node.setAttribute("aria-label", panel.title());
    this.node.append(node);
    this.places.set(panel.name, { node, mounted: panel.mount(node, this.exploring()) });
  }

  hide() {
    this.isLeft = true;
    this.#open?.mounted.hide?.();
  }

  stop() {
    for (const { mounted } of this.places.values()) mounted.stop?.();
  }
}

/** @param {Panel} panel */
function panelButton(panel) {
  const node = button("fl-quiet", panel.title(), "panel");
  node.dataset.panel = panel.name;
  node.setAttribute("aria-pressed", "false");
  return node;
}
