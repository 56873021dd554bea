// The views of a project's tab, by name. A view registers itself in one line; today's grid is the view `label`.

/**
 * What a view is given. `note(params)` writes into the page's address what opens the view as it is, as a step of the person;
 * `keep(params)` does where it is none. `openBatch()` leads to the batch that was claimed for the person. `session()`: that of
 * the view `label`, which asks for the status all the time, once that view was opened.
 * @typedef {{
 *   settings: import("./label_view.js").Settings, api: import("./api.js").ProjectApi,
 *   player: import("./sound_player.js").SoundPlayer | null, classKeys: import("./class_keys.js").ClassKeys,
 *   classColours: import("./class_colours.js").ClassColours, classWatch: import("./class_watch.js").ClassWatch,
 *   connection: import("./connection.js").Connection, recent: import("./recent_classes.js").RecentClasses,
 *   note: (params: import("./address.js").Params) => void,
 *   keep: (params: import("./address.js").Params) => void, openBatch: () => unknown,
 *   session: () => import("./session.js").Session | undefined,
 * }} ViewContext
 */
/**
 * A view on the page. `show` gets the parameters of the address, each time the view is opened or they change.
 * @typedef {{ show?: (params: import("./address.js").Params) => unknown, hide?: () => void, stop?: () => void }} MountedView
 */
/** @typedef {(root: HTMLElement, context: ViewContext) => MountedView} Mount */
/**
 * `isLinked`: others lead to it, and its tab is shown only while it is open. `needs`: the route that its people may use.
 * @typedef {{ name: string, title: () => string, isLinked?: boolean, needs?: string }} Named
 */
/** @typedef {Named & { mount: Mount }} View */
/**
 * A view that nobody opened yet: `load` imports its module, which registers it.
 * @typedef {Named & { load: () => Promise<unknown> }} LazyView
 */

/** @type {Map<string, View | LazyView>} */
const views = new Map();

/** @param {View | LazyView} view */
export function registerView(view) {
  views.set(view.name, view);
}

/**
 * The view of that name, its module loaded.
 * @param {string} name
 * @returns {Promise<View>}
 */
export async function loadedView(name) {
  const view = views.get(name);
  if (view && "load" in view) await view.load();
  return /** @type {View} */ (views.get(name));
}

/** In the order in which they registered themselves. */
export function registeredViews() {
  return [...views.values()];
}
