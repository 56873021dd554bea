import assert from "node:assert/strict";
import { test } from "node:test";
import { branchesOf, partsOf } from "../../fastlabel_gradio/ui/web/class_tree.js";

test("a name has its last part, and what stands before it", () => {
  const parts = ["cat", "animal/cat", "a/b//c", "km/", "/x", "/", ""].map(partsOf);
  assert.deepEqual(parts, [
    ["", "cat"],
    ["animal/", "cat"],
    ["a/b//", "c"],
    ["", "km/"],
    ["/", "x"],
    ["", "/"],
    ["", ""],
  ]);
});

test("names of one branch stand together where its first one stood, and no name is lost", () => {
  const names = ["red", "animal/cat", "blue", "green", "animal/dog", "animal/bird/owl", "plant/oak"];
  assert.deepEqual(branchesOf(names), [
    { prefix: "", places: [0] },
    { prefix: "animal/", places: [1, 4] },
    { prefix: "", places: [2, 3] },
    { prefix: "animal/bird/", places: [5] },
    { prefix: "plant/", places: [6] },
  ]);
  assert.deepEqual(branchesOf(names, [4, 3, 1]), [
    { prefix: "animal/", places: [4, 1] },
    { prefix: "", places: [3] },
  ]);
  assert.deepEqual(branchesOf([]), []);
});
