// A person's session with one project: asks for batches, sends labels, keeps the claim, follows the status, tries again.
// No DOM: what happens is told by events, and `present` puts a batch on screen.

import { ApiError } from "./api.js";
import { Batch } from "./batch.js";
import { BatchAhead } from "./batch_ahead.js";
import { Emitter } from "./emitter.js";
import { sentWords, stepWords } from "./history_menu.js";
import { scanWords } from "./server_words.js";
import { isEmbedding, mayHaveBatch } from "./status_text.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").ProjectApi} ProjectApi */
/** @typedef {import("./api.js").BatchAnswer} BatchAnswer */
/** @typedef {import("./api.js").StatusAnswer} StatusAnswer */
/** @typedef {import("./drafts.js").DraftStore} DraftStore */
/** @typedef {import("./sheet.js").Sheet} Sheet */
/** @typedef {{ isHidden: () => boolean, isShown: () => boolean, isThere: () => boolean }} Screen */

const POLL_BUSY_MS = 1000;
const POLL_IDLE_MS = 2500; // what others change is seen within 3 s
const POLL_SOON_MS = 50;
const POLL_BACKOFF_MS = 15000;
const RENEW_MS = 60000;

/**
 * Emits `busy` (the task, "" for none), `counts`, `status`, `lost` (an ApiError), `say` ({ text, tone }), `left` (the
 * batch is no longer this person's), `empty` (there is no batch; the notice) and `failed to load`.
 */
export class Session extends Emitter {
  /**
   * @param {ProjectApi} api
   * @param {DraftStore} drafts
   * @param {{ strategy: string, batch_size: number, max_batch: number }} settings
   * @param {Screen} screen whether the window is hidden, the project's tab is the one that is shown, and it is there
   * @param {(batch: Batch, sheet: Promise<Sheet | null> | null) => Promise<void>} present resolves once the batch is on screen
   * @param {(answer: BatchAnswer) => Promise<Sheet | null>} prepare loads what a batch shows before it is presented
   */
  constructor(api, drafts, settings, screen, present, prepare = async () => null) {
    super();
    this.api = api;
    this.drafts = drafts;
    this.settings = settings;
    this.screen = screen;
    this.present = present;
    this.ahead = new BatchAhead(api, prepare);
    this.strategy = settings.strategy;
    this.size = settings.batch_size;
    /** @type {Batch | null} */
    this.batch = null;
    /** @type {StatusAnswer | null} */
    this.status = null;
    this.busy = "";
    this.failures = 0;
    this.wasUnanswered = false; // what the person wanted last
    this.stopped = false;
    this.isAwaitingScan = false;
    this.shownAgain = ""; // the batch that was asked for again when the first head was there
    this.emptyNotice = "";
    this.isAtLimit = false; // this person gave as many labels as are asked of one
  }

  /** What can be brought back and taken back, the newest first: on screen, then on the server. */
  async history() {
    const lines = (/** @type {import("./batch.js").Step[]} */ steps, /** @type {boolean} */ isUndone) =>
      steps.map((step) => ({ words: stepWords(step), isUndone }));
    const { undone = [], changes = [] } = this.batch ?? {};
    const { steps } = await this.api.history();
    const sent = steps.map((step) => ({ words: sentWords(step), isUndone: step.undone }));
    return [...lines(undone, true), ...lines([...changes].reverse(), false), ...sent];
  }

  /**
   * The class is there for everybody, and for the batch on screen.
   * @param {string} name
   */
  async addClass(name) {
    await this.api.changeClasses({ add: name });
    await this.#readClasses();
  }

  async #readClasses() {
    this.#followClasses(await this.api.status());
  }

  start() {
    this.during("load", () => this.fetchBatch(false));
    this.poll();
    this.renewing = setInterval(() => this.renew(), RENEW_MS);
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.polling);
    clearInterval(this.renewing);
  }

  /**
   * @param {string} text
   * @param {"" | "warning" | "error"} tone
   */
  say(text, tone = "") {
    this.emit("say", { text, tone });
  }

  /**
   * @param {string | null} strategy
   * @param {number | string} size
   */
  configure(strategy, size) {
    this.strategy = strategy ?? this.strategy;
    this.size = Math.min(this.settings.max_batch, Math.max(1, Math.round(Number(size)) || this.settings.batch_size));
  }

  /**
   * @param {string | null} strategy
   * @param {number | string} size
   */
  load(strategy, size) {
    this.configure(strategy, size);
    return this.loadNext();
  }

  loadNext() {
    return this.during("load", async () => {
      const { batch } = this;
      const sent = batch?.answered.length ? await this.#sendLabels(batch) : null;
      if (batch && sent) await this.#goOn(batch);
      else await this.fetchBatch(true);
      const said = sent ? t("loaded_after_submit", { n: sent.accepted }) : "";
      this.say([said, plantedWords(sent?.planted)].filter(Boolean).join(" "), sent?.planted?.slipped ? "warning" : "");
    });
  }

  /** Shows the batch that was claimed for the person elsewhere; what is answered of this one is submitted first. */
  takeOver() {
    return this.during("load", async () => {
      const sent = this.batch?.answered.length ? await this.#sendLabels(this.batch) : null;
      await this.fetchBatch(false);
      this.say(sent ? t("loaded_after_submit", { n: sent.accepted }) : "");
    });
  }

  submit() {
    const { batch } = this;
    if (this.busy) return null;
    if (!batch?.answered.length) return this.say(t("label_first"), "warning");
    return this.during("submit", async () => {
      const sent = await this.#sendLabels(batch);
      await this.#goOn(batch);
      const said = t(sent.training_triggered ? "submitted_training" : "submitted", { n: sent.accepted });
      this.say([said, plantedWords(sent.planted)].filter(Boolean).join(" "), sent.planted?.slipped ? "warning" : "");
    });
  }

  /** Takes back the last change on screen; when there is none, the last submit. */
  undo() {
    const { batch } = this;
    if (this.busy) return null;
    if (batch?.changes.length) return this.say(t("took_back", { n: batch.undoChange() }));
    if (batch?.restored && batch.answered.length) {
      return this.say(t("not_submitted", { n: batch.answered.length }), "warning");
    }
    return this.during("undo", () => this.#undoSubmit());
  }

  /** Brings back the last change on screen that was taken back; where none was, the last submit that was. */
  redo() {
    const { batch } = this;
    if (this.busy) return null;
    if (batch?.undone.length) return this.say(t("brought_back", { n: batch.redoChange() }));
    if (batch?.changes.length) return this.say(t("nothing_to_redo"));
    return this.during("redo", () => this.#redoSubmit());
  }

  train() {
    return this.during("train", async () => {
      await this.api.train();
      this.say(t("training_asked"));
      this.pollSoon();
    });
  }

  rescan() {
    return this.during("rescan", async () => {
      const answer = await this.api.rescan();
      this.isAwaitingScan = answer.requested;
      if (answer.requested) this.say(t("rescanning"));
      else this.say(t("no_rescan"), "warning");
      this.pollSoon();
    });
  }

  /**
   * One request of the person at a time. What fails is said, and what is on screen stays.
   * @param {string} task
   * @param {() => Promise<void>} action
   */
  async during(task, action) {
    if (this.busy) return;
    this.wasUnanswered = false;
    this.#setBusy(task);
    try {
      await action();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#sayFailure(task, error);
    } finally {
      this.#setBusy("");
    }
  }

  /** @param {Batch} left that was submitted */
  async #goOn(left) {
    const claimed = await this.ahead.take(left.id, { size: this.size, strategy: this.strategy });
    if (!claimed) return this.fetchBatch(true);
    performance.mark("fastlabel:batch-requested");
    return this.#open(claimed.answer, claimed.sheet);
  }

  #followAhead() {
    const { batch, size, strategy, status } = this;
    if (batch && !this.busy) this.ahead.follow(batch, { size, strategy }, status?.head);
  }

  /** @param {boolean} fresh */
  async fetchBatch(fresh) {
    this.ahead.forget();
    performance.mark("fastlabel:batch-requested");
    const left = this.batch?.id;
    const answer = await this.api.nextBatch(this.size, this.strategy, fresh);
    if (left && left !== answer.batch_id) this.drafts.remove(left);
    await this.#open(answer);
  }

  // Keeps the claim on the batch while somebody can see it. A lost claim costs nothing: late labels are stored too.
  // A page that slept past its claim says so, once a batch: its labels still count, but others may have these cards too.
  async renew() {
    const { batch } = this;
    if (this.screen.isHidden() || !batch || !this.screen.isThere()) return;
    try {
      if (this.ahead.batchId) await this.api.renew(this.ahead.batchId);
      const answer = await this.api.renew(batch.id);
      if (answer.renewed || batch.givenBack) return;
      const { taken_back: takenBack } = await this.api.status();
      if (this.batch === batch) this.#sayGivenBack(batch, takenBack);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.pollSoon();
    }
  }

  poll() {
    clearTimeout(this.polling);
    if (!this.screen.isThere()) return this.stop();
    if (this.screen.isHidden() || this.asking) return this.#pollAfter(POLL_IDLE_MS);
    const { batch } = this;
    this.asking = this.api.status().then(
      (status) => this.#onStatus(status, batch),
      (error) => this.#onStatusLost(error),
    );
    return this.asking.finally(() => {
      this.asking = null;
      this.#pollAfter(this.pollWait());
    });
  }

  pollSoon() {
    if (!this.screen.isHidden() && !this.asking) this.#pollAfter(POLL_SOON_MS);
  }

  /** Milliseconds until the status is asked for again: longer after each failure, shorter while something is at work. */
  pollWait() {
    if (this.failures) return Math.min(POLL_BACKOFF_MS, POLL_BUSY_MS * 2 ** (this.failures - 1));
    const { head, embedding } = this.status ?? {};
    const busy = head?.state === "training" || (embedding && isEmbedding(embedding)) || this.isAwaitingScan;
    return busy && this.screen.isShown() ? POLL_BUSY_MS : POLL_IDLE_MS;
  }

  /** @param {number} wait milliseconds */
  #pollAfter(wait) {
    clearTimeout(this.polling);
    if (!this.stopped) this.polling = setTimeout(() => this.poll(), wait);
  }

  /**
   * @param {StatusAnswer} status
   * @param {Batch | null} held the batch on screen when the status was asked for
   */
  #onStatus(status, held) {
    this.status = status;
    this.failures = 0;
    if (this.wasUnanswered && !this.busy) this.#sayAnswersAgain();
    this.#followClasses(status);
    this.#followClaim(status, held);
    this.#followFirstHead(status, held);
    this.emit("status", status);
    this.#sayScan(status.embedding);
    this.#followAhead();
    if (this.batch || this.busy) return;
    this.emit("empty", this.emptyNotice);
    if (mayHaveBatch(status) && !this.isAtLimit) this.during("load", () => this.fetchBatch(false));
  }

  /**
   * Somebody else gave the batch on screen back, or its time is over: said once, and what was answered of it still counts.
   * Where nobody is named it must be missing twice: another process may not have seen the claim yet.
   * @param {StatusAnswer} status
   * @param {Batch | null} held
   */
  #followClaim({ batches, taken_back: takenBack }, held) {
    if (!held || held !== this.batch || this.busy || held.givenBack) return;
    const isNamed = takenBack.some(({ batch_id: id }) => id === held.id);
    const wasMissing = held.isMissing;
    held.isMissing = !batches.includes(held.id);
    if (held.isMissing && (isNamed || wasMissing)) this.#sayGivenBack(held, takenBack);
  }

  /**
   * Shows the batch again once the first head is there that can suggest something for it, unless the person has begun.
   * @param {StatusAnswer} status
   * @param {Batch | null} held
   */
  #followFirstHead({ head }, held) {
    const waits =
      held === this.batch && held?.answer.head_version === 0 && !held.changes.length && !held.answered.length;
    if (!waits || this.busy || !head.version || held.cards.some(({ suggestion }) => suggestion)) return;
    if (this.shownAgain === held.id) return;
    this.shownAgain = held.id;
    this.during("load", () => this.fetchBatch(false));
  }

  /**
   * Once a batch, with who took it back where that is known.
   * @param {Batch} batch
   * @param {StatusAnswer["taken_back"]} takenBack
   */
  #sayGivenBack(batch, takenBack) {
    if (batch.givenBack) return;
    batch.givenBack = true;
    const found = takenBack.find(({ batch_id: id }) => id === batch.id);
    this.say(found ? t("taken_back", { name: found.by ?? t("the_owner") }) : t("given_back"), "warning");
  }

  /** The person wants to label more than is asked of one. */
  goOn() {
    this.api.goesOn = true;
    return this.during("load", () => this.fetchBatch(false));
  }

  /**
   * What somebody made of the classes holds for the batch on screen too.
   * @param {StatusAnswer} status
   */
  #followClasses({ classes, renamed }) {
    if (this.batch && JSON.stringify(this.batch.classes) !== JSON.stringify(classes)) {
      this.batch.useClasses(classes, renamed);
    }
  }

  /** @param {unknown} error */
  #onStatusLost(error) {
    if (!(error instanceof ApiError)) throw error;
    this.failures += 1;
    this.emit("lost", error);
  }

  /** @param {Batch} batch */
  async #sendLabels(batch) {
    const labels = batch.submission();
    this.say(t("submitting", { n: labels.length }));
    const answer = await this.api.submit(batch.id, labels);
    this.drafts.remove(batch.id);
    this.#leave();
    this.emit("counts", answer);
    this.pollSoon();
    return answer;
  }

  async #undoSubmit() {
    this.ahead.forget();
    const answer = await this.api.undo();
    this.emit("counts", answer);
    this.pollSoon();
    if (!answer.undone) return this.say(t("nothing_to_undo"));
    if (answer.step?.edits?.length) {
      await this.#readClasses();
      return this.say(t("took_back_step", { what: sentWords(answer.step) }));
    }
    if (answer.batch) await this.#open(answer.batch);
    else await this.fetchBatch(false);
    return this.say(t("undid", { n: answer.undone }));
  }

  async #redoSubmit() {
    const answer = await this.api.redo();
    this.emit("counts", answer);
    this.pollSoon();
    if (!answer.redone) return this.say(t("nothing_to_redo"));
    if (answer.step?.edits?.length) {
      await this.#readClasses();
      return this.say(t("brought_back_step", { what: sentWords(answer.step) }));
    }
    if (this.batch) this.drafts.remove(this.batch.id);
    await this.fetchBatch(true);
    return this.say(t("redid", { n: answer.redone }));
  }

  /**
   * @param {BatchAnswer} answer
   * @param {Promise<Sheet | null> | null} sheet where it was asked for before
   */
  async #open(answer, sheet = null) {
    this.emit("counts", answer);
    this.#leave();
    this.isAtLimit = answer.at_limit;
    if (!answer.batch_id || !answer.items.length) {
      this.emptyNotice = answer.notice ?? "";
      this.emit("empty", this.emptyNotice);
      return;
    }
    const { labels, steps } = this.drafts.load(answer.batch_id);
    const batch = new Batch(answer, labels, steps);
    this.batch = batch;
    const save = () => this.drafts.save(batch.id, { labels: batch.draft(), steps: batch.draftSteps() });
    if (batch.answered.length) save();
    batch.on("labels", save);
    batch.on("labels", () => this.#followAhead());
    await this.present(batch, sheet);
    this.say("");
  }

  #leave() {
    if (this.batch) this.emit("left", this.batch);
    this.batch = null;
  }

  /**
   * @param {string} task
   * @param {ApiError} error
   */
  #sayFailure(task, error) {
    this.wasUnanswered = !error.status;
    const advice = this.batch?.answered.length ? t("labels_kept_try_again") : t("try_again");
    this.say(error.status ? error.message : `${error.message} ${advice}`, "error");
    if (!this.batch && (task === "load" || task === "submit")) this.emit("failed to load");
  }

  // Or the page would say for ever that nobody answers.
  #sayAnswersAgain() {
    this.wasUnanswered = false;
    this.say(t(this.batch?.answered.length ? "answers_again_kept" : "answers_again"));
  }

  /** @param {string} task */
  #setBusy(task) {
    this.busy = task;
    this.emit("busy", task);
  }

  // What a rescan found is said once: always where it was asked for here, otherwise where there is news.
  /** @param {StatusAnswer["embedding"]} embedding */
  #sayScan({ scans, scan_changes: changes, scan_notice: failure }) {
    const isNew = this.scans !== undefined && scans > this.scans;
    this.scans = scans;
    if (!isNew || failure) return;
    if (changes) this.say(t("folder_changed", { changes: scanWords(changes) }));
    else if (this.isAwaitingScan) this.say(t("nothing_new"));
    this.isAwaitingScan = false;
  }
}

/** @param {import("./api.js").Schemas["PlantedAnswer"] | null | undefined} planted */
function plantedWords(planted) {
  if (!planted) return "";
  const { shown, slipped } = planted;
  return slipped ? t("planted_slipped", { n: slipped, shown }) : t("planted_noticed", { n: shown });
}
