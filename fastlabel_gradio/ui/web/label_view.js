// The view `label`: the grid of one project. Puts its parts on the page, shows what the session says, and leads keys and
// buttons to the table of commands. What the pointer does stands in pointer.js.

import { formatAddress, parseAddress } from "./address.js";
import { Answering } from "./answering.js";
import { BatchView } from "./batch_view.js";
import { CardLook } from "./card_look.js";
import { ClassHover, toggleExample } from "./class_examples.js";
import { ClassesPanel } from "./classes_panel.js";
import { COMMANDS, commandOfKey } from "./commands.js";
import { Dock } from "./dock.js";
import { isVisible, setShown } from "./dom.js";
import { DraftStore } from "./drafts.js";
import { EmptyState } from "./empty_state.js";
import { EvaluationPanel } from "./evaluation_panel.js";
import { MOST_SEEDS } from "./explore_likeness.js";
import { firstHint } from "./first_hint.js";
import { buildHelp } from "./help.js";
import { HistoryMenu } from "./history_menu.js";
import { KnownLabelsOffer } from "./known_labels_offer.js";
import { LookBar } from "./look_bar.js";
import { Palette } from "./palette.js";
import { Pointer } from "./pointer.js";
import { RunnersUp } from "./runners_up.js";
import { Session } from "./session.js";
import { loadSheet } from "./sheet.js";
import { SoundBar } from "./sound_bar.js";
import { StatusPanel } from "./status_panel.js";
import { describeEmpty } from "./status_text.js";
import { registerView } from "./views.js";
import { t } from "./words.js";
import { ZoomView } from "./zoom_view.js";

/** @typedef {import("./batch.js").Batch} Batch */
/** @typedef {import("./sheet.js").Sheet} Sheet */
/**
 * What the server says of a project before anything is asked.
 * @typedef {{
 *   project: string, kind: "image" | "audio", strategy: string, batch_size: number, max_batch: number, exports: string[], views: string[],
 *   plotly: string,
 *   sound_view: { low_hz: number, top_hz: number, stretch: number, expand: number },
 * }} Settings
 */

const TOOLBAR = ["load", "submit", "undo", "train"];
const SLOW_MS = 400; // until cards that wait for others fade
const CHANGES_CARDS = ["load", "submit", "undo", "redo"];

export class LabelView {
  /**
   * @param {HTMLElement} root
   * @param {import("./views.js").ViewContext} context
   */
  constructor(root, { settings, api, player, classKeys, classColours, recent, note }) {
    this.root = root;
    this.settings = settings;
    this.player = player;
    this.stopping = new AbortController();
    this.api = api;
    this.isGrouped = true;
    const screen = {
      isHidden: () => document.hidden,
      isShown: () => isVisible(root),
      isThere: () => root.isConnected,
    };
    const drafts = new DraftStore(settings.project);
    const prepare = (/** @type {import("./api.js").BatchAnswer} */ answer) => this.loadSheet(answer);
    this.session = new Session(
      this.api,
      drafts,
      settings,
      screen,
      (batch, sheet) => this.present(batch, sheet),
      prepare,
    );
    const { project, kind, sound_view: soundView, exports } = settings;
    this.look = new CardLook(kind);
    this.panel = new StatusPanel(this.api, exports);
    this.evaluation = new EvaluationPanel(this.api, this.stopping.signal, (open) =>
      note({ evaluation: open ? "open" : "" }),
    );
    this.panel.addEvaluation(this.evaluation);
    this.panel.onFold = (open) => document.getElementById(`fl-toolbar-${project}`)?.toggleAttribute("data-open", open);
    this.classKeys = classKeys;
    this.classColours = classColours;
    this.dock = new Dock(this.classKeys);
    this.zoom = new ZoomView((item) => this.api.url(item.spectrogram_url ?? item.media_url), player, soundView);
    this.cards = new BatchView(this.dock, this.zoom, player, (url) => this.api.url(url), soundView.expand, this.look);
    this.answers = new Answering(this.cards, this.dock);
    this.runnersUp = new RunnersUp(this.cards, this.stopping.signal);
    this.offer = new KnownLabelsOffer(project, () => openExplore({ order: "known_labels" }, { panel: "mistakes" }));
    this.panel.addBar(this.offer);
    if (player) {
      this.panel.addBar(new SoundBar(player.settings, soundView.expand, this.stopping.signal));
    }
    this.panel.addBar(new LookBar(this.look, kind, this.stopping.signal));
    this.recent = recent;
    this.palette = new Palette(project, this.classKeys, {
      choose: (index) => this.answers.label(index),
      add: (name) => this.addClass(name),
      close: () => this.cards.focusCurrent(),
    });
    this.classes = new ClassesPanel(this.api, {
      changed: () => this.session.pollSoon(),
      explore: (name) => openExplore({ labels: [name] }),
    });
    this.history = new HistoryMenu(this.session);
    this.dock.addMenu(this.history.node);
    this.help = buildHelp(kind);
    this.empty = new EmptyState(() => this.session.goOn());
    const parts = [this.cards, this.empty, this.dock, this.zoom].map((part) => part.node);
    const above = [this.panel.node, firstHint()].filter((part) => part !== null);
    root.replaceChildren(...above, ...parts, this.palette.node, this.classes.node, this.help);
    Object.assign(root.dataset, { project, kind });
    this.showEmpty(t("getting_ready"), t("asking_first"));
    this.follow();
    this.listen();
  }

  // What the session tells.
  follow() {
    const { session } = this;
    session.on("busy", (task) => this.setBusy(task));
    session.on("say", ({ text, tone }) => this.dock.say(text, tone));
    session.on("counts", (counts) => this.panel.paintCounts(counts));
    session.on("status", (status) => this.onStatus(status));
    session.on("left", () => this.cards.forget());
    session.on("empty", (notice) => this.explainEmpty(notice));
    session.on("failed to load", () => this.showEmpty(t("no_batch_yet"), t("tried_again")));
  }

  listen() {
    const { signal } = this.stopping;
    this.pointer = new Pointer(this, signal);
    this.hover = new ClassHover(this.api, this.dock.node, signal);
    this.zoom.node.addEventListener("close", () => this.cards.focusCurrent(), { signal });
    this.player?.settings.addEventListener("change", () => this.cards.paintSounds(), { signal });
    this.look.addEventListener("change", () => this.paintLook(), { signal });
    this.classKeys.addEventListener("change", () => this.dock.paintKeys(), { signal });
    this.paintLook();
    document.addEventListener("keydown", (event) => this.onKey(event), { signal });
    document.addEventListener("visibilitychange", () => this.onVisibility(), { signal });
    this.dockSize = new ResizeObserver(() => {
      this.measureDock();
      this.cards.measure();
      if (!isVisible(this.root)) this.cards.stopSound(); // another tab of the page was chosen
    });
    this.dockSize.observe(this.dock.node);
  }

  /**
   * As the address says.
   * @param {import("./address.js").Params} params
   */
  show(params) {
    if (!this.isStarted) this.session.start();
    else this.comeBack();
    this.isStarted = true;
    this.evaluation.open = params.evaluation === "open";
  }

  /** From another view, where cards may have got another look. */
  comeBack() {
    const { fills } = this.look;
    this.look.catchUp();
    this.paintLook();
    if (fills !== this.look.fills) this.changeSheet();
    if (document.activeElement === document.body) this.cards.focusCurrent();
  }

  hide() {
    this.zoom.close();
    this.evaluation.close();
    this.cards.stopSound();
  }

  stop() {
    this.session.stop();
    this.stopping.abort();
    clearTimeout(this.fading);
    this.dockSize?.disconnect();
    this.cards.stopSound();
  }

  onVisibility() {
    this.session.pollSoon();
    this.session.renew();
  }

  // Cards are scrolled to above the dock.
  measureDock() {
    const height = this.dock.node.offsetHeight;
    this.root.style.setProperty("--fl-dock", `${height}px`);
    this.cards.seen.setDock(height);
  }

  paintLook() {
    const { sizePx, fills, groups } = this.look;
    this.root.style.setProperty("--fl-card", `${sizePx}px`);
    this.root.dataset.fills = String(fills);
    if (this.isGrouped !== groups) this.session.batch?.arrange(groups);
    this.isGrouped = groups;
    this.cards.measure();
    this.cards.paintTiles();
  }

  /** @param {"groups" | "fills"} name */
  toggleLook(name) {
    this.look.set(name, !this.look[name]);
    if (name === "fills") this.changeSheet();
  }

  openPalette(typed = "") {
    const { batch } = this.session;
    if (!batch) return;
    const often = batch.classes.map(
      (_, index) => batch.cards.filter(({ suggestion }) => suggestion?.index === index).length,
    );
    const { index: own, runnersUp = [] } = batch.currentCard.suggestion ?? {};
    const likely = [...often.keys()].filter((index) => often[index]).sort((one, other) => often[other] - often[one]);
    const first = own === undefined ? likely : [...new Set([own, ...runnersUp, ...likely])];
    const n = batch.targets.length;
    this.palette.open(
      { classes: batch.classes, recent: this.recent.names, likely: first },
      t("palette_for", { n }),
      typed,
    );
  }

  /** @param {string} name of a class that is not there yet: it is added, and the cards get it */
  async addClass(name) {
    await this.session.addClass(name);
    this.answers.label(this.session.batch?.classes.indexOf(name) ?? -1);
  }

  /** The current card becomes an example of its class, or of the one that is suggested; or no more. */
  async toggleExample() {
    const { label, suggestion, item } = this.session.batch?.currentCard ?? {};
    const name = label == null ? suggestion?.name : this.session.batch?.classes[label];
    if (!name || !item) return this.dock.say(t("example_of_what"), "warning");
    const said = await toggleExample(this.api, name, item.id).catch((error) => error);
    this.dock.say(said.message ?? said, said.message ? "error" : "");
  }

  /** What is like the selected cards, or the current one, in Explore; back leads to the batch as it is. */
  moreLike() {
    const ids = this.session.batch?.targets.slice(0, MOST_SEEDS).map(({ item }) => item.id);
    openExplore({ near: { ids } });
  }

  /** @param {string} key of a class */
  labelByKey(key) {
    const index = this.classKeys.of(this.session.batch?.classes ?? []).indexOf(key);
    if (index >= 0) this.answers.label(index);
  }

  /** @param {string} task */
  setBusy(task) {
    this.root.dataset.busy = task;
    this.root.setAttribute("aria-busy", String(task !== ""));
    clearTimeout(this.fading);
    delete this.root.dataset.slow;
    if (CHANGES_CARDS.includes(task)) this.fading = setTimeout(() => this.root.setAttribute("data-slow", ""), SLOW_MS);
    const toolbar = TOOLBAR.map((name) => document.getElementById(`fl-${name}-${this.settings.project}`));
    for (const control of [this.dock.submit, this.dock.accept, ...toolbar]) {
      if (control) /** @type {HTMLButtonElement} */ (control).disabled = task !== "";
    }
  }

  /**
   * @param {Batch} batch
   * @param {Promise<Sheet | null> | null} prepared its sheet, where it was asked for before
   */
  async present(batch, prepared) {
    delete this.root.dataset.readyBatch;
    const loading = this.sheetOf(batch.answer, prepared);
    this.cards.open(batch);
    batch.on("labels", ([{ label }]) => label !== null && this.recent.use(batch.classes[label]));
    batch.on("labels", () => this.history.paint());
    batch.on("labels", () => this.runnersUp.hide());
    batch.on("classes", () => this.runnersUp.hide());
    const sheet = await loading.catch(() => null);
    this.cards.paintSheet(sheet);
    const lost = this.settings.kind === "audio" ? t("no_spectrograms") : t("no_pictures");
    this.reveal(batch, sheet ? batch.answer.notice : lost);
  }

  /**
   * The prepared one, unless the cards are filled otherwise by now or it could not be loaded.
   * @param {import("./api.js").BatchAnswer} answer
   * @param {Promise<Sheet | null> | null} prepared
   */
  async sheetOf(answer, prepared) {
    const sheet = await prepared;
    return sheet?.picture.src === this.sheetUrl(answer) ? sheet : this.loadSheet(answer);
  }

  /** @param {import("./api.js").BatchAnswer} answer */
  sheetUrl({ sheet_url: url }) {
    const fill = this.look.fills && this.settings.kind === "image";
    return this.api.url(url, fill ? { fill } : undefined);
  }

  /** @param {import("./api.js").BatchAnswer} answer */
  loadSheet(answer) {
    return loadSheet(this.sheetUrl(answer), answer.columns, answer.items.length);
  }

  /** The same cards, whole pictures or filled ones. */
  async changeSheet() {
    const { batch } = this.session;
    const sheet = batch && (await this.loadSheet(batch.answer).catch(() => null));
    if (sheet && batch === this.session.batch) this.cards.paintSheet(sheet);
  }

  /**
   * @param {Batch} batch
   * @param {string} notice
   */
  reveal(batch, notice) {
    this.root.dataset.empty = "false";
    setShown(this.empty.node, false);
    setShown(this.cards.node, true);
    this.panel.paintBatch({ ...batch.answer, notice });
    this.cards.paintDock(batch);
    this.measureDock();
    this.cards.reveal(batch);
    if (this.zoom.open && this.cards.current) this.zoom.show(this.cards.current, batch);
    else if (this.mayTakeFocus()) this.startAtTop(batch);
    this.root.dataset.readyBatch = batch.id;
    performance.mark("fastlabel:batch-ready");
  }

  /**
   * @param {string} title
   * @param {string} text
   * @param {boolean} mayGoOn
   */
  showEmpty(title, text, mayGoOn = false) {
    delete this.root.dataset.readyBatch;
    this.root.dataset.empty = "true";
    this.zoom.close();
    setShown(this.cards.node, false);
    this.panel.paintBatch(null);
    this.cards.node.replaceChildren();
    this.empty.say(title, text, mayGoOn);
    setShown(this.empty.node, true);
  }

  /** @param {string} notice */
  explainEmpty(notice) {
    const { status, isAtLimit } = this.session;
    if (isAtLimit) this.showEmpty(t("limit_title"), t("limit_text"), true);
    else if (status) this.showEmpty(...describeEmpty(status, notice));
    else this.showEmpty(t("getting_ready"), notice || t("asking_embedding"));
  }

  /**
   * A new batch begins with the line above it in view, unless that would cost a third of a small screen.
   * @param {Batch} batch
   */
  startAtTop(batch) {
    this.cards.focusCurrent();
    const above = this.cards.node.getBoundingClientRect().top + window.scrollY;
    if (batch.current === 0 && above < window.innerHeight / 3) window.scrollTo(0, 0);
  }

  // The focus is led to the first card of a batch unless the person is typing elsewhere.
  mayTakeFocus() {
    return isVisible(this.root) && !this.help.open && !document.activeElement?.closest("input, textarea");
  }

  /** @param {import("./api.js").StatusAnswer} status */
  onStatus(status) {
    const isFirst = !this.hasStatus;
    this.hasStatus = true;
    this.classKeys.share(status.class_keys);
    this.classColours.share(status.class_colours);
    this.panel.paint(status);
    this.offer.follow(status);
    this.evaluation.follow(status);
    this.inviteToName(status);
    if (isFirst) this.cards.keepFocusInView(); // its notices have pushed the cards down
  }

  /**
   * Once, where there are no classes and there is something to look at.
   * @param {import("./api.js").StatusAnswer} status
   */
  inviteToName({ classes, embedding }) {
    if (this.wasInvited || classes.length || !embedding.done || !isVisible(this.root)) return;
    this.wasInvited = true;
    this.classes.show();
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (!isVisible(this.root) || this.help.open || this.classes.open) return;
    if (event.key === "Escape" && !this.zoom.open) this.onEscape(/** @type {Element} */ (event.target));
    const letters = this.classKeys.lettersOf(this.session.batch?.classes ?? []);
    const found = commandOfKey(event, this.settings.kind, letters);
    if (!found || otherDialogIsOpen(this.root)) return;
    if (this.run(found.command, found.argument)) event.preventDefault();
  }

  /**
   * Runs a command and says so; one on a batch waits for none to be on its way.
   * @param {import("./commands.js").Command} command
   */
  run(command, argument = "") {
    if (command.onBatch && (!this.session.batch || this.session.busy)) return false;
    command.run(this, argument);
    return true;
  }

  /**
   * What a button of that name does; false where the name is no command's.
   * @param {string} name
   */
  runByName(name) {
    const command = COMMANDS.find((one) => one.name === name);
    if (command) this.run(command);
    return Boolean(command);
  }

  /**
   * From a menu back to the cards.
   * @param {Element} target
   */
  onEscape(target) {
    if (this.pointer?.closeMenus(null) || target.matches?.(".fl-select")) return this.cards.focusCurrent();
    this.session.batch?.selection.clear();
  }
}

registerView({
  name: "label",
  title: () => t("view_label"),
  needs: "GET /api/next_batch",
  mount: (root, context) => new LabelView(root, context),
});

/**
 * A step of the person to the items of a query.
 * @param {Record<string, unknown>} query
 * @param {import("./address.js").Params} [more] of the address
 */
function openExplore(query, more = {}) {
  const { project = "" } = parseAddress(location.hash);
  location.hash = formatAddress({ project, view: "explore", filter: JSON.stringify(query), ...more });
}

/** @param {HTMLElement} root */
function otherDialogIsOpen(root) {
  return [...document.querySelectorAll("dialog[open], [aria-modal=true]")].some((dialog) => !root.contains(dialog));
}
