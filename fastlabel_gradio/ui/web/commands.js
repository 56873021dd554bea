// Everything a person can do by key: which key, the words of the help, and what it does. The help, the keyboard and the
// buttons read this one table, and a test compares the README with it.

import { may } from "./rights.js";

/** @typedef {import("./label_view.js").LabelView} LabelView */
/**
 * `keys`: values of KeyboardEvent.key, "Shift+" before those with Shift; "digit" stands for a digit of any keyboard.
 * `caps`, `help`: how the help shows it, and its words; left out where the line of a neighbour tells it.
 * `kind`: the kind of items that it is for, both without. `repeats`: also while the key is held.
 * `needs`: the route that one must be allowed to use.
 * `onBatch`: only while there is a batch and nothing is on its way.
 * @typedef {{
 *   name: string, keys: string[], run: (view: LabelView, argument: string) => unknown, caps?: string,
 *   help?: import("./words.js").Word, kind?: "image" | "audio", repeats?: boolean, onBatch?: boolean, needs?: string,
 * }} Command
 */

/** @type {Command[]} */
export const COMMANDS = [
  {
    name: "label",
    keys: ["digit"],
    caps: "1 … 9, 0",
    help: "help_label",
    onBatch: true,
    run: (view, key) => view.labelByKey(key),
  },
  {
    name: "accept",
    keys: ["Enter"],
    caps: "Enter",
    help: "help_accept",
    onBatch: true,
    run: (view) => view.answers.accept(),
  },
  {
    name: "accept-rest",
    keys: ["Shift+Enter"],
    caps: "Shift + Enter",
    help: "help_accept_rest",
    onBatch: true,
    run: (view) => view.answers.acceptRest(),
  },
  {
    name: "accept-group",
    keys: ["a"],
    caps: "a",
    help: "help_accept_group",
    onBatch: true,
    run: (view) => view.answers.acceptGroup(),
  },
  {
    name: "exclude",
    keys: ["x"],
    caps: "x",
    help: "help_exclude",
    onBatch: true,
    run: (view) => view.answers.exclude(),
  },
  {
    name: "skip",
    keys: ["k"],
    caps: "k",
    help: "help_skip",
    onBatch: true,
    run: (view) => view.answers.setAside("skip"),
  },
  {
    name: "unsure",
    keys: ["q"],
    caps: "q",
    help: "help_unsure",
    onBatch: true,
    run: (view) => view.answers.setAside("unsure"),
  },
  {
    name: "bad",
    keys: ["b"],
    caps: "b",
    help: "help_bad",
    onBatch: true,
    run: (view) => view.answers.setAside("bad"),
  },
  {
    name: "clear",
    keys: ["Backspace", "Delete"],
    caps: "Backspace",
    help: "help_clear",
    onBatch: true,
    run: (view) => view.answers.clear(),
  },
  { name: "clear-all", keys: ["Shift+Backspace"], onBatch: true, run: (view) => view.answers.clearAll() },
  {
    name: "left",
    keys: ["ArrowLeft"],
    caps: "← → ↑ ↓",
    help: "help_move",
    onBatch: true,
    repeats: true,
    run: (view) => view.cards.move("left"),
  },
  { name: "right", keys: ["ArrowRight"], onBatch: true, repeats: true, run: (view) => view.cards.move("right") },
  { name: "up", keys: ["ArrowUp"], onBatch: true, repeats: true, run: (view) => view.cards.move("up") },
  { name: "down", keys: ["ArrowDown"], onBatch: true, repeats: true, run: (view) => view.cards.move("down") },
  {
    name: "extend-left",
    keys: ["Shift+ArrowLeft"],
    caps: "Shift + ← → ↑ ↓",
    help: "help_extend",
    onBatch: true,
    repeats: true,
    run: (view) => view.cards.extend("left"),
  },
  {
    name: "extend-right",
    keys: ["Shift+ArrowRight"],
    onBatch: true,
    repeats: true,
    run: (view) => view.cards.extend("right"),
  },
  {
    name: "extend-up",
    keys: ["Shift+ArrowUp"],
    onBatch: true,
    repeats: true,
    run: (view) => view.cards.extend("up"),
  },
  {
    name: "extend-down",
    keys: ["Shift+ArrowDown"],
    onBatch: true,
    repeats: true,
    run: (view) => view.cards.extend("down"),
  },
  { name: "first", keys: ["Home"], onBatch: true, run: (view) => view.cards.move("first") },
  { name: "last", keys: ["End"], onBatch: true, run: (view) => view.cards.move("last") },
  {
    name: "enlarge-by-space",
    keys: [" "],
    caps: "Space",
    help: "help_enlarge_picture",
    kind: "image",
    onBatch: true,
    run: (view) => view.cards.toggleZoom(),
  },
  {
    name: "play",
    keys: [" "],
    caps: "Space",
    help: "help_play",
    kind: "audio",
    onBatch: true,
    run: (view) => view.cards.toggleSound(),
  },
  {
    name: "enlarge",
    keys: ["z"],
    caps: "z",
    help: "help_enlarge",
    onBatch: true,
    run: (view) => view.cards.toggleZoom(),
  },
  { name: "faster", keys: ["."], caps: ". ,", help: "help_speed", kind: "audio", run: (view) => view.changeSpeed(1) },
  { name: "slower", keys: [","], kind: "audio", run: (view) => view.changeSpeed(-1) },
  { name: "loop", keys: ["l"], caps: "l", help: "help_loop", kind: "audio", run: (view) => view.toggle("loop") },
  {
    name: "normalise",
    keys: ["v"],
    caps: "v",
    help: "help_normalise",
    kind: "audio",
    run: (view) => view.toggle("normalise"),
  },
  {
    name: "play-on-focus",
    keys: ["p"],
    caps: "p",
    help: "help_play_on_focus",
    kind: "audio",
    run: (view) => view.toggle("playOnFocus"),
  },
  {
    name: "palette",
    keys: ["/"],
    caps: "/",
    help: "help_palette",
    onBatch: true,
    run: (view) => view.openPalette(),
  },
  {
    name: "example",
    needs: "POST /api/classes",
    keys: ["e"],
    caps: "e",
    help: "help_example",
    onBatch: true,
    run: (view) => view.toggleExample(),
  },
  {
    name: "more-like",
    keys: ["m"],
    caps: "m",
    help: "help_more_like",
    onBatch: true,
    run: (view) => view.moreLike(),
  },
  {
    name: "classes",
    keys: ["c"],
    caps: "c",
    help: "help_classes",
    needs: "POST /api/classes",
    run: (view) => view.classes.show(),
  },
  { name: "history", keys: ["h"], caps: "h", help: "help_history", run: (view) => view.history.toggle() },
  { name: "groups", keys: ["g"], caps: "g", help: "help_groups", run: (view) => view.toggleLook("groups") },
  {
    name: "fill",
    keys: ["f"],
    caps: "f",
    help: "help_fill",
    kind: "image",
    run: (view) => view.toggleLook("fills"),
  },
  {
    name: "larger",
    keys: ["+", "="],
    caps: "+ -",
    help: "help_size",
    repeats: true,
    run: (view) => view.look.resize(1),
  },
  { name: "smaller", keys: ["-"], repeats: true, run: (view) => view.look.resize(-1) },
  { name: "submit", keys: ["s"], caps: "s", help: "help_submit", run: (view) => view.session.submit() },
  { name: "next", keys: ["n"], caps: "n", help: "help_next", run: (view) => view.session.loadNext() },
  { name: "undo", keys: ["u"], caps: "u", help: "help_undo", run: (view) => view.session.undo() },
  { name: "redo", keys: ["Shift+U"], caps: "Shift + u", help: "help_redo", run: (view) => view.session.redo() },
  { name: "help", keys: ["?"], caps: "?", help: "help_help", run: (view) => view.help.showModal() },
  { name: "rescan", keys: [], needs: "POST /api/rescan", run: (view) => view.session.rescan() },
  { name: "evaluation", keys: [], run: (view) => view.evaluation.toggle() },
];

const TYPING = "input, textarea, select, [contenteditable]:not([contenteditable=false]), [role=listbox]";
const PRESSABLE = "button, a[href], summary, [role=button], [role=tab]";
const SHIFT_TYPES_THEM = ["?", ",", ".", "/", "+", "="]; // on some keyboards

/**
 * The commands of a kind of items.
 * @param {string} kind
 * @param {any[]} table the commands of a view
 * @returns {any[]}
 */
export function commandsOf(kind, table = COMMANDS) {
  return table.filter((command) => (!command.kind || command.kind === kind) && may(command.needs));
}

/**
 * What a key does, with the key of a class that it is; null where it is the browser's or another control's.
 * @param {KeyboardEvent} event
 * @param {string} kind
 * @param {string[]} letters keys of classes beside the digits
 * @param {any[]} table the commands of a view; those of `label` where none is named
 * @returns {{ command: any, argument: string } | null}
 */
export function commandOfKey(event, kind, letters = [], table = COMMANDS) {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return null;
  if (isMeantForTarget(event)) return null;
  const classKey = digitOfKey(event) ?? letters.find((letter) => letter === keyName(event)) ?? null;
  const key = classKey === null ? keyName(event) : "digit";
  const command = commandsOf(kind, table).find(({ keys }) => keys.includes(key));
  if (!command || (event.repeat && !command.repeats)) return null;
  return { command, argument: classKey ?? "" };
}

/**
 * The digit key of each class: 1 to 9 and 0 in the order of the screen, but its own digit where every class is one.
 * @param {string[]} classes
 */
export function digitsOfClasses(classes) {
  return classes.every((name) => /^[0-9]$/.test(name)) ? classes : [..."1234567890"].slice(0, classes.length);
}

/** @param {KeyboardEvent} event */
function keyName({ key, shiftKey }) {
  if (SHIFT_TYPES_THEM.includes(key)) return key;
  if (shiftKey) return `Shift+${key}`;
  return key.length === 1 ? key.toLowerCase() : key;
}

// By position too: on a French keyboard the digit row types letters unless Shift is held.
/** @param {KeyboardEvent} event */
function digitOfKey({ key, code, shiftKey }) {
  if (/^[0-9]$/.test(key)) return key;
  const match = shiftKey ? null : /^(?:Digit|Numpad)([0-9])$/.exec(code);
  return match && key.length === 1 && !SHIFT_TYPES_THEM.includes(key) ? match[1] : null;
}

/** @param {KeyboardEvent} event */
function isMeantForTarget({ target, key }) {
  const control = /** @type {Element | null} */ (target);
  if (!control?.closest) return false; // the document itself
  if (control.closest(TYPING)) return true;
  return Boolean(control.closest(PRESSABLE)) && ["Enter", " "].includes(key);
}
