// What an export takes beside its format: which states and sources, what stands only, what the head says of the rest, and parts
// of the data. As `GET /api/export` takes it.

import { button, el, setShown, setText } from "./dom.js";
import { formatPercent } from "./numbers.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").Query} Query */
/** A part of the data. @typedef {{ name: string, share: number }} Share */
/** What is chosen. @typedef {{ states: string[], sources: string[], standing: boolean, predictions: boolean, shares: Share[], seed: number }} Options */

const STATES = /** @type {const} */ (["label", "skip", "unsure", "bad"]);
const SOURCES = /** @type {const} */ (["person", "group", "review", "search", "import", "auto", "verify"]);
const PARTS = /** @type {const} */ ([
  { name: "train", word: "export_part_train", usual: 80 },
  { name: "validation", word: "export_part_validation", usual: 10 },
  { name: "test", word: "export_part_test", usual: 10 },
]);
const MOST_PERCENT = 1000; // shares are parts of one whole, whatever they add up to

export class ExportOptions {
  /** @param {Query} usual what is exported where nobody chose otherwise */
  constructor(usual) {
    this.states = checkboxes(STATES, (name) => t(`explore_state_${name}`));
    this.sources = checkboxes(SOURCES, (name) => t(`explore_source_${name}`));
    this.standing = checkbox(t("export_standing"));
    this.predictions = checkbox(t("export_predictions"));
    this.predictions.box.checked = usual.predictions === true;
    this.hasQuery = "query" in usual;
    this.parted = checkbox(t("export_parted"));
    this.shares = PARTS.map(({ name, word, usual }) => ({ name, ...number(t(word), usual, MOST_PERCENT) }));
    this.seed = number(t("export_seed"), 0, Number.MAX_SAFE_INTEGER);
    this.told = el("p", "fl-export-told");
    this.parts = el("div", "fl-export-parts", ...this.shares.map(({ node }) => node), this.seed.node, this.told);
    this.panel = this.#build();
    this.toggle = button("fl-link fl-export-more", t("export_options"));
    this.toggle.setAttribute("aria-expanded", "false");
    this.toggle.addEventListener("click", () => this.#open(this.panel.hidden));
    this.panel.addEventListener("input", () => this.#paint());
    this.#open(false);
    this.#paint();
  }

  #build() {
    const states = fieldset(t("export_states"), [...this.states.values()]);
    const sources = fieldset(t("export_sources"), [...this.sources.values()]);
    const others = [this.standing.node, this.predictions.node, this.parted.node, this.parts];
    const notes = [t("export_folders"), this.hasQuery ? "" : t("export_some")].filter(Boolean);
    const note = el("p", "fl-export-note", notes.join(" "));
    return el("div", "fl-export-options", states, sources, ...others, note);
  }

  /** @param {boolean} isOpen */
  #open(isOpen) {
    setShown(this.panel, isOpen);
    this.toggle.setAttribute("aria-expanded", String(isOpen));
  }

  #paint() {
    setShown(this.parts, this.parted.box.checked);
    setText(this.told, this.problem() || shareWords(this.#chosen().shares));
  }

  /** Why what is chosen cannot be exported; "" where it can. */
  problem() {
    return this.parted.box.checked && !this.#chosen().shares.some(({ share }) => share > 0) ? t("export_no_parts") : "";
  }

  /** @returns {Options} */
  #chosen() {
    return {
      states: ticked(this.states),
      sources: ticked(this.sources),
      standing: this.standing.box.checked,
      predictions: this.predictions.box.checked,
      shares: this.parted.box.checked ? this.shares.map(({ name, box }) => ({ name, share: sizeOf(box) })) : [],
      seed: sizeOf(this.seed.box),
    };
  }

  /** @returns {Query} */
  query() {
    return optionsQuery(this.#chosen());
  }
}

/**
 * As `GET /api/export` takes it; only what differs from everything.
 * @param {Options} chosen
 * @returns {Query}
 */
export function optionsQuery({ states, sources, standing, predictions, shares, seed }) {
  /** @type {Query} */
  const query = {};
  if (states.length) query.only_states = states.join(",");
  if (sources.length) query.only_sources = sources.join(",");
  if (standing) query.standing = true;
  if (predictions) query.predictions = true;
  if (shares.length) {
    const given = shares.filter(({ share }) => share > 0);
    // Where no part gets anything all are sent, which the server refuses: it would not if there were none.
    query.splits = (given.length ? given : shares).map(({ name, share }) => `${name}=${share}`).join(",");
    query.seed = seed;
  }
  return query;
}

/** @param {Share[]} shares */
function shareWords(shares) {
  const given = shares.filter(({ share }) => share > 0);
  const whole = given.reduce((sum, { share }) => sum + share, 0);
  return t("export_shares", {
    shares: given.map(({ name, share }) => `${name} ${formatPercent(share / whole)}`).join(", "),
  });
}

/** @param {string} text */
function checkbox(text) {
  const box = el("input", "");
  box.type = "checkbox";
  return { box, node: el("label", "fl-export-choice", box, text) };
}

/**
 * @template {string} Name
 * @param {readonly Name[]} names
 * @param {(name: Name) => string} words
 */
function checkboxes(names, words) {
  return new Map(names.map((name) => [name, checkbox(words(name))]));
}

/**
 * The names of what is ticked; none where that is all of it.
 * @param {Map<string, { box: HTMLInputElement }>} choices
 */
function ticked(choices) {
  const names = [...choices].filter(([, { box }]) => box.checked).map(([name]) => name);
  return names.length < choices.size ? names : [];
}

/**
 * @param {string} text
 * @param {number} value
 * @param {number} most
 */
function number(text, value, most) {
  const box = el("input", "");
  Object.assign(box, { type: "number", min: "0", max: String(most), step: "1", value: String(value) });
  return { box, node: el("label", "fl-export-number", text, box) };
}

/** @param {HTMLInputElement} box */
function sizeOf(box) {
  return Math.min(Math.max(Math.trunc(box.valueAsNumber) || 0, 0), Number(box.max));
}

/**
 * @param {string} title
 * @param {{ node: HTMLElement }[]} choices
 */
function fieldset(title, choices) {
  return el("fieldset", "fl-export-set", el("legend", "", title), ...choices.map(({ node }) => node));
}
