import assert from "node:assert/strict";
import test from "node:test";
import { ClassKeys, takenWords } from "../../fastlabel_gradio/ui/web/class_keys.js";
import { COMMANDS } from "../../fastlabel_gradio/ui/web/commands.js";
import { EXPLORE_COMMANDS } from "../../fastlabel_gradio/ui/web/explore_commands.js";

const classes = Array.from("abcdefghijkl");

test("without a choice the first ten classes have digits", () => {
  assert.deepEqual(new ClassKeys("one").of(classes), [..."1234567890", "", ""]);
});

test("a chosen key is that class's alone, a digit too, and can be given back", () => {
  const keys = new ClassKeys("two");
  assert.equal(keys.choose("l", "w"), null);
  assert.equal(keys.choose("k", "1"), null);
  assert.deepEqual(keys.of(classes), ["", ..."234567890", "1", "w"]);
  assert.deepEqual(keys.lettersOf(classes), ["w"]);
  keys.choose("c", "w");
  assert.deepEqual(keys.of(classes).at(-1), "");
  keys.choose("c", "");
  keys.choose("k", "");
  assert.deepEqual(keys.of(classes), [..."1234567890", "", ""]);
});

test("a key that does something else is refused, and what it does is said", () => {
  const keys = new ClassKeys("three");
  assert.equal(keys.choose("a", "s")?.name, "submit");
  assert.equal(keys.of(classes)[0], "1");
});

test("a key that any view uses is refused, and counts for nothing where it was chosen before or comes from the project", (context) => {
  const kept = new Map([["fastlabel:keys:five", '{"a":"m","b":"w","c":"two"}']]);
  globalThis.localStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => kept.set(key, text) };
  context.after(() => delete globalThis.localStorage);
  const keys = new ClassKeys("five");
  keys.share({ d: "r" });
  for (const { keys: own } of [...COMMANDS, ...EXPLORE_COMMANDS]) {
    for (const key of own) assert.ok(keys.choose("a", key), key);
  }
  assert.deepEqual(keys.of(classes), ["1", "w", ..."34567890", "", ""]);
  assert.match(takenWords("m", keys.choose("a", "m")), /“m”.+like/);
});

test("the project's keys count where this browser has none of its own for the class, and its places come last", () => {
  const keys = new ClassKeys("four");
  let changes = 0;
  keys.addEventListener("change", () => changes++);
  keys.share({ a: "o", b: "W", c: "1", d: "s", gone: "2", toString: "y" });
  assert.deepEqual(keys.of(classes), ["o", "w", "1", ..."4567890", "", ""]);
  assert.deepEqual(keys.lettersOf(classes), ["o", "w"]);
  keys.choose("l", "o");
  assert.deepEqual(keys.of(classes), ["", "w", "1", ..."4567890", "", "o"]);
  keys.choose("b", "t");
  assert.equal(keys.of(classes)[1], "t");
  keys.choose("b", "");
  assert.equal(keys.of(classes)[1], "w");
  assert.equal(changes, 4);
  keys.share({ a: "o", b: "W", c: "1", d: "s", gone: "2", toString: "y" });
  assert.equal(changes, 4);
  keys.share({});
  assert.deepEqual(keys.of(classes), [..."1234567890", "", "o"]);
  assert.deepEqual(keys.of(["toString", "constructor"]), ["1", "2"]);
});
