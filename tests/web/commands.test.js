import assert from "node:assert/strict";
import test from "node:test";
import { COMMANDS, commandOfKey, digitsOfClasses } from "../../fastlabel_gradio/ui/web/commands.js";

const nowhere = { closest: () => null };
const within = (...selectors) => ({ closest: (asked) => selectors.some((one) => asked.split(", ").includes(one)) });

function pressed(key, fields = {}, kind = "image") {
  const found = commandOfKey({ key, code: "", target: nowhere, ...fields }, kind);
  return found && found.command.name + (found.argument && ` ${found.argument}`);
}

test("every key of the table runs its command, for its kind of items only", () => {
  for (const { name, keys, kind } of COMMANDS) {
    for (const key of keys.filter((one) => one !== "digit")) {
      const shiftKey = key.startsWith("Shift+");
      assert.equal(pressed(key.replace("Shift+", ""), { shiftKey }, kind ?? "image"), name);
      if (kind === "audio" && key !== " ") assert.equal(pressed(key, {}, "image"), null);
    }
  }
});

test("no key of a kind has two meanings, and every line of the help has its words", () => {
  for (const kind of ["image", "audio"]) {
    const keys = COMMANDS.filter((one) => !one.kind || one.kind === kind).flatMap((one) => one.keys);
    assert.equal(new Set(keys).size, keys.length);
  }
  for (const { caps, help } of COMMANDS) assert.equal(Boolean(caps), Boolean(help));
});

test("digits label, by what they type or where they lie", () => {
  assert.equal(pressed("1", { code: "Digit1" }), "label 1");
  assert.equal(pressed("0", { code: "Numpad0" }), "label 0");
  assert.equal(pressed("&", { code: "Digit1" }), "label 1"); // French
  assert.equal(pressed("1", { code: "Digit1", shiftKey: true }), "label 1"); // French with Shift
  assert.equal(pressed("!", { code: "Digit1", shiftKey: true }), null);
});

test("capitals by caps lock are the same keys, with Shift they are none", () => {
  assert.equal(pressed("S"), "submit");
  assert.equal(pressed("S", { shiftKey: true }), null);
  assert.equal(pressed("?", { shiftKey: true }), "help");
  assert.equal(pressed(".", { shiftKey: true }, "audio"), "faster");
});

test("a key that is held moves on, and does nothing else twice", () => {
  assert.equal(pressed("ArrowRight", { repeat: true }), "right");
  for (const key of ["s", "u", "Enter", "1", "Home"]) assert.equal(pressed(key, { repeat: true }), null);
});

test("keys with a modifier, of an input method, or already taken are left alone", () => {
  for (const field of ["ctrlKey", "altKey", "metaKey", "isComposing", "defaultPrevented"]) {
    assert.equal(pressed("s", { [field]: true }), null);
  }
});

test("where one types, keys are text; on a button, Enter and Space press it", () => {
  for (const selector of ["input", "textarea", "select", "[role=listbox]"]) {
    for (const key of ["s", "1", "?", "Enter"]) assert.equal(pressed(key, { target: within(selector) }), null);
  }
  assert.equal(pressed("Enter", { target: within("button") }), null);
  assert.equal(pressed(" ", { target: within("summary") }), null);
  assert.equal(pressed("s", { target: within("button") }), "submit");
  assert.equal(pressed("s", { target: {} }), "submit"); // the document itself
});

test("the first ten classes have the digits of the screen, and digits their own", () => {
  assert.deepEqual(digitsOfClasses(["a", "b"]), ["1", "2"]);
  assert.equal(digitsOfClasses(Array.from("abcdefghijkl")).join(""), "1234567890");
  assert.deepEqual(digitsOfClasses(["7", "0"]), ["7", "0"]);
});

test("a letter that is the key of a class labels", () => {
  const found = commandOfKey({ key: "w", code: "KeyW", target: nowhere }, "image", ["w"]);
  assert.deepEqual([found.command.name, found.argument], ["label", "w"]);
  assert.equal(commandOfKey({ key: "w", code: "KeyW", target: nowhere }, "image"), null);
});
