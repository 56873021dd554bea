import assert from "node:assert/strict";
import test from "node:test";
import { chartScale, measuredHeads, roundStep } from "../../fastlabel_gradio/ui/web/chart_scale.js";
import { tileOffset } from "../../fastlabel_gradio/ui/web/sheet.js";
import {
  formatDuration,
  frequencyTicks,
  ticksPerTime,
  timeTicks,
  timeUnit,
} from "../../fastlabel_gradio/ui/web/ticks.js";

const texts = (ticks) => ticks.map(({ text }) => text);

test("times are round steps of the file, also of a part of it", () => {
  assert.deepEqual(texts(timeTicks(0, 5, 6)), ["0", "1", "2", "3", "4", "5"]);
  assert.deepEqual(texts(timeTicks(0, 0.5, 6)), ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"]);
  assert.deepEqual(texts(timeTicks(57, 6, 6)), ["0:57", "0:58", "0:59", "1:00", "1:01", "1:02", "1:03"]);
  assert.deepEqual(texts(timeTicks(0.25, 1, 6)), ["0.4", "0.6", "0.8", "1.0", "1.2"]);
});

test("every tick lies within the sound, and there are few, however long it is", () => {
  for (const durationS of [0.004, 0.3, 1, 7.3, 59, 61, 3599, 7200, 1e6]) {
    const ticks = timeTicks(12.3, durationS, 6);
    assert.ok(ticks.length >= 1 && ticks.length <= 7, `${ticks.length} ticks of ${durationS} s`);
    assert.ok(ticks.every(({ place }) => place >= -1e-6 && place <= 1 + 1e-6));
  }
});

test("fewer times are written where they would run into each other", () => {
  const ticks = timeTicks(3600, 60, 6);
  assert.ok(ticksPerTime(ticks, 100) > ticksPerTime(ticks, 1000));
  assert.equal(ticksPerTime([], 100), 1);
});

test("units and lengths read as people say them", () => {
  assert.deepEqual([timeUnit(5), timeUnit(61), timeUnit(3600)], ["s", "min", "h"]);
  assert.deepEqual([0.05, 0.5, 4.2, 59.99, 3725].map(formatDuration), [
    "0.050 s",
    "0.50 s",
    "4.2 s",
    "1:00",
    "1:02:05",
  ]);
});

test("frequencies lie where the mel scale has them, and apart", () => {
  const mel = (hz) => 2595 * Math.log10(1 + hz / 700);
  const ticks = frequencyTicks({ low_hz: 0, top_hz: 8000, stretch: 1 }, 400);
  assert.deepEqual(texts(ticks), ["0.5", "1", "2", "4", "8"]);
  for (const { place, text } of ticks) assert.ok(Math.abs(place - mel(1000 * Number(text)) / mel(8000)) < 1e-9);
  const bats = frequencyTicks({ low_hz: 15000, top_hz: 120000, stretch: 10 }, 400);
  assert.ok(bats.length >= 3 && bats.every(({ place }) => place > 0 && place <= 1));
  const close = frequencyTicks({ low_hz: 0, top_hz: 8000, stretch: 1 }, 60).map(({ place }) => place);
  close.slice(1).forEach((place, index) => {
    assert.ok(place - close[index] >= 20 / 60 - 1e-9);
  });
});

test("of the heads those are drawn that were measured on enough items, the newest of as many labels", () => {
  const head = (labels, items, correct) => ({
    labels,
    audit_items: items,
    correct,
    low: 0.1,
    high: 0.9,
    agreement: null,
  });
  const heads = measuredHeads([head(20, 9, 9), head(40, 20, 10), head(30, 10, 5), head(40, 20, 15)]);
  assert.deepEqual(
    heads.map(({ labels, accuracy }) => [labels, accuracy]),
    [
      [30, 0.5],
      [40, 0.75],
    ],
  );
});

test("the chart's corners are the ends of its scales", () => {
  const { x, y, left, right, end } = chartScale(1000, 430);
  assert.deepEqual([x(0), x(end), y(0) > y(1)], [left, right, true]);
  assert.deepEqual([0.3, 1, 3, 7, 180, 208].map(roundStep), [1, 1, 5, 10, 200, 500]);
});

test("the tiles of a sheet go from its one end to the other", () => {
  const places = [0, 1, 2, 3].map((column) => tileOffset(column, 4));
  assert.ok(places[0] >= 0 && places[0] < 1 && places[3] > 99 && places[3] <= 100);
  assert.equal(tileOffset(0, 1) > 0, true);
});
