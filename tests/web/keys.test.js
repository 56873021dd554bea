import assert from "node:assert/strict";
import test from "node:test";
import { COMMANDS, commandOfKey } from "../../fastlabel_gradio/ui/web/commands.js";
import { EXPLORE_COMMANDS } from "../../fastlabel_gradio/ui/web/explore_commands.js";
import { FINISH_COMMANDS } from "../../fastlabel_gradio/ui/web/finish_commands.js";
import { KEYS } from "../../fastlabel_gradio/ui/web/keys.js";

const TABLES = { label: COMMANDS, explore: EXPLORE_COMMANDS, finish: FINISH_COMMANDS };
const nowhere = { closest: () => null };

/** The event of a key as KEYS names it. */
function eventOf(name, fields = {}) {
  const key = name.replace(/^(Shift|Ctrl)\+/, "");
  const held = { shiftKey: name.startsWith("Shift+"), ctrlKey: name.startsWith("Ctrl+") };
  return { key, code: "", target: nowhere, ...held, ...fields };
}

test("a key means one thing, whatever the view and the kind of items", () => {
  for (const kind of ["image", "audio"]) {
    /** @type {Map<string, Set<string>>} */
    const meanings = new Map();
    for (const table of Object.values(TABLES)) {
      for (const { name, keys, kind: its } of table) {
        if (its && its !== kind) continue;
        for (const key of keys) meanings.set(key, (meanings.get(key) ?? new Set()).add(name));
      }
    }
    assert.ok(meanings.size > 40);
    for (const [key, names] of meanings) assert.equal(names.size, 1, `${key}: ${[...names]}`);
  }
});

test("a command has the same keys in every view that has it, each is in one at least, and runs by each of them", () => {
  const had = new Set();
  for (const [view, table] of Object.entries(TABLES)) {
    assert.equal(new Set(table.map(({ name }) => name)).size, table.length, view);
    for (const row of table) {
      had.add(row.name);
      for (const [field, value] of Object.entries(KEYS[row.name])) assert.deepEqual(row[field], value, row.name);
      assert.equal(Boolean(row.caps), Boolean(row.help), `${view}: ${row.name}`);
      for (const key of row.keys.filter((one) => one !== "digit")) {
        const found = commandOfKey(eventOf(key), row.kind ?? "image", [], table);
        assert.equal(found?.command.name, row.name, `${view}: ${key}`);
      }
    }
  }
  assert.deepEqual([...had].sort(), Object.keys(KEYS).sort());
});

test("what is done in Label and Explore alike has a key in both", () => {
  const names = (table) => new Set(table.filter(({ keys }) => keys.length).map(({ name }) => name));
  const only = (one, other) => [...names(one)].filter((name) => !names(other).has(name)).sort();
  assert.deepEqual(only(COMMANDS, EXPLORE_COMMANDS), [
    "accept-group",
    "accept-rest",
    "clear-all",
    "exclude",
    "groups",
    "next",
    "submit",
  ]); // of a batch
  assert.deepEqual(only(EXPLORE_COMMANDS, COMMANDS), [
    "less-like",
    "page-down",
    "page-up",
    "refresh",
    "search",
    "send",
  ]);
  assert.deepEqual(only(FINISH_COMMANDS, COMMANDS), []);
});

test("where another script is typed, letters are those where the Latin ones lie", () => {
  const typed = [
    ["ы", "KeyS", "submit"], // Russian
    ["σ", "KeyS", "submit"], // Greek
    ["ד", "KeyS", "submit"], // Hebrew
    ["س", "KeyS", "submit"], // Arabic
    ["ו", "KeyU", "undo"],
  ];
  for (const [key, code, name] of typed)
    assert.equal(commandOfKey(eventOf(key, { code }), "image")?.command.name, name, key);
  const redo = commandOfKey(eventOf("Г", { code: "KeyU", shiftKey: true }), "image");
  assert.equal(redo?.command.name, "redo");
  const all = commandOfKey(eventOf("ф", { code: "KeyA", ctrlKey: true }), "image", [], EXPLORE_COMMANDS);
  assert.equal(all?.command.name, "all");
});

test("Latin letters are those that are typed, wherever they lie, and others of a Latin keyboard are none", () => {
  assert.equal(commandOfKey(eventOf("a", { code: "KeyQ" }), "image")?.command.name, "accept-group"); // French
  assert.equal(commandOfKey(eventOf("ß", { code: "KeyS" }), "image"), null); // AltGr on Linux
  assert.equal(commandOfKey(eventOf("ı", { code: "KeyI" }), "image"), null);
  assert.equal(commandOfKey(eventOf("Process", { code: "KeyS" }), "image"), null);
});

test("Caps Lock changes no key, with Shift either", () => {
  assert.equal(commandOfKey(eventOf("u", { shiftKey: true }), "image")?.command.name, "redo");
  assert.equal(commandOfKey(eventOf("S"), "image")?.command.name, "submit");
  assert.equal(commandOfKey(eventOf("A", { ctrlKey: true }), "image")?.command.name, "all");
});

test("a row of digits that types signs labels, also where a sign is a key of its own", () => {
  for (const [key, code, digit] of [
    ["+", "Digit1", "1"], // Czech
    ["-", "Digit6", "6"], // French
    ["/", "Digit2", "2"], // Thai
  ]) {
    const found = commandOfKey(eventOf(key, { code }), "image");
    assert.deepEqual([found?.command.name, found?.argument], ["label", digit]);
  }
  assert.equal(commandOfKey(eventOf("+", { code: "NumpadAdd" }), "image")?.command.name, "larger");
  assert.equal(commandOfKey(eventOf("Home", { code: "Numpad7" }), "image")?.command.name, "first"); // without Num Lock
  assert.equal(commandOfKey(eventOf("/", { code: "Digit7", shiftKey: true }), "image")?.command.name, "palette"); // German
});

test("with Ctrl or Cmd only what the table names so is the page's", () => {
  for (const held of ["ctrlKey", "metaKey"]) {
    assert.equal(commandOfKey(eventOf("a", { [held]: true }), "image")?.command.name, "all");
    for (const key of ["1", "s", "u", "Enter", "ArrowLeft", "w"]) {
      assert.equal(commandOfKey(eventOf(key, { [held]: true }), "image", ["w"]), null, key);
    }
    assert.equal(commandOfKey(eventOf("a", { [held]: true, altKey: true }), "image"), null);
    assert.equal(commandOfKey(eventOf("A", { [held]: true, shiftKey: true }), "image"), null);
    const field = { closest: (asked) => asked.split(", ").includes("input") };
    assert.equal(commandOfKey(eventOf("a", { [held]: true, target: field }), "image"), null);
  }
});

test("a key that an input method composes with is left to it, also where only its number says so", () => {
  assert.equal(commandOfKey(eventOf("Enter", { keyCode: 229 }), "image"), null);
  assert.equal(commandOfKey(eventOf("Enter", { isComposing: true }), "image"), null);
});

test("Shift + Enter means all cards on the heading of a group too, and Enter that group", () => {
  const heading = { closest: (asked) => asked.split(", ").includes("button") };
  assert.equal(commandOfKey(eventOf("Shift+Enter", { target: heading }), "image")?.command.name, "accept-rest");
  assert.equal(commandOfKey(eventOf("Enter", { target: heading }), "image"), null);
  assert.equal(commandOfKey(eventOf("Shift+ ", { target: heading }), "image"), null);
});
