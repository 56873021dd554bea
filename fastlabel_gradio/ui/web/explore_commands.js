// Everything a person can do by key in the view `explore`; commands.js says how a row is read.

/** @typedef {import("./explore_view.js").ExploreView} ExploreView */
/**
 * As Command of commands.js, for this view.
 * @typedef {{
 *   name: string, keys: string[], run: (view: ExploreView, argument: string) => unknown, caps?: string,
 *   help?: import("./words.js").Word, kind?: "image" | "audio", repeats?: boolean,
 * }} ExploreCommand
 */

/** @type {ExploreCommand[]} */
export const EXPLORE_COMMANDS = [
  {
    name: "label",
    keys: ["digit"],
    caps: "1 … 9, 0",
    help: "explore_help_label",
    run: (view, key) => view.acts.labelByKey(key),
  },
  { name: "accept", keys: ["Enter"], caps: "Enter", help: "explore_help_accept", run: (view) => view.acts.accept() },
  { name: "palette", keys: ["/"], caps: "/", help: "explore_help_palette", run: (view) => view.dock.focusClasses() },
  {
    name: "clear",
    keys: ["Backspace", "Delete"],
    caps: "Backspace",
    help: "explore_help_clear",
    run: (view) => view.acts.apply({}),
  },
  {
    name: "skip",
    keys: ["k"],
    caps: "k",
    help: "explore_help_skip",
    run: (view) => view.acts.apply({ state: "skip" }),
  },
  {
    name: "unsure",
    keys: ["q"],
    caps: "q",
    help: "explore_help_unsure",
    run: (view) => view.acts.apply({ state: "unsure" }),
  },
  { name: "bad", keys: ["b"], caps: "b", help: "explore_help_bad", run: (view) => view.acts.apply({ state: "bad" }) },
  {
    name: "left",
    keys: ["ArrowLeft"],
    caps: "← → ↑ ↓",
    help: "help_move",
    repeats: true,
    run: (view) => view.move("left"),
  },
  { name: "right", keys: ["ArrowRight"], repeats: true, run: (view) => view.move("right") },
  { name: "up", keys: ["ArrowUp"], repeats: true, run: (view) => view.move("up") },
  { name: "down", keys: ["ArrowDown"], repeats: true, run: (view) => view.move("down") },
  { name: "page-up", keys: ["PageUp"], repeats: true, run: (view) => view.move("page-up") },
  { name: "page-down", keys: ["PageDown"], repeats: true, run: (view) => view.move("page-down") },
  { name: "first", keys: ["Home"], run: (view) => view.move("first") },
  { name: "last", keys: ["End"], run: (view) => view.move("last") },
  {
    name: "extend-left",
    keys: ["Shift+ArrowLeft"],
    caps: "Shift + ← → ↑ ↓",
    help: "explore_help_extend",
    repeats: true,
    run: (view) => view.extend("left"),
  },
  { name: "extend-right", keys: ["Shift+ArrowRight"], repeats: true, run: (view) => view.extend("right") },
  { name: "extend-up", keys: ["Shift+ArrowUp"], repeats: true, run: (view) => view.extend("up") },
  { name: "extend-down", keys: ["Shift+ArrowDown"], repeats: true, run: (view) => view.extend("down") },
  { name: "toggle", keys: ["x"], caps: "x", help: "explore_help_toggle", run: (view) => view.toggleCurrent() },
  { name: "all", keys: ["a"], caps: "a", help: "explore_help_all", run: (view) => view.selection.selectAll() },
  { name: "more-like", keys: ["m"], caps: "m", help: "explore_help_more_like", run: (view) => view.likeness.more() },
  {
    name: "less-like",
    keys: ["Shift+M"],
    caps: "Shift + m",
    help: "explore_help_less_like",
    run: (view) => view.likeness.less(),
  },
  { name: "search", keys: ["f"], caps: "f", help: "explore_help_search", run: (view) => view.search.focus() },
  {
    name: "enlarge-by-space",
    keys: [" "],
    caps: "Space",
    help: "help_enlarge_picture",
    kind: "image",
    run: (view) => view.toggleZoom(),
  },
  { name: "play", keys: [" "], caps: "Space", help: "help_play", kind: "audio", run: (view) => view.toggleSound() },
  { name: "enlarge", keys: ["z"], caps: "z", help: "help_enlarge", run: (view) => view.toggleZoom() },
  { name: "send", keys: ["s"], caps: "s", help: "explore_help_send", run: (view) => view.acts.sendToLabel() },
  { name: "example", keys: ["e"], caps: "e", help: "help_example", run: (view) => view.acts.toggleExample() },
  { name: "refresh", keys: ["r"], caps: "r", help: "explore_help_refresh", run: (view) => view.refresh() },
  { name: "undo", keys: ["u"], caps: "u", help: "explore_help_undo", run: (view) => view.acts.undo() },
  { name: "redo", keys: ["Shift+U"], caps: "Shift + u", help: "explore_help_redo", run: (view) => view.acts.redo() },
  { name: "help", keys: ["?"], caps: "?", help: "help_help", run: (view) => view.help.showModal() },
];
