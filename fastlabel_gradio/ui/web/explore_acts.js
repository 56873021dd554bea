// What is done to found items: what is asked of the server for it, what it would change, and what somebody else changed
// meanwhile. No DOM.

/** @typedef {import("./explore_filter.js").Query} Query */
/** @typedef {import("./found_list.js").Found} Found */
/** @typedef {import("./api.js").ProjectApi} ProjectApi */
/** A class, a state in place of one, or neither: what was said is taken away. @typedef {{ label?: string, state?: "skip" | "unsure" | "bad" }} Said */
/** Items by a query. `ids`: where they are named one by one. @typedef {{ query: Query, exclude: string[], size: number, ids: string[] | null }} Target */
/** `replaced`: labels and states of others that go; `people`: of whom. @typedef {{ size: number, same: number, replaced: number, people: string[] }} Preview */

const NAMED_AT_ONCE = 1000;

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
 * @param {Target} target
 * @param {Said} said
 */
export function applyBody({ query, exclude }, { label, state }) {
  const { exclude: _, ...asked } = query;
  return { query: asked, exclude, ...(state ? { state } : { label: label ?? null }) };
}

/**
 * What it would change, counted by the server in this moment.
 * @param {ProjectApi} api
 * @param {Target} target
 * @param {Said} said
 * @returns {Promise<Preview>}
 */
export async function preview(api, target, said) {
  const query = { ...target.query, exclude: target.exclude };
  const counts = await api.counts(query);
  const labels = counts.labels.filter(({ value }) => !query.labels || query.labels.includes(value));
  const states = counts.states.filter(
    ({ value }) => !query.states || query.states.includes(/** @type {any} */ (value)),
  );
  const same = said.label ? countOf(labels, said.label) : countOf(states, said.state ?? "none");
  const others = labels.map(({ value }) => value).filter((value) => value !== said.label);
  const replaced = others.length ? await api.counts({ ...query, labels: others }) : null;
  const people = (replaced?.annotators ?? []).map(({ value }) => value);
  const known = people.filter((name) => !query.annotators || query.annotators.includes(name));
  return { size: counts.total, same, replaced: replaced?.total ?? 0, people: known };
}

/**
 * Items that somebody else said something else of since they were shown: as shown, and as they are now.
 * @param {ProjectApi} api
 * @param {Found[]} shown
 * @param {string} me
 * @returns {Promise<{ shown: Found, now: Found }[]>}
 */
export async function changedMeanwhile(api, shown, me) {
  const now = new Map(
    (
      await itemsOf(
        api,
        shown.map(({ id }) => id),
      )
    ).map((item) => [item.id, item]),
  );
  const pairs = shown.map((item) => ({ shown: item, now: now.get(item.id) ?? item }));
  return pairs.filter((pair) => pair.now.annotator !== me && isOther(pair.shown, pair.now));
}

/**
 * What is known now of items, whatever was found.
 * @param {ProjectApi} api
 * @param {string[]} ids
 * @returns {Promise<Found[]>}
 */
export async function itemsOf(api, ids) {
  const found = [];
  for (let start = 0; start < ids.length; start += NAMED_AT_ONCE) {
    const part = ids.slice(start, start + NAMED_AT_ONCE);
    found.push(...(await api.items({ query: { ids: part }, size: part.length })).items);
  }
  return found;
}

/**
 * @param {Found} one
 * @param {Found} other
 */
function isOther(one, other) {
  return one.label !== other.label || one.state !== other.state;
}

/** @param {Query} query */
function withoutOrder({ order: _, ...query }) {
  return query;
}

/**
 * @param {{ value: string, count: number }[]} counts
 * @param {string} wanted
 */
function countOf(counts, wanted) {
  return counts.find(({ value }) => value === wanted)?.count ?? 0;
}
