import assert from "node:assert/strict";
import test from "node:test";
import { findClasses, newClassName } from "../../fastlabel_gradio/ui/web/class_search.js";

const classes = ["Black Rat", "rat", "Ratel", "Brown Rat", "cat", "Ærial", "Élan", "Rattle snake"];
const named = (text, more = {}) => findClasses(text, { classes, ...more }).map((index) => classes[index]);

test("the whole name comes first, then beginnings, then words within, then parts, then letters in order", () => {
  assert.deepEqual(named("rat"), ["rat", "Ratel", "Rattle snake", "Black Rat", "Brown Rat"]);
  assert.deepEqual(named("at"), ["Black Rat", "rat", "Ratel", "Brown Rat", "cat", "Rattle snake"]);
  assert.deepEqual(named("bwr"), ["Brown Rat"]);
  assert.deepEqual(named("elan"), ["Élan"]);
  assert.deepEqual(named("dog"), []);
});

test("without a text recent classes stand first, then likely ones, then all in their order", () => {
  assert.deepEqual(named("", { recent: ["cat", "gone", "rat"], likely: [7, 4] }).slice(0, 4), [
    "cat",
    "rat",
    "Rattle snake",
    "Black Rat",
  ]);
});

test("a name that is none yet can be added, as it is written", () => {
  assert.equal(newClassName("  Water Vole ", classes), "Water Vole");
  assert.equal(newClassName("rat", classes), "");
  assert.equal(newClassName("RAT", classes), "RAT");
  assert.equal(newClassName("E\u0301lan", classes), "");
  assert.equal(newClassName("  ", classes), "");
});
