// Everything a person can do by key in the view `label`: the words of the help, and what it does; the keys stand in keys.js.
// The help, the keyboard and the buttons read this one table, and a test compares the README with it.

import { withKeys } from "./keys.js";
import { may } from "./rights.js";
import { changeSpeed, toggleSwitch } from "./sound_keys.js";

/** @typedef {import("./label_view.js").LabelView} LabelView */
/**
 * `help`: its words; left out where the line of a neighbour tells it. `needs`: the route that one must be allowed to use.
 * `onBatch`: only while there is a batch and nothing is on its way.
 * @typedef {{
 *   name: import("./keys.js").CommandName, run: (view: LabelView, argument: string) => unknown,
 *   help?: import("./words.js").Word, onBatch?: boolean, needs?: string,
 * }} Row
 */
/** @typedef {Row & import("./keys.js").Keyed} Command */

/** @type {Row[]} */
const ROWS = [
  {
    name: "label",
    help: "help_label",
    onBatch: true,
    run: (view, key) => view.labelByKey(key),
  },
  {
    name: "accept",
    help: "help_accept",
    onBatch: true,
    run: (view) => view.answers.accept(),
  },
  {
    name: "accept-rest",
    help: "help_accept_rest",
    onBatch: true,
    run: (view) => view.answers.acceptRest(),
  },
  {
    name: "accept-group",
    help: "help_accept_group",
    onBatch: true,
    run: (view) => view.answers.acceptGroup(),
  },
  {
    name: "exclude",
    help: "help_exclude",
    onBatch: true,
    run: (view) => view.answers.exclude(),
  },
  {
    name: "skip",
    help: "help_skip",
    onBatch: true,
    run: (view) => view.answers.setAside("skip"),
  },
  {
    name: "unsure",
    help: "help_unsure",
    onBatch: true,
    run: (view) => view.answers.setAside("unsure"),
  },
  {
    name: "bad",
    help: "help_bad",
    onBatch: true,
    run: (view) => view.answers.setAside("bad"),
  },
  {
    name: "clear",
    help: "help_clear",
    onBatch: true,
    run: (view) => view.answers.clear(),
  },
  { name: "clear-all", onBatch: true, run: (view) => view.answers.clearAll() },
  {
    name: "left",
    help: "help_move",
    onBatch: true,
    run: (view) => view.cards.move("left"),
  },
  { name: "right", onBatch: true, run: (view) => view.cards.move("right") },
  { name: "up", onBatch: true, run: (view) => view.cards.move("up") },
  { name: "down", onBatch: true, run: (view) => view.cards.move("down") },
  {
    name: "extend-left",
    help: "help_extend",
    onBatch: true,
    run: (view) => view.cards.extend("left"),
  },
  {
    name: "extend-right",
    onBatch: true,
    run: (view) => view.cards.extend("right"),
  },
  {
    name: "extend-up",
    onBatch: true,
    run: (view) => view.cards.extend("up"),
  },
  {
    name: "extend-down",
    onBatch: true,
    run: (view) => view.cards.extend("down"),
  },
  { name: "select", help: "help_select", onBatch: true, run: (view) => view.cards.toggleSelected() },
  { name: "all", help: "help_all", onBatch: true, run: (view) => view.cards.selectAll() },
  { name: "first", onBatch: true, run: (view) => view.cards.move("first") },
  { name: "last", onBatch: true, run: (view) => view.cards.move("last") },
  {
    name: "enlarge-by-space",
    help: "help_enlarge_picture",
    onBatch: true,
    run: (view) => view.cards.toggleZoom(),
  },
  {
    name: "play",
    help: "help_play",
    onBatch: true,
    run: (view) => view.cards.toggleSound(),
  },
  {
    name: "enlarge",
    help: "help_enlarge",
    onBatch: true,
    run: (view) => view.cards.toggleZoom(),
  },
  { name: "faster", help: "help_speed", run: (view) => changeSpeed(view, 1) },
  { name: "slower", run: (view) => changeSpeed(view, -1) },
  { name: "loop", help: "help_loop", run: (view) => toggleSwitch(view, "loop") },
  {
    name: "normalise",
    help: "help_normalise",
    run: (view) => toggleSwitch(view, "normalise"),
  },
  {
    name: "play-on-focus",
    help: "help_play_on_focus",
    run: (view) => toggleSwitch(view, "playOnFocus"),
  },
  {
    name: "palette",
    help: "help_palette",
    onBatch: true,
    run: (view) => view.openPalette(),
  },
  {
    name: "example",
    needs: "POST /api/classes",
    help: "help_example",
    onBatch: true,
    run: (view) => view.toggleExample(),
  },
  {
    name: "more-like",
    help: "help_more_like",
    onBatch: true,
    run: (view) => view.moreLike(),
  },
  {
    name: "classes",
    help: "help_classes",
    needs: "POST /api/classes",
    run: (view) => view.classes.show(),
  },
  { name: "history", help: "help_history", run: (view) => view.history.toggle() },
  { name: "groups", help: "help_groups", run: (view) => view.toggleLook("groups") },
  {
    name: "fill",
    help: "help_fill",
    run: (view) => view.toggleLook("fills"),
  },
  {
    name: "larger",
    help: "help_size",
    run: (view) => view.look.resize(1),
  },
  { name: "smaller", run: (view) => view.look.resize(-1) },
  { name: "submit", help: "help_submit", run: (view) => view.session.submit() },
  { name: "next", help: "help_next", run: (view) => view.session.loadNext() },
  { name: "undo", help: "help_undo", run: (view) => view.session.undo() },
  { name: "redo", help: "help_redo", run: (view) => view.session.redo() },
  { name: "help", help: "help_help", run: (view) => view.help.showModal() },
  { name: "rescan", needs: "POST /api/rescan", run: (view) => view.session.rescan() },
  { name: "evaluation", run: (view) => view.evaluation.toggle() },
];

export const COMMANDS = withKeys(ROWS);

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
  if (event.defaultPrevented || isComposing(event) || event.altKey || isMeantForTarget(event)) return null;
  const isTyped = !event.ctrlKey && !event.metaKey;
  const classKey = isTyped ? (digitOfKey(event) ?? letters.find((letter) => isLetter(event, letter)) ?? null) : null;
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

/**
 * Whether a key is part of what an input method composes: it chooses among candidates, say. By its number too, as a browser
 * ends the composition before it tells of the key that ends it.
 * @param {KeyboardEvent} event
 */
export function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}

/**
 * As KEYS has it, with Caps Lock or without.
 * @param {KeyboardEvent} event
 */
function keyName(event) {
  const { shiftKey } = event;
  const key = latinKey(event);
  if (event.ctrlKey || event.metaKey) return shiftKey ? "" : `Ctrl+${key.length === 1 ? key.toUpperCase() : key}`;
  if (SHIFT_TYPES_THEM.includes(key)) return key;
  if (key.length !== 1) return shiftKey ? `Shift+${key}` : key;
  return shiftKey ? `Shift+${key.toUpperCase()}` : key.toLowerCase();
}

/**
 * The key that a class has by an event: a digit or a character, the Latin one where letters of another script are typed; more
 * than one character where it is no key of a class.
 * @param {KeyboardEvent} event
 */
export function classKeyOf(event) {
  return digitOfKey(event) ?? latinKey(event).toLowerCase();
}

// Where letters of another script are typed, such as Cyrillic ones, the keys are those that lie where the Latin ones do.
/** @param {KeyboardEvent} event */
function latinKey({ key, code }) {
  const match = /^Key([A-Z])$/.exec(code);
  const isOther = [...key].length === 1 && /[^\p{ASCII}]/u.test(key) && !/\p{Script=Latin}/u.test(key);
  return match && isOther ? match[1] : key;
}

/**
 * Whether it is the key of a class: the letter as it was typed, of any script, or where it lies.
 * @param {KeyboardEvent} event
 * @param {string} letter
 */
function isLetter(event, letter) {
  return letter === keyName(event) || (!event.shiftKey && letter === event.key.toLowerCase());
}

// By position too: on a French keyboard the digit row types letters unless Shift is held, on a Czech one also "+".
/** @param {KeyboardEvent} event */
function digitOfKey({ key, code, shiftKey }) {
  if (/^[0-9]$/.test(key)) return key;
  const match = shiftKey ? null : /^(?:Digit|Numpad)([0-9])$/.exec(code);
  return match && key.length === 1 ? match[1] : null;
}

/** @param {KeyboardEvent} event */
export function isMeantForTarget({ target, key, shiftKey }) {
  const control = /** @type {Element | null} */ (target);
  if (!control?.closest) return false; // the document itself
  if (control.closest(TYPING)) return true;
  const presses = key === " " || (key === "Enter" && !shiftKey); // Shift + Enter means all, on a heading too
  return presses && Boolean(control.closest(PRESSABLE));
}
