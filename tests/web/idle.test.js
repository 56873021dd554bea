import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { eachWhenIdle } from "../../fastlabel_gradio/ui/web/idle.js";

/** @type {((moment: { timeRemaining: () => number }) => void)[]} */
const asked = [];
const page = /** @type {any} */ (globalThis);

function withIdleMoments() {
  page.requestIdleCallback = (/** @type {(moment: { timeRemaining: () => number }) => void} */ go) => asked.push(go);
}

/** @param {number} works how many of them a moment has time for */
function idleFor(works) {
  let left = works;
  asked.shift()?.({ timeRemaining: () => (left-- > 0 ? 50 : 0) });
}

afterEach(() => {
  asked.length = 0;
  delete page.requestIdleCallback;
});

test("as many are done in an idle moment as it has time for, in their order", () => {
  withIdleMoments();
  /** @type {number[]} */
  const done = [];
  eachWhenIdle([1, 2, 3], (one) => done.push(one));
  assert.deepEqual(done, []);
  idleFor(2);
  assert.deepEqual(done, [1, 2]);
  idleFor(0);
  idleFor(9);
  assert.deepEqual(done, [1, 2, 3]);
  assert.equal(asked.length, 0);
});

test("what is left when it is ended is not done", () => {
  withIdleMoments();
  /** @type {number[]} */
  const done = [];
  const end = eachWhenIdle([1, 2, 3], (one) => done.push(one));
  idleFor(1);
  end();
  idleFor(9);
  assert.deepEqual(done, [1]);
});

test("a browser that does not tell when it is idle does them all the same", async () => {
  await new Promise((resolve) => eachWhenIdle(["only"], resolve));
});
