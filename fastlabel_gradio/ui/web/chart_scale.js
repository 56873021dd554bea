export const CHART_PX = { height: 172, left: 40, right: 16, top: 8, bottom: 36 };
export const LEAST_POINT_ITEMS = 10; // of fewer random items a share says next to nothing

// The heads that were measured on enough items, by labels; of several heads of as many labels the newest.
export function measuredHeads(curve) {
  const newest = new Map(curve.map((head) => [head.labels, head]));
  const measured = [...newest.values()].filter((head) => head.audit_items >= LEAST_POINT_ITEMS);
  measured.sort((a, b) => a.labels - b.labels);
  return measured.map(({ labels, audit_items: items, correct, low, high }) => {
    return { labels, items, accuracy: correct / items, low, high };
  });
}

export function chartScale(labels, widthPx) {
  const end = 1.04 * labels;
  const { left, top, height, bottom } = CHART_PX;
  const right = widthPx - CHART_PX.right;
  const x = (count) => round(left + ((right - left) * count) / end);
  const y = (share) => round(top + (height - top - bottom) * (1 - share));
  return { left, right, end, x, y };
}

// The next of 1, 2, 5, 10, 20, 50 …
export function roundStep(count) {
  const power = 10 ** Math.max(0, Math.floor(Math.log10(count)));
  return power * ([1, 2, 5].find((factor) => factor * power >= count) ?? 10);
}

function round(px) {
  return Math.round(10 * px) / 10;
}
