// How good the head is on random items that it was not trained on: a line above the cards, and behind it the advice,
// the target, the learning curve and the recall of each class.

import { ApiError } from "./api.js";
import { measuredHeads } from "./chart_scale.js";
import { button, el, setShown, setText } from "./dom.js";
import { EncoderQuestion } from "./encoder_question.js";
import { buildCurve } from "./evaluation_chart.js";
import {
  describeAudit,
  describeCalibration,
  describeTruth,
  LEAST_AUDIT_ITEMS,
  percentText,
} from "./evaluation_text.js";
import { buildRecall } from "./recall.js";
import { LEAST_TARGET, MOST_TARGET, TargetStore, targetInput } from "./target.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").EvaluationAnswer} EvaluationAnswer */
/** @typedef {import("./api.js").StatusAnswer} StatusAnswer */

const EVALUATION_EVERY_MS = 2000;
const CURVE_WIDTH_PX = 430;

export class EvaluationPanel {
  /**
   * @param {import("./api.js").ProjectApi} api
   * @param {AbortSignal} signal ends it
   * @param {(open: boolean) => void} onTurn is told when the person opens or closes it
   */
  constructor(api, signal, onTurn) {
    this.onTurn = onTurn;
    this.isWanted = false; // by the address, before there is anything to show
    this.api = api;
    /** @type {EvaluationAnswer | null} */
    this.answer = null;
    this.askedAt = -Infinity;
    this.targets = new TargetStore(api.project);
    this.target = this.targets.load();
    this.button = button("fl-quiet fl-evaluation-line", "", "evaluation");
    this.button.title = t("evaluation_title");
    this.button.setAttribute("aria-expanded", "false");
    this.advice = el("p", "fl-advice");
    this.reasons = el("ul", "fl-reasons");
    this.problem = el("p", "fl-evaluation-problem");
    this.problem.setAttribute("role", "status");
    this.input = targetInput();
    this.input.addEventListener("change", () => this.changeTarget());
    this.curve = el("div", "fl-curve");
    this.recall = el("div", "fl-recall");
    this.trueFor = el("p", "fl-true-for");
    this.calibration = el("p", "fl-calibration");
    this.people = el("p", "fl-people-agree");
    this.encoders = new EncoderQuestion(api, signal);
    this.body = this.buildBody();
    this.node = el("div", "fl-evaluation", this.button, this.body);
    setShown(this.node, false);
    signal.addEventListener("abort", () => clearTimeout(this.timer));
  }

  buildBody() {
    const target = el("label", "fl-target", t("target_accuracy"), this.input, "%");
    const figures = [this.curve, this.recall, this.calibration, this.encoders.node];
    const parts = [this.advice, this.reasons, this.trueFor, this.people, target, this.problem, ...figures];
    const body = el("div", "fl-menu-body fl-evaluation-body", ...parts);
    body.id = `fl-evaluation-${this.api.project}`;
    body.setAttribute("role", "group");
    body.setAttribute("aria-label", t("how_good"));
    this.button.setAttribute("aria-controls", body.id);
    setShown(body, false);
    return body;
  }

  get open() {
    return !this.body.hidden;
  }

  // Asks again where the head or the number of labels is another one. A head's point on the curve comes a moment after
  // the head, and how sure it is another one: when both are there it is asked once more.
  /** @param {StatusAnswer} status */
  follow({ head, labeled }) {
    this.state = [head.version, labeled, head.settled].join();
    if (!head.version) return this.paint(null);
    if (this.asking || this.timer || this.state === this.known) return;
    const wait = this.askedAt + EVALUATION_EVERY_MS - performance.now();
    if (wait > 0) this.timer = setTimeout(() => this.ask(), wait);
    else this.ask();
  }

  async ask() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.asking = true;
    this.askedAt = performance.now();
    const { state, target } = this;
    try {
      const answer = await this.api.evaluation(target);
      this.known = state;
      this.paint(answer);
      setText(this.problem, "");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.known = null; // so that the next status asks again
      setText(this.problem, error.message);
    } finally {
      this.asking = false;
    }
    if (target !== this.target) this.ask();
  }

  changeTarget() {
    const percent = Number(this.input.value || Number.NaN);
    if (Number.isNaN(percent)) return this.showTarget();
    const inRange = Math.min(Math.max(percent, LEAST_TARGET), MOST_TARGET);
    this.target = Math.round(10 * inRange) / 1000;
    this.showTarget();
    this.targets.save(this.target);
    if (!this.asking) this.ask();
  }

  /** Opens or closes it as the address says: once there is something to show. */
  set open(isWanted) {
    this.isWanted = isWanted;
    if (isWanted === this.open) return;
    if (!isWanted) this.close();
    else if (this.answer?.audit) this.show();
  }

  toggle() {
    if (this.open) this.close();
    else this.show();
    this.onTurn(this.open);
  }

  /** The person went elsewhere on the page. */
  leave() {
    this.close();
    this.onTurn(false);
  }

  show() {
    this.isWanted = false;
    setShown(this.body, true);
    this.button.setAttribute("aria-expanded", "true");
    // No farther than the window: a short page cannot be scrolled to the rest.
    const belowPx = window.innerHeight - this.body.getBoundingClientRect().top - 8;
    this.body.style.setProperty("--fl-below", `${Math.round(belowPx)}px`);
    this.body.scrollTop = 0;
    this.showTarget();
    this.paintBody();
    this.encoders.look();
  }

  // A target that was typed but not entered is forgotten.
  close() {
    this.showTarget();
    setShown(this.body, false);
    this.encoders.rest();
    this.button.setAttribute("aria-expanded", "false");
  }

  /** @param {EvaluationAnswer | null} answer null without a head */
  paint(answer) {
    this.answer = answer;
    const audit = answer?.audit;
    setShown(this.node, Boolean(audit));
    if (!audit) return this.close();
    setText(this.button, describeAudit(audit));
    this.button.dataset.early = String(audit.items < LEAST_AUDIT_ITEMS);
    if (this.isWanted && !this.open) this.show();
    else if (this.open) this.paintBody();
  }

  paintBody() {
    if (!this.answer?.audit) return;
    const { audit, advice, enough, reasons, target, curve } = this.answer;
    setText(this.advice, advice);
    this.advice.dataset.enough = String(enough);
    this.reasons.replaceChildren(...reasons.map((reason) => el("li", "", reason)));
    setText(this.trueFor, describeTruth(audit));
    setText(this.people, this.answer.people?.text ?? "");
    setShown(this.people, Boolean(this.answer.people));
    if (document.activeElement !== this.input) this.showTarget();
    const widthPx = this.curve.clientWidth || CURVE_WIDTH_PX; // none while another tab of the page is shown
    this.curve.replaceChildren(...buildCurve(measuredHeads(curve), target, widthPx));
    this.recall.replaceChildren(...buildRecall(audit.recall));
    setText(this.calibration, describeCalibration(audit));
  }

  showTarget() {
    const target = this.target ?? this.answer?.target;
    this.input.value = target ? percentText(target) : "";
  }
}
