// The view `finish`: what can be accepted at a promised precision, the checks that prove it, and accepting it; and screens of
// one predicted class for finishing by hand.

import { ApiError } from "./api.js";
import { classNode } from "./class_colours.js";
import { button, el, isVisible, setShown, setText } from "./dom.js";
import { buildPromiseChart, curveByClass, curveOfClass, isAt, promisesAnything } from "./finish_chart.js";
import { FinishScreen } from "./finish_screen.js";
import { linesText, promiseText } from "./finish_words.js";
import { formatCount } from "./numbers.js";
import { registerView } from "./views.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").PlanAnswer} PlanAnswer */
/** @typedef {import("./api.js").FinishAnswer} FinishAnswer */
/** @typedef {import("./batch.js").Batch} Batch */

const USUAL_PERCENT = 95;
const PLAN_AFTER_MS = 250; // the slider rests
const AGAIN_AFTER_MS = 3000; // nobody answered
const NOT_ADVISED = ["plan_small", "plan_not_worth"];
const SMALLER_PROMISES = [0.98, 0.95, 0.9, 0.85, 0.8];

export class FinishView {
  /**
   * @param {HTMLElement} root
   * @param {import("./views.js").ViewContext} context
   */
  constructor(root, context) {
    this.root = root;
    this.api = context.api;
    this.labelOn = context.openBatch;
    this.stopping = new AbortController();
    /** @type {PlanAnswer | null} */
    this.planned = null;
    this.plansAsked = 0;
    /** @type {FinishAnswer | null} */
    this.now = null;
    this.screen = new FinishScreen(context, this.stopping.signal);
    root.classList.add("fl-finish");
    root.replaceChildren(this.#buildPlan(), this.#buildChecks(), this.#buildVerify(), this.screen.node);
    root.addEventListener("click", (event) => this.#onClick(event), { signal: this.stopping.signal });
  }

  #buildPlan() {
    this.slider = el("input", "fl-finish-slider");
    Object.assign(this.slider, { type: "range", min: "80", max: "99", step: "1", value: String(USUAL_PERCENT) });
    this.slider.addEventListener("input", () => this.#onSlider());
    this.percent = el("output", "fl-finish-percent", `${USUAL_PERCENT} %`);
    this.perClass = el("input", "");
    this.perClass.type = "checkbox";
    this.perClass.addEventListener("change", () => this.plan());
    this.words = el("p", "fl-finish-words", t("finish_planning"));
    this.words.setAttribute("role", "status");
    this.begin = button("fl-quiet fl-finish-go", t("finish_begin"), "begin");
    this.chart = el("div", "fl-finish-chart");
    this.curveClass = el("select", "fl-quiet fl-finish-select");
    this.curveClass.setAttribute("aria-label", t("finish_curve_of"));
    this.curveClass.addEventListener("change", () => this.planned && this.#paintCurve(this.planned));
    this.curveNode = el("div", "fl-finish-curve", this.curveClass, this.chart);
    this.classes = el("details", "fl-finish-classes", el("summary", "fl-quiet", t("finish_by_class")));
    this.classTable = el("table", "fl-finish-table");
    this.classes.append(this.classTable);
    const slider = el("label", "fl-finish-row", el("span", "", t("finish_promise")), this.slider, this.percent);
    const perClass = el("label", "fl-finish-row", this.perClass, t("finish_per_class"));
    const left = el("div", "fl-finish-plan", slider, perClass, this.words, this.begin, this.classes);
    for (const later of [this.begin, this.classes]) setShown(later, false); // what they do stands in the plan
    const title = el("h2", "fl-finish-title", t("finish_title"));
    const why = el("p", "fl-finish-why", t("finish_why"));
    this.planNode = el("section", "fl-finish-part", title, why, el("div", "fl-finish-columns", left, this.curveNode));
    return this.planNode;
  }

  #buildChecks() {
    this.progress = el("p", "fl-finish-progress");
    this.progress.setAttribute("role", "status");
    this.progress.setAttribute("aria-live", "polite");
    this.bar = el("progress", "fl-finish-bar");
    this.bar.setAttribute("aria-label", t("finish_bar"));
    this.acts = el("div", "fl-finish-acts");
    this.checkedClasses = el("p", "fl-finish-checked");
    const parts = [this.progress, this.bar, this.acts, this.checkedClasses];
    this.checksNode = el("section", "fl-finish-part", el("h2", "fl-finish-title", t("finish_checks")), ...parts);
    setShown(this.checksNode, false);
    return this.checksNode;
  }

  #buildVerify() {
    this.verifyClass = el("select", "fl-quiet fl-finish-select");
    this.verifyClass.setAttribute("aria-label", t("finish_verify_class"));
    this.teach = el("input", "");
    this.teach.type = "checkbox";
    const show = button("fl-quiet", t("finish_verify_show"), "verify");
    const teach = el("label", "fl-finish-row", this.teach, t("finish_verify_teach"));
    const row = el("div", "fl-finish-row", this.verifyClass, show, teach);
    const why = el("p", "fl-finish-why", t("finish_verify_why"));
    this.verifyNode = el("section", "fl-finish-part", el("h2", "fl-finish-title", t("finish_verify")), why, row);
    return this.verifyNode;
  }

  show() {
    this.refresh();
  }

  hide() {
    clearTimeout(this.waiting);
  }

  stop() {
    this.stopping.abort();
    clearTimeout(this.waiting);
    this.screen.close();
  }

  /** Asks where it stands, and plans where nothing is under way. */
  refresh() {
    return this.during(async () => {
      this.paintNow(await this.api.get("api/finish"));
      await this.#askPlan();
      if (this.now?.state === "checking" && !this.screen.batch) await this.#openChecks();
    });
  }

  plan() {
    return this.during(() => this.#askPlan());
  }

  /** Paints the plan unless another one was asked for meanwhile: a late answer is of items that are accepted by then. */
  async #askPlan() {
    const asked = ++this.plansAsked;
    const planned = await this.api.post("api/finish/plan", this.#wanted());
    if (asked === this.plansAsked) this.paintPlan(planned);
  }

  #wanted() {
    return { precision: Number(this.slider?.value) / 100, per_class: this.perClass?.checked ?? false };
  }

  #onSlider() {
    const { precision } = this.#wanted();
    setText(/** @type {HTMLElement} */ (this.percent), `${Math.round(100 * precision)} %`);
    if (this.planned) this.#paintCurve(this.planned);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.plan(), PLAN_AFTER_MS);
  }

  /** @param {PlanAnswer} planned */
  paintPlan(planned) {
    this.planned = planned;
    if (this.now) this.acts?.replaceChildren(...acts(this.now, planned));
    const { precision } = this.#wanted();
    setText(/** @type {HTMLElement} */ (this.words), linesText(planned.lines));
    setShown(/** @type {HTMLElement} */ (this.begin), planned.possible || planned.below !== null);
    const at = planned.possible ? precision : (planned.below?.precision ?? precision);
    setText(/** @type {HTMLElement} */ (this.begin), t("finish_begin_at", { percent: promiseText(at) }));
    const isAdvised = !planned.lines.some(({ key }) => NOT_ADVISED.includes(key)); // it is possible all the same
    this.begin?.classList.toggle("fl-finish-go", isAdvised);
    setShown(/** @type {HTMLElement} */ (this.curveNode), promisesAnything(planned));
    this.#paintCurveMenu(planned);
    this.#paintCurve(planned);
    const place = planned.curve.findIndex((one) => isAt(one, precision));
    this.classTable?.replaceChildren(...classRows(planned, place));
    setShown(/** @type {HTMLElement} */ (this.classes), planned.classes.length > 0);
    this.#paintVerify(planned);
    this.root.dataset.planned = String(precision);
  }

  /** The plan on screen is of items that are no longer open: it says so until there is another. */
  #paintPlanning() {
    setText(/** @type {HTMLElement} */ (this.words), t("finish_planning"));
    for (const part of [this.begin, this.classes, this.curveNode]) setShown(/** @type {HTMLElement} */ (part), false);
  }

  /** @param {PlanAnswer} planned */
  #paintCurve(planned) {
    const { precision, per_class: perClass } = this.#wanted();
    const label = this.curveClass?.value;
    const whole = perClass ? curveByClass(planned) : planned.curve;
    this.chart?.replaceChildren(buildPromiseChart(label ? curveOfClass(planned, label) : whole, precision));
  }

  /**
   * Whose curve is shown: all classes together, or one.
   * @param {PlanAnswer} planned
   */
  #paintCurveMenu({ classes }) {
    const menu = /** @type {HTMLSelectElement} */ (this.curveClass);
    const chosen = menu.value;
    const some = classes.map(({ label }) => new Option(label, label));
    menu.replaceChildren(new Option(t("finish_curve_all"), ""), ...some);
    if (classes.some(({ label }) => label === chosen)) menu.value = chosen;
    setShown(menu, classes.length > 1);
  }

  /** @param {PlanAnswer} planned */
  #paintVerify(planned) {
    const menu = /** @type {HTMLSelectElement} */ (this.verifyClass);
    const chosen = menu.value;
    const some = planned.classes.filter(({ unlabeled }) => unlabeled > 0);
    menu.replaceChildren(
      ...some.map(({ label, unlabeled }) => new Option(`${label} (${formatCount(unlabeled)})`, label)),
    );
    if (some.some(({ label }) => label === chosen)) menu.value = chosen;
    this.#showVerify();
  }

  /** Not beside checks: one screen at a time. */
  #showVerify() {
    const isOffered = this.now?.state !== "checking" && Boolean(this.verifyClass?.options.length);
    setShown(/** @type {HTMLElement} */ (this.verifyNode), isOffered);
  }

  /** @param {FinishAnswer} now */
  paintNow(now) {
    this.now = now;
    this.root.dataset.state = now.state;
    setShown(/** @type {HTMLElement} */ (this.checksNode), now.state !== "none" || now.earlier !== null);
    setShown(/** @type {HTMLElement} */ (this.planNode), now.state !== "checking" && now.state !== "proven");
    this.#showVerify();
    setText(/** @type {HTMLElement} */ (this.progress), linesText(now.lines));
    const bar = /** @type {HTMLProgressElement} */ (this.bar);
    setShown(bar, now.state === "checking");
    bar.max = now.checked + now.more_checks || 1;
    bar.value = now.checked;
    this.acts?.replaceChildren(...acts(now, this.planned));
    setText(/** @type {HTMLElement} */ (this.checkedClasses), checkedText(now));
  }

  /** @param {MouseEvent} event */
  #onClick(event) {
    const control = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-action]"));
    const { action = "", precision } = control?.dataset ?? {};
    if (action === "begin") this.#begin();
    else if (action === "check") this.during(() => this.#openChecks());
    else if (action === "verify") this.during(() => this.#openVerify());
    else if (action === "accept-set") this.#act("accept", precision ? { precision: Number(precision) } : {});
    else if (["grow", "give_up", "take_back"].includes(action)) this.#act(action, {});
    else if (action === "label_on") this.#act("give_up", {}).then(() => this.labelOn());
  }

  #begin() {
    return this.during(async () => {
      const wanted = this.#wanted();
      if (!this.planned?.possible && this.planned?.below) wanted.precision = this.planned.below.precision;
      const planned = await this.api.post("api/finish/start", wanted);
      if (!planned.possible) return this.#paintRefused(planned);
      this.paintNow(await this.api.get("api/finish"));
      return this.#openChecks();
    });
  }

  /**
   * The head says something else by now: the slider stands where the answer is of.
   * @param {PlanAnswer} planned
   */
  #paintRefused(planned) {
    const percent = Math.round(100 * planned.precision);
    if (this.slider && percent) this.slider.value = String(percent);
    setText(/** @type {HTMLElement} */ (this.percent), `${this.slider?.value} %`);
    this.paintPlan(planned);
  }

  /**
   * @param {string} name of the route
   * @param {Record<string, unknown>} body
   */
  #act(name, body) {
    return this.during(async () => {
      this.screen.close();
      this.paintNow(await this.api.post(`api/finish/${name}`, body));
      this.#paintPlanning();
      if (this.now?.state === "checking") await this.#openChecks();
      else await this.#askPlan();
    });
  }

  /** @returns {Promise<unknown>} */
  async #openChecks() {
    const answer = await this.api.get("api/finish/checks");
    if (!answer.items.length) {
      this.screen.close();
      return this.paintNow(await this.api.get("api/finish"));
    }
    return this.screen.open(answer, {
      hint: t("finish_check_hint"),
      startsAccepted: false,
      submit: (batch) => this.#submitChecks(batch),
    });
  }

  /**
   * @param {Batch} batch
   * @returns {Promise<void>}
   */
  #submitChecks(batch) {
    return this.during(async () => {
      await this.api.post("api/submit_labels", { batch_id: batch.id, labels: batch.submission() });
      this.paintNow(await this.api.get("api/finish"));
      if (this.now?.state === "checking") return this.#openChecks();
      this.screen.close();
      await this.#askPlan();
      this.checksNode?.scrollIntoView({ block: "nearest" });
    });
  }

  async #openVerify() {
    const label = this.verifyClass?.value ?? "";
    const answer = await this.api.get("api/finish/verify", { label, teach: this.teach?.checked ?? false });
    if (!answer.items.length) {
      this.screen.close();
      return setText(/** @type {HTMLElement} */ (this.words), answer.notice);
    }
    return this.screen.open(answer, {
      hint: t("finish_verify_hint", { name: label }),
      startsAccepted: true,
      submit: (batch) => this.#submitVerified(batch),
    });
  }

  /** @param {Batch} batch */
  #submitVerified(batch) {
    return this.during(async () => {
      const sent = batch.submission();
      await this.api.post("api/submit_labels", { batch_id: batch.id, labels: sent });
      await this.#askPlan();
      await this.#openVerify();
      this.screen.say(t("submitted", { n: sent.length }));
    });
  }

  #tryAgain() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => isVisible(this.root) && this.refresh(), AGAIN_AFTER_MS);
  }

  /**
   * What fails is said, and what is on screen stays.
   * @param {() => Promise<unknown> | unknown} action
   */
  async during(action) {
    this.root.setAttribute("aria-busy", "true");
    try {
      await action();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const place = this.screen.batch ? this.screen.message : this.words;
      setText(/** @type {HTMLElement} */ (place), error.message);
      if (!error.status && !this.screen.batch) this.#tryAgain();
    } finally {
      this.root.setAttribute("aria-busy", "false");
    }
  }
}

/**
 * What can be done now, as buttons.
 * @param {FinishAnswer} now
 * @param {PlanAnswer | null} planned
 */
function acts(now, planned) {
  const parts = [];
  if (now.state === "checking") parts.push(button("fl-quiet", t("finish_check_next"), "check"));
  if (now.acceptable > 0) parts.push(button("fl-finish-go", t("finish_accept", { n: now.acceptable }), "accept-set"));
  if (now.state === "checking" || now.state === "futile") parts.push(...smaller(now));
  if (now.state === "futile" && planned?.possible) {
    const { items, checks } = planned;
    const word = items < now.items ? "finish_surer" : "finish_anew"; // another head, or other answers since
    parts.push(button("fl-finish-go", t(word, { items, checks }), "begin"));
  }
  if (now.state === "proven" && now.larger) {
    const { checks, items } = now.larger;
    parts.push(button("fl-quiet", t("finish_grow", { checks, items }), "grow"));
  }
  if (now.state === "accepted") parts.push(button("fl-quiet", t("finish_take_back"), "take_back"));
  if (now.state !== "none" && now.state !== "accepted") {
    const isFutile = now.state === "futile"; // the plan below it offers a surer set
    parts.push(isFutile ? button("fl-quiet", t("finish_label_on"), "label_on") : giveUp());
  }
  if (now.earlier) parts.push(button("fl-quiet", t("finish_take_back_earlier", { n: now.earlier.items }), "take_back"));
  return parts;
}

function giveUp() {
  return button("fl-quiet", t("finish_give_up"), "give_up");
}

/**
 * The largest smaller promise that is proven already.
 * @param {FinishAnswer} now
 */
function smaller({ precision, proven_precision: sure, proven_items: proven }) {
  const promise = SMALLER_PROMISES.find((one) => one < precision - 1e-9 && one <= sure + 1e-9);
  if (promise === undefined || proven) return [];
  const found = button("fl-quiet", t("finish_accept_at", { percent: promiseText(promise) }), "accept-set");
  found.dataset.precision = String(promise);
  return [found];
}

/** @param {FinishAnswer} now */
function checkedText({ classes, parts }) {
  const states = new Map(parts.map((one) => [one.label, one.state]));
  const seen = classes.filter(({ checked }) => checked > 0);
  return seen
    .map(({ label, checked, wrong }) => {
      const text = t("finish_class_checked", { name: label, checked, wrong });
      const state = states.get(label);
      return state && state !== "checking" ? `${text} ${t(`finish_part_${state}`)}` : text;
    })
    .join(" · ");
}

/**
 * @param {PlanAnswer} planned
 * @param {number} place of the promise on the curve
 */
function classRows({ classes }, place) {
  const heads = [t("finish_class"), t("finish_unlabeled"), t("finish_in_plan"), t("finish_alone")];
  const rows = classes.map(({ label, unlabeled, items, curve }) => {
    const counts = [unlabeled, items, curve[place] ?? 0].map((count) => el("td", "", formatCount(count)));
    return el("tr", "", el("th", "", classNode(label)), ...counts);
  });
  return [el("tr", "", ...heads.map((text) => el("th", "", text))), ...rows];
}

registerView({
  name: "finish",
  title: () => t("view_finish"),
  mount: (root, context) => new FinishView(root, context),
});
