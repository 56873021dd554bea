// A batch as a person works on it: its cards, the labels given so far, the current card, and how changes are taken back.
// No DOM, no server.

import { Emitter } from "./emitter.js";

/** @typedef {import("./api.js").BatchAnswer} BatchAnswer */
/** @typedef {import("./api.js").ItemAnswer} ItemAnswer */
/** @typedef {{ index: number, name: string, confidence: number }} Suggestion */
/** @typedef {"open" | "accepted" | "labeled" | "changed"} CardState */
/** @typedef {"left" | "right" | "up" | "down" | "first" | "last"} Move */
/**
 * `label`: the position of a class, null without one.
 * @typedef {{ index: number, count: number, item: ItemAnswer, label: number | null, suggestion: Suggestion | null }} Card
 */

/**
 * Emits `labels`, with the cards whose label is another one, and `taken back`, with those of an undone change.
 */
export class Batch extends Emitter {
  /**
   * @param {BatchAnswer} answer
   * @param {Object<string, string | null>} draft labels by item id that were not submitted yet; null: cleared
   */
  constructor(answer, draft = {}) {
    super();
    this.id = answer.batch_id;
    this.answer = answer;
    this.classes = answer.classes;
    /** @type {Card[]} */
    this.cards = answer.items.map((item, index) => newCard(item, index, answer));
    /** @type {[Card, number | null][][]} */
    this.changes = []; // what undoChange takes back: lists of a card and its label before
    this.current = 0;
    this.restored = false; // some labels were not given on this screen
    this.givenBack = false; // the claim ran out while the page slept
    for (const card of this.cards) this.#restore(card, draft);
    this.current = Math.max(
      0,
      this.cards.findIndex((card) => card.label === null),
    );
  }

  get labeled() {
    return this.cards.filter((card) => card.label !== null);
  }

  get currentCard() {
    return this.cards[this.current];
  }

  /** What submit_labels takes. */
  submission() {
    return this.labeled.map(({ item, label }) => ({ id: item.id, label: this.classes[Number(label)] }));
  }

  /** Labels by class name, not position: a class added meanwhile must not shift them. null: cleared by the person. */
  draft() {
    const known = this.cards.filter((card) => card.label !== null || card.item.label !== null);
    return Object.fromEntries(
      known.map((card) => [card.item.id, card.label === null ? null : this.classes[card.label]]),
    );
  }

  /**
   * How many cards carry each class, how many carry any, and how many an "accept the rest" would label.
   */
  counts() {
    const classes = new Array(this.classes.length).fill(0);
    for (const { label } of this.labeled) classes[Number(label)] += 1;
    return { classes, labeled: this.labeled.length, acceptable: this.acceptable.length };
  }

  get acceptable() {
    return this.cards.filter((card) => card.label === null && card.suggestion);
  }

  /**
   * One change of the person, kept for undoChange; says how many cards it changed.
   * @param {Card[]} cards
   * @param {(card: Card) => number | null} labelOf
   */
  change(cards, labelOf) {
    const changed = cards.filter((card) => labelOf(card) !== card.label);
    if (!changed.length) return 0;
    this.changes.push(changed.map((card) => [card, card.label]));
    for (const card of changed) card.label = labelOf(card);
    this.emit("labels", changed);
    return changed.length;
  }

  /** Takes the newest change back; says how many cards it had changed, 0 where there is none. */
  undoChange() {
    const change = this.changes.pop() ?? [];
    for (const [card, before] of change) card.label = before;
    const cards = change.map(([card]) => card);
    if (cards.length) this.emit("labels", cards);
    if (cards.length) this.emit("taken back", cards);
    return cards.length;
  }

  /**
   * The card where a move leads, in a grid of so many columns; the current one at an edge.
   * @param {Move} move
   * @param {number} columns
   */
  neighbour(move, columns) {
    const last = this.cards.length - 1;
    const at = this.current;
    if (move === "first") return 0;
    if (move === "last") return last;
    if (move === "left") return Math.max(0, at - 1);
    if (move === "right") return Math.min(last, at + 1);
    if (move === "up") return at >= columns ? at - columns : at;
    return Math.min(last, at + columns);
  }

  /**
   * @param {Card} card
   * @param {Object<string, string | null>} draft
   */
  #restore(card, draft) {
    if (Object.hasOwn(draft, card.item.id)) {
      const index = this.classes.indexOf(draft[card.item.id] ?? "");
      card.label = index < 0 ? null : index;
    }
    this.restored ||= card.label !== null;
  }
}

/**
 * @param {Card} card
 * @returns {CardState}
 */
export function cardState(card) {
  if (card.label === null) return "open";
  if (!card.suggestion) return "labeled";
  return card.suggestion.index === card.label ? "accepted" : "changed";
}

/**
 * @param {ItemAnswer} item
 * @param {number} index
 * @param {BatchAnswer} answer
 * @returns {Card}
 */
function newCard(item, index, answer) {
  const { prediction } = item;
  const suggestion = prediction && {
    index: prediction.index,
    name: answer.classes[prediction.index] ?? prediction.label,
    confidence: prediction.confidence,
  };
  return { index, count: answer.items.length, item, label: item.label ?? null, suggestion };
}
