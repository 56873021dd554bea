// What stands beside the grid of the view `explore`: a map, a list of mistakes, near-duplicates. A panel registers itself in
// one line and is opened by its button; the address then says `panel=<name>`.

/** @typedef {import("./explore_filter.js").Query} Query */
/**
 * What a panel is given. It shows items by asking for them (`narrow`) and follows what is asked for (`query`).
 * @typedef {{
 *   settings: import("./label_view.js").Settings,
 *   api: import("./api.js").ProjectApi,
 *   player: import("./sound_player.js").SoundPlayer | null,
 *   classColours: import("./class_colours.js").ClassColours,
 *   query: () => Query,
 *   narrow: (part: Query) => void,
 *   showItems: (ids: string[]) => void,
 *   refresh: () => void,
 *   label: (id: string, name: string) => void,
 *   total: () => number,
 *   current: () => import("./api.js").Schemas["FoundAnswer"] | null,
 *   say: (text: string, tone?: "" | "warning" | "error") => void,
 *   on: (type: "query" | "changed" | "current", handler: (detail: any) => void) => void,
 * }} Exploring
 */
// `query()`: the filter as it is, a query of POST /api/items. `narrow(part)`: a step of the person that puts keys of a query
// into the filter, those that are undefined are taken out, and asks anew. `showItems(ids)`: the same for `ids` alone.
// `refresh()`: asks anew for the same. `label(id, name)`: an item gets that label. `total()`: items found. `on("query")`: another filter is shown, with the query;
// `on("changed")`: labels or states were changed here, with the item ids, or null where a whole query was; `on("current")`:
// another card is the current one, which `current()` gives.
/** @typedef {{ show?: () => unknown, hide?: () => void, stop?: () => void }} MountedPanel */
/** @typedef {{ name: string, title: () => string, mount: (root: HTMLElement, exploring: Exploring) => MountedPanel }} Panel */

/** @type {Map<string, Panel>} */
const panels = new Map();

/** @param {Panel} panel */
export function registerPanel(panel) {
  panels.set(panel.name, panel);
}

/** In the order in which they registered themselves. */
export function registeredPanels() {
  return [...panels.values()];
}
