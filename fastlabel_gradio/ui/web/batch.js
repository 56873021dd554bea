// A batch as a person works on it: its cards, what was said of them so far, the current card, and the steps that can be
// taken back and brought back. No DOM, no server.

import { ASIDES, answerOf, fromDraft, isGiven, isSame, labelAs, NO_ANSWER, toDraft, toEntry } from "./answers.js";
import { groupsOf, neighbourOf, rowsOf, ungrouped } from "./batch_layout.js";
import { Emitter } from "./emitter.js";
import { Selection } from "./selection.js";

/** @typedef {import("./api.js").BatchAnswer} BatchAnswer */
/** @typedef {import("./api.js").ItemAnswer} ItemAnswer */
/** @typedef {import("./answers.js").Answer} Answer */
/** @typedef {import("./answers.js").Aside} Aside */
/** @typedef {import("./answers.js").DraftAnswer} DraftAnswer */
/** @typedef {import("./batch_layout.js").Group} Group */
/** @typedef {import("./batch_layout.js").Move} Move */
/** @typedef {{ index: number, name: string, confidence: number, runnersUp: number[] }} Suggestion */
/** @typedef {"label" | "accept" | "group" | "rest" | "clear" | "exclude" | "include" | Aside} StepKind */
/** What a step of the person was: of how many cards, and the class, "" for several or none. */
/** @typedef {{ kind: StepKind, n: number, name: string }} StepWords */
/** @typedef {StepWords & { cards: Card[], before: Answer[], after: Answer[] }} Step */
/** @typedef {StepWords & { ids: string[], before: DraftAnswer[], after: DraftAnswer[] }} DraftStep */
/** @typedef {{ labels?: Object<string, DraftAnswer>, steps?: DraftStep[] }} Draft of labels that were not submitted yet */
/**
 * `index`: its place on the screen; `tile`: its place on the contact sheet. `seen`: it was on screen for long enough to be
 * looked at. `isStored`: its label is not of this page, and nobody answered the suggestion with it.
 * @typedef {Answer & {
 *   index: number, tile: number, count: number, item: ItemAnswer, suggestion: Suggestion | null, seen: boolean,
 *   isStored?: boolean,
 * }} Card
 */

/**
 * Emits `classes`; `labels`, with the cards of which something else is said; `taken back`, with those of an undone or redone step;
 * `seen`, and `arranged`.
 */
export class Batch extends Emitter {
  /**
   * @param {BatchAnswer} answer
   * @param {Object<string, DraftAnswer>} draft labels by item id that were not submitted yet; null: cleared
   * @param {DraftStep[]} steps that led to them
   */
  constructor(answer, draft = {}, steps = []) {
    super();
    this.id = answer.batch_id;
    this.answer = answer;
    this.classes = answer.classes;
    /** @type {Card[]} */
    this.cards = answer.items.map((item, index) => newCard(item, index, answer));
    this.groups = ungrouped(this.cards);
    this.selection = new Selection(() => this.cards);
    /** @type {Step[]} */
    this.changes = []; // what undoChange takes back
    /** @type {Step[]} */
    this.undone = []; // and redoChange brings back
    this.current = 0;
    this.restored = false; // some labels were not given on this screen
    this.givenBack = false; // the claim ran out while the page slept, or somebody else gave it back
    this.isMissing = false; // the newest status does not list its claim
    this.renamed = answer.renamed ?? {};
    /** @type {Map<Card, string>} */
    this.gone = new Map(); // labels of classes that were archived meanwhile
    for (const card of this.cards) this.#restore(card, draft);
    this.#restoreSteps(steps);
    this.goToFirstOpen();
  }

  get labeled() {
    return this.cards.filter((card) => card.label !== null);
  }

  /** Cards with a label or a state. */
  get answered() {
    return this.cards.filter(isGiven);
  }

  get currentCard() {
    return this.cards[this.current];
  }

  /** What the next key is about: the selected cards, or the current one. */
  get targets() {
    const chosen = this.selection.cards;
    return chosen.length ? chosen : [this.currentCard];
  }

  /**
   * The classes of the project as they are now: labels stay with them, also where they were renamed or merged. What was
   * suggested of one that is gone is suggested no more; a label of one comes back with it.
   * @param {string[]} classes
   * @param {Record<string, string>} [renamed] what classes are called now, by names that they had before
   */
  useClasses(classes, renamed = {}) {
    const before = this.classes;
    const moved = before.map((name) => classes.indexOf(classes.includes(name) ? name : (renamed[name] ?? name)));
    const place = (/** @type {number | null} */ label) => (label === null || moved[label] < 0 ? null : moved[label]);
    this.classes = classes;
    for (const step of [...this.changes, ...this.undone]) {
      for (const answer of [...step.before, ...step.after]) answer.label = place(answer.label);
    }
    for (const card of this.cards) {
      const name = card.label === null ? this.gone.get(card) : before[card.label];
      card.label = card.label === null ? placeOf(name, classes) : place(card.label);
      if (name !== undefined && card.label === null) this.gone.set(card, name);
      else this.gone.delete(card);
      card.suggestion = movedSuggestion(card.suggestion, moved, classes);
    }
    this.emit("classes");
  }

  goToFirstOpen() {
    this.current = Math.max(
      0,
      this.cards.findIndex((card) => !isGiven(card)),
    );
  }

  /**
   * Puts the cards in groups by predicted class, or as they came; the current card stays.
   * @param {boolean} grouped
   */
  arrange(grouped) {
    const { currentCard } = this;
    this.groups = grouped ? groupsOf(this.cards) : ungrouped(this.cards);
    this.cards = this.groups.flatMap(({ cards }) => cards);
    for (const [index, card] of this.cards.entries()) card.index = index;
    this.current = currentCard ? currentCard.index : 0;
    this.emit("arranged");
  }

  /** What submit_labels takes. */
  submission() {
    return this.answered.map((card) => toEntry(card, this.classes));
  }

  /** Labels by class name, not position: a class added meanwhile must not shift them. null: cleared by the person. */
  draft() {
    const known = this.cards.filter((card) => isGiven(card) || card.excluded || isReopened(card));
    return Object.fromEntries(known.map((card) => [card.item.id, toDraft(card, this.classes)]));
  }

  /**
   * The steps as a draft keeps them.
   * @returns {DraftStep[]}
   */
  draftSteps() {
    const drafts = (/** @type {Answer[]} */ answers) => answers.map((answer) => toDraft(answer, this.classes));
    return this.changes.map(({ kind, n, name, cards, before, after }) => {
      return { kind, n, name, ids: cards.map(({ item }) => item.id), before: drafts(before), after: drafts(after) };
    });
  }

  /**
   * How many cards carry each class, how many carry any, and how many an "accept the rest" would label.
   */
  counts() {
    const classes = new Array(this.classes.length).fill(0);
    for (const { label } of this.labeled) classes[Number(label)] += 1;
    return { classes, labeled: this.labeled.length, acceptable: this.acceptable.length };
  }

  /** How many cards were set aside, by state. */
  asides() {
    return ASIDES.map((aside) => this.cards.filter((card) => card.aside === aside).length);
  }

  get acceptable() {
    return this.cards.filter(isAcceptable);
  }

  /**
   * What may be accepted together: nobody confirms what nobody saw.
   * @param {Card[]} cards
   */
  confirmable(cards) {
    return cards.filter((card) => isAcceptable(card) && card.seen);
  }

  /** @param {Card[]} cards that were on screen for long enough */
  see(cards) {
    const fresh = cards.filter((card) => !card.seen);
    for (const card of fresh) card.seen = true;
    if (fresh.length) this.emit("seen", fresh);
  }

  /**
   * One step of the person, kept for undoChange; says how many cards it changed.
   * @param {Card[]} cards
   * @param {(card: Card) => number | null | Answer} answer of each card; a number or null: the label
   * @param {StepKind} [kind]
   */
  change(cards, answer, kind) {
    const answers = new Map(cards.map((card) => [card, asAnswer(answer(card))]));
    const changed = cards.filter((card) => !isSame(/** @type {Answer} */ (answers.get(card)), card));
    if (!changed.length) return 0;
    const after = changed.map((card) => /** @type {Answer} */ (answers.get(card)));
    const labels = new Set(after.map(({ label }) => label));
    const [label] = labels;
    const name = labels.size === 1 && label !== null ? this.classes[label] : "";
    const step = { kind: kind ?? (labels.has(null) ? "clear" : "label"), n: changed.length, name };
    this.changes.push({ ...step, cards: changed, before: changed.map(answerOf), after });
    this.undone = [];
    this.#put(changed, after);
    return changed.length;
  }

  /** Takes the newest step back; says how many cards it had changed, 0 where there is none. */
  undoChange() {
    const step = this.changes.pop();
    if (!step) return 0;
    this.undone.push(step);
    this.#put(step.cards, step.before);
    this.emit("taken back", step.cards);
    return step.n;
  }

  /** Brings the step that was taken back last back; says how many cards it changes, 0 where there is none. */
  redoChange() {
    const step = this.undone.pop();
    if (!step) return 0;
    this.changes.push(step);
    this.#put(step.cards, step.after);
    this.emit("taken back", step.cards);
    return step.n;
  }

  /**
   * The card where a move leads, in a grid of so many columns; the current one at an edge.
   * @param {Move} move
   * @param {number} columns
   * @param {boolean} flows groups follow one another, each behind a heading as large as a card
   */
  neighbour(move, columns, flows = false) {
    return neighbourOf(rowsOf(this.groups, columns, flows), this.current, move);
  }

  /**
   * @param {Card[]} cards
   * @param {Answer[]} answers
   */
  #put(cards, answers) {
    for (const [place, card] of cards.entries()) Object.assign(card, answers[place]);
    this.emit("labels", cards);
  }

  /**
   * @param {Card} card
   * @param {Object<string, DraftAnswer>} draft
   */
  #restore(card, draft) {
    if (Object.hasOwn(draft, card.item.id))
      Object.assign(card, fromDraft(draft[card.item.id], this.classes, this.renamed));
    this.restored ||= isGiven(card);
  }

  /** @param {DraftStep[]} steps */
  #restoreSteps(steps) {
    const byId = new Map(this.cards.map((card) => [card.item.id, card]));
    const answers = (/** @type {DraftAnswer[]} */ drafts) =>
      drafts.map((draft) => fromDraft(draft, this.classes, this.renamed));
    for (const { kind, n, name, ids, before, after } of steps) {
      const cards = ids.map((id) => byId.get(id)).filter((card) => card !== undefined);
      if (cards.length !== ids.length) continue; // a card has left the batch: what is left is no whole step
      this.changes.push({ kind, n, name, cards, before: answers(before), after: answers(after) });
    }
  }
}

/**
 * @param {string | undefined} name
 * @param {string[]} classes
 */
function placeOf(name, classes) {
  const index = classes.indexOf(name ?? "");
  return index < 0 ? null : index;
}

/**
 * @param {Card["suggestion"]} suggestion
 * @param {number[]} moved where each class is now, below 0 for nowhere
 * @param {string[]} classes
 */
function movedSuggestion(suggestion, moved, classes) {
  const index = suggestion ? moved[suggestion.index] : -1;
  if (!suggestion || index < 0) return null;
  const others = suggestion.runnersUp.map((place) => moved[place]).filter((place) => place >= 0 && place !== index);
  return { ...suggestion, index, name: classes[index], runnersUp: [...new Set(others)] };
}

/**
 * Whether an undo brought it back with what had been said of it, which the person may have cleared since.
 * @param {Card} card
 */
function isReopened({ item }) {
  return (item.label ?? item.state ?? null) !== null;
}

/** @param {Card} card */
function isAcceptable(card) {
  return !isGiven(card) && !card.excluded && card.suggestion !== null;
}

/**
 * @param {number | null | Answer} answer
 * @returns {Answer}
 */
function asAnswer(answer) {
  return typeof answer === "object" && answer !== null ? answer : labelAs(answer);
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
    runnersUp: prediction.runners_up,
  };
  const [label, aside] = [item.label ?? null, item.state ?? null];
  return { ...NO_ANSWER, index, tile: index, count: answer.items.length, item, label, aside, suggestion, seen: false };
}
