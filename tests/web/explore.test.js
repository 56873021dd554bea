import assert from "node:assert/strict";
import test from "node:test";
import { withExample } from "../../fastlabel_gradio/ui/web/class_examples.js";
import { applyTo, overruledBy, preview, targetOf } from "../../fastlabel_gradio/ui/web/explore_acts.js";
import { chipsOf } from "../../fastlabel_gradio/ui/web/explore_chips.js";
import { EXPLORE_COMMANDS } from "../../fastlabel_gradio/ui/web/explore_commands.js";
import { chosenOf, FACETS, partOf, timesOf } from "../../fastlabel_gradio/ui/web/explore_facets.js";
import {
  emptyWords,
  FilterError,
  formatFilter,
  parseFilter,
  withPart,
} from "../../fastlabel_gradio/ui/web/explore_filter.js";
import { FoundList, PAGE_ITEMS } from "../../fastlabel_gradio/ui/web/found_list.js";
import { FoundSelection } from "../../fastlabel_gradio/ui/web/found_selection.js";
import { likeText, searchedText, searchFor } from "../../fastlabel_gradio/ui/web/search_text.js";
import { ageOf } from "../../fastlabel_gradio/ui/web/time_text.js";
import { MOST_PX, VirtualWindow } from "../../fastlabel_gradio/ui/web/virtual_window.js";

/** A window on `count` items, 5 a row. */
function windowOn(count) {
  return Object.assign(new VirtualWindow(), { count, columns: 5, rowPx: 200, viewPx: 700 });
}

/** A list of `total` items whose pages are answered at once; `asked` notes the offsets. */
function listOf(total, query = {}) {
  const asked = [];
  const list = new FoundList(query, async ({ list_id: listId, offset, size }) => {
    asked.push(listId ? offset : -1);
    const items = Array.from({ length: Math.max(0, Math.min(size, total - offset)) }, (_, index) =>
      found(offset + index),
    );
    return { total, items, list_id: "l1", head_version: 0, scanned: 0, rows: total, event: 4 };
  });
  return { list, asked };
}

function found(place, more = {}) {
  const item = { id: `${place}.png`, place, row: place, label: null, state: null, annotator: null, prediction: null };
  return { ...item, source: null, created_at: null, similarity: null, ...more };
}

test("a grid of a few items is scrolled pixel by pixel", () => {
  const window = windowOn(23);
  assert.deepEqual([window.rows, window.boxPx], [5, 1000]);
  assert.equal(window.scroll(250), 250);
  assert.deepEqual([window.topPx, window.range(), window.range(1)], [250, [5, 23], [0, 23]]);
  assert.deepEqual([window.yOf(0), window.yOf(7)], [0, 200]);
  assert.equal(window.reveal(22), 300);
  assert.equal(window.reveal(0), 0);
});

test("a million items fit in a box that a browser can lay out, and every one of them can be reached", () => {
  const window = windowOn(1_000_000);
  assert.equal(window.boxPx, MOST_PX);
  for (const place of [0, 4, 5, 123_456, 500_000, 987_654, 999_999]) {
    const scrollTop = window.show(place);
    assert.ok(scrollTop >= 0 && scrollTop <= MOST_PX - window.viewPx, String(place));
    const [first, end] = window.range();
    assert.ok(place >= first && place < end, String(place));
    const y = window.yOf(place);
    assert.ok(y >= scrollTop - window.rowPx && y <= scrollTop + window.viewPx, String(place));
  }
  assert.equal(window.range()[1], 1_000_000);
});

test("small steps through a million items move by pixels, and a pull at the scrollbar by its share", () => {
  const window = windowOn(1_000_000);
  let scrollTop = window.scroll((MOST_PX - 700) / 2);
  const middle = window.topPx;
  assert.ok(Math.abs(middle - (window.fullPx - 700) / 2) < 1);
  for (let step = 0; step < 20; step++) scrollTop = window.scroll(scrollTop + 100);
  assert.equal(window.topPx, middle + 2000);
  window.scroll(MOST_PX - 700);
  assert.equal(window.topPx, window.fullPx - 700);
});

test("from a place far down one scrolls up by small steps to the very first item", () => {
  const window = windowOn(1_000_000);
  let scrollTop = window.show(60_000);
  for (let step = 0; step < 20_000 && window.topPx > 0; step++) {
    const before = window.topPx;
    scrollTop = window.scroll(Math.max(0, scrollTop - 400));
    assert.ok(Math.abs(before - window.topPx - Math.min(400, before)) <= 1, `${before} ${window.topPx}`);
  }
  assert.deepEqual([window.topPx, scrollTop], [0, 0]);
});

test("a list asks for the pages in view once, keeps few of them, and knows its items by their place", async () => {
  const { list, asked } = listOf(10_000);
  assert.equal((await list.open()).total, 10_000);
  const come = [];
  list.on("page", ({ first }) => come.push(first));
  list.want(50, 130);
  list.want(50, 130);
  await new Promise(setImmediate);
  assert.deepEqual(asked, [-1, 60, 120]);
  assert.deepEqual(come, [60, 120]);
  assert.equal(list.item(125).id, "125.png");
  for (let place = 0; place < 3000; place += PAGE_ITEMS) {
    list.want(place, place + 1);
    await new Promise(setImmediate);
  }
  assert.ok(list.pages.size <= 20);
  assert.equal(list.item(125), undefined);
  assert.equal(list.item(2999).place, 2999);
});

test("a list that became shorter begins at its first page", async () => {
  const { list } = listOf(30);
  await list.open(5_000);
  assert.equal(list.item(0).id, "0.png");
});

test("items are shown as they are now, at their place", async () => {
  const { list } = listOf(100);
  await list.open();
  assert.deepEqual(list.update([found(999, { id: "7.png", label: "cat" }), found(3, { id: "gone" })], 9), [7]);
  assert.deepEqual([list.item(7).label, list.item(7).place], ["cat", 7]);
});

test("some or all but some of what is found are selected", () => {
  const selection = new FoundSelection();
  selection.restart(1_000_000);
  selection.toggle(found(3));
  selection.toggle(found(5));
  assert.deepEqual([selection.size, selection.ids, selection.has("5.png")], [2, ["3.png", "5.png"], true]);
  assert.deepEqual(selection.rangeTo(0, 9), [5, 10]);
  assert.deepEqual(selection.rangeTo(0, 2), [2, 6]);
  selection.selectAll();
  selection.toggle(found(3));
  assert.deepEqual([selection.size, selection.has("3.png"), selection.has("4.png")], [999_999, false, true]);
  selection.clear();
  assert.deepEqual([selection.size, selection.all], [0, false]);
});

test("what is done goes to a query, not to a list of ids, where all is selected", () => {
  const selection = new FoundSelection();
  selection.restart(50);
  const query = { labels: ["cat"], order: "time", exclude: ["1.png"] };
  assert.equal(targetOf(selection, undefined, query), null);
  assert.deepEqual(targetOf(selection, found(2), query).ids, ["2.png"]);
  selection.selectAll();
  selection.toggle(found(9));
  const target = targetOf(selection, found(2), query);
  assert.deepEqual([target.ids, target.size, target.exclude], [null, 49, ["1.png", "9.png"]]);
});

test("what is done is asked by the query, with what was seen of it, and previewed by the same request", async () => {
  const asked = [];
  const api = { apply: async (what) => asked.push(what) && { changed: 7 } };
  const target = { query: { labels: ["cat"], exclude: ["1.png"] }, exclude: ["1.png", "9.png"], size: 49, ids: null };
  assert.equal(await applyTo(api, target, { label: "dog" }, 5), 7);
  await applyTo(api, target, { state: "bad" }, undefined);
  await applyTo(api, target, {}, 5);
  await preview(api, target, { label: "dog" });
  const accepted = [{ id: "1.png", label: "cat", confidence: 0.8 }];
  await applyTo(api, target, { accepted }, 5);
  const query = { labels: ["cat"] };
  const exclude = ["1.png", "9.png"];
  assert.deepEqual(asked, [
    { query, label: "dog", exclude, seen: 5 },
    { query, state: "bad", exclude, seen: undefined },
    { query, exclude, seen: 5 },
    { query, label: "dog", exclude, preview: true },
    { accepted, seen: 5 },
  ]);
  const overruled = [
    { annotator: "ann", items: 50 },
    { annotator: "bob", items: 10 },
  ];
  assert.deepEqual(overruledBy({ overruled }), { labels: 60, people: ["ann", "bob"] });
});

test("of some items the list knows up to which event they were seen", async () => {
  const { list } = listOf(200);
  await list.open();
  list.want(60, 61);
  await new Promise(setImmediate);
  assert.deepEqual([list.seen(null), list.seen(["7.png"]), list.seen(["7.png", "61.png"])], [4, 4, 4]);
  list.update([found(7)], 9);
  assert.deepEqual([list.seen(["7.png"]), list.seen(["7.png", "8.png"]), list.seen(["unknown"])], [9, 4, 4]);
});

test("a filter is written and read alike, always in the same way", () => {
  for (const query of [{}, { labels: ["猫&=#%"], order: "-time" }, { near: { text: "a dog" }, confidence: [0, 0.5] }]) {
    assert.deepEqual(parseFilter(formatFilter(query)), query);
  }
  assert.equal(formatFilter({ order: "time", agrees: false }), formatFilter({ agrees: false, order: "time" }));
  assert.equal(formatFilter({ labels: [], text: "", near: undefined }), "");
});

test("filters that are none are refused", () => {
  for (const text of ["{", "[]", "null", "1", '"x"', `{"text": "${"x".repeat(70_000)}"}`]) {
    assert.throws(() => parseFilter(text), FilterError, text.slice(0, 10));
  }
  assert.deepEqual(parseFilter('{"__proto__": {"polluted": 1}, "agrees": true}').polluted, undefined);
  assert.equal({}.polluted, undefined);
});

test("the order of likeness goes with what things are like", () => {
  const query = { near: { text: "a" }, order: "similarity" };
  assert.deepEqual(withPart(query, { near: undefined }), {});
  assert.deepEqual(withPart(query, { labels: ["x"] }), { ...query, labels: ["x"] });
});

test("every value of every facet is put into the query and taken out of it", () => {
  for (const facet of FACETS) {
    const value = { agrees: "false", time: "2026-11-26" }[facet.key] ?? "x";
    const query = withPart({}, partOf(facet, [value]));
    assert.deepEqual(chosenOf(query, facet), [value], facet.key);
    assert.deepEqual(withPart(query, partOf(facet, [])), {}, facet.key);
  }
});

test("each chip takes out what it says and nothing else", () => {
  const query = {
    labels: ["cat", "dog"],
    confidence: [0.2, 0.6],
    time: ["2026-11-01T00:00:00Z", null],
    near: { ids: ["1.png"], not_ids: ["2.png"], text: "a dog", vectors: ["v"] },
    text: "x",
    ids: ["1.png", "2.png"],
    exclude: ["3.png"],
  };
  const chips = chipsOf(query);
  assert.equal(chips.length, 11);
  const left = chips.reduce((kept, { without }) => withPart(kept, without), query);
  assert.deepEqual(chipsOf(withPart(query, chips[0].without)).length, 10);
  assert.equal(left.confidence ?? left.time ?? left.text ?? left.ids ?? left.exclude, undefined);
  assert.deepEqual(
    withPart({ near: { ids: ["1"], not_ids: ["2"] } }, chipsOf({ near: { ids: ["1"], not_ids: ["2"] } })[0].without),
    {},
  );
});

test("the audit has a chip of its own, as what Progress leads to asks for nothing else", () => {
  for (const audited of [true, false]) {
    const [chip, ...others] = chipsOf({ audited });
    assert.deepEqual([others, withPart({ audited }, chip.without)], [[], {}]);
  }
  assert.notEqual(chipsOf({ audited: true })[0].name, chipsOf({ audited: false })[0].name);
});

test("terms after a minus are what items shall not be like", () => {
  assert.deepEqual(likeText("a dog -snow"), { text: "a dog", not_text: "snow" });
  assert.deepEqual(likeText('well-known dog -"a cat" -snow'), { text: "well-known dog", not_text: "a cat, snow" });
  assert.deepEqual(likeText("-snow"), { text: "snow", not_text: "" });
  for (const typed of ["a dog -snow", 'a dog -"a cat" -snow', "dog"])
    assert.equal(searchedText({ near: likeText(typed) }), typed);
});

test("names are searched where the text is one, or the encoder reads no texts", () => {
  assert.deepEqual(searchFor("cat/1.jpg", true), { text: "cat/1.jpg", near: undefined });
  assert.deepEqual(searchFor(" 123 ", true), { text: "123", near: undefined });
  assert.deepEqual(searchFor("a dog", true), { text: undefined, near: { text: "a dog", not_text: "" } });
  assert.deepEqual(searchFor("a dog", false), { text: "a dog", near: undefined });
  assert.deepEqual(searchFor("  ", true), { text: undefined, near: undefined });
});

test("how long ago something was said", () => {
  const now = Date.parse("2026-11-26T12:00:00Z");
  const ages = [
    "2026-11-26T11:59:30Z",
    "2026-11-26T11:20:00Z",
    "2026-11-26T03:00:00Z",
    "2026-11-25T11:00:00Z",
    "2026-10-01T00:00:00Z",
  ];
  assert.deepEqual(
    ages.map((time) => ageOf(time, now)),
    ["now", "40 min ago", "9 h ago", "yesterday", "2026-10-01"],
  );
});

test("no key of the view does two things", () => {
  for (const kind of ["image", "audio"]) {
    const keys = EXPLORE_COMMANDS.filter((one) => !one.kind || one.kind === kind).flatMap(({ keys: its }) => its);
    assert.equal(new Set(keys).size, keys.length, kind);
  }
});

test("times are minutes of UTC, both included, the earlier one first", () => {
  assert.equal(timesOf("", ""), undefined);
  assert.deepEqual(timesOf("2026-11-26T09:30", ""), ["2026-11-26T09:30:00Z", null]);
  assert.deepEqual(timesOf("", "2026-11-26T09:30"), [null, "2026-11-26T09:30:59.999999Z"]);
  assert.deepEqual(timesOf("2026-11-27T00:00", "2026-11-26T09:30"), [
    "2026-11-26T09:30:00Z",
    "2026-11-27T00:00:59.999999Z",
  ]);
  const day = FACETS.find(({ key }) => key === "time");
  const whole = partOf(day, ["2026-11-26"]);
  assert.deepEqual(chosenOf(whole, day), ["2026-11-26"]);
  assert.deepEqual(chosenOf({ time: timesOf("2026-11-26T09:30", "2026-11-26T10:30") }, day), []);
});

test("an item becomes an example or is none any more; of five the oldest goes", () => {
  assert.deepEqual(withExample([], "a"), ["a"]);
  assert.deepEqual(withExample(["a", "b"], "a"), ["b"]);
  assert.deepEqual(withExample(["a", "b", "c", "d"], "e"), ["b", "c", "d", "e"]);
});

test("an empty list says why it is empty, and speaks of filters only where there are some", () => {
  assert.match(emptyWords({ order: "near_duplicates" }), /almost the same/);
  assert.match(emptyWords({ order: "mistakes" }), /label items of at least two classes/);
  assert.match(emptyWords({ order: "mistakes", labels: ["cat"] }), /Take out a filter/);
  assert.match(emptyWords({ order: "newest", labels: [] }), /no items here yet/);
});
