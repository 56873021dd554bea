// The batch that is claimed and loaded while the person labels another one, so that it is there when that is submitted.

import { ApiError } from "./api.js";

/** @typedef {import("./api.js").BatchAnswer} BatchAnswer */
/** @typedef {import("./batch.js").Batch} Batch */
/** @typedef {{ size: number, strategy: string }} Wish */

const LEAST_DONE = 0.5; // of the cards: earlier it would only be picked by an older head
const LEAST_LABELS = 2; // batches that the head learned from: before that each batch makes another head of it

export class BatchAhead {
  /**
   * @param {import("./api.js").ProjectApi} api
   * @param {(answer: BatchAnswer) => Promise<unknown>} prepare loads what its cards show
   */
  constructor(api, prepare) {
    this.api = api;
    this.prepare = prepare;
    /** @type {BatchAnswer | null} */
    this.answer = null;
    this.after = ""; // the batch that it comes after
    this.asking = ""; // what it was asked for with
    /** @type {unknown} */
    this.prepared = null; // kept: a decoded picture stays decoded
  }

  forget() {
    this.answer = null;
    this.after = "";
    this.asking = "";
    this.prepared = null;
  }

  /**
   * Claims it once half of the batch is done and no head is being trained, and another one where there is a newer head.
   * @param {Batch} batch on screen
   * @param {Wish} wish
   * @param {import("./api.js").StatusAnswer["head"] | undefined} head
   */
  async follow(batch, { size, strategy }, head) {
    const isTime = batch.answered.length >= LEAST_DONE * batch.cards.length;
    const isGood = head && head.state !== "training" && head.labels >= LEAST_LABELS * size;
    const mark = `${batch.id} ${size} ${strategy} ${head?.version}`;
    if (!isTime || !isGood || this.asking === mark) return;
    const isAnother = this.after === batch.id && this.answer !== null;
    this.forget();
    this.asking = mark;
    const answer = await this.api.batchAfter(batch.id, size, strategy, isAnother).catch(nothing);
    if (!answer?.batch_id || this.asking !== mark) return;
    this.after = batch.id;
    this.answer = answer;
    this.prepared = await this.prepare(answer).catch(() => null);
  }

  /**
   * What comes after a batch, which is left; null where it has to be asked for.
   * @param {string} batchId
   * @param {Wish} wish
   * @param {number} headVersion of the newest head
   */
  take(batchId, { size, strategy }, headVersion) {
    const { answer, after, asking } = this;
    const isIt = after === batchId && asking === `${batchId} ${size} ${strategy} ${headVersion}`;
    this.forget();
    return isIt ? answer : null;
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
