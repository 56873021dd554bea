// Everything a person can do by key while a screen of the view `finish` is open; commands.js says how a row is read.

import { withKeys } from "./keys.js";

/** @typedef {import("./finish_screen.js").FinishScreen} FinishScreen */
/**
 * As Row of commands.js, for this view.
 * @typedef {{
 *   name: import("./keys.js").CommandName, run: (screen: FinishScreen, argument: string) => unknown,
 *   help?: import("./words.js").Word,
 * }} FinishRow
 */
/** @typedef {FinishRow & import("./keys.js").Keyed} FinishCommand */

/** @type {FinishRow[]} */
const ROWS = [
  {
    name: "label",
    help: "finish_help_label",
    run: (screen, key) => screen.labelByKey(key),
  },
  { name: "accept", help: "finish_help_accept", run: (screen) => screen.accept() },
  {
    name: "accept-rest",
    help: "finish_help_accept_rest",
    run: (screen) => screen.acceptRest(),
  },
  { name: "clear", help: "finish_help_clear", run: (s) => s.clear() },
  {
    name: "left",
    help: "finish_help_move",
    run: (screen) => screen.move("left"),
  },
  { name: "right", run: (screen) => screen.move("right") },
  { name: "up", run: (screen) => screen.move("up") },
  { name: "down", run: (screen) => screen.move("down") },
  { name: "first", run: (screen) => screen.move("first") },
  { name: "last", run: (screen) => screen.move("last") },
  { name: "play", help: "finish_help_play", run: (screen) => screen.play() },
  { name: "undo", help: "finish_help_undo", run: (screen) => screen.undo() },
  { name: "redo", help: "finish_help_redo", run: (screen) => screen.redo() },
  { name: "submit", help: "finish_help_submit", run: (screen) => screen.submit() },
  { name: "help", help: "help_help", run: (screen) => screen.help.showModal() },
];

export const FINISH_COMMANDS = withKeys(ROWS);
