// Would another encoder be better? A button that has the server compare them, and the table that it finds.

import { ApiError } from "./api.js";
import { button, el, nameNode, setShown, setText } from "./dom.js";
import { formatCount, formatSeconds } from "./numbers.js";
import { needing } from "./rights.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").EncodersAnswer} EncodersAnswer */
/** @typedef {import("./api.js").EncoderRowAnswer} EncoderRowAnswer */

const POLL_MS = 2000;

export class EncoderQuestion {
  /**
   * @param {import("./api.js").ProjectApi} api
   * @param {AbortSignal} signal ends it
   */
  constructor(api, signal) {
    this.api = api;
    this.button = button("fl-quiet", t("encoders_compare"), "compare-encoders", t("encoders_compare_title"));
    needing("POST /api/encoders/compare", this.button);
    this.button.addEventListener("click", () => this.ask());
    const title = el("h2", "fl-evaluation-title", t("encoders_question"));
    this.said = el("p", "fl-curve-note");
    this.said.setAttribute("role", "status");
    this.table = el("div", "fl-encoders");
    this.node = el("div", "fl-encoder-question", title, this.button, this.said, this.table);
    signal.addEventListener("abort", () => this.rest());
  }

  async ask() {
    this.button.disabled = true;
    await this.orSay(() => this.api.compareEncoders());
    await this.look();
  }

  // Also what somebody else asked, or the same person before a reload, is shown.
  async look() {
    this.rest();
    const answer = await this.orSay(() => this.api.comparedEncoders());
    this.button.disabled = answer?.state === "running";
    if (!answer) return;
    this.paint(answer);
    if (answer.state === "running") this.timer = setTimeout(() => this.look(), POLL_MS);
  }

  rest() {
    clearTimeout(this.timer);
  }

  /** @param {EncodersAnswer} answer */
  paint(answer) {
    const { state, rows } = answer;
    setText(this.button, state === "answered" ? t("encoders_again") : t("encoders_compare"));
    setText(this.said, describe(answer));
    setShown(this.table, rows.length > 0);
    this.table.replaceChildren(...(rows.length ? buildTable(answer) : []));
  }

  /**
   * What is asked, or null where an error is shown in its place.
   * @template Answer
   * @param {() => Promise<Answer>} request
   */
  async orSay(request) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(this.said, error.message);
      return null;
    }
  }
}

/** @param {EncodersAnswer} answer */
function describe({ state, error, rows, encoders, labels }) {
  if (state === "failed") return error;
  if (state === "answered") return t("encoders_on", { n: formatCount(labels) });
  if (state === "unasked") return "";
  return encoders ? t("encoders_under_way", { done: rows.length, all: encoders }) : t("encoders_begin");
}

/** @param {EncodersAnswer} answer */
function buildTable({ state, rows, items }) {
  const titles = [t("encoder"), t("encoder_right"), t("encoder_change"), t("encoder_pool", { n: formatCount(items) })];
  const compared = rows.filter((row) => !row.problem).map(buildRow);
  const head = el("thead", "", el("tr", "", ...titles.map(columnTitle)));
  const table = el("table", "fl-encoder-table", head, el("tbody", "", ...compared));
  const problems = rows.filter((row) => row.problem).map(buildProblem);
  const next = state === "answered" && el("p", "fl-curve-note", `${t("encoders_unsure")} ${t("encoders_next")}`);
  return [compared.length ? table : "", problems.length ? el("ul", "fl-reasons", ...problems) : "", next || ""];
}

/** @param {string} title */
function columnTitle(title) {
  const cell = el("th", "", title);
  cell.scope = "col";
  return cell;
}

/** @param {EncoderRowAnswer} row */
function buildRow({ encoder, in_use, accuracy, low, high, change, pool_s }) {
  const name = nameNode(in_use ? t("encoder_in_use", { name: encoder }) : encoder, "fl-encoder-name");
  const right = t("share_with_interval", { share: percent(accuracy), low: percent(low), high: percent(high) });
  const points = change && {
    change: signed(100 * change.change),
    low: signed(100 * change.low),
    high: signed(100 * change.high),
  };
  const cells = [right, points ? t("encoder_points", points) : "", formatSeconds(pool_s ?? 0)];
  return el("tr", "", el("td", "", name), ...cells.map((text) => el("td", "", text)));
}

/** @param {EncoderRowAnswer} row */
function buildProblem({ encoder, problem }) {
  return el("li", "", nameNode(encoder, "fl-encoder-name"), ` ${t("encoder_not_compared", { why: problem })}`);
}

/** @param {number | null} share 0 to 1 */
function percent(share) {
  return `${(100 * (share ?? 0)).toFixed(1)} %`;
}

/** @param {number} points */
function signed(points) {
  return `${points < 0 ? "−" : "+"}${Math.abs(points).toFixed(1)}`;
}
