// How long ago something was, in few words. No DOM.

import { t } from "./words.js";

const STEPS = /** @type {const} */ ([
  [60, "explore_now", 1],
  [3600, "explore_minutes_ago", 60],
  [86400, "explore_hours_ago", 3600],
  [7 * 86400, "explore_days_ago", 86400],
]);

/**
 * Of a time up to a week ago how long ago it was, otherwise its day.
 * @param {string} time ISO 8601
 * @param {number} now milliseconds
 */
export function ageOf(time, now) {
  const seconds = (now - Date.parse(time)) / 1000;
  for (const [below, word, unit] of STEPS)
    if (seconds < below) return t(word, { n: Math.max(1, Math.floor(seconds / unit)) });
  return time.slice(0, 10);
}
