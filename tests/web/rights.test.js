import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { COMMANDS, commandsOf } from "../../fastlabel_gradio/ui/web/commands.js";
import { EXPLORE_COMMANDS } from "../../fastlabel_gradio/ui/web/explore_commands.js";
import { loadRights, may, useRights } from "../../fastlabel_gradio/ui/web/rights.js";

afterEach(() => useRights(null));

const names = (/** @type {any[]} */ table) => commandsOf("image", table).map(({ name }) => name);

test("nothing is hidden before the server has said what is theirs", () => {
  assert.ok(may("POST /api/train"));
  assert.ok(may(undefined));
});

test("what the role does not open is not offered, and what needs no route is", () => {
  useRights(["GET /api/status"]);
  assert.ok(may("GET /api/status"));
  assert.ok(!may("POST /api/train"));
  assert.ok(may(undefined));
});

test("keys that are not theirs do nothing and are not in the help", () => {
  const before = names(COMMANDS);
  useRights(["POST /api/apply", "POST /api/undo", "POST /api/redo", "POST /api/items/claim"]);
  assert.deepEqual(
    before.filter((name) => !names(COMMANDS).includes(name)),
    ["classes", "rescan"],
  );
  assert.deepEqual(names(EXPLORE_COMMANDS).includes("bad"), true);
  useRights([]);
  for (const name of ["label", "accept", "bad", "clear", "send", "undo", "redo"]) {
    assert.ok(!names(EXPLORE_COMMANDS).includes(name), name);
  }
  assert.ok(names(EXPLORE_COMMANDS).includes("more-like"));
});

test("an app that does not answer hides nothing", async () => {
  const { fetch } = globalThis;
  globalThis.fetch = () => Promise.reject(new TypeError("no network"));
  try {
    await loadRights("http://localhost/");
  } finally {
    globalThis.fetch = fetch;
  }
  assert.ok(may("POST /api/train"));
});
