// The map of a pool as the server sends it (docs/rest.md), and what is thought about it. No DOM.

import { coloursOf } from "./class_colours.js";

/**
 * What stands before the points.
 * @typedef {{
 *   layout: "pca" | "neighbours", version: string, points: number, items: number, places: boolean, classes: string[],
 *   states: string[], neighbours: "unasked" | "running" | "answered" | "failed", done: number, problem: string,
 * }} MapHeader
 */
/**
 * @typedef {{
 *   header: MapHeader, rows: Uint32Array, x: Float32Array, y: Float32Array, labels: Int16Array, predicted: Int16Array,
 *   confidences: Uint8Array, states: Uint8Array,
 * }} MapData
 */
/** @typedef {"label" | "prediction" | "confidence" | "state"} Colouring */
/** One colour of the map: its points by place. @typedef {{ name: string, colour: string, places: number[] }} MapGroup */
/** @typedef {[number, number]} Corner */

const MAGIC = "FLM1";
const CLASSES_COLOURED = 24; // the most frequent ones; more colours nobody tells apart
const CONFIDENCE_STEPS = 5;
const MOST_CORNERS = 200;
export const UNKNOWN_CONFIDENCE = 255;
export const POINTS_MOVED = 20000; // drawn while the map moves

const NOTHING = "#9aa3b2";
const STATE_COLOURS = [NOTHING, "#3b82f6", "#a855f7", "#f59e0b", "#ef4444"];
const CONFIDENCE_COLOURS = ["#d73027", "#fc8d59", "#e0c341", "#91bf6b", "#1a9850"];

/**
 * @param {ArrayBuffer} bytes
 * @param {MapData | null} before whose places are used where these have none
 * @returns {MapData}
 */
export function readMap(bytes, before) {
  const view = new DataView(bytes);
  const text = new TextDecoder();
  if (text.decode(bytes.slice(0, 4)) !== MAGIC) throw new Error("This is no map.");
  const length = view.getUint32(4, true);
  /** @type {MapHeader} */
  const header = JSON.parse(text.decode(bytes.slice(8, 8 + length)));
  let at = 8 + length;
  /**
   * @template T
   * @param {{ new (buffer: ArrayBuffer, offset: number, length: number): T, BYTES_PER_ELEMENT: number }} Kind
   * @returns {T}
   */
  function next(Kind) {
    const found = new Kind(bytes, at, header.points);
    at += 4 * Math.ceil((header.points * Kind.BYTES_PER_ELEMENT) / 4);
    return found;
  }
  if (!header.places && !before) throw new Error("This map has no places.");
  const places = header.places
    ? { rows: next(Uint32Array), x: next(Float32Array), y: next(Float32Array) }
    : /** @type {MapData} */ (before);
  const labels = next(Int16Array);
  const predicted = next(Int16Array);
  const { rows, x, y } = places;
  return { header, rows, x, y, labels, predicted, confidences: next(Uint8Array), states: next(Uint8Array) };
}

/**
 * The points by colour, the largest group of classes first, those without anything before all others: they lie below.
 * @param {MapData} data
 * @param {Colouring} by
 * @param {(word: "none" | "others" | "unknown", n?: number) => string} words
 * @param {(state: string) => string} stateName
 * @param {(name: string) => string | undefined} ownColour of a class that was given one
 * @returns {MapGroup[]}
 */
export function groupsOf(data, by, words, stateName, ownColour = () => undefined) {
  if (by === "confidence") return confidenceGroups(data, words("unknown"));
  if (by === "state") {
    const groups = data.header.states.map((state, number) => newGroup(stateName(state), STATE_COLOURS[number]));
    for (let place = 0; place < data.states.length; place++) groups[data.states[place]].places.push(place);
    return groups.filter(({ places }) => places.length);
  }
  return classGroups(data, by === "label" ? data.labels : data.predicted, words, ownColour);
}

/**
 * @param {MapData} data
 * @param {Int16Array} values positions of classes
 * @param {(word: "none" | "others" | "unknown", n?: number) => string} words
 * @param {(name: string) => string | undefined} ownColour
 */
function classGroups({ header }, values, words, ownColour) {
  const counts = new Array(header.classes.length).fill(0);
  for (const value of values) if (value >= 0) counts[value]++;
  const shown = counts.map((_, number) => number).sort((a, b) => counts[b] - counts[a]);
  const own = new Set(shown.slice(0, CLASSES_COLOURED));
  const none = newGroup(words("none"), NOTHING);
  const others = newGroup(words("others", header.classes.length - own.size), "#5b6475");
  const colours = coloursOf(
    [...own].sort((a, b) => a - b),
    (number) => ownColour(header.classes[number]),
  );
  const groups = header.classes.map((name, number) => newGroup(name, colours.get(number) ?? NOTHING));
  for (let place = 0; place < values.length; place++) {
    const value = values[place];
    const group = value < 0 ? none : own.has(value) ? groups[value] : others;
    group.places.push(place);
  }
  return [none, others, ...groups].filter(({ places }) => places.length);
}

/**
 * @param {MapData} data
 * @param {string} unknown
 */
function confidenceGroups({ confidences }, unknown) {
  const groups = CONFIDENCE_COLOURS.map((colour, step) => {
    const [low, high] = [step, step + 1].map((edge) => Math.round((100 * edge) / CONFIDENCE_STEPS));
    return newGroup(`${low} – ${high} %`, colour);
  });
  const none = newGroup(unknown, NOTHING);
  for (let place = 0; place < confidences.length; place++) {
    const value = confidences[place];
    const step = Math.min(CONFIDENCE_STEPS - 1, Math.floor((value / 254) * CONFIDENCE_STEPS));
    (value === UNKNOWN_CONFIDENCE ? none : groups[step]).places.push(place);
  }
  return [none, ...groups].filter(({ places }) => places.length);
}

/**
 * @param {string} name
 * @param {string} colour
 * @returns {MapGroup}
 */
function newGroup(name, colour) {
  return { name, colour, places: [] };
}

/**
 * Of some points the coordinates, of those below a number in `few` and of all others in `rest`: points come in random order.
 * @param {MapData} data
 * @param {number[]} places ascending
 */
export function coordinates({ x, y }, places) {
  const cut = places.findIndex((place) => place >= POINTS_MOVED);
  const parts = cut < 0 ? [places, []] : [places.slice(0, cut), places.slice(cut)];
  return parts.map((part) => ({
    places: part,
    x: Float32Array.from(part, (place) => x[place]),
    y: Float32Array.from(part, (place) => y[place]),
  }));
}

/**
 * A drawn line with few enough corners for an address, each with five digits.
 * @param {ArrayLike<number>} x
 * @param {ArrayLike<number>} y
 * @returns {Corner[]}
 */
export function polygonOf(x, y) {
  const step = Math.max(1, Math.ceil(x.length / MOST_CORNERS));
  /** @type {Corner[]} */
  const corners = [];
  for (let place = 0; place < x.length; place += step) corners.push([rounded(x[place]), rounded(y[place])]);
  return corners;
}

/**
 * @param {[number, number]} x
 * @param {[number, number]} y
 * @returns {Corner[]}
 */
export function boxOf([x0, x1], [y0, y1]) {
  return polygonOf([x0, x1, x1, x0], [y0, y0, y1, y1]);
}

/** @param {number} value */
function rounded(value) {
  return Number(value.toPrecision(5));
}

/**
 * The part of the plane that holds all points, with a margin.
 * @param {MapData} data
 */
export function extent({ x, y }) {
  return [x, y].map((values) => {
    let [low, high] = [Infinity, -Infinity];
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    const margin = (high - low || 1) * 0.04;
    return /** @type {[number, number]} */ ([low - margin, high + margin]);
  });
}

/**
 * A range moved by a share of itself, and made larger or smaller around a share of it.
 * @param {[number, number]} range
 * @param {number} move
 * @param {number} factor
 * @param {number} at
 * @returns {[number, number]}
 */
export function turned([low, high], move, factor, at) {
  const size = high - low;
  const centre = low + size * at;
  return [centre - size * at * factor + move * size, centre + size * (1 - at) * factor + move * size];
}
