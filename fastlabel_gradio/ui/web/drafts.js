// Labels not submitted yet, kept in localStorage by project and batch. A blocked or full store only costs the copy.

import { openStorage } from "./storage.js";

const DRAFT_PREFIX = "fastlabel:draft:";
const DRAFT_DAYS = 14;
const DRAFTS_KEPT = 30;

export class DraftStore {
  constructor(project) {
    this.prefix = DRAFT_PREFIX + project + ":";
    this.storage = openStorage();
    this.prune();
  }

  // Labels by class name, not position: a class added meanwhile must not shift them. null: cleared by the person.
  save(batchId, labels) {
    try {
      this.storage?.setItem(this.prefix + batchId, JSON.stringify({ saved_at: Date.now(), labels }));
    } catch {
      this.storage = null;
    }
  }

  load(batchId) {
    return this.read(this.prefix + batchId)?.labels ?? {};
  }

  remove(batchId) {
    this.storage?.removeItem(this.prefix + batchId);
  }

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
    const keys = Object.keys(this.storage).filter((key) => key.startsWith(this.prefix));
    const age = (key) => Date.now() - (this.read(key)?.saved_at ?? 0);
    keys.sort((a, b) => age(a) - age(b));
    const stale = keys.filter((key, i) => i >= DRAFTS_KEPT || age(key) > DRAFT_DAYS * 86400e3);
    for (const key of stale) this.storage.removeItem(key);
  }
}
