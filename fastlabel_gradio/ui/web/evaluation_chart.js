// The learning curve as a picture: what each head got right of random items, how sure that is, and the target.

import { CHART_PX, chartScale, LEAST_POINT_ITEMS, roundStep } from "./chart_scale.js";
import { el } from "./dom.js";
import { describeShare, percentText } from "./evaluation_text.js";
import { formatCount } from "./numbers.js";
import { t } from "./words.js";

/** @typedef {import("./chart_scale.js").MeasuredHead} MeasuredHead */
/** @typedef {import("./chart_scale.js").ChartScale} ChartScale */

const SVG = "http://www.w3.org/2000/svg";
const DOTS_SHOWN = 60;

/**
 * Title, picture and legend.
 * @param {MeasuredHead[]} heads
 * @param {number} target 0 to 1
 * @param {number} widthPx of the place that the picture will fill
 * @param {string} [address] where its dots lead
 */
export function buildCurve(heads, target, widthPx, address) {
  const title = el("h2", "fl-evaluation-title", t("learning_curve"));
  if (!heads.length) return [title, el("p", "fl-curve-note", t("curve_begins", { least: LEAST_POINT_ITEMS }))];
  const words = [
    curveKey("line", t("curve_line")),
    curveKey("target", t("curve_target", { target: percentText(target) })),
  ];
  return [title, drawCurve(heads, target, widthPx, address), el("p", "fl-curve-note", ...words)];
}

/**
 * @param {MeasuredHead[]} heads
 * @param {number} target
 * @param {number} widthPx
 * @param {string} [address]
 */
function drawCurve(heads, target, widthPx, address) {
  const newest = heads[heads.length - 1];
  const scale = chartScale(newest.labels, widthPx);
  const chart = svg("svg", {
    class: "fl-chart",
    viewBox: `0 0 ${widthPx} ${CHART_PX.height}`,
    role: address ? "group" : "img",
  });
  chart.setAttribute("aria-label", t("curve_says", { point: describePoint(newest) }));
  chart.append(...drawAxes(scale), drawBand(heads, scale));
  const y = scale.y(target);
  chart.append(svg("line", { class: "fl-chart-target", x1: scale.left, x2: scale.right, y1: y, y2: y }));
  const line = heads.map((head) => `${scale.x(head.labels)},${scale.y(head.accuracy)}`).join(" ");
  chart.append(svg("polyline", { class: "fl-chart-line", points: line }));
  if (heads.length <= DOTS_SHOWN) {
    const dots = heads.map((head) => drawDot(head, scale));
    chart.append(...(address ? dots.map((dot, place) => linkedDot(dot, address, heads[place])) : dots));
  }
  return chart;
}

/** @param {ChartScale} scale */
function drawAxes(scale) {
  const lines = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const y = scale.y(share);
    return svg("line", { class: "fl-chart-grid", x1: scale.left, x2: scale.right, y1: y, y2: y });
  });
  const shares = [0, 0.5, 1].map((share) => {
    return chartText(`${100 * share} %`, scale.left - 6, scale.y(share) + 4, "end");
  });
  const below = scale.y(0) + 15;
  const step = roundStep(scale.end / 5);
  const counts = [];
  for (let count = 0; count <= scale.end; count += step) {
    counts.push(chartText(formatCount(count), scale.x(count), below, "middle"));
  }
  const title = chartText(t("axis_labels"), (scale.left + scale.right) / 2, below + 15, "middle");
  return [...lines, ...shares, ...counts, title];
}

/**
 * The outline has a width too, or the interval of a single head could not be seen.
 * @param {MeasuredHead[]} heads
 * @param {ChartScale} scale
 */
function drawBand(heads, scale) {
  const upper = heads.map((head) => `${scale.x(head.labels)},${scale.y(head.high)}`);
  const lower = heads.map((head) => `${scale.x(head.labels)},${scale.y(head.low)}`).reverse();
  return svg("polygon", { class: "fl-chart-band", points: [...upper, ...lower].join(" ") });
}

/**
 * @param {MeasuredHead} head
 * @param {ChartScale} scale
 */
function drawDot(head, scale) {
  const title = svg("title", {});
  title.textContent = describePoint(head);
  return svg("circle", { class: "fl-chart-dot", cx: scale.x(head.labels), cy: scale.y(head.accuracy), r: 3 }, title);
}

/**
 * @param {SVGElement} dot
 * @param {string} address
 * @param {MeasuredHead} head
 */
function linkedDot(dot, address, head) {
  return svg("a", { href: address, "aria-label": describePoint(head) }, dot);
}

/** @param {MeasuredHead} head */
function describePoint({ labels, items, accuracy, low, high }) {
  const of = t("random_items", { n: items });
  return t("curve_point", { share: describeShare(accuracy, low, high), of, labels: t("labels", { n: labels }) });
}

/**
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {"end" | "middle"} anchor
 */
export function chartText(text, x, y, anchor) {
  const node = svg("text", { class: "fl-chart-text", x, y, "text-anchor": anchor });
  node.textContent = text;
  return node;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...SVGElement} children
 */
export function svg(tag, attributes, ...children) {
  const node = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/**
 * @param {string} name
 * @param {string} text
 */
function curveKey(name, text) {
  return el("span", `fl-curve-key fl-curve-key-${name}`, text);
}
