import assert from "node:assert/strict";
import test from "node:test";
import { Batch } from "../../fastlabel_gradio/ui/web/batch.js";
import { batchAnswer } from "./answers.js";

const chosen = (batch) => batch.selection.cards.map(({ index }) => index);

test("a range goes from the card where it began to another one, forwards and backwards", () => {
  const batch = new Batch(batchAnswer(8));
  batch.selection.extend(batch.cards[3], batch.cards[5]);
  assert.deepEqual(chosen(batch), [3, 4, 5]);
  batch.selection.extend(batch.cards[5], batch.cards[2]);
  assert.deepEqual(chosen(batch), [2, 3]);
  batch.selection.clear();
  assert.deepEqual(batch.targets, [batch.currentCard]);
});

test("single cards are added and taken out, and the next range begins at the last one", () => {
  const batch = new Batch(batchAnswer(8));
  for (const index of [1, 6, 1]) batch.selection.toggle(batch.cards[index]);
  assert.deepEqual(chosen(batch), [6]);
  batch.selection.extend(batch.cards[0], batch.cards[3]);
  assert.deepEqual(chosen(batch), [1, 2, 3]);
});

test("who listens is told of the cards that are selected now or were before", () => {
  const batch = new Batch(batchAnswer(8));
  const told = [];
  batch.selection.on("change", (cards) => told.push(cards.map(({ index }) => index)));
  batch.selection.set([batch.cards[0], batch.cards[1]]);
  batch.selection.set([batch.cards[1], batch.cards[2]]);
  batch.selection.set([batch.cards[1], batch.cards[2]]);
  assert.deepEqual(told, [
    [0, 1],
    [0, 2],
  ]);
});

test("one key labels all that are selected, in one step", () => {
  const batch = new Batch(batchAnswer(8));
  batch.selection.set(batch.cards.slice(2, 5));
  assert.equal(
    batch.change(batch.targets, () => 1),
    3,
  );
  assert.equal(batch.undoChange(), 3);
});
