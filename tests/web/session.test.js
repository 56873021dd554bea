// The session against a server of its own: real requests, no page.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import test, { after, before, beforeEach } from "node:test";
import { ApiError, ProjectApi } from "../../fastlabel_gradio/ui/web/api.js";
import { ClassWatch } from "../../fastlabel_gradio/ui/web/class_watch.js";
import { DraftStore } from "../../fastlabel_gradio/ui/web/drafts.js";
import { Session } from "../../fastlabel_gradio/ui/web/session.js";
import { batchAnswer, statusAnswer } from "./answers.js";

const counts = { labeled: 2, unlabeled: 98, head_version: 0 };
let server;
let address;
let answers; // by path; an array is used up from the front, a promise is waited for
let asked; // [path, body or query] of each request

before(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    const url = new URL(request.url, "http://localhost");
    const path = url.pathname.replace("/below/api/", "");
    asked.push([path, body ? JSON.parse(body) : Object.fromEntries(url.searchParams)]);
    const given = await (Array.isArray(answers[path]) ? answers[path].shift() : answers[path]);
    response.statusCode = given?.error ? (given.status ?? 400) : 200;
    response.end(JSON.stringify(given ?? null));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  address = `http://127.0.0.1:${server.address().port}/below/?lang=en`;
});

after(() => server.close());

beforeEach(() => {
  asked = [];
  answers = { status: statusAnswer(), next_batch: batchAnswer() };
});

const screen = { isHidden: () => false, isShown: () => true, isThere: () => true };

/** A session with what it said and showed; it does not poll by itself. */
function open() {
  const shown = [];
  const said = [];
  const sheets = []; // what was loaded before its batch was shown, in the order of the batches
  const api = new ProjectApi("images", address);
  const settings = { strategy: "auto", batch_size: 6, max_batch: 1000 };
  const present = async (batch, sheet) => {
    shown.push(batch.id);
    sheets.push(await sheet);
  };
  const prepare = async ({ batch_id: id }) => `sheet of ${id}`;
  const session = new Session(api, new DraftStore("images"), settings, screen, present, prepare);
  session.on("say", ({ text }) => text && said.push(text));
  return { session, shown, said, sheets };
}

test("a batch is asked for with size and strategy, below the page's own path, and shown", async () => {
  const { session, shown } = open();
  session.configure("margin", 7.4);
  await session.loadNext();
  assert.deepEqual(asked, [["next_batch", { project: "images", size: "7", strategy: "margin", fresh: "true" }]]);
  assert.deepEqual([shown, session.busy], [["first"], ""]);
});

test("a size that is none becomes the project's own, and none is too large", () => {
  const { session } = open();
  const sizes = ["", "many", 0, -3, 5000].map((size) => {
    session.configure(null, size);
    return session.size;
  });
  assert.deepEqual(sizes, [6, 6, 6, 1, 1000]);
});

test("a submit sends the labels of the screen, closes the batch and brings the next", async () => {
  const { session, shown, said } = open();
  answers.next_batch = [batchAnswer(), batchAnswer(6, { batch_id: "second" })];
  answers.submit_labels = { accepted: 2, training_triggered: true, ...counts };
  await session.loadNext();
  session.batch.change(session.batch.cards.slice(0, 2), () => 1);
  await session.submit();
  const labels = [
    { id: "0.png", label: "b" },
    { id: "1.png", label: "b" },
  ];
  assert.deepEqual(asked[1], ["submit_labels", { project: "images", batch_id: "first", labels }]);
  assert.deepEqual(shown, ["first", "second"]);
  assert.equal(said.at(-1), "Submitted 2 labels; training.");
  session.stop();
});

test("a submit without a label says so and sends nothing", async () => {
  const { session, said } = open();
  await session.loadNext();
  await session.submit();
  assert.deepEqual([asked.length, said], [1, ["Label at least one card first."]]);
});

test("what fails is said, the labels stay, and the same submit can be sent again", async () => {
  const { session, said } = open();
  await session.loadNext();
  session.batch.change([session.batch.cards[0]], () => 0);
  answers.submit_labels = { error: "The disk is full.", status: 503 };
  await session.submit();
  assert.deepEqual([said.at(-1), session.batch.labeled.length, session.busy], ["The disk is full.", 1, ""]);
  answers.submit_labels = { accepted: 1, training_triggered: false, ...counts };
  await session.submit();
  assert.equal(said.at(-1), "Submitted 1 label.");
  session.stop();
});

test("without an answer it says that the labels are kept", async () => {
  const { session, said } = open();
  await session.loadNext();
  session.batch.change([session.batch.cards[0]], () => 0);
  session.api.root = new URL("http://127.0.0.1:1/"); // nobody listens there
  await session.submit();
  assert.equal(said.at(-1), "No answer from the server. Your labels are kept: try again.");
  session.api.root = new ProjectApi("images", address).root;
  await session.poll();
  assert.equal(said.at(-1), "The server answers again. Your labels are still here: submit them.");
  await session.poll();
  assert.equal(said.length, 3, "once");
  session.stop();
});

test("undo takes back changes on screen before it takes back a submit", async () => {
  const { session, said, shown } = open();
  await session.loadNext();
  session.batch.change([session.batch.cards[0]], () => 0);
  await session.undo();
  assert.deepEqual([session.batch.labeled.length, asked.length], [0, 1]);
  answers.undo = { undone: 3, batch: batchAnswer(3, { batch_id: "again" }), ...counts };
  await session.undo();
  assert.deepEqual([shown.at(-1), said.at(-1)], ["again", "Undid 3 labels: change what was wrong and submit again."]);
  session.stop();
});

test("one request at a time: a second press while one is on its way does nothing", async () => {
  const { session } = open();
  await Promise.all([session.loadNext(), session.loadNext(), session.train()]);
  assert.equal(asked.length, 1);
});

test("an empty answer is told with its reason, and the status asks again once there may be a batch", async () => {
  const { session, shown } = open();
  const empty = [];
  session.on("empty", (notice) => empty.push(notice));
  answers.next_batch = [batchAnswer(0, { batch_id: "", notice: "nothing embedded" }), batchAnswer()];
  await session.loadNext();
  assert.deepEqual([empty, session.batch], [["nothing embedded"], null]);
  await session.poll();
  while (!shown.length) await new Promise(setImmediate);
  assert.deepEqual(shown, ["first"]);
  session.stop();
});

test("a batch without suggestions is shown again once there is a head, unless the person has begun", async () => {
  const plain = batchAnswer(2);
  for (const item of plain.items) item.prediction = null;
  for (const hasBegun of [false, true]) {
    const { session, shown } = open();
    answers.next_batch = [plain, batchAnswer(2, { head_version: 1 })];
    answers.status = statusAnswer({ head: { version: 1 } });
    await session.loadNext();
    if (hasBegun) session.batch.change([session.batch.cards[0]], () => 0);
    await session.poll();
    while (session.busy) await new Promise(setImmediate);
    await session.poll();
    assert.equal(shown.length, hasBegun ? 1 : 2);
    session.stop();
  }
});

test("a lost connection is asked for again after longer and longer waits, 15 s at most", async () => {
  const { session } = open();
  const lost = [];
  session.on("lost", (error) => lost.push(error));
  answers.status = { error: "down", status: 503 };
  const waits = [];
  for (let count = 0; count < 6; count += 1) {
    await session.poll();
    waits.push(session.pollWait());
  }
  session.stop();
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 15000, 15000]);
  assert.ok(lost.length === 6 && lost[0] instanceof ApiError && lost[0].status === 503);
});

test("while something is at work the status is asked for every second, otherwise so often that changes of others are seen within 3 s", async () => {
  const { session } = open();
  const waitAfter = async (fields) => {
    answers.status = statusAnswer(fields);
    await session.poll();
    return session.pollWait();
  };
  assert.equal(await waitAfter({}), 2500);
  assert.equal(await waitAfter({ head: { state: "training" } }), 1000);
  assert.equal(await waitAfter({ embedding: { state: "embedding" } }), 1000);
  session.stop();
});

test("a claim that was lost is said once a batch", async () => {
  const { session, said } = open();
  await session.loadNext();
  answers.renew = { renewed: false };
  await session.renew();
  await session.renew();
  const told = said.filter((text) => text.includes("may be with others too"));
  assert.equal(told.length, 1);
  assert.doesNotMatch(told[0], /so long/, "why it was lost is not known: another process may have taken it back");
  assert.deepEqual(asked.at(-1), ["renew", { project: "images", batch_id: "first" }]);
});

test("news of the folder is said, and that there is none only where it was asked for", async () => {
  const { session, said } = open();
  const scanned = async (scans, changes) => {
    answers.status = statusAnswer({ embedding: { scans, scan_changes: changes } });
    await session.poll();
  };
  await scanned(1, "");
  await scanned(2, "");
  await scanned(3, "12 new items");
  assert.deepEqual(said, ["The folder has changed: 12 new items."]);
  answers.rescan = { requested: true };
  await session.rescan();
  await scanned(4, "");
  assert.equal(said.at(-1), "Nothing new in the folder.");
  session.stop();
});

/** A session whose batch is half labeled under a head that knows many labels, and which has asked for the next one. */
async function withBatchAsked(next) {
  const opened = open();
  const { session } = opened;
  answers.status = statusAnswer({ head: { version: 3, labels: 500 } });
  answers.next_batch = [batchAnswer(), next];
  answers.submit_labels = { accepted: 3, training_triggered: false, ...counts };
  await session.loadNext();
  await session.poll();
  clearTimeout(session.polling);
  session.batch.change(session.batch.cards.slice(0, 3), () => 1);
  return opened;
}

/** As `withBatchAsked`, once the next batch is there. */
async function withBatchAhead(fields = {}) {
  const opened = await withBatchAsked(batchAnswer(6, { batch_id: "second", ...fields }));
  const { ahead } = opened.session;
  while (ahead.asking && !ahead.answer) await new Promise(setImmediate);
  return opened;
}

test("the next batch is claimed while half of this one is labeled, and shown after the submit without a request", async () => {
  const { session, shown, sheets } = await withBatchAhead();
  assert.deepEqual(asked.at(-1)[1], { project: "images", size: "6", strategy: "auto", fresh: "false", after: "first" });
  const before = asked.length;
  await session.submit();
  session.stop();
  assert.deepEqual([shown, session.batch.id], [["first", "second"], "second"]);
  assert.deepEqual(sheets, [null, "sheet of second"]);
  assert.deepEqual(
    asked.slice(before).map(([path]) => path),
    ["submit_labels"],
  );
});

test("a person who is quicker than the next batch is shown that one, which is not asked for again", async () => {
  let answer;
  const held = new Promise((resolve) => {
    answer = resolve;
  });
  const { session, shown } = await withBatchAsked(held);
  const submitting = session.submit();
  while (session.batch) await new Promise(setImmediate);
  answer(batchAnswer(6, { batch_id: "second" }));
  await submitting;
  session.stop();
  assert.deepEqual([shown, session.busy], [["first", "second"], ""]);
  assert.equal(asked.filter(([path]) => path === "next_batch").length, 2);
});

test("where there is none to be claimed ahead after all, the next batch is asked for after the submit", async () => {
  const { session, shown } = await withBatchAsked(batchAnswer(0, { batch_id: "" }));
  answers.next_batch.push(batchAnswer(6, { batch_id: "third" }));
  await session.submit();
  session.stop();
  assert.deepEqual([shown, asked.findLast(([path]) => path === "next_batch")[1].fresh], [["first", "third"], "true"]);
});

test("a batch that is claimed ahead comes although another head is being trained by now", async () => {
  const { session, shown } = await withBatchAhead();
  answers.status = statusAnswer({ head: { version: 4, labels: 600, state: "training" } });
  await session.poll();
  await session.submit();
  session.stop();
  assert.deepEqual(shown, ["first", "second"]);
});

test("a batch that is claimed ahead is kept with the one on screen, and forgotten when another size is wanted", async () => {
  const { session, shown } = await withBatchAhead();
  answers.renew = { renewed: true };
  await session.renew();
  assert.deepEqual(
    asked.slice(-2).map(([, { batch_id }]) => batch_id),
    ["second", "first"],
  );
  answers.next_batch = batchAnswer(3, { batch_id: "third" });
  session.configure(null, 3);
  await session.submit();
  session.stop();
  assert.deepEqual([shown, asked.at(-1)[1].fresh], [["first", "third"], "true"]);
});

test("with a newer head another batch is claimed ahead in its place", async () => {
  const { session, shown } = await withBatchAhead();
  answers.status = statusAnswer({ head: { version: 4, labels: 600 } });
  answers.next_batch = batchAnswer(6, { batch_id: "third", head_version: 4 });
  await session.poll();
  while (session.ahead.batchId !== "third") await new Promise(setImmediate);
  assert.equal(asked.at(-1)[1].fresh, "true");
  await session.submit();
  session.stop();
  assert.deepEqual(shown, ["first", "third"]);
});

test("nothing is claimed ahead without a head that knows much, or early in a batch", async () => {
  for (const [head, labeled] of [
    [{ version: 3, labels: 11 }, 6],
    [{ version: 3, labels: 500, state: "training" }, 6],
    [{ version: 3, labels: 500 }, 2],
  ]) {
    const { session } = open();
    answers.status = statusAnswer({ head });
    answers.next_batch = batchAnswer();
    await session.loadNext();
    await session.poll();
    clearTimeout(session.polling);
    asked = [];
    session.batch.change(session.batch.cards.slice(0, labeled), () => 1);
    session.stop();
    assert.deepEqual([asked, session.ahead.asking], [[], ""]);
  }
});

test("a batch that somebody else gave back is said once by name, one that is only missing when it is missing twice", async () => {
  for (const [takenBack, polls, words] of [
    [[{ batch_id: "first", by: "ann" }], 1, /^ann gave your batch back/],
    [[], 2, /^This batch is not kept for you any more/],
  ]) {
    const { session, said } = open();
    answers.status = statusAnswer();
    await session.loadNext();
    await session.poll();
    assert.deepEqual(said, []);
    answers.status = statusAnswer({ batches: ["of another tab"], taken_back: takenBack });
    for (let polled = 1; polled < polls; polled += 1) await session.poll();
    assert.deepEqual(said, []);
    await session.poll();
    await session.poll();
    assert.equal(said.length, 1);
    assert.match(said[0], words);
    session.stop();
  }
});

test("at the limit of labels a person nothing is asked for until they go on", async () => {
  const { session, shown } = open();
  answers.next_batch = batchAnswer(0, { batch_id: "", at_limit: true, notice: "35 labels" });
  await session.loadNext();
  assert.ok(session.isAtLimit);
  await session.poll();
  assert.equal(asked.filter(([path]) => path === "next_batch").length, 1);
  answers.next_batch = batchAnswer();
  await session.goOn();
  assert.deepEqual([asked.at(-1)[1].go_on, session.isAtLimit, shown], ["true", false, ["first"]]);
  session.stop();
});

test("a view learns of classes by the status that is asked for anyway, and asks within 3 s where nobody does", async (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const { session } = open();
  const api = new ProjectApi("images", address);
  const seen = [];
  const watch = new ClassWatch(api, () => session);
  watch.on("status", ({ classes }) => seen.push(classes.join("")));
  await session.loadNext();
  watch.show();
  watch.hide();
  watch.show();
  answers.status = statusAnswer({ classes: ["a", "z"] });
  await session.poll();
  assert.deepEqual(seen, ["az"]);
  context.mock.timers.tick(6000);
  watch.hide();
  await session.poll();
  session.stop();
  assert.equal(seen.length, 1);

  const alone = new ClassWatch(api, () => undefined);
  alone.on("status", ({ classes }) => seen.push(classes.join("")));
  answers.status = [{ error: "The server is down.", status: 503 }, statusAnswer({ classes: ["a", "owl"] })];
  alone.show();
  await alone.poll();
  assert.equal(seen.length, 1);
  context.mock.timers.tick(3000);
  while (seen.length < 2) await new Promise(setImmediate);
  assert.equal(seen[1], "aowl");
  alone.hide();
  const before = asked.length;
  context.mock.timers.tick(6000);
  assert.equal(asked.length, before);
});
