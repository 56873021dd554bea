// The status line above the cards: counts, head, embedding, what went wrong, what can be taken away.

import { banner } from "./banner.js";
import { button, el, link, nameNode, setShown, setText } from "./dom.js";
import { buildExports } from "./export_menu.js";
import { buildImports } from "./import_menu.js";
import { buildList, paintList } from "./list_menu.js";
import { formatCount } from "./numbers.js";
import { needing } from "./rights.js";
import { serverWords } from "./server_words.js";
import { describeBatch, describeEmbedding, describeHead, isEmbedding } from "./status_text.js";
import { phrase, t } from "./words.js";

/** @typedef {import("./api.js").StatusAnswer} StatusAnswer */
/** @typedef {import("./api.js").ProjectApi} ProjectApi */

const UNREADABLE_SHOWN = 200;

export class StatusPanel {
  /**
   * @param {ProjectApi} api
   * @param {string[]} formats of exports
   */
  constructor(api, formats) {
    this.labeled = fact("fl-labeled", phrase("labeled_count", { count: number() }));
    this.unlabeled = fact("fl-unlabeled", phrase("unlabeled_count", { count: number() }));
    this.head = el("span", "fl-fact fl-head");
    this.batch = el("span", "fl-batch");
    this.annotator = el("span", "fl-annotator");
    this.unreadable = buildList("fl-unreadable");
    this.leftOut = buildList("fl-left-out");
    this.missing = el("span", "fl-fact fl-missing");
    this.missing.title = t("missing_title");
    this.bar = el("progress", "fl-embedding-bar");
    this.bar.setAttribute("aria-label", t("embedding"));
    this.embeddingText = el("span", "fl-embedding-text");
    this.embedding = el("div", "fl-embedding", this.bar, this.embeddingText);
    this.failure = banner("fl-failure", "error");
    this.notice = banner("fl-notice", "warning", () => this.dismiss());
    this.headLink = link(t("trained_head"), api.checkpointUrl());
    this.modelLink = link(t("model_link"), api.modelUrl());
    this.modelLink.title = t("model_link_title");
    const news = [this.embedding, this.failure.node, this.notice.node];
    this.batchLine = el("div", "fl-batch-line", this.batch, ...news, this.annotator);
    this.fold = button("fl-quiet fl-status-fold", t("status_more"));
    this.fold.addEventListener("click", () => this.unfold(this.fold.getAttribute("aria-expanded") !== "true"));
    this.onFold = (/** @type {boolean} */ _open) => {}; // told when more or less is to be seen
    this.node = el("header", "fl-status", this.statusLine(api, formats), this.batchLine);
    for (const node of [this.embedding, this.headLink, this.modelLink, this.missing]) setShown(node, false);
    this.unfold(false);
  }

  /** @param {boolean} open on a phone, where it begins with one line */
  unfold(open) {
    this.fold.setAttribute("aria-expanded", String(open));
    this.node.dataset.open = String(open);
    this.onFold(open);
  }

  /**
   * @param {ProjectApi} api
   * @param {string[]} formats
   */
  statusLine(api, formats) {
    const lists = [this.missing, this.unreadable.node, this.leftOut.node];
    const facts = el("div", "fl-facts", this.labeled, this.unlabeled, this.head, ...lists);
    const rescan = needing("POST /api/rescan", button("fl-quiet fl-rescan", t("rescan"), "rescan", t("rescan_title")));
    const help = button("fl-quiet fl-help-button", t("keys"), "help");
    help.append(el("kbd", "fl-key", "?"));
    const panel = button("fl-quiet fl-classes-button", t("classes"), "classes", t("classes_title"));
    const classes = needing("POST /api/classes", panel);
    const exports = buildExports(api, formats, [this.modelLink, this.headLink]);
    const menu = el("div", "fl-status-menu", classes, rescan, buildImports(api), exports, help);
    return el("div", "fl-status-line", facts, this.fold, menu);
  }

  /** @param {{ node: HTMLElement }} bar controls of the cards below */
  addBar(bar) {
    this.batchLine.insertBefore(bar.node, this.annotator);
  }

  /** @param {import("./evaluation_panel.js").EvaluationPanel} evaluation */
  addEvaluation(evaluation) {
    this.head.after(evaluation.node);
  }

  /** @param {StatusAnswer} status */
  paint(status) {
    this.paintCounts(status);
    this.head.dataset.state = status.head.state;
    setText(this.head, describeHead(status));
    for (const node of [this.headLink, this.modelLink]) setShown(node, status.head.version > 0);
    setText(this.annotator, status.annotator ? t("you_are", { name: status.annotator }) : "");
    this.annotator.title = status.annotator; // a long name is cut short
    this.paintEmbedding(status.embedding);
    this.paintUnreadable(status);
    this.paintLeftOut(status);
    setShown(this.missing, status.missing_count > 0);
    setText(this.missing, t("missing", { n: status.missing_count }));
    const { state, error, notice: encoder, notice_why: why, scan_notice: scan } = status.embedding;
    this.failure.say(state === "failed" ? t("embedding_failed", { error: serverWords(error) }) : "");
    const notice = serverWords([status.notice, encoder, scan].filter(Boolean).join(" "));
    this.notice.say(notice === this.dismissed ? "" : notice, serverWords(why));
  }

  /** @param {import("./api.js").BatchAnswer | null} batch */
  paintBatch(batch) {
    const notice = batch?.notice
      ? el("span", "fl-batch-notice", el("b", "", t("note")), ` ${serverWords(batch.notice)}`)
      : "";
    this.batch.replaceChildren(batch ? describeBatch(batch) : "", notice);
  }

  /** @param {{ labeled: number, unlabeled: number }} counts */
  paintCounts({ labeled, unlabeled }) {
    setNumber(this.labeled, labeled);
    setNumber(this.unlabeled, unlabeled);
  }

  /** @param {StatusAnswer["embedding"]} embedding */
  paintEmbedding(embedding) {
    const busy = isEmbedding(embedding);
    setShown(this.embedding, busy);
    this.embedding.title = embedding.encoder ?? "";
    if (!busy) return;
    if (embedding.total && embedding.state === "embedding") {
      this.bar.max = embedding.total;
      this.bar.value = embedding.done;
    } else this.bar.removeAttribute("value");
    setText(this.embeddingText, describeEmbedding(embedding));
  }

  /** @param {StatusAnswer} status */
  paintUnreadable({ unreadable_count: count, unreadable: entries }) {
    const shown = entries.slice(0, UNREADABLE_SHOWN);
    const lines = shown.map(({ id, reason }) => ({ name: nameNode(id, "fl-file"), reason }));
    const more = count > lines.length ? t("and_more", { n: count - lines.length }) : "";
    paintList(this.unreadable, count, t("unreadable", { n: count }), lines, more);
  }

  /** @param {StatusAnswer} status */
  paintLeftOut({ left_out_count: count, left_out_noun: noun, left_out: entries }) {
    const lines = entries.map(({ count: of, what, why }) => {
      return { name: el("span", "", `${formatCount(of)} `, nameNode(what)), reason: why };
    });
    paintList(this.leftOut, count, t("left_out", { n: count, noun }), lines, "");
  }

  dismiss() {
    this.dismissed = this.notice.text;
    this.notice.say("");
  }
}

function number() {
  return el("b", "fl-number", "–");
}

/**
 * @param {string} className
 * @param {(Node | string)[]} words
 */
function fact(className, words) {
  return el("span", `fl-fact ${className}`, ...words);
}

/**
 * @param {HTMLElement} node a fact
 * @param {number} count
 */
function setNumber(node, count) {
  const place = node.querySelector(".fl-number");
  if (place) setText(place, formatCount(count));
}
