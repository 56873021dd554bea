// What is done to found items: what is asked of the server for it, what it would change, and what somebody else changed
// meanwhile. No DOM.

/** @typedef {import("./explore_filter.js").Query} Query */
/** @typedef {import("./found_list.js").Found} Found */
/** @typedef {import("./api.js").ProjectApi} ProjectApi */
/** @typedef {{ id: string, label: string, confidence: number }} Accepted */
/**
 * A class, a state in place of one, or predictions that are accepted as they are shown; without any what was said is taken away.
 * @typedef {{ label?: string, state?: "skip" | "unsure" | "bad", accepted?: Accepted[] }} Said
 */
/** Items by a query. `ids`: where they are named one by one. @typedef {{ query: Query, exclude: string[], size: number, ids: string[] | null }} Target */

/**
 * The selected items, or where none is the current one.
 * @param {import("./found_selection.js").FoundSelection} selection
 * @param {Found | undefined} current
 * @param {Query} query that found them
 * @returns {Target | null}
 */
export function targetOf(selection, current, query) {
  if (selection.all) {
    const exclude = [...new Set([...(query.exclude ?? []), ...selection.ids])];
    return { query: withoutOrder(query), exclude, size: selection.size, ids: null };
  }
  const ids = selection.size ? selection.ids : current ? [current.id] : [];
  return ids.length ? { query: { ids }, exclude: [], size: ids.length, ids } : null;
}

/**
 * Does it; says how many items changed.
 * @param {ProjectApi} api
 * @param {Target} target
 * @param {Said} said
 * @param {number | undefined} seen the event up to which the person saw the items; without it others are overruled
 */
export async function applyTo(api, target, said, seen) {
  return (await api.apply({ ...asked(target, said), seen })).changed;
}

/**
 * What it would change, counted by the server in this moment.
 * @param {ProjectApi} api
 * @param {Target} target
 * @param {Said} said
 */
export function preview(api, target, said) {
  return api.apply({ ...asked(target, said), preview: true });
}

/**
 * Of whom labels would be changed that are not the person's own, and how many.
 * @param {import("./api.js").Schemas["ApplyAnswer"]} found
 */
export function overruledBy({ overruled }) {
  return {
    labels: overruled.reduce((sum, { items }) => sum + items, 0),
    people: overruled.map((one) => one.annotator),
  };
}

/**
 * What is known now of items, whatever was found, and up to which event.
 * @param {ProjectApi} api
 * @param {string[]} ids
 * @param {number} atOnce how many a request may name
 */
export async function itemsOf(api, ids, atOnce) {
  /** @type {Found[]} */
  const items = [];
  let event = Number.MAX_SAFE_INTEGER;
  for (let start = 0; start < ids.length; start += atOnce) {
    const part = ids.slice(start, start + atOnce);
    const answer = await api.items({ query: { ids: part }, size: part.length });
    items.push(...answer.items);
    event = Math.min(event, answer.event);
  }
  return { items, event };
}

/** @param {Query} query */
function withoutOrder({ order: _, ...query }) {
  return query;
}

/**
 * As POST /api/apply has it; what is left out is told beside the query.
 * @param {Target} target
 * @param {Said} said
 */
function asked({ query: { exclude: _, ...query }, exclude }, said) {
  return said.accepted ? said : { ...said, query, exclude };
}
