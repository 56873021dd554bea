// The batch that is claimed and loaded while the person labels another one, so that it is there when that is submitted.

import { ApiError } from "./api.js";

/** @typedef {import("./api.js").BatchAnswer} BatchAnswer */
/** @typedef {import("./batch.js").Batch} Batch */
/** @typedef {import("./sheet.js").Sheet} Sheet */
/**
 * `sheet`: what its cards show, loaded; null where it could not be.
 * @typedef {{ answer: BatchAnswer, sheet: Promise<Sheet | null> }} Claimed
 */
/** @typedef {{ size: number, strategy: string }} Wish */

const LEAST_DONE = 0.5; // of the cards: earlier it would only be picked by an older head
const LEAST_LABELS = 2; // batches that the head learned from: before that each batch makes another head of it
/** @type {Promise<Claimed | null>} */
const NOTHING = Promise.resolve(null);

export class BatchAhead {
  /**
   * @param {import("./api.js").ProjectApi} api
   * @param {(answer: BatchAnswer) => Promise<Sheet | null>} prepare loads what its cards show
   */
  constructor(api, prepare) {
    this.api = api;
    this.prepare = prepare;
    /** @type {BatchAnswer | null} */
    this.answer = null;
    this.coming = NOTHING; // it may still be on its way
    this.after = ""; // the batch that it comes after
    this.wanted = ""; // with which size and by which strategy
    this.asking = ""; // for all that and with which head
    this.isReady = false; // to be shown
  }

  forget() {
    this.answer = null;
    this.coming = NOTHING;
    this.after = "";
    this.wanted = "";
    this.asking = "";
    this.isReady = false;
  }

  /**
   * Claims it once half of the batch is done and no head is being trained, and another one where there is a newer head.
   * @param {Batch} batch on screen
   * @param {Wish} wish
   * @param {import("./api.js").StatusAnswer["head"] | undefined} head
   */
  async follow(batch, wish, head) {
    const isTime = batch.answered.length >= LEAST_DONE * batch.cards.length;
    const isGood = head && head.state !== "training" && head.labels >= LEAST_LABELS * wish.size;
    const mark = `${batch.id} ${wordsOf(wish)} ${head?.version}`;
    if (!isTime || !isGood || this.asking === mark) return;
    const isAnother = this.after === batch.id && this.answer !== null;
    this.forget();
    this.asking = mark;
    this.after = batch.id;
    this.wanted = wordsOf(wish);
    this.coming = this.#ask(batch.id, wish, isAnother);
    const claimed = await this.coming;
    if (!claimed || this.asking !== mark) return;
    this.answer = claimed.answer;
    await claimed.sheet;
    this.isReady = this.asking === mark;
  }

  /**
   * @param {string} after
   * @param {Wish} wish
   * @param {boolean} isAnother
   * @returns {Promise<Claimed | null>}
   */
  async #ask(after, { size, strategy }, isAnother) {
    const answer = await this.api.batchAfter(after, size, strategy, isAnother).catch(nothing);
    return answer?.batch_id ? { answer, sheet: this.prepare(answer).catch(() => null) } : null;
  }

  /**
   * What comes after a batch, which is left, as soon as it is there: asked for again it would be claimed and loaded twice. One
   * that a head before the newest picked is as good as a batch on screen, which that head picked, too. Null where it has to be
   * asked for.
   * @param {string} batchId
   * @param {Wish} wish
   * @returns {Promise<Claimed | null>}
   */
  take(batchId, wish) {
    const { coming, after, wanted } = this;
    this.forget();
    return after === batchId && wanted === wordsOf(wish) ? coming : NOTHING;
  }

  /** The claim to keep. */
  get batchId() {
    return this.answer?.batch_id ?? "";
  }
}

/**
 * Without it the next batch is asked for when it is wanted.
 * @param {unknown} error
 */
function nothing(error) {
  if (!(error instanceof ApiError)) throw error;
  return null;
}

/** @param {Wish} wish */
function wordsOf({ size, strategy }) {
  return `${size} ${strategy}`;
}
