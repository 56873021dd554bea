// How good the head is on random items that it was not trained on: a line above the cards, and behind it the advice,
// the target, the learning curve and the recall of each class.

const LEAST_AUDIT_ITEMS = 30;
const EVALUATION_EVERY_MS = 2000;
const RECALL_SHOWN = 60;
const CURVE_WIDTH_PX = 430;
const TARGET_PREFIX = "fastlabel:target:";
const LIKE_THESE =
  "True for items like these. Bursts of one scene or cuts of one recording make it too good: see group_pattern in the " +
  "documentation of sources.";
const LEAST_TARGET = 50;
const MOST_TARGET = 99.9;

class EvaluationPanel {
  constructor(api, signal) {
    this.api = api;
    this.answer = null;
    this.askedAt = -Infinity;
    this.targets = new TargetStore(api.project);
    this.target = this.targets.load();
    this.button = button("fl-quiet fl-evaluation-line", "", "evaluation");
    this.button.title = "How good the head is on random items that it was not trained on";
    this.button.setAttribute("aria-expanded", "false");
    this.buildBody();
    this.node = el("div", "fl-evaluation", this.button, this.body);
    setShown(this.node, false);
    signal.addEventListener("abort", () => clearTimeout(this.timer));
  }

  buildBody() {
    this.advice = el("p", "fl-advice");
    this.reasons = el("ul", "fl-reasons");
    this.problem = el("p", "fl-evaluation-problem");
    this.problem.setAttribute("role", "status");
    this.input = targetInput();
    this.input.addEventListener("change", () => this.changeTarget());
    const target = el("label", "fl-target", "Target accuracy", this.input, "%");
    this.curve = el("div", "fl-curve");
    this.recall = el("div", "fl-recall");
    this.trueFor = el("p", "fl-true-for");
    this.calibration = el("p", "fl-calibration");
    const figures = [this.curve, this.recall, this.calibration];
    const parts = [this.advice, this.reasons, this.trueFor, target, this.problem, ...figures];
    this.body = el("div", "fl-menu-body fl-evaluation-body", ...parts);
    this.body.id = "fl-evaluation-" + this.api.project;
    this.body.setAttribute("role", "group");
    this.body.setAttribute("aria-label", "How good the head is");
    this.button.setAttribute("aria-controls", this.body.id);
    setShown(this.body, false);
  }

  get open() {
    return !this.body.hidden;
  }

  // Asks again where the head or the number of labels is another one. A head's point on the curve comes a moment after
  // the head, and how sure it is another one: when both are there it is asked once more.
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
    this.timer = null;
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
    const percent = Number(this.input.value || NaN);
    if (Number.isNaN(percent)) return this.showTarget();
    const inRange = Math.min(Math.max(percent, LEAST_TARGET), MOST_TARGET);
    this.target = Math.round(10 * inRange) / 1000;
    this.showTarget();
    this.targets.save(this.target);
    if (!this.asking) this.ask();
  }

  toggle() {
    if (this.open) this.close();
    else this.show();
  }

  show() {
    setShown(this.body, true);
    this.button.setAttribute("aria-expanded", "true");
    // No farther than the window: a short page cannot be scrolled to the rest.
    const belowPx = window.innerHeight - this.body.getBoundingClientRect().top - 8;
    this.body.style.setProperty("--fl-below", Math.round(belowPx) + "px");
    this.body.scrollTop = 0;
    this.showTarget();
    this.paintBody();
  }

  // A target that was typed but not entered is forgotten.
  close() {
    this.showTarget();
    setShown(this.body, false);
    this.button.setAttribute("aria-expanded", "false");
  }

  paint(answer) {
    this.answer = answer;
    const audit = answer?.audit;
    setShown(this.node, Boolean(audit));
    if (!audit) return this.close();
    setText(this.button, describeAudit(audit));
    this.button.dataset.early = String(audit.items < LEAST_AUDIT_ITEMS);
    if (this.open) this.paintBody();
  }

  paintBody() {
    const { audit, advice, enough, reasons, target, curve } = this.answer;
    setText(this.advice, advice);
    this.advice.dataset.enough = String(enough);
    this.reasons.replaceChildren(...reasons.map((reason) => el("li", "", reason)));
    setText(this.trueFor, describeTruth(audit));
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

// The target that the person set for a project, 0 to 1. A blocked store only forgets it.
class TargetStore {
  constructor(project) {
    this.key = TARGET_PREFIX + project;
    this.storage = openStorage();
  }

  load() {
    const target = Number(this.storage?.getItem(this.key));
    return target >= LEAST_TARGET / 100 && target <= MOST_TARGET / 100 ? target : null;
  }

  save(target) {
    try {
      this.storage?.setItem(this.key, String(target));
    } catch {
      this.storage = null;
    }
  }
}

function targetInput() {
  const input = el("input", "fl-target-input");
  Object.assign(input, { type: "number", min: LEAST_TARGET, max: MOST_TARGET, step: "any", inputMode: "decimal" });
  return input;
}

function describeAudit({ items, groups, true_for: trueFor, accuracy, low, high }) {
  if (items < LEAST_AUDIT_ITEMS) return "too early to say: " + items + " of " + LEAST_AUDIT_ITEMS + " random items";
  const share = "about " + describeShare(accuracy, low, high);
  if (groups === null) return share + ", from " + plural(items, "random item");
  const counted = plural(items, "random item") + " of " + formatCount(groups) + " " + groupNoun(trueFor);
  return share + " on " + trueFor + ", from " + counted;
}

// What the figure is true for, and why its interval is wider, or why it may be too good.
function describeTruth({ groups, true_for: trueFor }) {
  if (groups === null) return LIKE_THESE;
  const measured = formatCount(groups) + " " + groupNoun(trueFor) + " of which nothing is trained on.";
  return "True for " + trueFor + ": measured on " + measured;
}

// "recordings" or "groups".
function groupNoun(trueFor) {
  return trueFor.replace("new ", "");
}

function describeCalibration({ items, calibration_error: error }) {
  if (items < LEAST_AUDIT_ITEMS) return "";
  const points = Math.round(100 * error);
  return "Confidences are off by " + (points ? plural(points, "point") : "less than a point") + " on average.";
}

function percentText(share) {
  return String(Math.round(1000 * share) / 10);
}

function buildCurve(heads, target, widthPx) {
  const title = el("h3", "fl-evaluation-title", "Learning curve");
  if (!heads.length) {
    const begins = "It begins with the first head that is measured on " + LEAST_POINT_ITEMS + " random items.";
    return [title, el("p", "fl-curve-note", begins)];
  }
  const words = [
    curveKey("line", "accuracy on random items, with its 95 % interval"),
    curveKey("target", "target " + percentText(target) + " %"),
  ];
  return [title, drawCurve(heads, target, widthPx), el("p", "fl-curve-note", ...words)];
}

function curveKey(name, text) {
  return el("span", "fl-curve-key fl-curve-key-" + name, text);
}

function buildRecall(recall) {
  const known = recall.filter(({ items }) => items > 0);
  const unknown = recall.filter(({ items }) => items === 0);
  known.sort((a, b) => a.correct / a.items - b.correct / b.items || b.items - a.items);
  const rows = [...known, ...unknown].slice(0, RECALL_SHOWN).map(recallRow);
  const left = recall.length - rows.length;
  const more = left > 0 && el("p", "fl-curve-note", "and " + formatCount(left) + " more");
  return [el("h3", "fl-evaluation-title", "Recall of each class"), el("ul", "fl-recall-list", ...rows), more || ""];
}

function recallRow({ label, correct, items }) {
  const name = nameNode(label, "fl-recall-name");
  name.title = label;
  const bar = el("progress", "fl-recall-bar");
  bar.max = Math.max(items, 1);
  bar.value = correct;
  bar.setAttribute("aria-hidden", "true"); // the words beside it say as much
  const words = items ? formatCount(correct) + " of " + formatCount(items) : "none yet";
  return el("li", "fl-recall-row", name, bar, el("span", "fl-recall-count", words));
}
