// What the view `explore` is asked for, in chips: each says one thing and takes it out again.

import { classNode } from "./class_colours.js";
import { button, el, nameNode } from "./dom.js";
import { chosenOf, FACETS, partOf, valueWords } from "./explore_facets.js";
import { searchedText } from "./search_text.js";
import { t } from "./words.js";

/** @typedef {import("./explore_filter.js").Query} Query */
/**
 * `without`: what of the query takes it out; `ofClass`: it names a class.
 * @typedef {{ title: string, name: string, without: Query, ofClass?: boolean }} Chip
 */

/**
 * @param {Query} query
 * @returns {Chip[]}
 */
export function chipsOf(query) {
  const chips = FACETS.flatMap((facet) => {
    const chosen = chosenOf(query, facet);
    return chosen.map((value) => ({
      title: t(facet.title),
      name: valueWords(facet, value),
      ofClass: facet.ofClasses,
      without: partOf(
        facet,
        chosen.filter((other) => other !== value),
      ),
    }));
  });
  return [...chips, ...rangeChips(query), ...nearChips(query), ...itemChips(query)];
}

/**
 * @param {Query} query
 * @returns {Chip[]}
 */
function rangeChips(query) {
  const chips = [];
  for (const key of /** @type {const} */ (["confidence", "margin"])) {
    const limits = query[key];
    if (!limits) continue;
    const [low, high] = limits.map((share) => Math.round(Number(share) * 100));
    chips.push({ title: t(`explore_facet_${key}`), name: `${low} – ${high} %`, without: { [key]: undefined } });
  }
  if (query.time && !chosenOf(query, { key: "time", facet: "days", title: "explore_facet_days" }).length) {
    const name = query.time
      .map((time) =>
        String(time ?? "…")
          .slice(0, 16)
          .replace("T", " "),
      )
      .join(" – ");
    chips.push({ title: t("explore_facet_days"), name, without: { time: undefined } });
  }
  return chips;
}

/**
 * @param {Query} query
 * @returns {Chip[]}
 */
function nearChips({ near }) {
  if (!near) return [];
  const { ids = [], not_ids: notIds = [], vectors = [] } = near;
  const chips = [];
  const text = searchedText({ near });
  if (text)
    chips.push({ title: t("explore_like"), name: text, without: nearPart({ ...near, text: "", not_text: "" }) });
  if (ids.length) chips.push({ title: t("explore_like"), name: namesOf(ids), without: nearPart({ ...near, ids: [] }) });
  if (notIds.length)
    chips.push({ title: t("explore_unlike"), name: namesOf(notIds), without: nearPart({ ...near, not_ids: [] }) });
  if (vectors.length)
    chips.push({
      title: t("explore_like"),
      name: t("explore_what_was_sent", { n: vectors.length }),
      without: nearPart({ ...near, vectors: [] }),
    });
  return chips;
}

/**
 * What of a query has this `near`; none where nothing is left that items shall be like.
 * @param {import("./explore_filter.js").Near} near
 * @returns {Query}
 */
export function nearPart(near) {
  const isEmpty = !near.text && !near.ids?.length && !near.vectors?.length;
  const asked = Object.fromEntries(Object.entries(near).filter(([, value]) => value?.length));
  return { near: isEmpty ? undefined : asked };
}

/**
 * @param {Query} query
 * @returns {Chip[]}
 */
function itemChips({ text, ids, exclude, area, audited, planted, slipped }) {
  const chips = [];
  if (planted) chips.push({ title: t("planted"), name: planted.join(", "), without: { planted: undefined } });
  if (slipped) chips.push({ title: t("explore_slipped"), name: slipped.join(", "), without: { slipped: undefined } });
  if (typeof audited === "boolean") {
    const name = t(audited ? "explore_audited_true" : "explore_audited_false");
    chips.push({ title: t("explore_audit"), name, without: { audited: undefined } });
  }
  if (area) chips.push({ title: t("map"), name: t("map_area"), without: { area: undefined } });
  if (text) chips.push({ title: t("explore_name_holds"), name: text, without: { text: undefined } });
  if (ids) chips.push({ title: t("explore_items"), name: namesOf(ids), without: { ids: undefined } });
  if (exclude?.length)
    chips.push({ title: t("explore_without"), name: namesOf(exclude), without: { exclude: undefined } });
  return chips;
}

/** @param {string[]} ids */
function namesOf(ids) {
  return ids.length === 1 ? ids[0] : t("explore_n_items", { n: ids.length });
}

export class ExploreChips {
  /** @param {(part: Query) => void} narrow a step of the person */
  constructor(narrow) {
    this.narrow = narrow;
    this.total = el("strong", "fl-found-total");
    this.total.setAttribute("role", "status");
    this.list = el("span", "fl-chip-list");
    this.node = el("div", "fl-chips", this.total, this.list);
  }

  /**
   * @param {Query} query
   * @param {number | null} total null while it is not known
   */
  paint(query, total) {
    this.total.textContent = total === null ? t("explore_searching") : t("explore_found", { n: total });
    const chips = chipsOf(query).map((chip) => this.chip(chip));
    if (chips.length > 1) chips.push(this.clearing(query));
    this.list.replaceChildren(...chips);
  }

  /** @param {Chip} chip */
  chip({ title, name, without, ofClass }) {
    const node = button("fl-filter-chip", "");
    const words = (ofClass ? classNode : nameNode)(name, "fl-filter-name");
    const cross = el("span", "", "×");
    cross.setAttribute("aria-hidden", "true");
    node.append(el("span", "fl-filter-title", title), words, cross);
    node.title = t("explore_take_out", { name: `${title}: ${name}` });
    node.addEventListener("click", () => this.narrow(without));
    return node;
  }

  /** @param {Query} query */
  clearing(query) {
    const node = button("fl-quiet fl-clear-filter", t("explore_clear_filter"));
    const nothing = Object.fromEntries(Object.keys(query).map((key) => [key, undefined]));
    node.addEventListener("click", () => this.narrow(nothing));
    return node;
  }
}
