// What keys do in the view `explore`: they lead to its table of commands.

import { commandOfKey } from "./commands.js";
import { isVisible } from "./dom.js";
import { EXPLORE_COMMANDS } from "./explore_commands.js";
import { closeMenus } from "./menus.js";

/** @typedef {import("./explore_view.js").ExploreView} ExploreView */

/**
 * @param {ExploreView} view
 * @param {AbortSignal} signal ends it
 */
export function followKeys(view, signal) {
  document.addEventListener("keydown", (event) => onKey(view, event), { signal });
}

/**
 * What a button of that name does.
 * @param {ExploreView} view
 * @param {string} name
 */
export function runByName(view, name) {
  EXPLORE_COMMANDS.find((one) => one.name === name)?.run(view, "");
}

/**
 * @param {ExploreView} view
 * @param {KeyboardEvent} event
 */
function onKey(view, event) {
  const root = /** @type {HTMLElement} */ (view.root);
  if (!isVisible(root) || root.querySelector("dialog[open]:not(.fl-zoom)")) return;
  if (event.key === "Escape" && !view.zoom.open) return onEscape(view, /** @type {Element} */ (event.target));
  const found = commandOfKey(event, view.settings.kind, view.classKeys.lettersOf(view.classes), EXPLORE_COMMANDS);
  if (!found || !view.list) return;
  found.command.run(view, found.argument);
  event.preventDefault();
}

/**
 * @param {ExploreView} view
 * @param {Element} target
 */
function onEscape(view, target) {
  const closed = closeMenus(/** @type {HTMLElement} */ (view.root), null);
  if (closed || target.matches?.("input, select, summary")) view.grid.focusCurrent();
  else view.selection.clear();
}
