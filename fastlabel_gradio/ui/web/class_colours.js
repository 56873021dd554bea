// The colours that classes were given, and the mark that shows them: a small square before the name of a class, which is always
// there to be read. A name is marked once; what its colour is follows by rules of a style sheet of the project's own.

import { nameNode } from "./dom.js";

const COLOUR = /^#[0-9a-f]{6}$/i;

/** The colours of one project for all of its views. Dispatches `change`. */
export class ClassColours extends EventTarget {
  /** @type {Map<string, string>} by class name */
  #colours = new Map();

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
   * The rules of a style sheet that give marked names their colours.
   * @param {string} project
   */
  rules(project) {
    const place = `[data-classes-of=${quoted(project)}]`;
    const lines = [...this.#colours].map(
      ([name, colour]) =>
        `${place} [data-class=${quoted(name)}] { --fl-class-colour: ${colour}; --fl-class-mark: ""; }`,
    );
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
 * As a string of a style sheet: every sign that could end it is escaped.
 * @param {string} text
 */
function quoted(text) {
  return `"${Array.from(text, (sign) => (/[\w-]/.test(sign) ? sign : `\\${sign.codePointAt(0)?.toString(16)} `)).join("")}"`;
}
