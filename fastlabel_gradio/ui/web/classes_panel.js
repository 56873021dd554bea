// The classes of a project: add, rename, merge, archive, order them and say what they mean; where there are none, clusters of
// the pool to be named. A dialog over the view that opens it.

import { ApiError } from "./api.js";
import { buildClusters } from "./class_clusters.js";
import { commandWithKey, takenWords } from "./class_keys.js";
import { buildClassRow } from "./class_row.js";
import { branchesOf, branchHead } from "./class_tree.js";
import { button, el, setShown, setText } from "./dom.js";
import { sentWords } from "./history_menu.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").ProjectApi} ProjectApi */
/** @typedef {import("./api.js").ClassAnswer} ClassAnswer */

export class ClassesPanel {
  /**
   * @param {ProjectApi} api
   * @param {{ changed: () => unknown, explore: (name: string) => unknown }} told
   */
  constructor(api, told) {
    this.api = api;
    this.told = told;
    this.message = el("p", "fl-classes-message");
    this.message.setAttribute("role", "status");
    this.name = el("input", "fl-classes-name");
    this.name.maxLength = 255;
    this.name.placeholder = t("classes_new");
    this.name.setAttribute("aria-label", t("classes_new"));
    const form = el("form", "fl-classes-add", this.name, el("button", "fl-quiet", t("classes_add")));
    form.addEventListener("submit", (event) => this.add(event));
    this.list = el("ol", "fl-classes-list");
    this.aside = el("ul", "fl-classes-list fl-classes-aside");
    this.asideTitle = el("h3", "", t("classes_aside"));
    this.clusters = el("div", "fl-clusters");
    this.node = el("dialog", "fl-classes", this.buildHead(), this.message, form, this.list, this.clusters);
    this.node.append(this.asideTitle, this.aside);
    this.node.setAttribute("aria-label", t("classes"));
  }

  buildHead() {
    const undo = button("fl-quiet", t("undo"));
    undo.addEventListener("click", () => this.undo());
    const clusters = button("fl-quiet fl-classes-clusters", t("classes_clusters"));
    clusters.addEventListener("click", () => this.showClusters());
    const close = button("fl-quiet fl-classes-close", t("close"));
    close.addEventListener("click", () => this.node.close());
    return el("header", "fl-classes-head", el("h2", "", t("classes")), clusters, undo, close);
  }

  get open() {
    return this.node.open;
  }

  async show() {
    if (!this.node.open) this.node.showModal();
    setText(this.message, "");
    this.name.focus();
    await this.during(async () => {
      const { classes } = await this.api.classes();
      this.paint(classes);
      if (!classes.some(({ index }) => index !== null)) await this.fetchClusters();
    });
  }

  /** @param {ClassAnswer[]} classes */
  paint(classes) {
    this.classes = classes;
    const inOrder = classes.filter(({ index }) => index !== null);
    const branches = branchesOf(inOrder.map(({ name }) => name));
    const shown = branches.flatMap(({ places }) => places.map((place) => inOrder[place]));
    const aside = classes.filter(({ index }) => index === null);
    const opened = [...this.list.querySelectorAll("details[open]")].map((node) => node.closest("li")?.dataset.classId);
    const rows = branches.flatMap(({ prefix, places }) => [
      ...(prefix ? [branchHead("li", prefix)] : []),
      ...places.map((place) => buildClassRow(inOrder[place], shown, this)),
    ]);
    this.list.replaceChildren(...rows);
    this.aside.replaceChildren(...aside.map((one) => buildClassRow(one, shown, this)));
    for (const node of [this.asideTitle, this.aside]) setShown(node, aside.length > 0);
    for (const id of opened) {
      const again = this.list.querySelector(`[data-class-id="${id}"] details`);
      if (again) /** @type {HTMLDetailsElement} */ (again).open = true;
    }
  }

  /** @param {SubmitEvent} event */
  async add(event) {
    event.preventDefault();
    if (await this.change({ add: this.name.value })) this.name.value = "";
  }

  /**
   * One change of classes; whether it was made.
   * @param {Record<string, unknown>} change
   */
  change(change) {
    return this.during(async () => {
      const { classes } = await this.api.changeClasses(change);
      this.paint(classes);
      setText(this.message, changedWords(change));
      this.told.changed();
    });
  }

  /**
   * @param {string} name
   * @param {string} key for everybody; "" for none
   */
  setKey(name, key) {
    const command = commandWithKey(key);
    return command ? this.refuse(takenWords(key, command)) : this.change({ set: { name, key } });
  }

  undo() {
    return this.during(async () => {
      const { step } = await this.api.undo();
      setText(this.message, step ? t("classes_undone", { what: sentWords(step) }) : t("nothing_to_undo"));
      this.paint((await this.api.classes()).classes);
      this.told.changed();
    });
  }

  /** @param {string} name */
  explore(name) {
    this.node.close();
    this.told.explore(name);
  }

  showClusters() {
    return this.during(() => this.fetchClusters());
  }

  async fetchClusters() {
    const found = await this.api.clusters();
    this.clusters.replaceChildren(...buildClusters(found, this.api, (name, ids) => this.nameCluster(name, ids)));
  }

  /**
   * The items that are shown, and that the person left in, are labeled.
   * @param {string} name
   * @param {string[]} ids
   */
  nameCluster(name, ids) {
    return this.during(async () => {
      const known = this.classes?.some((one) => one.index !== null && one.name === name.trim());
      if (!known) await this.api.changeClasses({ add: name });
      const { changed } = await this.api.apply({ query: { ids }, label: name.trim() });
      this.paint((await this.api.classes()).classes);
      setText(this.message, t("classes_named", { n: changed, name: name.trim() }));
      this.told.changed();
    });
  }

  /**
   * What fails is said, and what is on screen stays.
   * @param {() => Promise<void>} action
   */
  async during(action) {
    setText(this.message, "");
    delete this.message.dataset.tone;
    try {
      await action();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.refuse(error.message);
      return false;
    }
  }

  /** @param {string} reason */
  refuse(reason) {
    this.message.dataset.tone = "error";
    setText(this.message, reason);
  }
}

/**
 * What a change of classes was, where the list alone would not say it.
 * @param {Record<string, unknown>} change
 */
function changedWords({ merge, archive }) {
  if (Array.isArray(merge)) return t("classes_merged", { from: merge[0], into: merge[1] });
  return archive ? t("classes_archived_now", { name: String(archive) }) : "";
}
