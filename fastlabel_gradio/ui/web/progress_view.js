// The view `progress`: how far the project is. What stands here is counted by the server; every mark leads to its items.

import { formatAddress } from "./address.js";
import { buildAgreement } from "./agreement_tables.js";
import { ApiError } from "./api.js";
import { measuredHeads } from "./chart_scale.js";
import { el, isVisible, setShown, setText } from "./dom.js";
import { buildCurve } from "./evaluation_chart.js";
import { buildClasses, buildConfusions, buildEmbedding, buildPeople } from "./progress_tables.js";
import { registerView } from "./views.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").Schemas["ProgressAnswer"]} ProgressAnswer */
/** @typedef {import("./api.js").Query} Query */

const EVERY_MS = 3000;
const CURVE_WIDTH_PX = 520;
const PADDING_PX = 28; // of a part, left and right

class ProgressView {
  /**
   * @param {HTMLElement} root
   * @param {import("./views.js").ViewContext} context
   */
  constructor(root, { settings, api, connection }) {
    this.root = root;
    this.api = api;
    this.connection = connection;
    this.project = settings.project;
    this.painted = "";
    /** @type {string[] | null} */
    this.may = null; // routes that are open to this person
    this.problem = el("p", "fl-progress-problem");
    this.problem.setAttribute("role", "status");
    const names = ["curve", "classes", "confusion", "people", "agreement", "embedding"];
    this.parts = Object.fromEntries(names.map((name) => [name, el("section", `fl-progress-part fl-progress-${name}`)]));
    root.classList.add("fl-progress");
    this.all = el("div", "fl-progress-parts", ...Object.values(this.parts));
    this.counting = el("p", "fl-progress-counting", t("progress_counting"));
    root.append(this.problem, this.counting, this.all);
    setShown(this.problem, false);
    setShown(this.all, false); // or its parts would be empty boxes, and move when they are filled
  }

  show() {
    this.isOpen = true;
    this.ask();
  }

  hide() {
    this.isOpen = false;
    clearTimeout(this.timer);
  }

  async ask() {
    clearTimeout(this.timer);
    try {
      this.may ??= /** @type {string[]} */ ((await this.api.get("api/me")).may);
      const [answer, agreement] = await Promise.all([this.api.get("api/progress"), this.api.get("api/agreement")]);
      this.paint(answer, agreement);
      setShown(this.problem, false);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status) this.#complain(error);
      else this.connection.lose(error);
    }
    if (this.isOpen) this.timer = setTimeout(() => (isVisible(this.root) ? this.ask() : this.hide()), EVERY_MS);
  }

  /**
   * @param {ProgressAnswer} answer
   * @param {import("./api.js").Schemas["AgreementAnswer"]} agreement
   */
  paint(answer, agreement) {
    const text = JSON.stringify([answer, agreement]);
    if (text === this.painted) return; // or the focus and what is under the pointer would be lost every time
    this.painted = text;
    setShown(this.counting, false);
    setShown(this.all, true);
    const link = (/** @type {object} */ filter) => this.addressOf(filter);
    const widthPx = Math.max(this.parts.curve.clientWidth - PADDING_PX, 0) || CURVE_WIDTH_PX;
    const dots = link({ audited: true });
    this.parts.curve.replaceChildren(...buildCurve(measuredHeads(answer.curve), answer.target, widthPx, dots));
    this.parts.classes.replaceChildren(...buildClasses(answer, link));
    this.parts.confusion.replaceChildren(...buildConfusions(answer, link));
    const release = (/** @type {string} */ person, /** @type {string} */ id) => this.release(person, id);
    const mayRelease = this.may?.includes("POST /api/release");
    this.parts.people.replaceChildren(...buildPeople(answer, link, mayRelease ? release : null));
    const mayDecide = this.may?.includes("POST /api/adjudication");
    const adjudication = mayDecide ? formatAddress({ project: this.project, view: "adjudication" }) : "";
    this.parts.agreement.replaceChildren(...buildAgreement(agreement, adjudication));
    this.parts.embedding.replaceChildren(...buildEmbedding(answer, link));
  }

  /**
   * Gives a batch of somebody back to the pool.
   * @param {string} annotator
   * @param {string} batchId
   */
  async release(annotator, batchId) {
    try {
      await this.api.post("api/release", { annotator, batch_id: batchId });
      await this.ask();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#complain(error);
    }
  }

  /** @param {ApiError} error */
  #complain(error) {
    setText(this.problem, error.message);
    setShown(this.problem, true);
    setShown(this.counting, false);
  }

  /**
   * The address of the items of a query in the view `explore`.
   * @param {object} filter
   */
  addressOf(filter) {
    return formatAddress({ project: this.project, view: "explore", filter: JSON.stringify(filter) });
  }

  stop() {
    this.hide();
  }
}

registerView({
  name: "progress",
  title: () => t("view_progress"),
  mount: (root, context) => new ProgressView(root, context),
});
