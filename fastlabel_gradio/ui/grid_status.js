// The status line above the cards: counts, head, embedding, what went wrong; and the texts of the empty states.

const EMBEDDING_BUSY = ["starting", "scanning", "loading", "fitting", "embedding"];
const UNREADABLE_SHOWN = 200;
const NOUNS = { image: "picture", audio: "sound" };

class StatusPanel {
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
    const { notice: encoder, notice_why: why, scan_notice: scan } = status.embedding;
    const notice = [status.notice, encoder, scan].filter(Boolean).join(" ");
    this.notice.say(notice === this.dismissed ? "" : notice, why);
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

// Says a line; behind "why" is more of it, where there is more.
function banner(className, tone, onDismiss) {
  const words = el("span", "");
  const reason = el("span", "");
  const why = el("details", "fl-why", el("summary", "", "why"), reason);
  const close = onDismiss ? button("fl-dismiss", "✕") : null;
  close?.setAttribute("aria-label", "Dismiss");
  close?.addEventListener("click", onDismiss);
  const node = el("div", "fl-banner " + className, el("div", "", words, why), close);
  node.dataset.tone = tone;
  node.setAttribute("role", tone === "error" ? "alert" : "note");
  node.hidden = true;
  const self = { node, text: "" };
  self.say = (text, more = "") => {
    self.text = text;
    setText(words, text);
    setText(reason, more);
    setShown(why, more !== "");
    setShown(node, text !== "");
  };
  return self;
}

function buildExports(api, headLink) {
  const formats = ["csv", "json", "jsonl"];
  const links = formats.map((format) => link("Labels as " + format.toUpperCase(), api.exportUrl(format)));
  const body = el("div", "fl-menu-body", ...links, headLink);
  return el("details", "fl-menu fl-export", el("summary", "fl-quiet", "Export"), body);
}

// A menu that lists what is not in the pool, each line with its reason.
function buildList(className) {
  const summary = el("summary", "fl-quiet", "");
  const list = el("ul", "fl-out-list " + className + "-list");
  const body = el("div", "fl-menu-body", list);
  const node = el("details", "fl-menu fl-list-menu " + className, summary, body);
  node.addEventListener("toggle", () => keepInWindow(body));
  node.hidden = true;
  return { node, summary, list, painted: "" };
}

// A menu opens under its button, and as far to the left of that as the window needs.
function keepInWindow(body) {
  body.style.translate = "";
  const over = body.getBoundingClientRect().right - document.documentElement.clientWidth + 8;
  if (over > 0) body.style.translate = -over + "px";
}

// Lines are [node, reason]; an open list is painted anew only where it differs, so that it keeps its place.
function paintList(menu, count, title, lines, more) {
  setShown(menu.node, count > 0);
  const items = lines.map(([name, reason]) => el("li", "", name, el("span", "fl-reason", reason)));
  if (more) items.push(el("li", "", more));
  const content = items.map((item) => item.textContent).join("\n");
  setText(menu.summary, title);
  if (content === menu.painted) return;
  menu.painted = content;
  menu.list.replaceChildren(...items);
}

function describeHead(status) {
  const { head, labeled, since_training: since, train_every: every } = status;
  const name = head.version ? "head v" + head.version : "no head yet";
  if (head.state === "training") return head.message || "training on " + plural(labeled, "label") + "…";
  if (head.state === "failed") return name + " · training failed: " + (head.error || "no reason given");
  if (head.state === "waiting") return name + " · " + (head.message || waitingText(since, every));
  if (!head.version) return name + " · " + waitingText(since, every);
  return [name, plural(head.labels, "label"), formatSeconds(head.seconds ?? 0)].join(" · ");
}

function waitingText(since, every) {
  return since + " of " + every + " new labels until the next training";
}

function describeEmbedding(embedding) {
  if (embedding.shortage) return "Embedding waits: " + embedding.shortage;
  const count = formatCount(embedding.done) + (embedding.total ? " of " + formatCount(embedding.total) : "");
  const doing = {
    starting: "Starting",
    scanning: "Looking for files: " + formatCount(embedding.total || 0) + " found",
    loading: "Loading the encoder",
    fitting: "Fitting the encoder to this pool",
    embedding: "Embedding " + count,
  }[embedding.state];
  const rate = embedding.rate_per_s > 0 && formatCount(Math.round(embedding.rate_per_s)) + " a second";
  const left = embedding.eta_s > 0 && formatSeconds(Math.ceil(embedding.eta_s)).replace(".0", "") + " left";
  const facts = embedding.state === "embedding" ? [rate, left] : [];
  return [doing, ...facts, embedding.encoder].filter(Boolean).join(" · ");
}

// What to say where no batch can be had.
function describeEmpty(status, notice) {
  const noun = NOUNS[status.kind] ?? "item";
  const { embedding } = status;
  if (embedding.state === "failed") return ["Nothing to label yet", "Embedding failed: " + embedding.error];
  if (status.total > 0 && status.unlabeled === 0 && embedding.state === "done") {
    const done = plural(status.labeled, noun) + " done.";
    return ["Every item is labeled", done + " Export the labels or the trained head above."];
  }
  if (EMBEDDING_BUSY.includes(embedding.state)) {
    return ["Getting ready", describeEmbedding(embedding) + ". The first batch comes by itself."];
  }
  if (status.total === 0) {
    const advice = "Nothing in the source can be read. Point FastLabel at a folder with " + noun + "s.";
    return ["No " + noun + "s", notice || advice];
  }
  if (status.claimed_by_others > 0) {
    const held = plural(status.claimed_by_others, "unlabeled item") + " with other annotators.";
    return ["Others are at work", held + " What they give back comes here by itself."];
  }
  return ["No batch at the moment", notice || "Trying again by itself."];
}

// Whether asking for a batch can bring one: something embedded, unlabeled and not in other hands.
function mayHaveBatch({ embedding, labeled, unlabeled, claimed_by_others: claimed }) {
  const busy = EMBEDDING_BUSY.includes(embedding.state);
  const reachable = busy ? Math.min(unlabeled, embedding.done - labeled) : unlabeled;
  return reachable - claimed > 0;
}

function describeBatch({ items, strategy, head_version: version, notice }, kind) {
  const words = [plural(items.length, NOUNS[kind] ?? "item") + ", picked by " + strategy];
  const named = items.some((item) => item.prediction) ? "suggestions from the class names" : "no suggestions yet";
  words.push(version ? "suggestions of head v" + version : named);
  return [words.join(" · "), ...(notice ? [el("span", "fl-batch-notice", notice)] : [])];
}

class EmptyState {
  constructor() {
    this.title = el("h2", "fl-empty-title");
    this.text = el("p", "fl-empty-text");
    this.node = el("div", "fl-empty", this.title, this.text);
    this.node.setAttribute("role", "status");
  }

  say(title, text) {
    setText(this.title, title);
    setText(this.text, text);
  }
}
