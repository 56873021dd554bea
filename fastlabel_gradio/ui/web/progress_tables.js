// The tables of the view `progress`: classes, confusions, people, embedding. Building only.

import { classNode, markClass } from "./class_colours.js";
import { button, el, nameNode } from "./dom.js";
import { formatCount, formatPercent } from "./numbers.js";
import { ageOf } from "./time_text.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").Schemas["ProgressAnswer"]} ProgressAnswer */
/** @typedef {(filter: object) => string} Link the address of the items of a query */

const CLASSES_SHOWN = 100;
const MATRIX_CLASSES = 30; // of more a list of the largest confusions says more than a matrix
const CONFUSIONS_SHOWN = 50;

/**
 * @param {ProgressAnswer} answer
 * @param {Link} link
 */
export function buildClasses({ classes, looked_at: lookedAt, pool }, link) {
  const most = Math.max(1, ...classes.map(({ labels }) => labels));
  const rows = classes
    .slice(0, CLASSES_SHOWN)
    .map(({ label, labels, predicted }) => [
      classNode(label, "fl-progress-name"),
      markClass(
        bar(labels / most, link({ labels: [label] }), formatCount(labels), t("items_of_class", { name: label })),
        label,
      ),
      lookedAt
        ? markClass(
            bar(
              predicted / lookedAt,
              link({ predicted: [label] }),
              shareText(predicted, lookedAt),
              t("predicted_as", { name: label }),
            ),
            label,
          )
        : t("no_head_yet"),
    ]);
  const more = classes.length > CLASSES_SHOWN ? [note(t("and_more", { n: classes.length - CLASSES_SHOWN }))] : [];
  const partly = lookedAt < pool && lookedAt > 0 ? [note(t("looked_at", { done: lookedAt, all: pool }))] : [];
  const names = [t("class"), t("labels_head"), t("predicted_share")];
  return [title(t("class_balance")), table(names, rows), ...more, ...partly];
}

/**
 * @param {ProgressAnswer} answer
 * @param {Link} link
 */
export function buildConfusions({ confusion, classes }, link) {
  if (!confusion) return [title(t("confusion")), note(t("no_confusion"))];
  const names = classes.map(({ label }) => label);
  const address = (/** @type {number} */ label, /** @type {number} */ said) =>
    link({ audited: true, labels: [names[label]], predicted: [names[said]] });
  const head = el("div", "fl-progress-head", title(t("confusion")));
  const about = note(t("confusion_of", { n: confusion.items }));
  if (names.length > MATRIX_CLASSES) return [head, about, confusionList(confusion.cells, names, address)];
  const matrix = confusionMatrix(confusion.cells, names, address);
  head.append(sharesSwitch(matrix));
  return [head, about, el("div", "fl-progress-scroll", matrix)];
}

/**
 * @param {ProgressAnswer} answer
 * @param {Link} link
 * @param {((person: string, batchId: string) => unknown) | null} release gives a batch of somebody back; null for who may not
 */
export function buildPeople({ people }, link, release) {
  if (!people.length) return [title(t("people")), note(t("nobody_labeled"))];
  const isChecked = people.some(({ planted }) => planted);
  const isShared = people.some(({ shared }) => shared);
  const isHeld = people.some(({ batches }) => batches.length); // of others only an owner sees them
  const lately = (/** @type {string} */ name) => link({ annotators: [name], order: "-time" });
  const rows = people.map((one) => [
    anchor(lately(one.annotator), one.annotator, t("items_of_person", { name: one.annotator })),
    anchor(lately(one.annotator), formatCount(one.labels), t("items_of_person", { name: one.annotator })),
    one.per_minute === null
      ? "–"
      : anchor(lately(one.annotator), String(Math.round(10 * one.per_minute) / 10), t("labels_a_minute")),
    one.timed ? t("minutes_of", { minutes: String(Math.round(10 * one.minutes) / 10), n: one.timed }) : "",
    ...(isChecked ? [one.planted ? plantedMarks(one, link) : ""] : []),
    ...(isShared
      ? [one.agreed === null ? "" : t("agreed_on", { share: formatPercent(one.agreed), n: one.shared })]
      : []),
    ...(isHeld ? [el("div", "", ...one.batches.map((batch) => openBatch(one.annotator, batch, release)))] : []),
  ]);
  const more = [
    ...(isChecked ? [t("planted")] : []),
    ...(isShared ? [t("agreed_head")] : []),
    ...(isHeld ? [t("open_batch")] : []),
  ];
  const names = [t("person"), t("labels_head"), t("labels_a_minute"), t("timed"), ...more];
  return [title(t("people")), el("div", "fl-progress-scroll", table(names, rows)), note(t("pace_says"))];
}

/**
 * How many planted items somebody came to, and how many of them slipped through.
 * @param {ProgressAnswer["people"][number]} person
 * @param {Link} link
 */
function plantedMarks({ annotator: name, planted, slipped }, link) {
  const met = anchor(link({ planted: [name] }), t("planted_met", { n: planted }), t("items_planted", { name }));
  const words = t("planted_through", { n: slipped });
  const through = slipped ? anchor(link({ slipped: [name] }), words, t("items_slipped", { name })) : words;
  return el("span", "", met, ", ", through);
}

/**
 * Since when somebody holds how many items, and a button that gives them back.
 * @param {string} person
 * @param {ProgressAnswer["people"][number]["batches"][number]} batch
 * @param {((person: string, batchId: string) => unknown) | null} release
 */
function openBatch(person, { batch_id: id, items, opened_at: since }, release) {
  const words = t("held_since", { n: items, time: ageOf(since, Date.now()) });
  if (!release) return el("p", "fl-progress-held", words);
  const give = button("fl-quiet fl-progress-release", t("release"), undefined, t("release_says", { name: person }));
  give.addEventListener("click", () => {
    give.disabled = true;
    release(person, id);
  });
  return el("p", "fl-progress-held", words, " ", give);
}

/**
 * @param {ProgressAnswer} answer
 * @param {Link} link
 */
export function buildEmbedding({ embedding }, link) {
  const { done, total, unreadable } = embedding;
  const all = anchor(link({}), t("embedded", { done, all: total }), t("all_items"));
  const meter = el("progress", "fl-progress-meter");
  meter.max = Math.max(total, 1);
  meter.value = done;
  meter.setAttribute("aria-label", t("embedding_title"));
  const bad = unreadable > 0 ? [note(t("unreadable_count", { n: unreadable }))] : [];
  return [title(t("embedding_title")), meter, el("p", "fl-progress-line", all), ...bad];
}

/**
 * A row a class that people gave, a column a class of the head.
 * @param {[number, number, number][]} cells
 * @param {string[]} names
 * @param {(label: number, said: number) => string} address
 */
function confusionMatrix(cells, names, address) {
  const counts = new Map(cells.map(([label, said, items]) => [`${label} ${said}`, items]));
  const matrix = el("table", "fl-confusion");
  const corner = el("th", "fl-confusion-corner", t("confusion_axes"));
  const heads = names.map((name) => el("th", "fl-confusion-column", el("span", "", classNode(name))));
  for (const [place, one] of heads.entries()) one.title = names[place];
  const body = names.map((name, label) => {
    const row = names.map((_, said) => counts.get(`${label} ${said}`) ?? 0);
    const sum = row.reduce((all, items) => all + items, 0);
    const lead = el("th", "fl-confusion-row", classNode(name));
    lead.scope = "row";
    lead.title = name;
    const tds = row.map((items, said) =>
      confusionCell(items, sum, label === said, items ? address(label, said) : "", [name, names[said]]),
    );
    return el("tr", "", lead, ...tds);
  });
  matrix.append(el("thead", "", el("tr", "", corner, ...heads)), el("tbody", "", ...body));
  return matrix;
}

/**
 * @param {number} items
 * @param {number} sum of the row
 * @param {boolean} isRight
 * @param {string} address
 * @param {string[]} pair of classes: label, head's
 */
function confusionCell(items, sum, isRight, address, [label, said]) {
  const cell = el("td", isRight ? "fl-confusion-right" : "fl-confusion-wrong");
  if (!items) return cell;
  cell.style.setProperty("--share", String(Math.round((100 * items) / sum) / 100));
  const mark = anchor(address, formatCount(items), t("confusion_cell", { label, said, n: items }));
  mark.dataset.count = formatCount(items);
  mark.dataset.share = formatPercent(items / sum);
  cell.append(mark);
  return cell;
}

/** @param {HTMLElement} matrix */
function sharesSwitch(matrix) {
  const turn = button("fl-quiet", t("as_shares"));
  turn.setAttribute("aria-pressed", "false");
  turn.addEventListener("click", () => {
    const asShares = turn.getAttribute("aria-pressed") !== "true";
    turn.setAttribute("aria-pressed", String(asShares));
    for (const mark of matrix.querySelectorAll("a")) {
      mark.textContent = /** @type {string} */ (asShares ? mark.dataset.share : mark.dataset.count);
    }
  });
  return turn;
}

/**
 * @param {[number, number, number][]} cells
 * @param {string[]} names
 * @param {(label: number, said: number) => string} address
 */
function confusionList(cells, names, address) {
  const wrong = cells.filter(([label, said]) => label !== said).sort((a, b) => b[2] - a[2]);
  const rows = wrong
    .slice(0, CONFUSIONS_SHOWN)
    .map(([label, said, items]) => [
      classNode(names[label]),
      classNode(names[said]),
      anchor(
        address(label, said),
        formatCount(items),
        t("confusion_cell", { label: names[label], said: names[said], n: items }),
      ),
    ]);
  return table([t("labels_head"), t("head_says"), t("items_head")], rows);
}

/**
 * @param {number} share 0 to 1, of the width
 * @param {string} address
 * @param {string} text
 * @param {string} what
 */
function bar(share, address, text, what) {
  const mark = anchor(address, text, `${what}: ${text}`);
  mark.classList.add("fl-progress-bar");
  mark.style.setProperty("--share", String(Math.round(1000 * share) / 1000));
  return mark;
}

/**
 * @param {string} address
 * @param {string} text
 * @param {string} what
 */
function anchor(address, text, what) {
  const node = el("a", "fl-progress-mark", nameNode(text));
  node.href = address;
  node.title = what;
  const saysIt = what.split(/[\s,:;()]+/).includes(text); // "30" may be a part of a person's name
  node.setAttribute("aria-label", saysIt ? what : `${what}: ${text}`);
  return node;
}

/**
 * @param {string[]} names of the columns
 * @param {(Node | string)[][]} rows
 */
function table(names, rows) {
  const heads = names.map((name) => el("th", "", name));
  const body = rows.map((row) => el("tr", "", ...row.map((cell) => el("td", "", cell))));
  return el("table", "fl-progress-table", el("thead", "", el("tr", "", ...heads)), el("tbody", "", ...body));
}

/**
 * @param {number} part
 * @param {number} all
 */
function shareText(part, all) {
  const percent = (100 * part) / all;
  return part && percent < 1 ? "< 1 %" : `${Math.round(percent)} %`;
}

/** @param {string} text */
function title(text) {
  return el("h2", "fl-evaluation-title", text);
}

/** @param {string} text */
function note(text) {
  return el("p", "fl-curve-note", text);
}
