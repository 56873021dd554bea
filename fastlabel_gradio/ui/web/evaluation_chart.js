// The learning curve as a picture: what each head got right of random items, how sure that is, and the target.

import { CHART_PX, LEAST_POINT_ITEMS, chartScale, roundStep } from "./chart_scale.js";
import { el } from "./dom.js";
import { percentText } from "./evaluation_text.js";
import { formatCount, formatPercent, plural } from "./numbers.js";

const SVG = "http://www.w3.org/2000/svg";
const DOTS_SHOWN = 60;

// `widthPx`: of the place that the picture will fill.
function drawCurve(heads, target, widthPx) {
  const scale = chartScale(heads.at(-1).labels, widthPx);
  const chart = svg("svg", { class: "fl-chart", viewBox: `0 0 ${widthPx} ${CHART_PX.height}`, role: "img" });
  chart.setAttribute("aria-label", "Learning curve: " + heads.slice(-1).map(describePoint).join(""));
  chart.append(...drawAxes(scale), drawBand(heads, scale));
  const y = scale.y(target);
  chart.append(svg("line", { class: "fl-chart-target", x1: scale.left, x2: scale.right, y1: y, y2: y }));
  const line = heads.map((head) => scale.x(head.labels) + "," + scale.y(head.accuracy)).join(" ");
  chart.append(svg("polyline", { class: "fl-chart-line", points: line }));
  if (heads.length <= DOTS_SHOWN) chart.append(...heads.map((head) => drawDot(head, scale)));
  return chart;
}

function drawAxes(scale) {
  const lines = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const y = scale.y(share);
    return svg("line", { class: "fl-chart-grid", x1: scale.left, x2: scale.right, y1: y, y2: y });
  });
  const shares = [0, 0.5, 1].map((share) => {
    return chartText(100 * share + " %", scale.left - 6, scale.y(share) + 4, "end");
  });
  const below = scale.y(0) + 15;
  const step = roundStep(scale.end / 5);
  const counts = [];
  for (let count = 0; count <= scale.end; count += step) {
    counts.push(chartText(formatCount(count), scale.x(count), below, "middle"));
  }
  return [...lines, ...shares, ...counts, chartText("labels", (scale.left + scale.right) / 2, below + 15, "middle")];
}

// The outline has a width too, or the interval of a single head could not be seen.
function drawBand(heads, scale) {
  const upper = heads.map((head) => scale.x(head.labels) + "," + scale.y(head.high));
  const lower = heads.map((head) => scale.x(head.labels) + "," + scale.y(head.low)).reverse();
  return svg("polygon", { class: "fl-chart-band", points: [...upper, ...lower].join(" ") });
}

function drawDot(head, scale) {
  const title = svg("title", {});
  title.textContent = describePoint(head);
  return svg("circle", { class: "fl-chart-dot", cx: scale.x(head.labels), cy: scale.y(head.accuracy), r: 3 }, title);
}

function describePoint({ labels, items, accuracy, low, high }) {
  return describeShare(accuracy, low, high) + " of " + plural(items, "random item") + " at " + plural(labels, "label");
}

export function describeShare(share, low, high) {
  return formatPercent(share) + " (" + Math.round(100 * low) + " to " + Math.round(100 * high) + ")";
}

function chartText(text, x, y, anchor) {
  const node = svg("text", { class: "fl-chart-text", x, y, "text-anchor": anchor });
  node.textContent = text;
  return node;
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export function buildCurve(heads, target, widthPx) {
  const title = el("h3", "fl-evaluation-title", "Learning curve");
  if (!heads.length) {
    const begins = "It begins with the first head that is measured on " + LEAST_POINT_ITEMS + " random items.";
    return [title, el("p", "fl-curve-note", begins)];
  }
  const words = [
    curveKey("line", "accuracy on random items, with its 95 % interval"),
    curveKey("target", "target " + percentText(target) + " %"),
  ];
  return [title, drawCurve(heads, target, widthPx), el("p", "fl-curve-note", ...words)];
}

function curveKey(name, text) {
  return el("span", "fl-curve-key fl-curve-key-" + name, text);
}
