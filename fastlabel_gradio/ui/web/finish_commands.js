// Everything a person can do by key while a screen of the view `finish` is open; commands.js says how a row is read.

/** @typedef {import("./finish_screen.js").FinishScreen} FinishScreen */
/**
 * As Command of commands.js, for this view.
 * @typedef {{
 *   name: string, keys: string[], run: (screen: FinishScreen, argument: string) => unknown, caps?: string,
 *   help?: import("./words.js").Word, kind?: "image" | "audio", repeats?: boolean,
 * }} FinishCommand
 */

/** @type {FinishCommand[]} */
export const FINISH_COMMANDS = [
  {
    name: "label",
    keys: ["digit"],
    caps: "1 … 9, 0",
    help: "finish_help_label",
    run: (screen, key) => screen.labelByKey(key),
  },
  { name: "accept", keys: ["Enter"], caps: "Enter", help: "finish_help_accept", run: (screen) => screen.accept() },
  {
    name: "accept-rest",
    keys: ["Shift+Enter"],
    caps: "Shift + Enter",
    help: "finish_help_accept_rest",
    run: (screen) => screen.acceptRest(),
  },
  { name: "clear", keys: ["Backspace", "Delete"], caps: "Backspace", help: "finish_help_clear", run: (s) => s.clear() },
  {
    name: "left",
    keys: ["ArrowLeft"],
    caps: "← → ↑ ↓",
    help: "finish_help_move",
    repeats: true,
    run: (screen) => screen.move("left"),
  },
  { name: "right", keys: ["ArrowRight"], repeats: true, run: (screen) => screen.move("right") },
  { name: "up", keys: ["ArrowUp"], repeats: true, run: (screen) => screen.move("up") },
  { name: "down", keys: ["ArrowDown"], repeats: true, run: (screen) => screen.move("down") },
  { name: "play", keys: [" "], caps: "Space", help: "finish_help_play", kind: "audio", run: (screen) => screen.play() },
  { name: "undo", keys: ["u"], caps: "u", help: "finish_help_undo", run: (screen) => screen.undo() },
  { name: "submit", keys: ["s"], caps: "s", help: "finish_help_submit", run: (screen) => screen.submit() },
];
