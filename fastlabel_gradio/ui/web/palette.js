// The palette of classes: type a part of a name, choose with Enter. Recent and likely classes stand first; a name that is
// none can be added; a key can be given to each.

import { takenWords } from "./class_keys.js";
import { findClasses, newClassName } from "./class_search.js";
import { branchesOf, branchHead, leafNode } from "./class_tree.js";
import { classKeyOf, isComposing } from "./commands.js";
import { el, setText } from "./dom.js";
import { may } from "./rights.js";
import { t } from "./words.js";

/** @typedef {import("./class_search.js").Classes} Classes */
/**
 * What the palette does with what was chosen. `add` resolves once the class is there.
 * @typedef {{ choose: (index: number) => void, add: (name: string) => Promise<void>, close: () => void }} Deeds
 */

const SHOWN_AT_MOST = 200;

export class Palette {
  /**
   * @param {string} project
   * @param {import("./class_keys.js").ClassKeys} keys
   * @param {Deeds} deeds
   */
  constructor(project, keys, deeds) {
    this.keys = keys;
    this.deeds = deeds;
    /** @type {Classes} */
    this.classes = { classes: [] };
    /** @type {HTMLElement[]} */
    this.options = [];
    this.chosen = 0;
    /** @type {string | null} */
    this.waiting = null; // the class that the next key is for
    this.input = el("input", "fl-palette-input");
    this.list = el("div", "fl-palette-list");
    this.note = el("p", "fl-palette-note");
    this.note.setAttribute("role", "status");
    this.node = el("dialog", "fl-palette", this.input, this.list, this.note);
    this.node.setAttribute("aria-label", t("palette"));
    this.describe(`fl-palette-${project}`);
    this.listen();
  }

  /** @param {string} id */
  describe(id) {
    this.list.id = id;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", t("palette"));
    Object.assign(this.input, { type: "text", autocomplete: "off", spellcheck: false, placeholder: t("palette_type") });
    const facts = { role: "combobox", "aria-expanded": "true", "aria-controls": id, "aria-label": t("palette_type") };
    for (const [name, value] of Object.entries(facts)) this.input.setAttribute(name, value);
  }

  listen() {
    this.input.addEventListener("input", () => this.paint());
    this.node.addEventListener("keydown", (event) => this.onKey(event));
    this.node.addEventListener("close", () => this.deeds.close());
    this.node.addEventListener("click", (event) => this.onClick(/** @type {Element} */ (event.target)));
  }

  /**
   * @param {Classes} classes
   * @param {string} title whose class is chosen
   */
  open(classes, title, typed = "") {
    this.classes = classes;
    this.waiting = null;
    this.input.value = typed;
    setText(this.note, title);
    this.node.showModal();
    this.input.focus();
    this.paint();
  }

  paint() {
    const { classes } = this.classes;
    const keys = this.keys.of(classes);
    const found = findClasses(this.input.value, this.classes).slice(0, SHOWN_AT_MOST);
    const parts = branchesOf(classes, found).map(({ prefix, places }) => {
      const options = places.map((index) => this.option(index, keys[index]));
      return { options, nodes: prefix ? [branchNode(prefix, options)] : options };
    });
    this.options = parts.flatMap(({ options }) => options);
    const rest = this.offers(classes);
    this.options.push(...rest);
    for (const [place, node] of this.options.entries()) node.id = `${this.list.id}-${place}`;
    this.list.replaceChildren(...parts.flatMap(({ nodes }) => nodes), ...rest);
    this.point(0);
  }

  /**
   * What can be added: the name that was typed where no class has it, or the class for none of the others.
   * @param {string[]} classes
   */
  offers(classes) {
    const fresh = newClassName(this.input.value, classes);
    const none = t("none_of_these");
    const mayAdd = may("POST /api/classes");
    if (!mayAdd) return [];
    if (fresh) return [this.offer(fresh, t("class_add", { name: fresh }))];
    return classes.includes(none) ? [] : [this.offer(none, t("none_switch", { name: none }))];
  }

  /**
   * @param {number} index of a class
   * @param {string} key
   */
  option(index, key) {
    const change = el("span", "fl-palette-key", key || "–"); // for the mouse: F2 does it by key
    change.title = t("key_change");
    change.dataset.key = String(index);
    const node = el("div", "fl-palette-option", leafNode(this.classes.classes[index], true), change);
    node.setAttribute("role", "option");
    node.dataset.index = String(index);
    return node;
  }

  /**
   * @param {string} name of a class that there is not yet
   * @param {string} words
   */
  offer(name, words) {
    const node = el("div", "fl-palette-option fl-palette-add", words);
    node.setAttribute("role", "option");
    node.dataset.add = name;
    return node;
  }

  /** @param {number} place of the option that Enter takes */
  point(place) {
    this.chosen = Math.min(Math.max(place, 0), this.options.length - 1);
    for (const [at, node] of this.options.entries()) node.setAttribute("aria-selected", String(at === this.chosen));
    const node = this.options[this.chosen];
    this.input.setAttribute("aria-activedescendant", node?.id ?? "");
    node?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    event.stopPropagation(); // the grid below has keys of its own
    if (isComposing(event)) return undefined; // it chooses among the input method's candidates
    if (this.waiting) return this.onClassKey(event, this.waiting);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
    const step = steps[/** @type {keyof steps} */ (event.key)];
    if (step) this.point(this.chosen + step);
    else if (event.key === "Enter") this.take(this.options[this.chosen]);
    else if (event.key === "F2") this.askKey(Number(this.options[this.chosen]?.dataset.index));
    else return undefined;
    event.preventDefault();
  }

  /** @param {Element} target */
  onClick(target) {
    const change = /** @type {HTMLElement | null} */ (target.closest("[data-key]"));
    const option = /** @type {HTMLElement | null} */ (target.closest(".fl-palette-option"));
    if (target === this.node) this.node.close();
    else if (change) this.askKey(Number(change.dataset.key));
    else if (option) this.take(option);
  }

  /** @param {HTMLElement | undefined} option */
  async take(option) {
    if (!option) return;
    const { add, index } = option.dataset;
    if (add === undefined) {
      this.node.close();
      return this.deeds.choose(Number(index));
    }
    setText(this.note, t("class_adding", { name: add }));
    try {
      await this.deeds.add(add);
    } catch (error) {
      return setText(this.note, error instanceof Error ? error.message : String(error));
    }
    this.node.close();
  }

  /** @param {number} index of the class that the next key is for */
  askKey(index) {
    const name = this.classes.classes[index];
    if (name === undefined) return;
    this.waiting = name;
    setText(this.note, t("key_ask", { name }));
    this.input.focus();
  }

  /**
   * @param {KeyboardEvent} event
   * @param {string} name
   */
  onClassKey(event, name) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    if (["Shift", "CapsLock", "Dead", "AltGraph"].includes(event.key)) return;
    this.waiting = null;
    const key = event.key === "Backspace" || event.key === "Delete" ? "" : classKeyOf(event);
    if ([...key].length > 1 || key === " ") return setText(this.note, t("key_none", { name }));
    const command = this.keys.choose(name, key);
    this.paint();
    setText(this.note, command ? takenWords(key, command) : t(key ? "key_is" : "key_usual", { key, name }));
  }

  get isOpen() {
    return this.node.open;
  }
}

/**
 * @param {string} prefix
 * @param {HTMLElement[]} options
 */
function branchNode(prefix, options) {
  const node = el("div", "fl-palette-branch", branchHead("div", prefix), ...options);
  node.setAttribute("role", "group");
  node.setAttribute("aria-label", prefix);
  return node;
}
