// Numbers as they are written on the page, with their units.

import { t } from "./words.js";

export const formatCount = new Intl.NumberFormat("en-US").format; // the same in both languages

/** @param {number} fraction 0 to 1; 100 % only where it is 1 */
export function formatPercent(fraction) {
  const percent = Math.round(fraction * 100);
  return `${fraction < 1 ? Math.min(percent, 99) : 100} %`;
}

/** @param {number} seconds */
export function formatSeconds(seconds) {
  if (seconds < 10) return t("seconds", { value: seconds.toFixed(1) });
  if (seconds < 90) return t("seconds", { value: String(Math.round(seconds)) });
  if (seconds < 5400) return t("minutes", { value: String(Math.round(seconds / 60)) });
  return t("hours", { value: (seconds / 3600).toFixed(1) });
}
