import { banner } from "./banner.js";
import { button, el, link, nameNode, setShown, setText } from "./dom.js";
import { buildList, paintList } from "./list_menu.js";
import { formatCount, plural } from "./numbers.js";
import { EMBEDDING_BUSY, describeBatch, describeEmbedding, describeHead } from "./status_text.js";

const UNREADABLE_SHOWN = 200;

export class StatusPanel {
  constructor(api) {
    this.labeled = fact("fl-labeled", "labeled");
    this.unlabeled = fact("fl-unlabeled", "unlabeled");
    this.head = el("span", "fl-fact fl-head");
    this.batch = el("span", "fl-batch");
    this.annotator = el("span", "fl-annotator");
    this.unreadable = buildList("fl-unreadable");
    this.leftOut = buildList("fl-left-out");
    this.missing = el("span", "fl-fact fl-missing");
    this.missing.title = "Their labels are kept and exported, and count again when the files are back.";
    this.bar = el("progress", "fl-embedding-bar");
    this.bar.setAttribute("aria-label", "Embedding");
    this.embeddingText = el("span", "fl-embedding-text");
    this.embedding = el("div", "fl-embedding", this.bar, this.embeddingText);
    this.connection = banner("fl-connection", "error");
    this.failure = banner("fl-failure", "error");
    this.notice = banner("fl-notice", "warning", () => this.dismiss());
    const help = button("fl-quiet fl-help-button", "Keys", "help");
    help.append(el("kbd", "fl-key", "?"));
    const lists = [this.missing, this.unreadable.node, this.leftOut.node];
    const facts = el("div", "fl-facts", this.labeled.node, this.unlabeled.node, this.head, ...lists);
    this.headLink = link("Trained head", api.checkpointUrl());
    this.rescan = button("fl-quiet fl-rescan", "Rescan", "rescan", "Look for new, changed and removed files now");
    const menu = el("div", "fl-status-menu", this.rescan, buildExports(api, this.headLink), help);
    this.node = el("header", "fl-status", el("div", "fl-status-line", facts, menu), this.embedding);
    this.node.append(this.connection.node, this.failure.node, this.notice.node);
    this.batchLine = el("div", "fl-batch-line", this.batch, this.annotator);
    this.node.append(this.batchLine);
    setShown(this.embedding, false);
    setShown(this.headLink, false);
    setShown(this.missing, false);
  }

  addSoundBar(bar) {
    this.batchLine.insertBefore(bar.node, this.annotator);
  }

  addEvaluation(evaluation) {
    this.head.after(evaluation.node);
  }

  paint(status) {
    this.paintCounts(status);
    this.head.dataset.state = status.head.state;
    setText(this.head, describeHead(status));
    setShown(this.headLink, status.head.version > 0);
    setText(this.annotator, status.annotator ? "you are " + status.annotator : "");
    this.paintEmbedding(status.embedding);
    this.paintUnreadable(status);
    this.paintLeftOut(status);
    this.paintMissing(status.missing_count);
    this.failure.say(status.embedding.state === "failed" ? "Embedding failed: " + status.embedding.error : "");
    const { notice: encoder, scan_notice: scan } = status.embedding;
    const notice = [status.notice, encoder, scan].filter(Boolean).join(" ");
    this.notice.say(notice === this.dismissed ? "" : notice);
  }

  paintBatch(batch, kind) {
    this.batch.replaceChildren(...(batch ? describeBatch(batch, kind) : []));
  }

  paintCounts({ labeled, unlabeled }) {
    setText(this.labeled.number, formatCount(labeled));
    setText(this.unlabeled.number, formatCount(unlabeled));
  }

  paintEmbedding(embedding) {
    const busy = EMBEDDING_BUSY.includes(embedding.state);
    setShown(this.embedding, busy);
    this.embedding.title = embedding.encoder ?? "";
    if (!busy) return;
    if (embedding.total && embedding.state === "embedding") {
      this.bar.max = embedding.total;
      this.bar.value = embedding.done;
    } else this.bar.removeAttribute("value");
    setText(this.embeddingText, describeEmbedding(embedding));
  }

  paintUnreadable({ unreadable_count: count, unreadable: entries }) {
    const lines = entries.slice(0, UNREADABLE_SHOWN).map(({ id, reason }) => [nameNode(id, "fl-file"), reason]);
    const more = count > lines.length ? "and " + formatCount(count - lines.length) + " more" : "";
    paintList(this.unreadable, count, formatCount(count) + " unreadable", lines, more);
  }

  paintLeftOut({ left_out_count: count, left_out_noun: noun, left_out: entries }) {
    const lines = entries.map((entry) => [el("span", "", formatCount(entry.count) + " ", nameNode(entry.what)), entry.why]);
    paintList(this.leftOut, count, formatCount(count) + " " + noun + " left out", lines, "");
  }

  paintMissing(count) {
    setShown(this.missing, count > 0);
    const are = count === 1 ? " is" : " are";
    setText(this.missing, plural(count, "labeled item") + are + " missing from the folder");
  }

  setConnected() {
    this.connection.say("");
  }

  setLost(error) {
    const loggedOut = "You are logged out: reload the page and log in again; your labels are kept.";
    this.connection.say(error.status === 401 ? loggedOut : "Connection lost, retrying; your labels are kept.");
  }

  dismiss() {
    this.dismissed = this.notice.text;
    this.notice.say("");
  }
}

function fact(className, noun) {
  const number = el("b", "fl-number", "–");
  return { node: el("span", "fl-fact " + className, number, " " + noun), number };
}

function buildExports(api, headLink) {
  const formats = ["csv", "json", "jsonl"];
  const links = formats.map((format) => link("Labels as " + format.toUpperCase(), api.exportUrl(format)));
  const body = el("div", "fl-menu-body", ...links, headLink);
  return el("details", "fl-menu fl-export", el("summary", "fl-quiet", "Export"), body);
}
