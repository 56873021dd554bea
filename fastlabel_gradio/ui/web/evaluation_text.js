// How good the head is, in words: how sure that is, and what it is true for.

import { formatPercent } from "./numbers.js";
import { t } from "./words.js";

/** @typedef {NonNullable<import("./api.js").EvaluationAnswer["audit"]>} Audit */

export const LEAST_AUDIT_ITEMS = 30;

/** @param {Audit} audit */
export function describeAudit({ items, groups, true_for: trueFor, accuracy, low, high }) {
  if (items < LEAST_AUDIT_ITEMS) return t("too_early", { items, least: LEAST_AUDIT_ITEMS });
  const share = describeShare(accuracy, low, high);
  if (groups === null) return t("audit", { share, n: items });
  return t(isOfRecordings(trueFor) ? "audit_of_recordings" : "audit_of_groups", { share, n: items, groups });
}

/**
 * What the figure is true for, and why its interval is wider, or why it may be too good.
 * @param {Audit} audit
 */
export function describeTruth({ groups, true_for: trueFor }) {
  if (groups === null) return t("true_for_items");
  return t(isOfRecordings(trueFor) ? "true_for_recordings" : "true_for_groups", { groups });
}

/** @param {Audit} audit */
export function describeCalibration({ items, calibration_error: error }) {
  if (items < LEAST_AUDIT_ITEMS) return "";
  const points = Math.round(100 * error);
  return points ? t("off_by", { n: points }) : t("off_by_less");
}

/**
 * @param {number} share 0 to 1, with the ends of its interval
 * @param {number} low
 * @param {number} high
 */
export function describeShare(share, low, high) {
  const ends = { low: Math.round(100 * low), high: Math.round(100 * high) };
  return t("share_with_interval", { share: formatPercent(share), ...ends });
}

/** @param {number} share */
export function percentText(share) {
  return String(Math.round(1000 * share) / 10);
}

/** @param {string} trueFor */
function isOfRecordings(trueFor) {
  return trueFor === "new recordings";
}
