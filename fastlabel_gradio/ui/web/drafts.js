// Labels not submitted yet, kept in localStorage by project and batch. A blocked or full store only costs the copy.

import { openStorage } from "./storage.js";

/** @typedef {import("./batch.js").Draft} Draft */

const DRAFT_PREFIX = "fastlabel:draft:";
const DRAFT_DAYS = 14;
const DRAFTS_KEPT = 30;
const STEPS_KEPT = 200;

export class DraftStore {
  /** @param {string} project */
  constructor(project) {
    this.prefix = `${DRAFT_PREFIX + project}:`;
    this.storage = openStorage();
    this.prune();
  }

  /**
   * @param {string} batchId
   * @param {Required<Draft>} draft the newest steps are kept
   */
  save(batchId, { labels, steps }) {
    const draft = { saved_at: Date.now(), labels, steps: steps.slice(-STEPS_KEPT) };
    try {
      this.storage?.setItem(this.prefix + batchId, JSON.stringify(draft));
    } catch {
      this.storage = null;
    }
  }

  /**
   * @param {string} batchId
   * @returns {Draft}
   */
  load(batchId) {
    return this.read(this.prefix + batchId) ?? {};
  }

  /** @param {string} batchId */
  remove(batchId) {
    this.storage?.removeItem(this.prefix + batchId);
  }

  /**
   * @param {string} key
   * @returns {(Draft & { saved_at?: number }) | null}
   */
  read(key) {
    try {
      const draft = JSON.parse(this.storage?.getItem(key) ?? "null");
      return draft && typeof draft.labels === "object" ? draft : null;
    } catch {
      return null;
    }
  }

  prune() {
    if (!this.storage) return;
    const { storage } = this;
    const keys = Object.keys(storage).filter((key) => key.startsWith(this.prefix));
    const age = (/** @type {string} */ key) => Date.now() - (this.read(key)?.saved_at ?? 0);
    keys.sort((a, b) => age(a) - age(b));
    const stale = keys.filter((key, i) => i >= DRAFTS_KEPT || age(key) > DRAFT_DAYS * 86400e3);
    for (const key of stale) storage.removeItem(key);
  }
}
