import assert from "node:assert/strict";
import test from "node:test";
import { cardState } from "../../fastlabel_gradio/ui/web/answers.js";
import { Batch } from "../../fastlabel_gradio/ui/web/batch.js";
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

test("of a label that stood before the page was opened nobody changed anything, whatever the head says", () => {
  const suggestion = { index: 1, name: "dog", confidence: 0.9, runnersUp: [] };
  const states = [0, 1, null].map((label) => cardState({ label, aside: null, suggestion, isStored: true }));
  assert.deepEqual(states, ["differs", "accepted", "open"]);
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

/** Six cards: 0 and 5 said to be "b", 1 and 4 "a", 2 nothing, 3 "b"; confidences in no order. */
function groupedBatch() {
  const answer = batchAnswer();
  const said = [["b", 0.9], ["a", 0.6], null, ["b", 0.4], ["a", 0.8], ["b", 0.7]];
  answer.items.forEach((item, place) => {
    const [label, confidence] = said[place] ?? [];
    const others = [0, 1, 2].filter((index) => answer.classes[index] !== label);
    item.prediction = label ? { label, index: answer.classes.indexOf(label), confidence, runners_up: others } : null;
  });
  const batch = new Batch(answer);
  batch.arrange(true);
  return batch;
}

const tilesOf = (cards) => cards.map(({ tile }) => tile);

test("groups stand by predicted class, the least sure first, cards without a prediction last", () => {
  const batch = groupedBatch();
  assert.deepEqual(
    batch.groups.map(({ index, cards }) => [index, tilesOf(cards)]),
    [
      [0, [1, 4]],
      [1, [3, 5, 0]],
      [null, [2]],
    ],
  );
  assert.deepEqual(
    batch.cards.map(({ index }) => index),
    [0, 1, 2, 3, 4, 5],
  );
  batch.current = 3; // tile 5
  batch.arrange(false);
  assert.deepEqual([tilesOf(batch.cards), batch.current], [[0, 1, 2, 3, 4, 5], 5]);
  assert.deepEqual(batch.groups.length, 1);
});

test("in groups, up and down go to the row above and below, however long it is", () => {
  const batch = groupedBatch(); // 2 columns: 0 1 / 2 3 / 4 / 5
  const moves = [
    ["down", 1, 3],
    ["down", 3, 4],
    ["down", 4, 5],
    ["up", 5, 4],
    ["up", 4, 2],
    ["up", 1, 1],
    ["right", 4, 5],
  ];
  for (const [move, from, to] of moves) {
    batch.current = from;
    assert.equal(batch.neighbour(move, 2), to, `${move} from ${from}`);
  }
});

test("small groups flow: a heading takes a cell, and moves lead to the nearest card", () => {
  const batch = groupedBatch(); // 3 columns: - 0 1 / - 2 3 / 4 - 5
  const moves = [
    ["down", 0, 2],
    ["down", 1, 3],
    ["down", 2, 4],
    ["down", 3, 5],
    ["up", 4, 2],
    ["up", 5, 3],
    ["up", 0, 0],
  ];
  for (const [move, from, to] of moves) {
    batch.current = from;
    assert.equal(batch.neighbour(move, 3, true), to, `${move} from ${from}`);
  }
});

test("a group accepts what is open, was seen and is not excluded, from a group; undo and redo restore each exactly", () => {
  const batch = groupedBatch();
  const [, group] = batch.groups;
  batch.see(group.cards.slice(1)); // not tile 3
  batch.change([group.cards[2]], () => ({ label: null, aside: null, source: "person", excluded: true }), "exclude");
  const accepted = batch.confirmable(group.cards);
  assert.deepEqual(tilesOf(accepted), [5]);
  batch.change(accepted, ({ suggestion }) => ({
    label: suggestion.index,
    aside: null,
    source: "group",
    excluded: false,
  }));
  batch.change([batch.cards[0]], () => ({ label: null, aside: "unsure", source: "person", excluded: false }), "unsure");
  const after = [batch.submission(), batch.draft()];
  assert.deepEqual(after[0], [
    { id: "1.png", state: "unsure" },
    { id: "5.png", label: "b", source: "group" },
  ]);
  assert.deepEqual(batch.asides(), [0, 1, 0]);
  while (batch.undoChange());
  assert.deepEqual([batch.submission(), batch.draft()], [[], {}]);
  while (batch.redoChange());
  assert.deepEqual([batch.submission(), batch.draft()], after);
});

test("a new step leaves nothing to bring back", () => {
  const batch = groupedBatch();
  batch.change([batch.cards[0]], () => 2);
  batch.undoChange();
  batch.change([batch.cards[1]], () => 1);
  assert.deepEqual([batch.redoChange(), batch.submission()], [0, [{ id: "4.png", label: "b" }]]);
});

test("labels, states and steps of a draft come back, and are undone as before", () => {
  const first = groupedBatch();
  first.change([first.cards[0], first.cards[1]], () => 2);
  first.change([first.cards[1]], () => ({ label: null, aside: "bad", source: "person", excluded: false }), "bad");
  first.change([first.cards[2]], () => ({ label: null, aside: null, source: "person", excluded: true }), "exclude");
  const kept = JSON.parse(JSON.stringify({ labels: first.draft(), steps: first.draftSteps() }));
  const batch = new Batch({ ...batchAnswer(), classes: ["new", "a", "b", "c"] }, kept.labels, kept.steps);
  assert.deepEqual(batch.submission(), [
    { id: "1.png", label: "c" },
    { id: "4.png", state: "bad" },
  ]);
  assert.deepEqual(
    batch.changes.map(({ kind, n, name }) => [kind, n, name]),
    [
      ["label", 2, "c"],
      ["bad", 1, ""],
      ["exclude", 1, ""],
    ],
  );
  assert.deepEqual([batch.undoChange(), batch.undoChange()], [1, 1]);
  assert.deepEqual(
    batch.submission().map(({ label }) => label),
    ["c", "c"],
  );
  assert.deepEqual([batch.undoChange(), batch.submission()], [2, []]);
});

test("random steps, undone one by one and brought back one by one, give every state again", () => {
  let seed = 7;
  const below = (count) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * count);
  };
  for (let round = 0; round < 20; round += 1) {
    const batch = groupedBatch();
    const states = [JSON.stringify(batch.draft())];
    while (states.length < 12) {
      const cards = batch.cards.filter(() => below(2));
      const aside = [null, null, "skip", "unsure", "bad"][below(5)];
      const label = aside || below(4) === 3 ? null : below(3);
      const answer = { label, aside, source: "person", excluded: false };
      if (batch.change(cards, () => answer)) states.push(JSON.stringify(batch.draft()));
    }
    for (const state of [...states].reverse().slice(1)) {
      batch.undoChange();
      assert.equal(JSON.stringify(batch.draft()), state);
    }
    for (const state of states.slice(1)) {
      batch.redoChange();
      assert.equal(JSON.stringify(batch.draft()), state);
    }
  }
});

test("a class that is added while one labels moves no label, also none of a step that is undone", () => {
  const batch = groupedBatch();
  batch.change([batch.cards[0]], () => 2);
  batch.change([batch.cards[0]], () => 0);
  batch.useClasses(["new", "a", "b", "c"]);
  assert.deepEqual(batch.submission(), [{ id: "1.png", label: "a" }]);
  batch.undoChange();
  assert.deepEqual(batch.submission(), [{ id: "1.png", label: "c" }]);
  assert.deepEqual(
    batch.cards.map(({ suggestion }) => suggestion && batch.classes[suggestion.index]),
    ["a", "a", "b", "b", "b", null],
  );
  assert.deepEqual(
    batch.cards.map(({ suggestion }) => suggestion?.runnersUp.map((index) => batch.classes[index])),
    [["b", "c"], ["b", "c"], ["a", "c"], ["a", "c"], ["a", "c"], undefined],
  );
});

test("labels follow classes that are renamed or merged, and come back with one that was archived", () => {
  const batch = groupedBatch();
  for (const [place, label] of [0, 1, 2].entries()) batch.change([batch.cards[place]], () => label);
  batch.useClasses(["z", "c"], { a: "z", b: "z" });
  assert.deepEqual(
    batch.submission().map(({ label }) => label),
    ["z", "z", "c"],
  );
  batch.useClasses(["z"], { a: "z", b: "z" });
  assert.deepEqual(
    batch.submission().map(({ label }) => label),
    ["z", "z"],
  );
  assert.deepEqual(new Set(batch.cards.map(({ suggestion }) => suggestion?.name)), new Set(["z", undefined]));
  assert.ok(
    batch.cards.every(({ suggestion }) => !suggestion?.runnersUp.length),
    "a class that was merged into the suggested one, or archived, is no alternative to it",
  );
  batch.useClasses(["c", "z"], { a: "z", b: "z" });
  assert.deepEqual(
    batch.submission().map(({ label }) => label),
    ["z", "z", "c"],
  );
});
