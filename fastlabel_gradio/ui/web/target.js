// The target accuracy that the person set for a project, 0 to 1, and the field for it.

import { el } from "./dom.js";
import { openStorage } from "./storage.js";

const TARGET_PREFIX = "fastlabel:target:";
export const LEAST_TARGET = 50; // percent
export const MOST_TARGET = 99.9;

export class TargetStore {
  /** @param {string} project */
  constructor(project) {
    this.key = TARGET_PREFIX + project;
    this.storage = openStorage();
  }

  load() {
    const target = Number(this.storage?.getItem(this.key));
    return target >= LEAST_TARGET / 100 && target <= MOST_TARGET / 100 ? target : null;
  }

  /** @param {number} target */
  save(target) {
    try {
      this.storage?.setItem(this.key, String(target));
    } catch {
      this.storage = null;
    }
  }
}

export function targetInput() {
  const input = el("input", "fl-target-input");
  Object.assign(input, { type: "number", min: LEAST_TARGET, max: MOST_TARGET, step: "any", inputMode: "decimal" });
  return input;
}
