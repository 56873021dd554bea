// How good the head is on random items that it was not trained on: a line above the cards, and behind it the advice,
// the target, the learning curve and the recall of each class.

import { describeShare } from "./evaluation_chart.js";
import { formatCount, plural } from "./numbers.js";

export const LEAST_AUDIT_ITEMS = 30;

const LIKE_THESE =
  "True for items like these. Bursts of one scene or cuts of one recording make it too good: see group_pattern in the " +
  "documentation of sources.";

export function describeAudit({ items, groups, true_for: trueFor, accuracy, low, high }) {
  if (items < LEAST_AUDIT_ITEMS) return "too early to say: " + items + " of " + LEAST_AUDIT_ITEMS + " random items";
  const share = "about " + describeShare(accuracy, low, high);
  if (groups === null) return share + ", from " + plural(items, "random item");
  const counted = plural(items, "random item") + " of " + formatCount(groups) + " " + groupNoun(trueFor);
  return share + " on " + trueFor + ", from " + counted;
}

// What the figure is true for, and why its interval is wider, or why it may be too good.
export function describeTruth({ groups, true_for: trueFor }) {
  if (groups === null) return LIKE_THESE;
  const measured = formatCount(groups) + " " + groupNoun(trueFor) + " of which nothing is trained on.";
  return "True for " + trueFor + ": measured on " + measured;
}

// "recordings" or "groups".
function groupNoun(trueFor) {
  return trueFor.replace("new ", "");
}

export function describeCalibration({ items, calibration_error: error }) {
  if (items < LEAST_AUDIT_ITEMS) return "";
  const points = Math.round(100 * error);
  return "Confidences are off by " + (points ? plural(points, "point") : "less than a point") + " on average.";
}

export function percentText(share) {
  return String(Math.round(1000 * share) / 10);
}
