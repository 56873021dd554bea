// The part of the view `progress` on how far people agree. Building only.

import { el, nameNode } from "./dom.js";
import { formatCount, formatPercent } from "./numbers.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").Schemas["AgreementAnswer"]} AgreementAnswer */
/** @typedef {import("./api.js").Schemas["AgreeingAnswer"]} AgreeingAnswer */
/** @typedef {import("./api.js").Schemas["EstimateAnswer"]} EstimateAnswer */

const ROWS_SHOWN = 50;

/**
 * @param {AgreementAnswer} answer
 * @param {string} adjudication address of the view where disputes are decided; "" for who may not
 */
export function buildAgreement(answer, adjudication) {
  const title = el("h3", "fl-evaluation-title", t("agreement"));
  const { overall, classes, people, pairs, second_opinions: opinions } = answer;
  const asked = opinions.share ? [note(t("opinions_counts", opinions))] : [];
  if (!overall.items) return [title, ...asked, note(t("no_agreement"))];
  return [
    title,
    el("p", "fl-agreement-overall", t("agreement_overall", { n: overall.items, ...figures(overall) })),
    ...limit(answer),
    ...asked,
    disputes(answer, adjudication),
    table([t("class"), t("items_head"), t("agreed_head"), t("alpha_head")], classes.map(rowOf)),
    table([t("person"), t("items_head"), t("agreed_head"), t("alpha_head")], people.map(rowOf)),
    table([t("pair_head"), t("items_head"), t("agreed_head"), t("kappa_head")], pairs.map(rowOfPair)),
    note(t("agreement_says")),
  ];
}

/** @param {AgreementAnswer} answer */
function limit({ label_accuracy: { value, low, high } }) {
  if (value === null || low === null || high === null) return [];
  const words = { share: formatPercent(value), low: formatPercent(low), high: formatPercent(high) };
  return [el("p", "fl-agreement-limit", t("label_accuracy", words))];
}

/**
 * @param {AgreementAnswer} answer
 * @param {string} address
 */
function disputes({ disputes: waiting, decided }, address) {
  const words = t("disputes_left", { n: waiting });
  const link = el("a", "fl-progress-mark fl-agreement-disputes", words);
  link.href = address;
  return el("p", "", address ? link : words, " ", t("disputes_decided", { n: decided }));
}

/** @param {AgreeingAnswer} one */
function rowOf(one) {
  return [nameNode(one.name), formatCount(one.items), shareText(one.agreed.value), estimateText(one.alpha)];
}

/** @param {AgreementAnswer["pairs"][number]} pair */
function rowOfPair({ people, items, agreed, kappa }) {
  return [nameNode(people.join(" · ")), formatCount(items), shareText(agreed), estimateText(kappa)];
}

/** @param {AgreeingAnswer} one */
function figures({ agreed, alpha }) {
  return { agreed: shareText(agreed.value), alpha: estimateText(alpha) };
}

/** @param {number | null} share */
function shareText(share) {
  return share === null ? "–" : formatPercent(share);
}

/**
 * "0.87 (0.79 to 0.93)"; a dash where it is not defined.
 * @param {EstimateAnswer} estimate
 */
function estimateText({ value, low, high }) {
  if (value === null || low === null || high === null) return "–";
  return t("figure_between", { value: value.toFixed(2), low: low.toFixed(2), high: high.toFixed(2) });
}

/**
 * @param {string[]} names of the columns
 * @param {(Node | string)[][]} rows
 */
function table(names, rows) {
  const heads = names.map((name) => el("th", "", name));
  const body = rows.slice(0, ROWS_SHOWN).map((row) => el("tr", "", ...row.map((cell) => el("td", "", cell))));
  const all = el("table", "fl-progress-table", el("thead", "", el("tr", "", ...heads)), el("tbody", "", ...body));
  const more = rows.length > ROWS_SHOWN && note(t("and_more", { n: rows.length - ROWS_SHOWN }));
  return el("div", "", all, more);
}

/** @param {string} text */
function note(text) {
  return el("p", "fl-curve-note", text);
}
