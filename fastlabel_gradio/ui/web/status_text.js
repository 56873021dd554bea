// The status line above the cards: counts, head, embedding, what went wrong; and the texts of the empty states.

import { el } from "./dom.js";
import { formatCount, formatSeconds, plural } from "./numbers.js";

export const EMBEDDING_BUSY = ["starting", "scanning", "loading", "fitting", "embedding"];
const NOUNS = { image: "picture", audio: "sound" };

export function describeHead(status) {
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

export function describeEmbedding(embedding) {
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
export function describeEmpty(status, notice) {
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
export function mayHaveBatch({ embedding, labeled, unlabeled, claimed_by_others: claimed }) {
  const busy = EMBEDDING_BUSY.includes(embedding.state);
  const reachable = busy ? Math.min(unlabeled, embedding.done - labeled) : unlabeled;
  return reachable - claimed > 0;
}

export function describeBatch({ items, strategy, head_version: version, notice }, kind) {
  const words = [plural(items.length, NOUNS[kind] ?? "item") + ", picked by " + strategy];
  const named = items.some((item) => item.prediction) ? "suggestions from the class names" : "no suggestions yet";
  words.push(version ? "suggestions of head v" + version : named);
  return [words.join(" · "), ...(notice ? [el("span", "fl-batch-notice", notice)] : [])];
}
