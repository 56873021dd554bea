import assert from "node:assert/strict";
import test from "node:test";
import { Batch, cardState } from "../../fastlabel_gradio/ui/web/batch.js";
import { batchAnswer } from "./answers.js";

test("a new batch has no labels and begins at its first card", () => {
  const batch = new Batch(batchAnswer());
  assert.deepEqual([batch.labeled.length, batch.current, batch.restored], [0, 0, false]);
  assert.deepEqual(batch.counts(), { classes: [0, 0, 0], labeled: 0, acceptable: 3 });
});

test("a label, an accepted and a changed suggestion are told apart", () => {
  const batch = new Batch(batchAnswer());
  batch.change([batch.cards[0]], () => 2);
  batch.change([batch.cards[1]], () => 1);
  batch.change([batch.cards[3]], () => 0);
  assert.deepEqual(batch.cards.map(cardState), ["labeled", "accepted", "open", "changed", "open", "open"]);
  assert.deepEqual(batch.submission(), [
    { id: "0.png", label: "c" },
    { id: "1.png", label: "b" },
    { id: "3.png", label: "a" },
  ]);
  assert.deepEqual(batch.counts(), { classes: [1, 1, 1], labeled: 3, acceptable: 1 });
});

test("changes are taken back one by one, newest first, each with all its cards", () => {
  const batch = new Batch(batchAnswer());
  const told = [];
  batch.on("taken back", (cards) => told.push(cards.map(({ index }) => index)));
  batch.change([batch.cards[1]], () => 0);
  batch.change(batch.acceptable, (card) => card.suggestion.index);
  assert.equal(batch.undoChange(), 2);
  assert.deepEqual(batch.submission(), [{ id: "1.png", label: "a" }]);
  assert.equal(batch.undoChange(), 1);
  assert.deepEqual([batch.labeled.length, batch.undoChange(), told], [0, 0, [[3, 5], [1]]]);
});

test("a change to what a card has already is no change", () => {
  const batch = new Batch(batchAnswer());
  assert.equal(
    batch.change([batch.cards[0]], () => 1),
    1,
  );
  assert.equal(
    batch.change([batch.cards[0]], () => 1),
    0,
  );
  assert.equal(batch.changes.length, 1);
});

test("a draft comes back by class name, and a cleared label stays cleared", () => {
  const answer = batchAnswer();
  answer.items[2].label = 0;
  const batch = new Batch(answer, { "1.png": "c", "2.png": null, "4.png": "gone" });
  assert.deepEqual(batch.submission(), [{ id: "1.png", label: "c" }]);
  assert.ok(batch.restored);
  assert.deepEqual(batch.draft(), { "1.png": "c", "2.png": null });
  assert.equal(batch.current, 0);
});

test("a batch with labels begins at its first card without one", () => {
  assert.equal(new Batch(batchAnswer(), { "0.png": "a", "1.png": "b" }).current, 2);
  const all = Object.fromEntries(batchAnswer().items.map(({ id }) => [id, "a"]));
  assert.equal(new Batch(batchAnswer(), all).current, 0);
});

test("moves lead through rows of the grid and stop at its edges", () => {
  const batch = new Batch(batchAnswer(8)); // 3 columns: 0 1 2 / 3 4 5 / 6 7
  const moves = { 0: "left", 1: "left", 4: "up", 2: "up", 7: "right", 3: "down", 5: "down" };
  const led = { 0: 0, 1: 0, 4: 1, 2: 2, 7: 7, 3: 6, 5: 7 };
  for (const [from, move] of Object.entries(moves)) {
    batch.current = Number(from);
    assert.equal(batch.neighbour(move, 3), led[from], `${move} from ${from}`);
  }
  assert.deepEqual([batch.neighbour("first", 3), batch.neighbour("last", 3)], [0, 7]);
});
