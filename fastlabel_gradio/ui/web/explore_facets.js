// The filters of the view `explore`: every facet with its values and how many items each would bring.

import { classNode } from "./class_colours.js";
import { button, el, nameNode, setShown } from "./dom.js";
import { formatCount } from "./numbers.js";
import { t } from "./words.js";

/** @typedef {import("./explore_filter.js").Query} Query */
/** @typedef {import("./api.js").Schemas["FacetsAnswer"]} Facets */
/** @typedef {{ value: string, count: number }} Counted */
/**
 * `key`: of the query; `facet`: of the counts. `one`: at most one value. `named`: values are names, not words of ours; `ofClasses`:
 * those of classes.
 * @typedef {{ key: "labels" | "predicted" | "states" | "sources" | "annotators" | "agrees" | "folder" | "group" | "time",
 *   facet: keyof Facets, title: import("./words.js").Word, one?: boolean, named?: boolean, ofClasses?: boolean,
 *   open?: boolean }} Facet
 */

/** @type {Facet[]} */
export const FACETS = [
  { key: "states", facet: "states", title: "explore_facet_states", open: true },
  { key: "labels", facet: "labels", title: "explore_facet_labels", named: true, ofClasses: true, open: true },
  { key: "predicted", facet: "predicted", title: "explore_facet_predicted", named: true, ofClasses: true, open: true },
  { key: "agrees", facet: "agrees", title: "explore_facet_agrees", one: true, open: true },
  { key: "annotators", facet: "annotators", title: "explore_facet_annotators", named: true },
  { key: "sources", facet: "sources", title: "explore_facet_sources" },
  { key: "time", facet: "days", title: "explore_facet_days", one: true, named: true },
  { key: "folder", facet: "folders", title: "explore_facet_folders", one: true, named: true },
  { key: "group", facet: "groups", title: "explore_facet_groups", one: true, named: true },
];
const SHOWN_AT_FIRST = 12;
const MINUTE_LENGTH = "2026-11-26T09:30".length;

export class ExploreFacets {
  /** @param {(part: Query) => void} narrow a step of the person */
  constructor(narrow) {
    this.narrow = narrow;
    /** @type {Query} */
    this.query = {};
    /** @type {Facets | null} */
    this.counts = null;
    /** @type {Set<string>} keys of facets all of whose values are shown */
    this.whole = new Set();
    this.places = FACETS.map((facet) => ({ facet, ...facetPlace(t(facet.title), facet.key, facet.open) }));
    this.confidence = facetPlace(t("explore_facet_confidence"), "confidence", true);
    this.buildConfidence();
    this.from = timeInput("from", t("explore_time_from"));
    this.to = timeInput("to", t("explore_time_to"));
    const times = this.places.find(({ facet }) => facet.key === "time");
    times?.node.append(el("div", "fl-times", timeLabel(this.from), timeLabel(this.to)));
    const nodes = this.places.map(({ node }) => node);
    nodes.splice(4, 0, this.confidence.node);
    this.node = el("div", "fl-facets", ...nodes);
    this.node.addEventListener("change", (event) => this.onChange(/** @type {HTMLInputElement} */ (event.target)));
    this.node.addEventListener("click", (event) => this.onClick(/** @type {Element} */ (event.target)));
  }

  buildConfidence() {
    this.bars = el("div", "fl-bars");
    this.bars.setAttribute("role", "group");
    this.bars.setAttribute("aria-label", t("explore_facet_confidence"));
    this.least = percentInput("least", t("explore_least_confidence"));
    this.most = percentInput("most", t("explore_most_confidence"));
    const line = el("div", "fl-limits", this.least, "–", this.most, "%");
    this.confidence.body.append(this.bars, line);
  }

  /**
   * @param {Query} query
   * @param {Facets | null} counts null while they are counted: those of before stay
   */
  paint(query, counts) {
    this.query = query;
    this.counts = counts ?? this.counts;
    this.node.dataset.counting = String(!counts);
    for (const place of this.places) this.paintFacet(place);
    this.paintTimes();
    this.paintConfidence();
  }

  /** @param {{ facet: Facet, node: HTMLDetailsElement, body: HTMLElement, summary: HTMLElement }} place */
  paintFacet({ facet, node, body }) {
    const chosen = chosenOf(this.query, facet);
    const known = /** @type {Counted[]} */ (this.counts?.[facet.facet] ?? []);
    const missing = chosen.filter((value) => !known.some((one) => one.value === value));
    const values = [...known, ...missing.map((value) => ({ value, count: 0 }))];
    setShown(node, values.length > 0);
    const most = this.whole.has(facet.key) ? values.length : SHOWN_AT_FIRST;
    const shown = values.filter(({ value }, index) => index < most || chosen.includes(value));
    const focused = /** @type {HTMLInputElement | null} */ (body.querySelector("input:focus"))?.value;
    body.replaceChildren(...shown.map((one) => valueRow(facet, one, chosen.includes(one.value))));
    if (values.length > shown.length) {
      const more = button("fl-more", t("explore_more_values", { n: values.length - shown.length }));
      more.dataset.more = facet.key;
      body.append(more);
    }
    if (focused !== undefined) rowOf(body, focused)?.focus();
  }

  paintTimes() {
    const [from, to] = this.query.time ?? [];
    for (const [input, time] of /** @type {[HTMLInputElement, unknown][]} */ ([
      [this.from, from],
      [this.to, to],
    ]))
      if (document.activeElement !== input) input.value = String(time ?? "").slice(0, MINUTE_LENGTH);
  }

  paintConfidence() {
    const counts = this.counts?.confidence ?? [];
    const [low, high] = this.query.confidence ?? [0, 1];
    setShown(this.confidence.node, counts.some(Boolean) || Boolean(this.query.confidence));
    const most = Math.max(1, ...counts);
    const bars = counts.map((count, index) => bar(index, count, most, low < (index + 1) / 10 && high > index / 10));
    this.bars?.replaceChildren(...bars);
    if (this.least && document.activeElement !== this.least) this.least.value = String(Math.round(Number(low) * 100));
    if (this.most && document.activeElement !== this.most) this.most.value = String(Math.round(Number(high) * 100));
  }

  /** @param {HTMLInputElement} input */
  onChange(input) {
    if (input.dataset.limit) return this.narrow({ confidence: this.limits() });
    if (input.dataset.time) return this.narrow({ time: timesOf(this.from.value, this.to.value) });
    const facet = FACETS.find(({ key }) => key === input.dataset.facet);
    if (!facet) return;
    const others = chosenOf(this.query, facet).filter((value) => value !== input.value);
    const chosen = input.checked ? [...(facet.one ? [] : others), input.value] : others;
    this.narrow(partOf(facet, chosen));
  }

  /** @returns {[number, number] | undefined} */
  limits() {
    const [least, most] = [this.least, this.most].map((input) => Math.min(Math.max(Number(input?.value) || 0, 0), 100));
    if (least <= 0 && most >= 100) return undefined;
    return [Math.min(least, most) / 100, Math.max(least, most) / 100];
  }

  /** @param {Element} target */
  onClick(target) {
    const control = /** @type {HTMLElement | null} */ (target.closest("[data-more], [data-tenth]"));
    if (!control) return;
    if (control.dataset.more) {
      this.whole.add(control.dataset.more);
      this.paint(this.query, this.counts);
    } else {
      const tenth = Number(control.dataset.tenth);
      const isChosen = this.query.confidence?.[0] === tenth / 10 && this.query.confidence[1] === (tenth + 1) / 10;
      this.narrow({ confidence: isChosen ? undefined : [tenth / 10, (tenth + 1) / 10] });
    }
  }
}

/**
 * The chosen values of a facet, as its inputs have them.
 * @param {Query} query
 * @param {Facet} facet
 * @returns {string[]}
 */
export function chosenOf(query, facet) {
  const value = query[facet.key];
  if (value === undefined || value === null) return [];
  if (facet.key === "time") return [dayOf(/** @type {any} */ (value))].filter(Boolean);
  return Array.isArray(value) ? value.map(String) : [String(value)];
}

/**
 * The other way round: what of a query asks for these values.
 * @param {Facet} facet
 * @param {string[]} chosen
 * @returns {Query}
 */
export function partOf({ key, one }, chosen) {
  if (!chosen.length) return { [key]: undefined };
  if (key === "agrees") return { agrees: chosen[0] === "true" };
  if (key === "time") return { time: [`${chosen[0]}T00:00:00Z`, `${chosen[0]}T23:59:59.999999Z`] };
  return { [key]: one ? chosen[0] : chosen };
}

/**
 * How a value is called on screen.
 * @param {Facet} facet
 * @param {string} value
 */
export function valueWords({ key, named }, value) {
  return named
    ? value
    : t(/** @type {any} */ (`explore_${key === "states" ? "state" : key === "sources" ? "source" : key}_${value}`));
}

/**
 * What of a query asks for these minutes, both included; the earlier one comes first, "" is no limit.
 * @param {string} from as 2026-11-26T09:30, in UTC
 * @param {string} to
 * @returns {[string | null, string | null] | undefined}
 */
export function timesOf(from, to) {
  if (!from && !to) return undefined;
  const [first, last] = from && to && from > to ? [to, from] : [from, to];
  return [first ? `${first}:00Z` : null, last ? `${last}:59.999999Z` : null];
}

/** @param {[string | null, string | null]} time */
function dayOf([from, to]) {
  const day = String(from ?? "").slice(0, 10);
  return from === `${day}T00:00:00Z` && String(to ?? "").startsWith(`${day}T23:59`) ? day : "";
}

/**
 * @param {string} title
 * @param {string} key
 * @param {boolean} [open]
 */
function facetPlace(title, key, open = false) {
  const summary = el("summary", "fl-facet-title", title);
  const body = el("div", "fl-facet-body");
  const node = el("details", "fl-facet", summary, body);
  node.dataset.facet = key;
  node.open = open;
  return { node, body, summary };
}

/**
 * @param {Facet} facet
 * @param {Counted} counted
 * @param {boolean} checked
 */
function valueRow(facet, { value, count }, checked) {
  const input = el("input", "");
  input.type = "checkbox";
  input.checked = checked;
  input.value = value;
  input.dataset.facet = facet.key;
  const name = (facet.ofClasses ? classNode : nameNode)(valueWords(facet, value), "fl-facet-name");
  const row = el("label", "fl-facet-row", input, name, el("span", "fl-facet-count", formatCount(count)));
  row.title = valueWords(facet, value);
  return row;
}

/**
 * @param {HTMLElement} body
 * @param {string} value
 */
function rowOf(body, value) {
  return [...body.querySelectorAll("input")].find((input) => input.value === value);
}

/**
 * @param {number} tenth
 * @param {number} count
 * @param {number} most
 * @param {boolean} chosen
 */
function bar(tenth, count, most, chosen) {
  const node = button("fl-bar", "");
  node.dataset.tenth = String(tenth);
  node.setAttribute("aria-pressed", String(chosen));
  node.setAttribute(
    "aria-label",
    t("explore_bar", { low: String(tenth * 10), high: String(tenth * 10 + 10), n: count }),
  );
  node.title = node.getAttribute("aria-label") ?? "";
  node.style.setProperty("--share", String(count / most));
  return node;
}

/**
 * @param {string} limit
 * @param {string} label
 */
function percentInput(limit, label) {
  const input = el("input", "fl-limit");
  Object.assign(input, { type: "number", min: "0", max: "100", step: "1" });
  input.dataset.limit = limit;
  input.setAttribute("aria-label", label);
  return input;
}

/**
 * @param {string} limit
 * @param {string} label
 */
function timeInput(limit, label) {
  const input = el("input", "fl-limit fl-time");
  input.type = "datetime-local";
  input.dataset.time = limit;
  input.setAttribute("aria-label", label);
  return input;
}

/** @param {HTMLInputElement} input */
function timeLabel(input) {
  return el("label", "fl-time-line", input.ariaLabel, input);
}
