// Names of classes as a tree, on screen only: those with the same words before their last "/" stand together below these words.

import { markClass } from "./class_colours.js";
import { el, nameNode } from "./dom.js";

/** `places` of names, in the order in which they came. @typedef {{ prefix: string, places: number[] }} Branch */

const DEEPEST = 6;

/**
 * What stands before the last part of a name, "/" included, and that part.
 * @param {string} name
 * @returns {[string, string]}
 */
export function partsOf(name) {
  const end = name.slice(0, -1).lastIndexOf("/") + 1; // a "/" at the very end begins no part
  return [name.slice(0, end), name.slice(end)];
}

/**
 * Names by what stands before their last part; a branch stands where its first name would. Names without "/" that follow one
 * another are one branch, whose prefix is "".
 * @param {string[]} names
 * @param {Iterable<number>} [order] of the places to take; all of them by default
 * @returns {Branch[]}
 */
export function branchesOf(names, order = names.keys()) {
  /** @type {Branch[]} */
  const branches = [];
  /** @type {Map<string, Branch>} */
  const known = new Map();
  for (const place of order) {
    const [prefix] = partsOf(names[place]);
    const last = branches.at(-1);
    const branch = prefix ? known.get(prefix) : last?.prefix === "" ? last : undefined;
    if (branch) branch.places.push(place);
    else branches.push(newBranch(prefix, place));
    if (prefix && !branch) known.set(prefix, /** @type {Branch} */ (branches.at(-1)));
  }
  return branches;
}

/**
 * @param {string} prefix
 * @param {number} place
 * @returns {Branch}
 */
function newBranch(prefix, place) {
  return { prefix, places: [place] };
}

/**
 * A name as a leaf. Its branch is there for whoever reads it alone, as screen readers do, and is not seen below its heading.
 * @param {string} name
 * @param {boolean} [isMarked] whether the colour of the class stands before it
 */
export function leafNode(name, isMarked = false) {
  const [prefix, last] = partsOf(name);
  const leaf = nameNode(last, isMarked ? "fl-class-mark" : "");
  if (isMarked) markClass(leaf, name);
  const node = el("span", "fl-class-name", prefix && nameNode(prefix, "fl-class-branch"), leaf);
  return setDepth(node, prefix);
}

/**
 * What stands above the leaves of a branch.
 * @template {"li" | "div"} Tag
 * @param {Tag} tag
 * @param {string} prefix
 */
export function branchHead(tag, prefix) {
  const node = el(tag, "fl-class-group", nameNode(prefix));
  node.setAttribute("aria-hidden", "true"); // every leaf says it
  return setDepth(node, partsOf(prefix)[0]);
}

/**
 * @template {HTMLElement} Kind
 * @param {Kind} node
 * @param {string} prefix
 */
function setDepth(node, prefix) {
  const depth = prefix.split("/").filter(Boolean).length;
  node.style.setProperty("--fl-depth", String(Math.min(depth, DEEPEST)));
  return node;
}
