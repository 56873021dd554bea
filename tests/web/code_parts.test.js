import assert from "node:assert/strict";
import { test } from "node:test";
import { codeParts } from "../../fastlabel_gradio/ui/web/code_parts.js";

test("what stands between backticks is what one types", () => {
  assert.deepEqual(codeParts("Choose `--encoder offline`, or install."), [
    { text: "Choose ", isCode: false },
    { text: "--encoder offline", isCode: true },
    { text: ", or install.", isCode: false },
  ]);
  assert.deepEqual(
    codeParts("`a` and `b`")
      .filter((part) => part.isCode)
      .map((part) => part.text),
    ["a", "b"],
  );
});

test("a text without pairs of them stays as it is", () => {
  assert.deepEqual(codeParts(""), []);
  for (const text of ["plain", "one ` alone", "an empty `` pair"])
    assert.deepEqual(
      codeParts(text)
        .map((part) => part.text)
        .join(""),
      text,
    );
});
