import assert from "node:assert/strict";
import { test } from "node:test";
import {
  boxOf,
  coordinates,
  extent,
  groupsOf,
  POINTS_MOVED,
  polygonOf,
  readMap,
  turned,
} from "../../fastlabel_gradio/ui/web/map_data.js";

const HEADER = {
  layout: "pca",
  version: "v1",
  items: 7,
  classes: ["cat", "dog"],
  states: ["none", "label", "skip"],
  neighbours: "unasked",
  done: 0,
  problem: "",
};
const POINTS = {
  rows: [0, 2, 3, 5, 9],
  x: [0, 1, 2, 3, 4],
  y: [5, 4, 3, 2, 1],
  labels: [-1, 0, 1, 1, -1],
  predicted: [1, 1, 0, -1, 1],
  confidences: [0, 127, 254, 255, 51],
  states: [0, 1, 1, 1, 2],
};
const words = (word, n = 0) => (word === "others" ? `${n} others` : word);
const stateName = (state) => state.toUpperCase();

/** As the server packs it: docs/rest.md. */
function packed(header, { rows, x, y, labels, predicted, confidences, states }, isWhole = true) {
  const text = JSON.stringify({ ...header, points: rows.length, places: isWhole });
  const json = new TextEncoder().encode(text + " ".repeat((4 - (new TextEncoder().encode(text).length % 4)) % 4));
  const length = new Uint8Array(new Uint32Array([json.length]).buffer);
  const places = isWhole ? [Uint32Array.from(rows), Float32Array.from(x), Float32Array.from(y)] : [];
  const said = [Int16Array.from(labels), Int16Array.from(predicted), Uint8Array.from(confidences)];
  const arrays = [...places, ...said, Uint8Array.from(states)].map((array) => new Uint8Array(array.buffer));
  const padded = arrays.map((bytes) => [...bytes, ...new Array((4 - (bytes.length % 4)) % 4).fill(0)]);
  return Uint8Array.from([...new TextEncoder().encode("FLM1"), ...length, ...json, ...padded.flat()]).buffer;
}

test("a map is read as the server packed it, names of any letters among it", () => {
  const data = readMap(packed({ ...HEADER, classes: ["قطة", "犬"] }, POINTS), null);
  assert.deepEqual(data.header.classes, ["قطة", "犬"]);
  for (const [name, values] of Object.entries(POINTS)) assert.deepEqual([...data[name]], values, name);
});

test("a map without places has those of the one before, and none of its colours", () => {
  const before = readMap(packed(HEADER, POINTS), null);
  const after = readMap(packed(HEADER, { ...POINTS, labels: [0, 0, 0, 0, 0] }, false), before);
  assert.equal(after.x, before.x);
  assert.deepEqual([...after.labels], [0, 0, 0, 0, 0]);
  assert.throws(() => readMap(packed(HEADER, POINTS, false), null), /no places/);
  assert.throws(() => readMap(new TextEncoder().encode("FLM2{}..").buffer, null), /no map/);
});

test("points are grouped by label and by prediction, those without one first", () => {
  const data = readMap(packed(HEADER, POINTS), null);
  const grouped = (by) => groupsOf(data, by, words, stateName).map(({ name, places }) => [name, places]);
  assert.deepEqual(grouped("label"), [
    ["none", [0, 4]],
    ["cat", [1]],
    ["dog", [2, 3]],
  ]);
  assert.deepEqual(grouped("prediction"), [
    ["none", [3]],
    ["cat", [2]],
    ["dog", [0, 1, 4]],
  ]);
  assert.deepEqual(grouped("state"), [
    ["NONE", [0]],
    ["LABEL", [1, 2, 3]],
    ["SKIP", [4]],
  ]);
});

test("a class that was given a colour has it on the map, the others those of the map", () => {
  const data = readMap(packed(HEADER, POINTS), null);
  const colours = (own) => groupsOf(data, "label", words, stateName, own).map(({ name, colour }) => [name, colour]);
  const usual = Object.fromEntries(colours(() => undefined));
  const own = Object.fromEntries(colours((name) => (name === "dog" ? "#123456" : undefined)));
  assert.deepEqual(own, { ...usual, dog: "#123456" });
});

test("a class without a colour has none that is near a chosen one, and the same one twice is given to nobody", () => {
  const classes = Array.from({ length: 10 }, (_, number) => `c${number}`);
  const labels = classes.map((_, number) => number);
  const points = { rows: labels, x: labels, y: labels, labels, predicted: labels, confidences: labels, states: labels };
  const data = readMap(packed({ ...HEADER, classes }, points), null);
  const colours = (own) => {
    const groups = groupsOf(data, "label", words, stateName, (name) => own[name]);
    return Object.fromEntries(groups.map(({ name, colour }) => [name, colour]));
  };
  const usual = colours({});
  const found = colours({ c5: "#ff7f00", c6: "#55a040" }); // near what c1 and c2 have as a rule
  assert.deepEqual([usual.c1, usual.c2], ["#f58518", "#54a24b"]);
  assert.notEqual(found.c1, usual.c1);
  assert.notEqual(found.c2, usual.c2);
  for (const name of ["c0", "c3", "c4", "c7", "c9"]) assert.equal(found[name], usual[name], name);
  assert.equal(new Set(Object.values(found)).size, classes.length);
});

test("confidences are grouped in fifths, the highest among the last, unknown ones apart", () => {
  const groups = groupsOf(readMap(packed(HEADER, POINTS), null), "confidence", words, stateName);
  assert.deepEqual(
    groups.map(({ name, places }) => [name, places]),
    [
      ["unknown", [3]],
      ["0 – 20 %", [0]],
      ["20 – 40 %", [4]],
      ["40 – 60 %", [1]],
      ["80 – 100 %", [2]],
    ],
  );
});

test("of many classes the most frequent ones have colours of their own", () => {
  const classes = Array.from({ length: 30 }, (_, number) => `c${number}`);
  const labels = classes.flatMap((_, number) => new Array(number < 6 ? 1 : 2).fill(number));
  const same = labels.map(() => 0);
  const points = { rows: same, x: same, y: same, labels, predicted: same, confidences: same, states: same };
  const groups = groupsOf(readMap(packed({ ...HEADER, classes }, points), null), "label", words, stateName);
  assert.deepEqual([groups.length, groups[0].name, groups[0].places.length], [25, "6 others", 6]);
});

test("points beyond those that are drawn while the map moves stand apart", () => {
  const count = POINTS_MOVED + 5;
  const data = { x: Float32Array.from({ length: count }, (_, place) => place), y: new Float32Array(count) };
  const [few, rest] = coordinates(
    data,
    Array.from({ length: count }, (_, place) => place),
  );
  assert.deepEqual([few.places.length, rest.places.length, rest.x[0]], [POINTS_MOVED, 5, POINTS_MOVED]);
  const [all, none] = coordinates(data, [1, 2]);
  assert.deepEqual([[...all.x], none.places], [[1, 2], []]);
});

test("a drawn line is sent with few corners, and a box as its four", () => {
  const line = Array.from({ length: 1001 }, (_, place) => place / 3);
  assert.ok(polygonOf(line, line).length <= 200);
  assert.deepEqual(polygonOf([1 / 3], [2 / 3]), [[0.33333, 0.66667]]);
  assert.deepEqual(boxOf([0, 2], [1, 3]), [
    [0, 1],
    [2, 1],
    [2, 3],
    [0, 3],
  ]);
});

test("all points lie within the picture, and it turns around the pointer", () => {
  const [x, y] = extent(readMap(packed(HEADER, POINTS), null));
  assert.ok(x[0] < 0 && x[1] > 4 && y[0] < 1 && y[1] > 5);
  assert.deepEqual(turned([0, 10], 0, 0.5, 0.2), [1, 6]);
  assert.deepEqual(turned([0, 10], 0.1, 1, 0), [1, 11]);
});
