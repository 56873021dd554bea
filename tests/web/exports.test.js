import assert from "node:assert/strict";
import test from "node:test";
import { formatWords } from "../../fastlabel_gradio/ui/web/export_menu.js";
import { optionsQuery } from "../../fastlabel_gradio/ui/web/export_options.js";

const everything = { states: [], sources: [], standing: false, predictions: false, shares: [], seed: 3 };

test("formats are called by words, those of plug-ins by their names", () => {
  const called = ["csv", "jsonl", "parquet", "hf_parquet", "label_studio", "raven", "mine"].map(formatWords);
  assert.deepEqual(called, [
    "Labels as CSV",
    "Labels as JSONL",
    "Labels as Parquet",
    "Labels as Hugging Face Parquet files, media inside",
    "Labels as Label Studio tasks",
    "Labels as Raven selection tables",
    "Labels as MINE",
  ]);
});

test("parts that get nothing are left out, but not all of them: the server says what is wrong then", () => {
  const parts = (...sizes) => sizes.map((share, index) => ({ name: ["train", "test"][index], share }));
  assert.deepEqual(optionsQuery(everything), {});
  assert.deepEqual(optionsQuery({ ...everything, shares: parts(80, 0) }), { splits: "train=80", seed: 3 });
  assert.deepEqual(optionsQuery({ ...everything, shares: parts(0, 0) }), { splits: "train=0,test=0", seed: 3 });
});
