// Everything a person can do by key in the view `explore`; commands.js says how a row is read.

import { withKeys } from "./keys.js";
import { changeSpeed, toggleSwitch } from "./sound_keys.js";

/** @typedef {import("./explore_view.js").ExploreView} ExploreView */
/**
 * As Row of commands.js, for this view.
 * @typedef {{
 *   name: import("./keys.js").CommandName, run: (view: ExploreView, argument: string) => unknown,
 *   help?: import("./words.js").Word, needs?: string,
 * }} ExploreRow
 */
/** @typedef {ExploreRow & import("./keys.js").Keyed} ExploreCommand */

/** @type {ExploreRow[]} */
const ROWS = [
  {
    name: "label",
    needs: "POST /api/apply",
    help: "explore_help_label",
    run: (view, key) => view.acts.labelByKey(key),
  },
  {
    name: "accept",
    needs: "POST /api/apply",
    help: "explore_help_accept",
    run: (view) => view.acts.accept(),
  },
  {
    name: "palette",
    needs: "POST /api/apply",
    help: "help_palette",
    run: (view) => view.palette.open(),
  },
  {
    name: "clear",
    needs: "POST /api/apply",
    help: "explore_help_clear",
    run: (view) => view.acts.apply({}),
  },
  {
    name: "skip",
    needs: "POST /api/apply",
    help: "explore_help_skip",
    run: (view) => view.acts.apply({ state: "skip" }),
  },
  {
    name: "unsure",
    needs: "POST /api/apply",
    help: "explore_help_unsure",
    run: (view) => view.acts.apply({ state: "unsure" }),
  },
  {
    name: "bad",
    needs: "POST /api/apply",
    help: "explore_help_bad",
    run: (view) => view.acts.apply({ state: "bad" }),
  },
  {
    name: "left",
    help: "help_move",
    run: (view) => view.move("left"),
  },
  { name: "right", run: (view) => view.move("right") },
  { name: "up", run: (view) => view.move("up") },
  { name: "down", run: (view) => view.move("down") },
  { name: "page-up", run: (view) => view.move("page-up") },
  { name: "page-down", run: (view) => view.move("page-down") },
  { name: "first", run: (view) => view.move("first") },
  { name: "last", run: (view) => view.move("last") },
  {
    name: "extend-left",
    help: "explore_help_extend",
    run: (view) => view.extend("left"),
  },
  { name: "extend-right", run: (view) => view.extend("right") },
  { name: "extend-up", run: (view) => view.extend("up") },
  { name: "extend-down", run: (view) => view.extend("down") },
  { name: "select", help: "help_select", run: (view) => view.toggleCurrent() },
  { name: "all", help: "explore_help_all", run: (view) => view.selection.selectAll() },
  { name: "more-like", help: "explore_help_more_like", run: (view) => view.likeness.more() },
  {
    name: "less-like",
    help: "explore_help_less_like",
    run: (view) => view.likeness.less(),
  },
  { name: "search", help: "explore_help_search", run: (view) => view.search.focus() },
  {
    name: "enlarge-by-space",
    help: "help_enlarge_picture",
    run: (view) => view.toggleZoom(),
  },
  { name: "play", help: "help_play", run: (view) => view.toggleSound() },
  { name: "enlarge", help: "help_enlarge", run: (view) => view.toggleZoom() },
  { name: "faster", help: "help_speed", run: (view) => changeSpeed(view, 1) },
  { name: "slower", run: (view) => changeSpeed(view, -1) },
  { name: "loop", help: "help_loop", run: (view) => toggleSwitch(view, "loop") },
  { name: "normalise", help: "help_normalise", run: (view) => toggleSwitch(view, "normalise") },
  { name: "play-on-focus", help: "help_play_on_focus", run: (view) => toggleSwitch(view, "playOnFocus") },
  {
    name: "send",
    needs: "POST /api/items/claim",
    help: "explore_help_send",
    run: (view) => view.acts.sendToLabel(),
  },
  {
    name: "example",
    needs: "POST /api/classes",
    help: "help_example",
    run: (view) => view.acts.toggleExample(),
  },
  { name: "classes", needs: "POST /api/classes", help: "help_classes", run: (view) => view.menus.classes.show() },
  { name: "history", help: "help_history", run: (view) => view.menus.history.toggle() },
  { name: "fill", help: "help_fill", run: (view) => view.toggleFill() },
  { name: "larger", help: "help_size", run: (view) => view.look.resize(1) },
  { name: "smaller", run: (view) => view.look.resize(-1) },
  { name: "refresh", help: "explore_help_refresh", run: (view) => view.refresh() },
  {
    name: "undo",
    needs: "POST /api/undo",
    help: "explore_help_undo",
    run: (view) => view.acts.undo(),
  },
  {
    name: "redo",
    needs: "POST /api/redo",
    help: "explore_help_redo",
    run: (view) => view.acts.redo(),
  },
  { name: "help", help: "help_help", run: (view) => view.help.showModal() },
];

export const EXPLORE_COMMANDS = withKeys(ROWS);
