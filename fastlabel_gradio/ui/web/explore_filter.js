// What the view `explore` is asked for: a query of POST /api/items, and how the address writes it. No DOM.

import { t } from "./words.js";

/** @typedef {import("./api.js").Schemas} Schemas */
/** @typedef {Partial<Schemas["Near"]>} Near */
/** @typedef {Partial<Omit<Schemas["Query"], "near">> & { near?: Near | null }} Query */

/** @type {Record<string, import("./words.js").Word>} what is said where a list to review has nothing */
const EMPTY_LISTS = {
  mistakes: "empty_mistakes",
  near_duplicates: "empty_near_duplicates",
  known_labels: "empty_known_labels",
};
const MAX_ADDRESS = 60000; // characters; longer ones no browser keeps

export class FilterError extends Error {}

/**
 * The query of an address, `filter=` of which is JSON; everything where it says nothing. Whether the server knows its keys is
 * the server's affair. Throws FilterError.
 * @param {string | undefined} text
 * @returns {Query}
 */
export function parseFilter(text) {
  if (!text) return {};
  if (text.length > MAX_ADDRESS) throw new FilterError(text.slice(0, 40));
  let parsed;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new FilterError(text.slice(0, 40));
  }
  if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) throw new FilterError(text.slice(0, 40));
  return tidy(parsed);
}

/**
 * The other way round: the same filter is always written alike; "" for everything.
 * @param {Query} query
 */
export function formatFilter(query) {
  const entries = Object.entries(tidy(query)).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length ? JSON.stringify(Object.fromEntries(entries)) : "";
}

/**
 * With other values for some keys; those that are undefined, null or empty are taken out.
 * @param {Query} query
 * @param {Query} part
 * @returns {Query}
 */
export function withPart(query, part) {
  return tidy({ ...query, ...part });
}

/**
 * Without the keys that ask for nothing.
 * @param {Record<string, any>} query
 * @returns {Query}
 */
function tidy(query) {
  const asking = Object.entries(query).filter(([, value]) => !asksForNothing(value));
  const tidied = Object.fromEntries(asking);
  if (tidied.order === "similarity" && !tidied.near) delete tidied.order;
  return /** @type {Query} */ (tidied);
}

/** @param {unknown} value */
function asksForNothing(value) {
  return value === undefined || value === null || value === "" || (Array.isArray(value) && !value.length);
}

/**
 * Whether its order is a list that the server works out in the background.
 * @param {Query} query
 */
export function isWorkedOut({ order }) {
  return (order ?? "") in EMPTY_LISTS;
}

/**
 * Why nothing is found, and what to do: only a query with a filter can be helped by taking one out.
 * @param {Query} query
 */
export function emptyWords(query) {
  const { order, ...filters } = tidy(query);
  if (Object.keys(filters).length) return t("explore_nothing_found");
  return t(EMPTY_LISTS[order ?? ""] ?? "explore_no_items");
}
