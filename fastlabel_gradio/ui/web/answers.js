// What a person says of a card, how a draft in the browser and a submit write that down, and how a card shows it.

/** @typedef {"skip" | "unsure" | "bad"} Aside why a card gets no label */
/** @typedef {"person" | "group"} Source */
/**
 * `label`: the position of a class, null without one. `excluded`: not among what a group accepts.
 * @typedef {{ label: number | null, aside: Aside | null, source: Source, excluded: boolean }} Answer
 */
/** @typedef {string | null | { label?: string, state?: Aside, source?: "group", excluded?: true }} DraftAnswer */
/** `differs`: its label stands for longer than what the head says of it, which is another class. */
/** @typedef {"open" | "accepted" | "labeled" | "changed" | "differs" | Aside} CardState */
/** @typedef {import("./batch.js").Card} Card */

/** @type {Aside[]} */
export const ASIDES = ["skip", "unsure", "bad"];

/** @type {Answer} */
export const NO_ANSWER = { label: null, aside: null, source: "person", excluded: false };

/**
 * @param {number | null} label
 * @param {Source} source
 * @returns {Answer}
 */
export function labelAs(label, source = "person") {
  return { ...NO_ANSWER, label, source };
}

/**
 * @param {Card} card
 * @returns {Answer}
 */
export function answerOf({ label, aside, source, excluded }) {
  return { label, aside, source, excluded };
}

/**
 * @param {Answer} one
 * @param {Answer} other
 */
export function isSame(one, other) {
  return one.label === other.label && one.aside === other.aside && one.excluded === other.excluded;
}

/** @param {Answer} answer */
export function isGiven({ label, aside }) {
  return label !== null || aside !== null;
}

/**
 * By class name, not position: a class that is added meanwhile must not shift it. null: no label.
 * @param {Answer} answer
 * @param {string[]} classes
 * @returns {DraftAnswer}
 */
export function toDraft({ label, aside, source, excluded }, classes) {
  if (aside) return { state: aside };
  if (excluded) return { excluded };
  if (label === null) return null;
  return source === "group" ? { label: classes[label], source } : classes[label];
}

/**
 * @param {DraftAnswer} draft
 * @param {string[]} classes
 * @param {Record<string, string>} [renamed] what classes are called now, by names that they had before
 * @returns {Answer}
 */
export function fromDraft(draft, classes, renamed = {}) {
  const written = typeof draft === "string" ? { label: draft } : (draft ?? {});
  const name = written.label ?? "";
  const index = classes.indexOf(classes.includes(name) ? name : (renamed[name] ?? name));
  return {
    label: index < 0 ? null : index,
    aside: written.state && ASIDES.includes(written.state) ? written.state : null,
    source: written.source === "group" ? "group" : "person",
    excluded: written.excluded === true,
  };
}

/**
 * An entry of what submit_labels takes.
 * @param {Card} card with a label or a state
 * @param {string[]} classes
 */
export function toEntry({ item, label, aside, source }, classes) {
  if (aside) return { id: item.id, state: aside };
  const entry = { id: item.id, label: classes[Number(label)] };
  return source === "group" ? { ...entry, source } : entry;
}

/**
 * @param {Card} card
 * @returns {CardState}
 */
export function cardState(card) {
  if (card.aside) return card.aside;
  if (card.label === null) return "open";
  if (!card.suggestion) return "labeled";
  if (card.suggestion.index === card.label) return "accepted";
  return card.isStored ? "differs" : "changed";
}
