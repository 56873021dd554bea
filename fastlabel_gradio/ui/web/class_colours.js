// The colours of classes, and the mark that shows them: a small square before the name of a class, which is always there to be
// read. A name is marked once; what its colour is follows by rules of a style sheet of the project's own. A class that was given
// none has one of the palette while the map draws it in that, on the map and in the view around it.

import { nameNode } from "./dom.js";

const COLOUR = /^#[0-9a-f]{6}$/i;
const PALETTE = [
  "#4c78a8",
  "#f58518",
  "#54a24b",
  "#e45756",
  "#72b7b2",
  "#b279a2",
  "#eeca3b",
  "#9d755d",
  "#ff9da6",
  "#a3d65c",
];
const CANDIDATES = Array.from({ length: 100 }, (_, number) => number); // places of the palette
const NEAR_COLOURS = 110; // nearer ones are taken for one another: automobile's orange and dog's

/** The colours of one project for all of its views. Dispatches `change` and `drawn`. */
export class ClassColours extends EventTarget {
  /** @type {Map<string, string>} by class name */
  #colours = new Map();
  /** @type {Map<string, string>} likewise */
  #drawn = new Map();

  /**
   * The colour of a class, as "#1f77b4"; undefined for one that has none.
   * @param {string} name
   */
  of(name) {
    return this.#colours.get(name);
  }

  /**
   * What the project has now.
   * @param {Record<string, string>} colours by class name
   */
  share(colours) {
    const pairs = Object.entries(colours).filter(([, colour]) => COLOUR.test(colour));
    if (JSON.stringify(pairs) === JSON.stringify([...this.#colours])) return;
    this.#colours = new Map(pairs);
    this.dispatchEvent(new Event("change"));
  }

  /**
   * In which colours the map draws classes; those around it are marked with the same ones.
   * @param {[string, string][]} colours by class name; none while it draws no classes
   */
  draw(colours) {
    if (JSON.stringify(colours) === JSON.stringify([...this.#drawn])) return;
    this.#drawn = new Map(colours);
    this.dispatchEvent(new Event("drawn"));
  }

  /**
   * The rules of a style sheet that give marked names their colours.
   * @param {string} project
   */
  rules(project) {
    const place = `[data-classes-of=${quoted(project)}]`;
    const drawn = [...this.#drawn].filter(([name]) => !this.#colours.has(name));
    const lines = [
      ...[...this.#colours].map((pair) => ruleOf(place, pair)),
      ...drawn.map((pair) => ruleOf(`${place} .fl-explore`, pair)),
    ];
    return lines.join("\n");
  }
}

/**
 * The name of a class, with its mark.
 * @param {string} name
 */
export function classNode(name, className = "") {
  const node = nameNode(name, `fl-class-mark ${className}`.trim());
  return markClass(node, name);
}

/**
 * @template {HTMLElement} Marked
 * @param {Marked} node that shows a class, or is drawn in its colour
 * @param {string | null} name null where it is none any more
 * @returns {Marked}
 */
export function markClass(node, name) {
  if (name === null) delete node.dataset.class;
  else node.dataset.class = name;
  return node;
}

/**
 * A colour for each class that is drawn in one: the chosen one, or that of the palette at its place; where that is near one that
 * was chosen, the next that is near none that is used.
 * @param {number[]} numbers of the classes
 * @param {(number: number) => string | undefined} chosen
 * @returns {Map<number, string>}
 */
export function coloursOf(numbers, chosen) {
  const taken = numbers.flatMap((number) => chosen(number) ?? []);
  const isFree = (/** @type {string} */ colour) => taken.every((other) => distance(colour, other) >= NEAR_COLOURS);
  const usual = numbers.filter((number) => chosen(number) === undefined);
  const kept = new Set(usual.filter((number) => isFree(classColour(number))));
  taken.push(...Array.from(kept, classColour));
  const colours = new Map();
  for (const number of numbers) {
    const place = kept.has(number) ? number : CANDIDATES.find((one) => isFree(classColour(one)));
    const colour = chosen(number) ?? classColour(place ?? number); // all are near some where very many were chosen
    taken.push(colour);
    colours.set(number, colour);
  }
  return colours;
}

/**
 * @param {string} place a selector
 * @param {[string, string]} marked the name of a class, and its colour
 */
function ruleOf(place, [name, colour]) {
  return `${place} [data-class=${quoted(name)}] { --fl-class-colour: ${colour}; --fl-class-mark: ""; }`;
}

/**
 * How far colours are from one another, 0 to about 765: the weighted distance of red, green and blue, which is close to what is
 * seen.
 * @param {string} one
 * @param {string} other
 */
function distance(one, other) {
  const [[r1, g1, b1], [r2, g2, b2]] = [channels(one), channels(other)];
  const red = (r1 + r2) / 2;
  return Math.sqrt((2 + red / 256) * (r1 - r2) ** 2 + 4 * (g1 - g2) ** 2 + (2 + (255 - red) / 256) * (b1 - b2) ** 2);
}

/**
 * @param {string} colour as "#1f77b4" or "hsl(120 55% 45%)"
 * @returns {number[]} red, green and blue, 0 to 255
 */
function channels(colour) {
  if (colour.startsWith("#")) return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  const [hue, saturation, light] = (colour.match(/[0-9.]+/g) ?? []).map(Number);
  const reach = (saturation / 100) * Math.min(light / 100, 1 - light / 100);
  return [0, 8, 4].map((step) => {
    const turn = (step + hue / 30) % 12;
    return 255 * (light / 100 - reach * Math.max(-1, Math.min(turn - 3, 9 - turn, 1)));
  });
}

/** @param {number} number of the class */
function classColour(number) {
  return PALETTE[number] ?? `hsl(${Math.round((number * 137.5) % 360)} 55% ${number % 2 ? 45 : 60}%)`;
}

/**
 * As a string of a style sheet: every sign that could end it is escaped.
 * @param {string} text
 */
function quoted(text) {
  return `"${Array.from(text, (sign) => (/[\w-]/.test(sign) ? sign : `\\${sign.codePointAt(0)?.toString(16)} `)).join("")}"`;
}
