// Examples of a class: a card becomes one, or no more, and the pointer on a class in the dock shows them with what it means.

import { el, setShown } from "./dom.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").ProjectApi} ProjectApi */
/** @typedef {import("./api.js").ClassAnswer} ClassAnswer */

const MOST_EXAMPLES = 4;
const HOVER_MS = 250;

/** @type {Promise<unknown>} */
let last = Promise.resolve(); // each change begins with what the one before has left

/**
 * Makes an item an example of a class, in place of the oldest one where there are four; one that it is, it is no more. What to
 * say of that.
 * @param {ProjectApi} api
 * @param {string} name of the class
 * @param {string} id of the item
 */
export function toggleExample(api, name, id) {
  const turn = last.then(() => toggled(api, name, id));
  last = turn.catch(() => undefined);
  return turn;
}

/**
 * @param {ProjectApi} api
 * @param {string} name
 * @param {string} id
 */
async function toggled(api, name, id) {
  const { classes } = await api.classes();
  const before = exampleIds(classes, name);
  const examples = withExample(before, id);
  await api.changeClasses({ set: { name, examples } });
  return t(examples.includes(id) ? "example_is" : "example_is_not", { name });
}

/**
 * @param {ClassAnswer[]} classes
 * @param {string} name
 */
function exampleIds(classes, name) {
  const one = classes.find((known) => known.index !== null && known.name === name);
  return one?.examples.map(({ id }) => id) ?? [];
}

/**
 * @param {string[]} examples
 * @param {string} id
 */
export function withExample(examples, id) {
  return examples.includes(id) ? examples.filter((one) => one !== id) : [...examples, id].slice(-MOST_EXAMPLES);
}

/** What stands above a class of the dock while the pointer or the focus is on it. */
export class ClassHover {
  /**
   * @param {ProjectApi} api
   * @param {HTMLElement} dock
   * @param {AbortSignal} signal ends it
   */
  constructor(api, dock, signal) {
    this.api = api;
    this.dock = dock;
    /** @type {HTMLElement | null} */
    this.entry = null; // the class that the pointer is on
    this.node = el("div", "fl-class-hover");
    this.node.setAttribute("role", "note");
    setShown(this.node, false);
    dock.append(this.node);
    for (const type of ["pointerover", "focusin"])
      dock.addEventListener(type, (event) => this.#onEnter(/** @type {Element} */ (event.target)), { signal });
    for (const type of ["pointerleave", "focusout"]) dock.addEventListener(type, () => this.#leave(), { signal });
  }

  /** @param {Element} target */
  #onEnter(target) {
    const entry = /** @type {HTMLElement | null} */ (target.closest("[data-class-index]"));
    if (!entry) return this.#leave();
    if (entry === this.entry) return;
    this.#leave();
    this.entry = entry;
    this.waiting = setTimeout(() => this.#show(entry), HOVER_MS);
  }

  #leave() {
    clearTimeout(this.waiting);
    this.entry = null;
    setShown(this.node, false);
  }

  /** @param {HTMLElement} entry */
  async #show(entry) {
    const { classes } = await this.api.classes().catch(() => ({ classes: [] }));
    const one = classes.find(({ index }) => index === Number(entry.dataset.classIndex));
    if (!one || entry !== this.entry || !(one.examples.length || one.description)) return;
    const pictures = one.examples.map((example) => this.#picture(example));
    this.node.replaceChildren(...pictures.filter((picture) => picture !== null), el("p", "", one.description));
    this.node.style.left = `${entry.offsetLeft}px`;
    setShown(this.node, true);
  }

  /** @param {ClassAnswer["examples"][number]} example */
  #picture({ id, media_url: media, spectrogram_url: spectrogram }) {
    const url = spectrogram ?? media;
    if (!url) return null; // it left the pool
    const picture = el("img", "fl-class-example");
    Object.assign(picture, { src: this.api.url(url), alt: id });
    return picture;
  }
}
