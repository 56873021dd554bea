// The view `explore`: the whole pool, and everything that was said of it. Leads keys, buttons and addresses to its parts;
// what is found, selected and done is the affair of found_list.js, found_selection.js and explore_acts.js.

import { CardLook } from "./card_look.js";
import { ClassHover } from "./class_examples.js";
import { button, el, isVisible, setShown } from "./dom.js";
import { Emitter } from "./emitter.js";
import { ExploreActing } from "./explore_acting.js";
import { targetOf } from "./explore_acts.js";
import { ExploreChips } from "./explore_chips.js";
import { EXPLORE_COMMANDS } from "./explore_commands.js";
import { ExploreDock } from "./explore_dock.js";
import { ExploreEmpty } from "./explore_empty.js";
import { ExploreFacets } from "./explore_facets.js";
import { FilterError, formatFilter, parseFilter, withPart } from "./explore_filter.js";
import { ExploreGrid } from "./explore_grid.js";
import { followKeys } from "./explore_keys.js";
import { ExploreLikeness } from "./explore_likeness.js";
import { ExploreMenus } from "./explore_menus.js";
import { ExploreOrder } from "./explore_order.js";
import { ExplorePalette } from "./explore_palette.js";
import { ExplorePointer } from "./explore_pointer.js";
import { ExploreSaved } from "./explore_saved.js";
import { ExploreSearch } from "./explore_search.js";
import { ExploreSide } from "./explore_side.js";
import { buildExports } from "./export_menu.js";
import { FoundList } from "./found_list.js";
import { FoundSelection } from "./found_selection.js";
import { buildHelp } from "./help.js";
import "./map_panel.js";
import "./mistakes_panel.js";
import { loadSheet } from "./sheet.js";
import { registerView } from "./views.js";
import { t } from "./words.js";
import { ZoomView } from "./zoom_view.js";

/** @typedef {import("./explore_filter.js").Query} Query */
/** @typedef {import("./address.js").Params} Params */

const SHEET_COLUMNS = 10;
const KEEP_PLACE_MS = 400;

export class ExploreView extends Emitter {
  /**
   * @param {HTMLElement} root
   * @param {import("./views.js").ViewContext} context
   */
  constructor(root, context) {
    super();
    const { settings, api, player } = context;
    this.context = context;
    this.settings = settings;
    this.api = api;
    this.player = player;
    this.stopping = new AbortController();
    /** @type {Query} */
    this.query = {};
    this.asked = 0; // numbers what is asked for: a late answer to an earlier question counts no more
    this.classes = /** @type {string[]} */ ([]);
    this.readsTexts = false;
    /** @type {FoundList | null} */
    this.list = null;
    this.selection = new FoundSelection();
    this.acts = new ExploreActing(this);
    this.likeness = new ExploreLikeness(this);
    this.look = new CardLook(settings.kind);
    this.classKeys = context.classKeys;
    this.classWatch = context.classWatch;
    const narrow = (/** @type {Query} */ part) => this.narrow(part);
    this.search = new ExploreSearch(settings.kind, narrow, (file) => this.likeness.like(file));
    this.order = new ExploreOrder(narrow);
    this.facets = new ExploreFacets(narrow);
    this.chips = new ExploreChips(narrow);
    this.saved = new ExploreSaved(
      api,
      () => this.query,
      (query) => this.ask(query),
      (...said) => this.say(...said),
    );
    this.dock = new ExploreDock(this.classKeys);
    this.palette = new ExplorePalette(this);
    this.menus = new ExploreMenus(this);
    this.grid = new ExploreGrid(
      settings,
      player,
      (url) => api.url(url),
      this.selection,
      () => this.keepPlaceSoon(),
    );
    this.grid.onCurrent = () => this.emit("current", null);
    this.zoom = new ZoomView((item) => api.url(item.spectrogram_url ?? item.media_url), player, settings.sound_view);
    this.help = buildHelp(settings.kind, EXPLORE_COMMANDS, t("explore_clicks"));
    this.#build(root);
    this.pointer = new ExplorePointer(this, this.stopping.signal);
    this.palette.follow(root, this.stopping.signal);
    this.hover = new ClassHover(api, this.dock.node, this.stopping.signal);
    this.#listen();
  }

  /** @param {HTMLElement} root */
  #build(root) {
    this.empty = new ExploreEmpty(this.api, () => this.refresh());
    this.size = el("input", "fl-size");
    Object.assign(this.size, { type: "range", min: "72", max: "320", step: "4", title: t("card_size_title") });
    this.size.setAttribute("aria-label", t("card_size"));
    const refresh = button("fl-quiet", t("explore_refresh"), "refresh", t("explore_refresh_title"));
    this.side = new ExploreSide(() => this.#exploring());
    const shown = () => ({ query: formatFilter(this.query) || "{}", predictions: true });
    const exports = buildExports(this.api, this.settings.exports, [], shown, t("explore_export"));
    this.chips.node.append(exports); // beside how many there are
    const { saved, order, side } = this;
    const tools = el("div", "fl-explore-tools", saved.node, order.node, refresh, this.size, side.buttons);
    const filtersTitle = el("summary", "fl-filters-title", t("explore_filters"));
    const filters = el("details", "fl-filters", filtersTitle, this.facets.node);
    filters.open = window.innerWidth >= 800;
    const middle = el("div", "fl-explore-middle", this.grid.node, this.empty.node);
    const body = el("div", "fl-explore-body", filters, middle, this.side.node);
    this.head = el("div", "fl-explore-head", this.search.node, tools, this.chips.node);
    const parts = [this.head, body, this.dock.node, this.zoom.node, this.palette.node, this.menus.node, this.help];
    this.root = el("div", "fl fl-explore", ...parts);
    this.root.dataset.kind = this.settings.kind;
    root.replaceChildren(this.root);
    this.paintLook();
  }

  #listen() {
    const { signal } = this.stopping;
    followKeys(this, signal);
    document.addEventListener("paste", (event) => this.onPaste(event), { signal });
    this.size?.addEventListener("input", () => this.look.set("sizePx", Number(this.size?.value)), { signal });
    this.look.addEventListener("change", () => this.paintLook(), { signal });
    this.classWatch.on("status", (status) => this.#useClasses(status));
    this.context.connection.on("back", () => this.#answered());
    this.classKeys.addEventListener("change", () => this.dock.paintKeys(), { signal });
    this.zoom.node.addEventListener("close", () => this.grid.focusCurrent(), { signal });
    this.player?.settings.addEventListener("change", () => this.#paintSounds(), { signal });
    this.selection.on("change", () => this.dock.paintScope(this.selection));
    this.bottom = new ResizeObserver(() => this.measure());
    for (const part of [this.dock.node, this.head]) if (part) this.bottom.observe(part);
    window.addEventListener("resize", () => this.measure(), { signal });
  }

  /**
   * As the address says.
   * @param {Params} params
   */
  async show(params) {
    const { fills } = this.look;
    this.look.catchUp();
    if (fills !== this.look.fills) this.#loadSheets();
    this.paintLook();
    this.measure();
    this.openPanel(params.panel ?? "");
    try {
      const query = parseFilter(params.filter);
      const isSame = this.list && formatFilter(query) === formatFilter(this.query);
      if (!isSame) return await this.open(query, Number(params.at) || 0, this.classWatch.learn());
      this.grid.layOut();
      await this.classWatch.learn();
    } catch (error) {
      if (!(error instanceof FilterError)) return this.fail(error);
      this.refuse(t("explore_unreadable_filter", { text: error.message }));
    }
  }

  hide() {
    this.zoom.close();
    this.side?.hide();
    if (this.grid.hasSound()) this.player?.stop();
  }

  stop() {
    this.stopping.abort();
    this.bottom?.disconnect();
    this.side?.stop();
    this.empty?.hide();
    this.grid.stop();
  }

  /** @param {import("./api.js").StatusAnswer} status */
  #useClasses({ classes }) {
    if (classes.join("\n") === this.classes.join("\n")) return;
    this.classes = classes;
    this.grid.useClasses(classes);
    this.dock.setClasses(classes);
    if (this.list) this.acts.readAnew();
  }

  // What is asked for

  /**
   * A step of the person: other values for some keys of the query.
   * @param {Query} part
   */
  narrow(part) {
    this.ask(withPart(this.query, part));
  }

  /**
   * A step of the person to another query.
   * @param {Query} query
   */
  ask(query) {
    this.context.note(this.#params(query, 0));
    return this.open(query, 0);
  }

  /**
   * @param {Query} query
   * @param {number} place
   */
  #params(query, place) {
    return { filter: formatFilter(query), at: place ? String(place) : "", panel: this.side?.name ?? "" };
  }

  /**
   * The list that stands is busy from here on, also while it waits.
   * @param {Query} query
   * @param {number} place to begin with
   * @param {Promise<unknown> | null} classes that it waits for
   */
  async open(query, place, classes = null) {
    const number = ++this.asked;
    this.query = query;
    this.paintQuery(null);
    const list = new FoundList(query, (body) => this.api.items(body));
    try {
      await classes;
      if (number !== this.asked) return;
      const counting = this.api.counts(query);
      counting.catch(() => null); // told by the list, which asks for the same
      const answer = await list.open(place);
      if (number !== this.asked) return;
      this.#follow(list);
      this.selection.restart(list.total);
      this.grid.open(list, list.item(place) ? place : 0);
      this.paintQuery(answer.total);
      this.#sayEmpty(answer);
      const counts = await counting;
      if (number !== this.asked) return;
      this.readsTexts = counts.reads_texts;
      this.facets.paint(query, counts);
      this.search.paint(query, this.readsTexts);
      this.emit("query", query);
    } catch (error) {
      if (number !== this.asked) return;
      this.refuse(/** @type {Error} */ (error).message);
      if (/** @type {any} */ (error).status === 0) this.fail(error);
    }
  }

  /** @param {FoundList} list */
  #follow(list) {
    this.list = list;
    list.on("page", (page) => this.onPage(list, page));
    list.on("failed", (error) => this.fail(error));
    list.on("expired", () => this.open(this.query, this.grid.window.firstPlace));
    for (const page of [...list.pages.values()]) this.onPage(list, page);
  }

  /**
   * @param {FoundList} list
   * @param {import("./found_list.js").Page} page
   */
  async onPage(list, page) {
    if (list !== this.list) return;
    this.grid.paint();
    const rows = Array.from(page.items, (item) => item?.row ?? 9999999999);
    if (!rows.length) return;
    const { fills } = this.look;
    const url = this.api.rowsUrl(rows, fills && this.settings.kind === "image");
    const sheet = await loadSheet(url, SHEET_COLUMNS, rows.length).catch(() => null);
    if (sheet && list === this.list && fills === this.look.fills) this.grid.paintSheet(page.first, sheet);
  }

  #loadSheets() {
    const { list } = this;
    const pages = [...(list?.pages.values() ?? [])]; // painting one moves it to their end
    if (list) for (const page of pages) this.onPage(list, page);
  }

  /** Whole pictures or filled cards. */
  toggleFill() {
    this.look.set("fills", !this.look.fills);
    this.#loadSheets();
  }

  /** Asks anew for the same; cards that fit no longer go. */
  refresh() {
    this.classWatch.learn().catch((error) => this.fail(error));
    return this.open(this.query, this.grid.window.firstPlace);
  }

  /** @param {number | null} total */
  paintQuery(total) {
    this.root?.setAttribute("aria-busy", String(total === null));
    this.chips.paint(this.query, total);
    this.facets.paint(this.query, null);
    this.search.paint(this.query, this.readsTexts);
    this.order.paint(this.query);
  }

  /** @param {{ total: number }} answer */
  #sayEmpty({ total }) {
    setShown(this.grid.node, total > 0);
    if (total) this.empty?.hide();
    else this.empty?.say(this.query);
    if (total) this.grid.layOut();
  }

  /**
   * Where a query cannot be asked: what is wrong stands in place of what would be found.
   * @param {string} reason
   */
  refuse(reason) {
    this.asked++; // whatever else was asked for comes too late
    this.grid.clear();
    this.list = null;
    this.selection.restart(0);
    this.chips.paint(this.query, 0);
    this.root?.setAttribute("aria-busy", "false");
    setShown(this.grid.node, false);
    const all = button("fl-quiet", t("explore_show_everything"));
    all.addEventListener("click", () => this.ask({}));
    this.empty?.refuse(reason, " ", all);
  }

  keepPlaceSoon() {
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => {
      if (isVisible(/** @type {HTMLElement} */ (this.root)))
        this.context.keep(this.#params(this.query, this.grid.window.firstPlace));
    }, KEEP_PLACE_MS);
  }

  /** @param {ClipboardEvent} event */
  onPaste(event) {
    if (!isVisible(/** @type {HTMLElement} */ (this.root))) return;
    if (this.search.onFiles(event.clipboardData?.files)) event.preventDefault();
  }

  // Selection, the current card

  /** @param {import("./batch.js").Move | "page-up" | "page-down"} move */
  move(move) {
    this.grid.go(this.grid.placeAfter(move));
    if (this.zoom.open) this.#showZoom();
  }

  /** @param {import("./batch.js").Move} move */
  async extend(move) {
    const from = this.grid.current;
    this.grid.go(this.grid.placeAfter(move));
    await this.selectRange(from, this.grid.current);
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  async selectRange(from, to) {
    const [first, end] = this.selection.rangeTo(from, to);
    const items = [];
    for (let place = first; place < end; place++) items.push(this.list?.item(place));
    if (items.every(Boolean)) return this.selection.set(/** @type {any[]} */ (items));
    try {
      this.selection.set((await this.list?.load(first, end, this.settings.max_batch)) ?? []);
    } catch (error) {
      this.fail(error);
    }
  }

  /** What is done is done to: the selected items, or the current one. */
  get target() {
    return targetOf(this.selection, this.grid.currentItem, this.query);
  }

  toggleCurrent() {
    if (this.grid.currentItem) this.selection.toggle(this.grid.currentItem);
  }

  toggleZoom() {
    if (this.zoom.open) this.zoom.close();
    else this.#showZoom();
  }

  #showZoom() {
    const shown = this.grid.shown.get(this.grid.current);
    if (shown) this.zoom.show(shown.built, /** @type {any} */ ({ classes: this.classes }));
  }

  toggleSound() {
    const sound = this.grid.shown.get(this.grid.current)?.built.sound;
    if (sound) this.player?.toggle(sound);
  }

  #paintSounds() {
    for (const { built } of this.grid.shown.values()) if (built.sound) this.player?.paintFaces(built.sound);
  }

  // Looks and panels

  paintLook() {
    this.root?.style.setProperty("--fl-card", `${this.look.sizePx}px`);
    this.root?.setAttribute("data-fills", String(this.look.fills));
    if (this.size) this.size.value = String(this.look.sizePx);
    this.grid.layOut();
  }

  /** The grid ends where the window does. */
  measure() {
    const body = this.root?.querySelector(".fl-explore-body");
    if (!body || !isVisible(body)) return;
    const top = body.getBoundingClientRect().top + window.scrollY;
    const height = Math.max(window.innerHeight - top - this.dock.node.offsetHeight - 14, 320);
    this.root?.style.setProperty("--fl-explore-height", `${height}px`);
    this.grid.layOut();
  }

  /** @param {string} name of a panel; "" for none */
  openPanel(name) {
    if (this.side?.show(name)) this.measure();
  }

  /** @param {string} name */
  togglePanel(name) {
    this.openPanel(this.side?.name === name ? "" : name);
    this.context.note(this.#params(this.query, this.grid.window.firstPlace));
  }

  /** @returns {import("./explore_panels.js").Exploring} */
  #exploring() {
    return {
      settings: this.settings,
      api: this.api,
      player: this.player,
      classColours: this.context.classColours,
      query: () => this.query,
      narrow: (part) => this.narrow(part),
      showItems: (ids) => this.ask({ ids }),
      refresh: () => this.refresh(),
      label: (id, name) => this.acts.applyTo([id], { label: name }),
      total: () => this.list?.total ?? 0,
      current: () => this.grid.currentItem ?? null,
      say: (text, tone) => this.say(text, tone),
      on: (type, handler) => this.on(type, handler),
    };
  }

  /**
   * @param {string} text
   * @param {"" | "warning" | "error"} tone
   */
  say(text, tone = "") {
    this.dock.say(text, tone);
  }

  /** @param {any} error */
  fail(error) {
    if (error.status === 0) this.context.connection.lose(error);
    this.dock.sayFailure(error);
  }

  #answered() {
    if (this.dock.sayAnswered() && !this.list) this.open(this.query, 0);
  }
}

registerView({
  name: "explore",
  title: () => t("view_explore"),
  mount: (root, context) => new ExploreView(root, context),
});
