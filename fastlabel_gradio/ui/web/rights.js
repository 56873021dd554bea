// What the person may do: the routes that their role opens, as the server's table has them. The page has no list of its own.

/** @typedef {import("../../../tests/web/openapi").components["schemas"]["MeAnswer"]} MeAnswer */

/** @type {Set<string> | null} */
let open = null; // nothing is hidden before the server has said it; it refuses what is not theirs by itself

/** Asks the server once. Where it does not answer, everything is shown. */
export async function loadRights(page = document.baseURI) {
  if (open) return;
  const response = await fetch(new URL("api/me", new URL(".", page)), { credentials: "same-origin" }).catch(() => null);
  if (response?.ok) useRights((await response.json()).may);
}

/** @param {string[] | null} routes as `GET /api/me` names them */
export function useRights(routes) {
  open = routes && new Set(routes);
}

/** @param {string | undefined} route as "POST /api/train"; what needs none is everybody's */
export function may(route) {
  return !route || !open || open.has(route);
}

/**
 * The node, out of sight where the person may not use what it is for.
 * @template {HTMLElement} Kind
 * @param {string} route
 * @param {Kind} node
 * @returns {Kind}
 */
export function needing(route, node) {
  node.classList.toggle("fl-not-theirs", !may(route));
  return node;
}
