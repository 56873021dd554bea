// What is done to the items of the view `explore`: one change after another, asked first where it is of many.

import { toggleExample } from "./class_examples.js";
import { applyTo, itemsOf, overruledBy, preview, targetOf } from "./explore_acts.js";
import { ask, conflictTable, doingWords, previewLines } from "./explore_dialog.js";
import { isAccepted, sentWords } from "./history_menu.js";
import { t } from "./words.js";

/** @typedef {import("./explore_view.js").ExploreView} ExploreView */
/** @typedef {import("./explore_acts.js").Said} Said */
/** @typedef {import("./explore_acts.js").Target} Target */

const BATCH_ITEMS = 100;
const CONFLICT = 409;

export class ExploreActing {
  /** @param {ExploreView} view */
  constructor(view) {
    this.view = view;
    /** @type {Promise<unknown>} */
    this.changing = Promise.resolve();
  }

  /** @param {string} key */
  labelByKey(key) {
    const index = this.view.classKeys.of(this.view.classes).indexOf(key);
    if (index >= 0) this.apply({ label: this.view.classes[index] });
  }

  /** Labels some cards as the head suggests: each of the selected ones, or where none is the current one. */
  async accept(target = this.view.target) {
    if (!target) return;
    if (!target.ids) return this.view.say(t("explore_accept_some"), "warning");
    const accepted = (await this.#known(target.ids)).flatMap(({ id, prediction }) =>
      prediction ? [{ id, label: prediction.label, confidence: prediction.confidence }] : [],
    );
    if (!accepted.length) return this.view.say(t("no_suggestion"), "warning");
    return this.apply({ accepted }, idsTarget(accepted.map(({ id }) => id)));
  }

  /**
   * @param {string[]} ids
   */
  async #known(ids) {
    const loaded = new Map((this.view.list?.loaded ?? []).map((item) => [item.id, item]));
    const missing = ids.filter((id) => !loaded.has(id));
    return [
      ...ids.flatMap((id) => loaded.get(id) ?? []),
      ...(await itemsOf(this.view.api, missing, this.view.settings.max_batch)).items,
    ];
  }

  /**
   * Says something of the selected items, or of the current one. It is asked first of a whole query, and where labels of
   * selected items would change.
   * @param {Said} said
   * @param {Target | null} target
   */
  apply(said, target = this.view.target) {
    if (!target) return undefined;
    if (said.label !== undefined) this.view.context.recent.use(said.label);
    const isCurrent =
      target.ids?.length === 1 && !this.view.selection.size && target.ids[0] === this.view.grid.currentItem?.id;
    if (isCurrent) this.view.move("right");
    return this.#inTurn(async () => {
      const changed = await this.#applied(said, target).catch((error) => {
        this.view.grid.sayUnsaved(target.ids, isCurrent);
        throw error;
      });
      if (changed === null) return;
      this.view.grid.forgetUnsaved(target.ids);
      this.view.say(changed ? t("explore_done", { what: doingWords(said, changed) }) : t("explore_nothing_changed"));
      await this.#afterChange(target.ids);
    });
  }

  /**
   * One change after another: whoever is faster than the server loses none.
   * @param {() => Promise<unknown>} change
   */
  #inTurn(change) {
    this.changing = this.changing.then(change).catch((error) => this.view.fail(error));
    return this.changing;
  }

  /**
   * How many items changed; null where the person thought better of it.
   * @param {Said} said
   * @param {Target} target
   */
  async #applied(said, target) {
    const root = /** @type {HTMLElement} */ (this.view.root);
    if (!target.ids || target.size > 1) {
      const found = await preview(this.view.api, target, said);
      const title = doingWords(said, target.size);
      const isAsked = !target.ids || overruledBy(found).labels > 0;
      if (isAsked && !(await ask(root, title, previewLines(found, target.size), t("explore_go")))) return null;
    }
    try {
      return await applyTo(this.view.api, target, said, this.view.list?.seen(target.ids));
    } catch (error) {
      const { status, body } = /** @type {import("./api.js").ApiError} */ (error);
      if (status !== CONFLICT) throw error;
      const shown = new Map((this.view.list?.loaded ?? []).map((item) => [item.id, item]));
      const table = conflictTable(body.conflicts, body.count, shown);
      const goesOn = await ask(root, t("explore_conflict", { n: body.count }), table, doingWords(said, target.size));
      if (!goesOn) await this.#afterChange(target.ids);
      return goesOn ? applyTo(this.view.api, target, said, undefined) : null;
    }
  }

  /**
   * @param {string[]} ids
   * @param {Said} said
   */
  applyTo(ids, said) {
    return this.apply(said, idsTarget(ids));
  }

  /** Classes were changed: cards and filters say them as they are now. */
  readAnew() {
    return this.#inTurn(() => this.#afterChange(null));
  }

  /** @param {string[] | null} ids that were changed; null for a whole query */
  async #afterChange(ids) {
    const wanted = ids && new Set(ids);
    const loaded = (this.view.list?.loaded ?? []).filter(({ id }) => !wanted || wanted.has(id));
    const known = loaded.map(({ id }) => id);
    const { items, event } = await itemsOf(this.view.api, known, this.view.settings.max_batch);
    this.view.list?.update(items, event);
    this.view.grid.paint();
    this.view.emit("changed", ids);
    const counts = await this.view.api.counts(this.view.query);
    this.view.facets.paint(this.view.query, counts);
  }

  /** The current card becomes an example of its class, or of the one that is predicted; or no more. */
  toggleExample() {
    const current = this.view.grid.currentItem;
    return this.#inTurn(async () => {
      const known = this.view.list?.loaded.find(({ id }) => id === current?.id) ?? current; // with what was just said of it
      const name = known?.label ?? known?.prediction?.label;
      if (!known || !name) return this.view.say(t("example_of_what"), "warning");
      return this.view.say(await toggleExample(this.view.api, name, known.id));
    });
  }

  async undo() {
    await this.#step(() => this.view.api.undo(), ["explore_undone", "explore_took_back"], "explore_nothing_to_undo");
  }

  async redo() {
    await this.#step(() => this.view.api.redo(), ["explore_redone", "explore_brought_back"], "nothing_to_redo");
  }

  /**
   * @param {() => Promise<any>} asks
   * @param {[import("./words.js").Word, import("./words.js").Word]} done of items, and of what was done to them
   * @param {import("./words.js").Word} nothing
   */
  #step(asks, done, nothing) {
    return this.#inTurn(async () => {
      const answer = await asks();
      const n = answer.undone ?? answer.redone ?? 0;
      const [items, deed] = done;
      if (!n) this.view.say(t(nothing));
      else if (isAccepted(answer.step)) this.view.say(t(deed, { what: sentWords(answer.step) }));
      else this.view.say(t(items, { n }));
      if (n) await this.#afterChange(null);
    });
  }

  /** Claims what is selected, or all that is found, as the person's next batch. */
  async sendToLabel() {
    const target = this.view.selection.size ? targetOf(this.view.selection, undefined, this.view.query) : null;
    const query = target ? { ...target.query, exclude: target.exclude, order: this.view.query.order } : this.view.query;
    try {
      const { batch, left_out: left } = await this.view.api.claim(
        query,
        Math.min(target?.ids?.length ?? BATCH_ITEMS, this.view.settings.max_batch),
      );
      if (!batch) return this.view.say(t("explore_none_to_label"), "warning");
      this.view.say(left ? t("explore_sent", { n: batch.items.length, left }) : "");
      return this.view.context.openBatch();
    } catch (error) {
      return this.view.fail(error);
    }
  }
}

/**
 * @param {string[]} ids
 * @returns {Target}
 */
export function idsTarget(ids) {
  return { query: { ids }, exclude: [], size: ids.length, ids };
}
