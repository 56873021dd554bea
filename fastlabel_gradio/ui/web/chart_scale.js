// The scales of the learning curve: which heads are shown, and where they lie. No DOM.

/** @typedef {import("./api.js").PointAnswer} PointAnswer */
/** @typedef {{ labels: number, items: number, accuracy: number, low: number, high: number }} MeasuredHead */
/** @typedef {ReturnType<typeof chartScale>} ChartScale */

export const CHART_PX = { height: 172, left: 40, right: 16, top: 8, bottom: 36 };
export const LEAST_POINT_ITEMS = 10; // of fewer random items a share says next to nothing

/**
 * The heads that were measured on enough items, by labels; of several heads of as many labels the newest.
 * @param {PointAnswer[]} curve
 * @returns {MeasuredHead[]}
 */
export function measuredHeads(curve) {
  const newest = new Map(curve.map((head) => [head.labels, head]));
  const measured = [...newest.values()].filter((head) => head.audit_items >= LEAST_POINT_ITEMS);
  measured.sort((a, b) => a.labels - b.labels);
  return measured.map(({ labels, audit_items: items, correct, low, high }) => {
    return { labels, items, accuracy: correct / items, low: low ?? 0, high: high ?? 1 };
  });
}

/**
 * From labels and shares to places in the picture.
 * @param {number} labels of the newest head
 * @param {number} widthPx
 */
export function chartScale(labels, widthPx) {
  const end = 1.04 * labels;
  const { left, top, height, bottom } = CHART_PX;
  const right = widthPx - CHART_PX.right;
  const x = (/** @type {number} */ count) => round(left + ((right - left) * count) / end);
  const y = (/** @type {number} */ share) => round(top + (height - top - bottom) * (1 - share));
  return { left, right, end, x, y };
}

/**
 * The next of 1, 2, 5, 10, 20, 50 …
 * @param {number} count
 */
export function roundStep(count) {
  const power = 10 ** Math.max(0, Math.floor(Math.log10(count)));
  return power * ([1, 2, 5].find((factor) => factor * power >= count) ?? 10);
}

/** @param {number} px */
function round(px) {
  return Math.round(10 * px) / 10;
}
