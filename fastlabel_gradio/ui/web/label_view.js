// The grid of one project: brings batches from the REST API, sends labels there, and leads keys, clicks and the toolbar
// to what they do. Everything else stands in the modules that it imports.

import { ApiError, ProjectApi } from "./api.js";
import { BatchView } from "./batch_view.js";
import { Dock } from "./dock.js";
import { isVisible, setShown } from "./dom.js";
import { DraftStore } from "./drafts.js";
import { EmptyState } from "./empty_state.js";
import { EvaluationPanel } from "./evaluation_panel.js";
import { buildHelp } from "./help.js";
import { actionOfKey } from "./keys.js";
import { plural } from "./numbers.js";
import { loadSheet } from "./sheet.js";
import { SoundBar } from "./sound_bar.js";
import { SoundPlayer } from "./sound_player.js";
import { SoundSettings } from "./sound_settings.js";
import { StatusPanel } from "./status_panel.js";
import { EMBEDDING_BUSY, describeEmpty, mayHaveBatch } from "./status_text.js";
import { ZoomView } from "./zoom_view.js";

const POLL_BUSY_MS = 1000;
const POLL_IDLE_MS = 4000;
const POLL_BACKOFF_MS = 15000;
const RENEW_MS = 60000;
const MAX_BATCH_SIZE = 1000;
const TOOLBAR = ["load", "submit", "undo", "train"];

export class LabelGrid {
  constructor(element, settings) {
    this.settings = settings;
    this.strategy = settings.strategy;
    this.size = settings.batch_size;
    this.api = new ProjectApi(settings.project);
    this.busy = "";
    this.failures = 0;
    this.stopping = new AbortController();
    this.buildPage(element.querySelector(".fl"));
    this.listen();
  }

  buildPage(root) {
    this.root = root;
    this.panel = new StatusPanel(this.api);
    this.evaluation = new EvaluationPanel(this.api, this.stopping.signal);
    this.panel.addEvaluation(this.evaluation);
    this.dock = new Dock();
    const player = this.settings.kind === "audio" ? pagePlayer() : null;
    const pictureUrl = (item) => this.api.url(item.spectrogram_url ?? item.media_url);
    this.zoom = new ZoomView(pictureUrl, player, this.settings.sound_view);
    const drafts = new DraftStore(this.settings.project);
    const { expand } = this.settings.sound_view;
    this.view = new BatchView(drafts, this.dock, this.zoom, player, (url) => this.api.url(url), expand);
    this.sound = player?.settings;
    if (player) this.panel.addSoundBar(new SoundBar(player.settings, expand, this.stopping.signal));
    this.help = buildHelp(this.settings.kind);
    this.empty = new EmptyState();
    const parts = [this.panel, this.view, this.empty, this.dock, this.zoom].map((part) => part.node);
    root.replaceChildren(...parts, this.help);
    root.dataset.project = this.settings.project;
    root.dataset.kind = this.settings.kind;
    this.showEmpty("Getting ready", "Asking for the first batch.");
  }

  listen() {
    const on = (target, type, handler) => target.addEventListener(type, handler, { signal: this.stopping.signal });
    on(this.root, "click", (event) => this.onClick(event));
    on(this.root, "dblclick", (event) => this.onDoubleClick(event));
    on(this.root, "change", (event) => this.onMenuChange(event));
    on(this.root, "pointerdown", (event) => this.onPointerDown(event));
    on(this.root, "focusin", (event) => this.onFocusIn(event));
    if (this.sound) on(this.sound, "change", () => this.view.paintSounds());
    on(this.zoom.node, "close", () => this.view.focusCurrent());
    on(document, "keydown", (event) => this.onKey(event));
    on(document, "click", (event) => this.closeMenus(event.target));
    on(document, "visibilitychange", () => {
      this.pollSoon();
      this.renew();
    });
    this.dockSize = new ResizeObserver(() => {
      this.measureDock();
      if (!isVisible(this.root)) this.view.stopSound(); // another tab of the page was chosen
    });
    this.dockSize.observe(this.dock.node);
  }

  // Cards are scrolled to above the dock.
  measureDock() {
    this.root.style.setProperty("--fl-dock", this.dock.node.offsetHeight + "px");
  }

  start() {
    this.during("load", () => this.fetchBatch(false));
    this.poll();
    this.renewing = setInterval(() => this.renew(), RENEW_MS);
  }

  stop() {
    this.stopping.abort();
    this.dockSize.disconnect();
    clearTimeout(this.polling);
    clearInterval(this.renewing);
    this.view.stopSound();
  }

  configure(strategy, size) {
    this.strategy = strategy ?? this.strategy;
    this.size = Math.min(MAX_BATCH_SIZE, Math.max(1, Math.round(Number(size)) || this.settings.batch_size));
  }

  load(strategy, size) {
    this.configure(strategy, size);
    this.loadNext();
  }

  loadNext() {
    this.during("load", async () => {
      const sent = this.view.labeledCards().length ? await this.sendLabels() : null;
      await this.fetchBatch(true);
      if (sent) this.dock.say("Submitted " + plural(sent.accepted, "label") + " first, then loaded the next batch.");
      else this.dock.say("");
    });
  }

  submit() {
    if (this.busy) return;
    if (!this.view.labeledCards().length) {
      this.dock.say("Label at least one card first.", "warning");
      return;
    }
    this.during("submit", async () => {
      const sent = await this.sendLabels();
      await this.fetchBatch(true);
      this.dock.say("Submitted " + plural(sent.accepted, "label") + (sent.training_triggered ? "; training." : "."));
    });
  }

  async sendLabels() {
    const batchId = this.view.batch.batch_id;
    const labels = this.view.submission();
    this.dock.say("Submitting " + plural(labels.length, "label") + "…");
    const answer = await this.api.submit(batchId, labels);
    this.view.drafts.remove(batchId);
    this.view.forget();
    this.panel.paintCounts(answer);
    this.pollSoon();
    return answer;
  }

  // Takes back the last change on screen; when there is none, the last submit.
  undo() {
    if (this.busy) return;
    if (this.view.changes.length) {
      this.dock.say("Took back " + plural(this.view.undoChange(), "change") + ".");
    } else if (this.view.restored && this.view.labeledCards().length) {
      const kept = plural(this.view.labeledCards().length, "label");
      this.dock.say(kept + " on screen not submitted: submit or clear them (Shift+Backspace), then undo.", "warning");
    } else this.during("undo", () => this.undoSubmit());
  }

  async undoSubmit() {
    const answer = await this.api.undo();
    this.panel.paintCounts(answer);
    this.pollSoon();
    if (!answer.undone) return this.dock.say("There is no submit to undo.");
    if (answer.batch) await this.showBatch(answer.batch);
    else await this.fetchBatch(false);
    return this.dock.say("Undid " + plural(answer.undone, "label") + ": change what was wrong and submit again.");
  }

  train() {
    this.during("train", async () => {
      const answer = await this.api.train();
      this.dock.say(answer.message || "Training was asked for: see the line above the cards.");
      this.pollSoon();
    });
  }

  rescan() {
    this.during("rescan", async () => {
      const answer = await this.api.rescan();
      this.isAwaitingScan = answer.requested;
      if (answer.requested) this.dock.say("Looking for new, changed and removed files…");
      else this.dock.say("The folder is not listed again: embedding has stopped. Restart FastLabel.", "warning");
      this.pollSoon();
    });
  }

  // What a rescan found is said once: always where it was asked for here, otherwise where there is news.
  sayScan({ scans, scan_changes: changes, scan_notice: failure }) {
    const isNew = this.scans !== undefined && scans > this.scans;
    this.scans = scans;
    if (!isNew || failure) return;
    if (changes) this.dock.say("The folder has changed: " + changes + ".");
    else if (this.isAwaitingScan) this.dock.say("Nothing new in the folder.");
    this.isAwaitingScan = false;
  }

  // One request of the person at a time. What fails is said, and what is on screen stays.
  async during(task, action) {
    if (this.busy) return;
    this.setBusy(task);
    try {
      await action();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.sayFailure(task, error);
    } finally {
      this.setBusy("");
    }
  }

  sayFailure(task, error) {
    const kept = this.view.labeledCards().length ? " Your labels are kept: try again." : " Try again.";
    this.dock.say(error.status ? error.message : error.message + kept, "error");
    const batchIsGone = !this.view.batch && (task === "load" || task === "submit");
    if (batchIsGone) this.showEmpty("No batch yet", "The next batch could not be loaded. It is tried again by itself.");
  }

  setBusy(task) {
    this.busy = task;
    this.root.dataset.busy = task;
    this.root.setAttribute("aria-busy", String(task !== ""));
    const toolbar = TOOLBAR.map((name) => document.getElementById("fl-" + name + "-" + this.settings.project));
    for (const control of [this.dock.submit, this.dock.accept, ...toolbar]) if (control) control.disabled = task !== "";
  }

  async fetchBatch(fresh) {
    performance.mark("fastlabel:batch-requested");
    const left = this.view.batch?.batch_id;
    const batch = await this.api.nextBatch(this.size, this.strategy, fresh);
    if (left && left !== batch.batch_id) this.view.drafts.remove(left);
    await this.showBatch(batch);
  }

  async showBatch(batch) {
    this.panel.paintCounts(batch);
    if (!batch.batch_id || !batch.items.length) {
      this.view.forget();
      this.explainEmpty(batch.notice);
      return;
    }
    delete this.root.dataset.readyBatch;
    const loading = loadSheet(this.api.url(batch.sheet_url), batch.columns, batch.items.length);
    this.view.open(batch);
    const sheet = await loading.catch(() => null);
    this.view.paintSheet(sheet);
    const seen = this.settings.kind === "audio" ? "spectrograms" : "pictures";
    const notice = "the " + seen + " could not be loaded, reload the page to try again";
    this.reveal(sheet ? batch : { ...batch, notice });
    this.dock.say("");
  }

  reveal(batch) {
    this.root.dataset.empty = "false";
    setShown(this.empty.node, false);
    setShown(this.view.node, true);
    this.panel.paintBatch(batch, this.settings.kind);
    this.view.reveal();
    this.measureDock();
    if (this.zoom.open) this.zoom.show(this.view.cards[this.view.current], batch.classes);
    else if (this.mayTakeFocus()) this.startAtTop();
    this.root.dataset.readyBatch = batch.batch_id;
    performance.mark("fastlabel:batch-ready");
  }

  showEmpty(title, text) {
    delete this.root.dataset.readyBatch;
    this.root.dataset.empty = "true";
    this.zoom.close();
    setShown(this.view.node, false);
    this.panel.paintBatch(null);
    this.view.node.replaceChildren();
    this.empty.say(title, text);
    setShown(this.empty.node, true);
  }

  explainEmpty(notice) {
    this.emptyNotice = notice ?? "";
    if (this.status) this.showEmpty(...describeEmpty(this.status, this.emptyNotice));
    else this.showEmpty("Getting ready", this.emptyNotice || "Asking how far the embedding is.");
  }

  // A new batch begins with the line above it in view, unless that would cost a third of a small screen.
  startAtTop() {
    this.view.focusCurrent();
    const above = this.view.node.getBoundingClientRect().top + window.scrollY;
    if (this.view.current === 0 && above < window.innerHeight / 3) window.scrollTo(0, 0);
  }

  // The focus is led to the first card of a batch unless the person is typing elsewhere.
  mayTakeFocus() {
    const active = document.activeElement;
    return isVisible(this.root) && !this.help.open && !active?.closest("input, textarea");
  }

  poll() {
    clearTimeout(this.polling);
    if (!this.root.isConnected) return this.stop();
    if (document.hidden || this.asking) return this.pollAfter(POLL_IDLE_MS);
    this.asking = this.api.status().then((status) => this.onStatus(status), (error) => this.onStatusLost(error));
    return this.asking.finally(() => {
      this.asking = null;
      this.pollAfter(this.pollWait());
    });
  }

  pollAfter(wait) {
    clearTimeout(this.polling);
    if (!this.stopping.signal.aborted) this.polling = setTimeout(() => this.poll(), wait);
  }

  pollSoon() {
    if (!document.hidden && !this.asking) this.pollAfter(50);
  }

  pollWait() {
    if (this.failures) return Math.min(POLL_BACKOFF_MS, POLL_BUSY_MS * 2 ** (this.failures - 1));
    const { head, embedding } = this.status ?? {};
    const busy = head?.state === "training" || EMBEDDING_BUSY.includes(embedding?.state) || this.isAwaitingScan;
    return busy && isVisible(this.root) ? POLL_BUSY_MS : POLL_IDLE_MS;
  }

  onStatus(status) {
    const isFirst = !this.status;
    this.status = status;
    this.failures = 0;
    this.panel.setConnected();
    this.panel.paint(status);
    this.sayScan(status.embedding);
    this.evaluation.follow(status);
    if (isFirst) this.view.keepFocusInView(); // its notices have pushed the cards down
    if (this.view.batch || this.busy) return;
    this.explainEmpty(this.emptyNotice);
    if (mayHaveBatch(status)) this.during("load", () => this.fetchBatch(false));
  }

  onStatusLost(error) {
    if (!(error instanceof ApiError)) throw error;
    this.failures += 1;
    this.panel.setLost(error);
  }

  // Keeps the claim on the batch while somebody can see it. A lost claim costs nothing: late labels are stored too.
  // A page that slept past its claim says so, once a batch: its labels still count, but others may have these cards too.
  async renew() {
    const batchId = this.view.batch?.batch_id;
    if (document.hidden || !batchId || !this.root.isConnected) return;
    try {
      const answer = await this.api.renew(batchId);
      if (answer.renewed || this.view.givenBack || this.view.batch?.batch_id !== batchId) return;
      this.view.givenBack = true;
      this.dock.say("After so long these cards may be with others too. Your labels can still be submitted.", "warning");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.pollSoon();
    }
  }

  onKey(event) {
    if (!isVisible(this.root) || this.help.open) return;
    if (event.key === "Escape" && !this.zoom.open) this.onEscape(event.target);
    const action = actionOfKey(event, this.settings.kind);
    if (!action || otherDialogIsOpen(this.root)) return;
    if (action.method === "toggleHelp") this.help.showModal();
    else if (action.method in this.view) {
      if (!this.view.batch || this.busy) return;
      this.view[action.method](action.argument);
    } else this[action.method]();
    event.preventDefault();
  }

  // From a menu back to the cards.
  onEscape(target) {
    if (this.closeMenus(null) || target.matches?.(".fl-select")) this.view.focusCurrent();
  }

  // Closes every menu that a click was not in, and says whether any was open.
  closeMenus(target) {
    const open = [...this.root.querySelectorAll("details.fl-menu[open]")].filter((menu) => !menu.contains(target));
    for (const menu of open) menu.open = false;
    const left = this.evaluation.open && !this.evaluation.node.contains(target);
    if (left) this.evaluation.close();
    return left || open.length > 0;
  }

  onClick(event) {
    const control = event.target.closest("[data-action]");
    if (this.pointed?.matches(".fl-play, .fl-picture")) this.pointed = null;
    if (control) this.press(control);
    else if (event.target.closest(".fl-picture")) this.onPicture(event, this.view.cardOf(event.target));
    else if (event.target.closest(".fl-zoom-frame")) this.onPicture(event, this.zoom.card);
  }

  // A click on a spectrogram plays from that moment.
  onPicture(event, card) {
    if (!card) return;
    const { left, width } = event.target.closest(".fl-picture, .fl-zoom-frame").getBoundingClientRect();
    const place = Math.min(Math.max((event.clientX - left) / width, 0), 1);
    if (card.sound) this.view.playFrom(card, place);
    else this.view.focusCard(card.index);
  }

  // Two clicks on a spectrogram seek twice.
  onDoubleClick(event) {
    if (this.settings.kind === "image" && event.target.closest(".fl-picture")) this.view.toggleZoom();
  }

  press(control) {
    const { action, classIndex } = control.dataset;
    if (action === "help") this.help.showModal();
    else if (action === "close-help") this.help.close();
    else if (action === "close-zoom") this.zoom.close();
    else if (action === "submit") this.submit();
    else if (action === "rescan") this.pressRescan(control);
    else if (action === "evaluation") this.pressEvaluation(control);
    else if (action.startsWith("toggle-")) this.pressSwitch(control, action);
    else if (this.view.batch && !this.busy) this.pressOnBatch(action, this.view.cardOf(control), Number(classIndex));
  }

  pressRescan(control) {
    this.rescan();
    if (this.pointed === control) this.view.focusCurrent();
  }

  pressEvaluation(control) {
    this.evaluation.toggle();
    if (!this.evaluation.open && this.pointed === control) this.view.focusCurrent();
  }

  pressOnBatch(action, card, classIndex) {
    if (action === "accept-rest") this.view.acceptRest();
    else if (action === "class") this.view.labelCurrent(classIndex);
    else if (action === "accept") this.view.acceptCard(card);
    else if (action === "play") this.view.toggleCard(card ?? this.zoom.card);
    else if (action === "zoom") {
      this.view.goTo(card.index);
      this.view.toggleZoom();
    }
  }

  pressSwitch(control, action) {
    if (action === "toggle-loop") this.toggleLoop();
    else if (action === "toggle-normalise") this.toggleNormalise();
    else this.togglePlayOnFocus();
    if (this.pointed === control) this.view.focusCurrent();
  }

  playSlower() {
    this.changeSpeed(-1);
  }

  playFaster() {
    this.changeSpeed(1);
  }

  changeSpeed(steps) {
    this.sound.changeSpeed(steps);
    this.dock.say("Speed " + this.sound.speed + " ×.");
  }

  toggleLoop() {
    this.sound.set("loop", !this.sound.loop);
    this.dock.say(this.sound.loop ? "Loop is on: a sound begins again at its end." : "Loop is off.");
  }

  toggleNormalise() {
    this.sound.set("normalise", !this.sound.normalise);
    this.dock.say(this.sound.normalise ? "Normalise is on: quiet sounds are turned up." : "Normalise is off.");
  }

  togglePlayOnFocus() {
    this.sound.set("playOnFocus", !this.sound.playOnFocus);
    const state = this.sound.playOnFocus ? "on: a card plays when you move to it." : "off.";
    this.dock.say("Play on focus is " + state);
  }

  onMenuChange(event) {
    if (event.target.matches(".fl-select")) this.onClassChosen(event.target);
    else if (this.pointed === event.target) this.view.focusCurrent(); // of the speed
    this.pointed = null;
  }

  onClassChosen(menu) {
    const card = this.view.cardOf(menu);
    const { value } = menu;
    if (!card || this.busy) {
      menu.value = card?.label ?? ""; // on its way to the server: a label given now would belong to no batch
      return;
    }
    this.view.change([card], () => (value === "" ? null : Number(value)));
    // Chosen by pointer, the keys go back to the grid; chosen by keyboard, the menu keeps them.
    if (this.pointed === menu) this.view.focusCard(card.index);
  }

  onPointerDown(event) {
    this.pointed = event.target.closest("select, button, .fl-picture");
    const card = event.target.matches(".fl-select") && this.view.cardOf(event.target);
    if (card) this.view.deck.fillMenu(card);
  }

  onFocusIn(event) {
    const card = this.view.cardOf(event.target);
    if (!card || this.pointed?.matches(".fl-play, .fl-picture")) return; // its click goes there, and plays
    this.view.goTo(card.index);
    if (event.target === card.select) this.view.deck.fillMenu(card);
  }
}

function otherDialogIsOpen(root) {
  return [...document.querySelectorAll("dialog[open], [aria-modal=true]")].some((dialog) => !root.contains(dialog));
}

// One for all tabs, or two sounds could be heard at once.
function pagePlayer() {
  window.fastlabel.player ??= new SoundPlayer(new SoundSettings());
  return window.fastlabel.player;
}
