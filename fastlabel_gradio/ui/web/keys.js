// The keys of the page: each command has the same ones in every view that has it, and no two commands share one. What a
// command does, and its words, stand in the table of each view.

/**
 * `keys`: values of KeyboardEvent.key, "Shift+" before those with Shift and "Ctrl+" before those with Ctrl or Cmd; "digit"
 * stands for a digit of any keyboard. `caps`: how the help shows it; left out where the line of a neighbour tells it, or where
 * only a button does it. `kind`: the kind of items that it is for, both without. `repeats`: also while the key is held.
 * @typedef {{ keys: string[], caps?: string, kind?: "image" | "audio", repeats?: boolean }} Keyed
 */

// Letters are few, as what has none can be the key of a class: what is about several items, or about what is found, has Shift.
export const KEYS = /** @satisfies {Record<string, Keyed>} */ ({
  label: { keys: ["digit"], caps: "1 … 9, 0" },
  accept: { keys: ["Enter"], caps: "Enter" },
  "accept-rest": { keys: ["Shift+Enter"], caps: "Shift + Enter" },
  "accept-group": { keys: ["a"], caps: "a" },
  exclude: { keys: ["x"], caps: "x" },
  skip: { keys: ["k"], caps: "k" },
  unsure: { keys: ["q"], caps: "q" },
  bad: { keys: ["b"], caps: "b" },
  clear: { keys: ["Backspace", "Delete"], caps: "Backspace" },
  "clear-all": { keys: ["Shift+Backspace"] },
  left: { keys: ["ArrowLeft"], caps: "← → ↑ ↓", repeats: true },
  right: { keys: ["ArrowRight"], repeats: true },
  up: { keys: ["ArrowUp"], repeats: true },
  down: { keys: ["ArrowDown"], repeats: true },
  "page-up": { keys: ["PageUp"], repeats: true },
  "page-down": { keys: ["PageDown"], repeats: true },
  first: { keys: ["Home"] },
  last: { keys: ["End"] },
  "extend-left": { keys: ["Shift+ArrowLeft"], caps: "Shift + ← → ↑ ↓", repeats: true },
  "extend-right": { keys: ["Shift+ArrowRight"], repeats: true },
  "extend-up": { keys: ["Shift+ArrowUp"], repeats: true },
  "extend-down": { keys: ["Shift+ArrowDown"], repeats: true },
  select: { keys: ["Shift+ "], caps: "Shift + Space" },
  all: { keys: ["Shift+A", "Ctrl+A"], caps: "Shift + a" },
  "enlarge-by-space": { keys: [" "], caps: "Space", kind: "image" },
  play: { keys: [" "], caps: "Space", kind: "audio" },
  enlarge: { keys: ["z"], caps: "z" },
  faster: { keys: ["."], caps: ". ,", kind: "audio" },
  slower: { keys: [","], kind: "audio" },
  loop: { keys: ["l"], caps: "l", kind: "audio" },
  normalise: { keys: ["v"], caps: "v", kind: "audio" },
  "play-on-focus": { keys: ["p"], caps: "p", kind: "audio" },
  palette: { keys: ["/"], caps: "/" },
  example: { keys: ["e"], caps: "e" },
  "more-like": { keys: ["m"], caps: "m" },
  "less-like": { keys: ["Shift+M"], caps: "Shift + m" },
  search: { keys: ["Shift+F"], caps: "Shift + f" },
  classes: { keys: ["c"], caps: "c" },
  history: { keys: ["h"], caps: "h" },
  groups: { keys: ["g"], caps: "g" },
  fill: { keys: ["f"], caps: "f", kind: "image" },
  larger: { keys: ["+", "="], caps: "+ -", repeats: true },
  smaller: { keys: ["-"], repeats: true },
  submit: { keys: ["s"], caps: "s" },
  send: { keys: ["Shift+S"], caps: "Shift + s" },
  next: { keys: ["n"], caps: "n" },
  refresh: { keys: ["r"], caps: "r" },
  undo: { keys: ["u"], caps: "u" },
  redo: { keys: ["Shift+U"], caps: "Shift + u" },
  help: { keys: ["?"], caps: "?" },
  rescan: { keys: [] },
  evaluation: { keys: [] },
});

/** @typedef {keyof typeof KEYS} CommandName */

/**
 * The commands of a view with their keys.
 * @template {{ name: CommandName }} Row
 * @param {Row[]} rows
 * @returns {(Row & Keyed)[]}
 */
export function withKeys(rows) {
  return rows.map((row) => ({ ...row, .../** @type {Keyed} */ (KEYS[row.name]) }));
}
