// In which order and in which rows the cards of a batch stand: as they came, or by predicted class, the least sure first.

/** @typedef {import("./batch.js").Card} Card */
/** @typedef {"left" | "right" | "up" | "down" | "first" | "last"} Move */
/**
 * Cards that stand together. `index`: the predicted class; null where there is none, or the cards are not grouped.
 * @typedef {{ index: number | null, cards: Card[] }} Group
 */

/**
 * By predicted class in the order of the classes, those without a prediction last; one group where none has one.
 * @param {Card[]} cards
 * @returns {Group[]}
 */
export function groupsOf(cards) {
  /** @type {Map<number, Card[]>} */
  const found = new Map();
  for (const card of cards) {
    const index = card.suggestion?.index ?? Number.POSITIVE_INFINITY;
    found.set(index, [...(found.get(index) ?? []), card]);
  }
  return [...found.entries()]
    .sort(([one], [other]) => one - other)
    .map(([index, members]) => ({
      index: Number.isFinite(index) ? index : null,
      cards: members.sort((one, other) => sureness(one) - sureness(other)),
    }));
}

/**
 * As they came, in one group.
 * @param {Card[]} cards
 * @returns {Group[]}
 */
export function ungrouped(cards) {
  return [{ index: null, cards: [...cards].sort((one, other) => one.tile - other.tile) }];
}

/**
 * The positions of the cards row by row, -1 for a heading in a cell of its own. Each group begins a row unless they flow.
 * @param {Group[]} groups
 * @param {number} columns
 * @param {boolean} flows
 */
export function rowsOf(groups, columns, flows) {
  const places = groups.map(({ cards }) => cards.map(({ index }) => index));
  if (flows)
    return cut(
      places.flatMap((group) => [-1, ...group]),
      columns,
    );
  return places.flatMap((group) => cut(group, columns));
}

/**
 * The position where a move leads from another; the same at an edge.
 * @param {number[][]} rows
 * @param {number} from
 * @param {Move} move
 */
export function neighbourOf(rows, from, move) {
  const last = Math.max(...rows.flat());
  if (move === "first") return 0;
  if (move === "last") return last;
  if (move === "left") return Math.max(0, from - 1);
  if (move === "right") return Math.min(last, from + 1);
  const row = rows.findIndex((places) => places.includes(from));
  const target = rows[row + (move === "up" ? -1 : 1)];
  if (!target) return move === "up" ? from : last;
  const column = rows[row].indexOf(from);
  const nearest = target.map((place, at) => [Math.abs(at - column), place]).filter(([, place]) => place >= 0);
  return nearest.sort(([one], [other]) => one - other)[0]?.[1] ?? from;
}

/**
 * @param {number[]} places
 * @param {number} columns
 */
function cut(places, columns) {
  const rows = Math.ceil(places.length / columns);
  return Array.from({ length: rows }, (_, row) => places.slice(row * columns, (row + 1) * columns));
}

/** @param {Card} card */
function sureness({ suggestion }) {
  return suggestion?.confidence ?? 0;
}
