// The curve of promises: how many items can be accepted at each precision, and at the one that is chosen.

import { roundStep } from "./chart_scale.js";
import { chartText, svg } from "./evaluation_chart.js";
import { promiseText } from "./finish_words.js";
import { formatCount } from "./numbers.js";
import { t } from "./words.js";

/** @typedef {{ precision: number, items: number }} Promised */

const SIZE_PX = { width: 460, height: 170, left: 52, right: 14, top: 10, bottom: 34 };

/**
 * @param {Promised[]} curve by precision
 * @param {number} chosen the precision, 0 to 1
 */
export function buildPromiseChart(curve, chosen) {
  const { width, height } = SIZE_PX;
  const chart = svg("svg", { class: "fl-chart fl-promise-chart", viewBox: `0 0 ${width} ${height}`, role: "img" });
  const at = curve.find((one) => isAt(one, chosen));
  chart.setAttribute("aria-label", at ? describe(at) : t("finish_curve"));
  if (!at) return chart;
  const scale = scaleOf(curve);
  const x = scale.x(at.precision);
  chart.append(...axes(curve, scale), svg("polyline", { class: "fl-chart-line", points: stairs(curve, scale) }));
  chart.append(svg("line", { class: "fl-chart-target", x1: x, x2: x, y1: SIZE_PX.top, y2: scale.y(0) }));
  for (const one of curve) chart.append(dot(one, scale, one === at));
  return chart;
}

/**
 * The curve where each class is promised by itself: the items of all classes that can be, at each precision.
 * @param {{ curve: Promised[], classes: { curve: number[] }[] }} planned
 */
export function curveByClass({ curve, classes }) {
  return curve.map(({ precision }, place) => {
    return { precision, items: classes.reduce((sum, one) => sum + (one.curve[place] ?? 0), 0) };
  });
}

/**
 * The curve of one class, promised by itself.
 * @param {{ curve: Promised[], classes: { label: string, curve: number[] }[] }} planned
 * @param {string} label
 */
export function curveOfClass({ curve, classes }, label) {
  const own = classes.find((one) => one.label === label)?.curve ?? [];
  return curve.map(({ precision }, place) => ({ precision, items: own[place] ?? 0 }));
}

/**
 * Whether any item can be accepted at any precision: without one the chart would be an empty frame.
 * @param {{ curve: Promised[], classes: { curve: number[] }[] }} planned
 */
export function promisesAnything({ curve, classes }) {
  return curve.some(({ items }) => items > 0) || classes.some((one) => one.curve.some((items) => items > 0));
}

/**
 * @param {Promised} one
 * @param {number} precision
 */
export function isAt(one, precision) {
  return Math.abs(one.precision - precision) < 0.005;
}

/** @param {Promised[]} curve */
function scaleOf(curve) {
  const { width, height, left, right, top, bottom } = SIZE_PX;
  const [first, last] = [curve[0].precision, curve[curve.length - 1].precision];
  const most = Math.max(1, ...curve.map(({ items }) => items)) * 1.05;
  return {
    most,
    x: (/** @type {number} */ share) => left + ((width - left - right) * (share - first)) / (last - first),
    y: (/** @type {number} */ items) => top + (height - top - bottom) * (1 - items / most),
  };
}

/**
 * @param {Promised[]} curve
 * @param {ReturnType<typeof scaleOf>} scale
 */
function axes(curve, scale) {
  const [start, end] = [SIZE_PX.left, SIZE_PX.width - SIZE_PX.right];
  const parts = [];
  const step = roundStep(scale.most / 4);
  for (let items = 0; items <= scale.most; items += step) {
    const y = scale.y(items);
    parts.push(svg("line", { class: "fl-chart-grid", x1: start, x2: end, y1: y, y2: y }));
    parts.push(chartText(formatCount(items), start - 6, y + 4, "end"));
  }
  const below = scale.y(0) + 15;
  for (const { precision } of curve) {
    const percent = Math.round(100 * precision);
    if (percent % 5 === 0 || percent === 99) {
      parts.push(chartText(`${percent} %`, scale.x(precision), below, "middle"));
    }
  }
  parts.push(chartText(t("finish_curve_axis"), (start + end) / 2, below + 15, "middle"));
  return parts;
}

/**
 * @param {Promised[]} curve
 * @param {ReturnType<typeof scaleOf>} scale
 */
function stairs(curve, scale) {
  return curve.map(({ precision, items }) => `${scale.x(precision)},${scale.y(items)}`).join(" ");
}

/**
 * @param {Promised} one
 * @param {ReturnType<typeof scaleOf>} scale
 * @param {boolean} isChosen
 */
function dot(one, scale, isChosen) {
  const title = svg("title", {});
  title.textContent = describe(one);
  const place = { cx: scale.x(one.precision), cy: scale.y(one.items), r: isChosen ? 5 : 3 };
  return svg("circle", { class: "fl-chart-dot", ...place }, title);
}

/** @param {Promised} one */
function describe({ precision, items }) {
  return t("finish_curve_point", { percent: promiseText(precision), items });
}
