import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeWav, mixed } from "../../fastlabel_gradio/ui/web/wav.js";

test("samples become a mono WAV of 16 bits, cut off at full scale", () => {
  const bytes = new DataView(encodeWav(Float32Array.of(0, 0.5, -0.5, 1, -1, 2, -2), 8000));
  const word = (/** @type {number} */ place) =>
    String.fromCharCode(...[0, 1, 2, 3].map((index) => bytes.getUint8(place + index)));
  assert.deepEqual([word(0), word(8), word(12), word(36)], ["RIFF", "WAVE", "fmt ", "data"]);
  assert.equal(bytes.byteLength, 44 + 14);
  assert.equal(bytes.getUint32(4, true), bytes.byteLength - 8);
  assert.deepEqual([bytes.getUint16(22, true), bytes.getUint32(24, true), bytes.getUint32(28, true)], [1, 8000, 16000]);
  assert.equal(bytes.getUint32(40, true), 14);
  const levels = Array.from({ length: 7 }, (_, index) => bytes.getInt16(44 + 2 * index, true));
  assert.deepEqual(levels, [0, 16384, -16384, 32767, -32768, 32767, -32768]);
});

test("channels are mixed to their mean", () => {
  assert.deepEqual([...mixed([Float32Array.of(1, 0), Float32Array.of(0, -1)])], [0.5, -0.5]);
  assert.equal(mixed([]).length, 0);
});
