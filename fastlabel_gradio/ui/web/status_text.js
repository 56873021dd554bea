// What the status says in words: head, embedding, batch, and why there is nothing to label.

import { formatSeconds } from "./numbers.js";
import { serverWords } from "./server_words.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").StatusAnswer} StatusAnswer */
/** @typedef {StatusAnswer["embedding"]} Embedding */

const AT_WORK = ["starting", "loading", "fitting", "embedding"];

/**
 * Whether the pool is still being filled.
 * @param {Embedding} embedding
 */
export function isEmbedding(embedding) {
  return AT_WORK.includes(embedding.state);
}

/** @param {StatusAnswer} status */
export function describeHead(status) {
  const { head, labeled, since_training: since, train_every: every } = status;
  const name = head.version ? t("head_version", { version: String(head.version) }) : t("no_head");
  const waiting = t("until_training", { since, every });
  if (head.state === "training") return serverWords(head.message) || t("training_on", { n: labeled });
  if (head.state === "failed")
    return `${name} · ${t("training_failed", { reason: serverWords(head.error) || t("no_reason") })}`;
  if (head.state === "waiting") return `${name} · ${serverWords(head.message) || waiting}`;
  if (!head.version) return `${name} · ${waiting}`;
  return [name, t("labels", { n: head.labels }), formatSeconds(head.seconds ?? 0)].join(" · ");
}

/** @param {Embedding} embedding */
export function describeEmbedding(embedding) {
  if (embedding.shortage) return t("embedding_waits", { shortage: embedding.shortage });
  const facts = embedding.state === "embedding" ? [describeRate(embedding), describeTimeLeft(embedding)] : [];
  return [describeWork(embedding), ...facts, embedding.encoder].filter(Boolean).join(" · ");
}

/** @param {Embedding} embedding */
function describeWork({ state, scanning, done, total }) {
  if (state === "loading") return t("loading_encoder");
  if (state === "fitting") return t("fitting_encoder");
  if (state !== "embedding") return scanning && total ? t("looking_for_files", { n: total }) : t("starting");
  if (!total) return t("embedding_count", { done });
  return t(scanning ? "embedding_of_so_far" : "embedding_of", { done, all: total });
}

/** @param {Embedding} embedding */
function describeRate({ rate_per_s: rate }) {
  return rate > 0 ? t("a_second", { n: Math.round(rate) }) : "";
}

/** @param {Embedding} embedding */
function describeTimeLeft({ eta_s: left }) {
  if (!left || left < 0) return "";
  return t("left", { time: formatSeconds(Math.ceil(left)).replace(".0", "") });
}

/**
 * What to say where there is no batch: a title and a text.
 * @param {StatusAnswer} status
 * @param {string} notice
 * @returns {[string, string]}
 */
export function describeEmpty(status, notice) {
  const { embedding } = status;
  const sounds = status.kind === "audio";
  if (embedding.state === "failed")
    return [t("nothing_yet"), t("embedding_failed", { error: serverWords(embedding.error) })];
  if (status.total > 0 && status.unlabeled === 0 && embedding.state === "done") {
    const done = t(sounds ? "sounds_done" : "pictures_done", { n: status.labeled });
    const aside = countAside(status);
    return aside ? [t("all_judged"), `${done} ${t("set_aside", { n: aside })}`] : [t("all_labeled"), done];
  }
  if (isEmbedding(embedding)) return [t("getting_ready"), t("first_batch", { what: describeEmbedding(embedding) })];
  if (status.total === 0)
    return [t(sounds ? "no_sounds" : "no_items"), serverWords(notice) || t(sounds ? "give_sounds" : "give_pictures")];
  if (status.claimed_by_others > 0) return [t("others_at_work"), t("with_others", { n: status.claimed_by_others })];
  return [t("no_batch"), serverWords(notice) || t("trying_again")];
}

/**
 * Whether asking for a batch can bring one: something embedded that nobody judged and that is not in other hands, or that this
 * person is asked about though somebody else judged it.
 * @param {Pick<StatusAnswer, "embedding" | "labeled" | "unlabeled" | "set_aside" | "claimed_by_others"> &
 *   Partial<Pick<StatusAnswer, "second_opinions">>} status
 */
export function mayHaveBatch(status) {
  const { embedding, labeled, unlabeled, claimed_by_others: claimed } = status;
  if (status.second_opinions?.for_annotator) return true;
  const left = embedding.done - labeled - countAside(status);
  return (isEmbedding(embedding) ? Math.min(unlabeled, left) : unlabeled) - claimed > 0;
}

/**
 * Items that got a state in place of a label.
 * @param {Pick<StatusAnswer, "set_aside">} status
 */
function countAside({ set_aside: { skip, unsure, bad } }) {
  return skip + unsure + bad;
}

/** @param {import("./api.js").BatchAnswer} batch */
export function describeBatch({ items, kind, strategy, head_version: version }) {
  const picked = t(kind === "audio" ? "sounds_picked_by" : "pictures_picked_by", { n: items.length, strategy });
  const named = t(items.some((item) => item.prediction) ? "suggested_by_names" : "no_suggestions");
  return `${picked} · ${version ? t("suggested_by_head", { version: String(version) }) : named}`;
}
