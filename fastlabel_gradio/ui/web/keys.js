// The keyboard: which key does what, and the help that lists it. Keys act on the grid on screen, wherever the focus is.

// What keys do; third, the kind of items that a line is for.
export const KEY_HELP = [
  ["1 … 9, 0", "label the card as class 1 to 10, and move on"],
  ["Enter", "accept the suggestion, and move on"],
  ["Shift + Enter", "accept the suggestions of all cards without a label"],
  ["Backspace", "clear the label; with Shift: of all cards"],
  ["← → ↑ ↓", "move; Home and End: first and last card"],
  ["Space", "enlarge the picture, and back", "image"],
  ["Space", "play the sound from its beginning, or stop it", "audio"],
  ["z", "enlarge, and back"],
  [". ,", "play faster, slower", "audio"],
  ["l", "loop: a sound begins again at its end", "audio"],
  ["v", "normalise: quiet sounds are turned up", "audio"],
  ["p", "play on focus: a card plays when you move to it", "audio"],
  ["s", "submit the labels; the next batch follows"],
  ["n", "load the next batch; labels on screen are submitted first"],
  ["u", "undo: the last change on screen, then the last submit"],
  ["?", "this help"],
];

// Names of grid methods; `KeyboardEvent.key` on the left.
const KEY_ACTIONS = {
  Enter: "acceptCurrent",
  Backspace: "clearCurrent",
  Delete: "clearCurrent",
  ArrowLeft: "moveLeft",
  ArrowRight: "moveRight",
  ArrowUp: "moveUp",
  ArrowDown: "moveDown",
  Home: "moveFirst",
  End: "moveLast",
  z: "toggleZoom",
  s: "submit",
  n: "loadNext",
  u: "undo",
};

const KEY_ACTIONS_OF_KIND = {
  image: { " ": "toggleZoom" },
  audio: { " ": "toggleSound", ",": "playSlower", ".": "playFaster", l: "toggleLoop", v: "toggleNormalise", p: "togglePlayOnFocus" },
};

const REPEATABLE = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]);
const TYPING = "input, textarea, select, [contenteditable]:not([contenteditable=false]), [role=listbox]";
const PRESSABLE = "button, a[href], summary, [role=button], [role=tab]";

export function actionOfKey(event, kind) {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return null;
  if (isMeantForTarget(event)) return null;
  if (event.key === "?") return { method: "toggleHelp" };
  const isPunctuation = [",", "."].includes(event.key); // on some keyboards with Shift
  if (event.shiftKey && !isPunctuation) return shiftedAction(event);
  const digit = digitOfKey(event);
  if (digit !== null) return { method: "labelByDigit", argument: digit };
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const actions = { ...KEY_ACTIONS, ...KEY_ACTIONS_OF_KIND[kind] };
  if (!Object.hasOwn(actions, key) || (event.repeat && !REPEATABLE.has(key))) return null;
  return { method: actions[key] };
}

function shiftedAction(event) {
  if (event.repeat) return null;
  if (event.key === "Enter") return { method: "acceptRest" };
  if (event.key === "Backspace") return { method: "clearAll" };
  return /^[0-9]$/.test(event.key) ? { method: "labelByDigit", argument: event.key } : null;
}

// The digit key of each class: 1 to 9 and 0 in the order of the screen, but its own digit where every class is one.
export function digitsOfClasses(classes) {
  return classes.every((name) => /^[0-9]$/.test(name)) ? classes : [..."1234567890"].slice(0, classes.length);
}

// By position too: on a French keyboard the digit row types letters unless Shift is held.
function digitOfKey(event) {
  if (event.repeat) return null;
  const match = /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
  if (/^[0-9]$/.test(event.key)) return event.key;
  return match && event.key.length === 1 ? match[1] : null;
}

function isMeantForTarget(event) {
  const target = event.target instanceof Element ? event.target : document.body;
  if (target.closest(TYPING)) return true;
  return Boolean(target.closest(PRESSABLE)) && ["Enter", " "].includes(event.key);
}
