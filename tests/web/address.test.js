import assert from "node:assert/strict";
import test from "node:test";
import { formatAddress, parseAddress } from "../../fastlabel_gradio/ui/web/address.js";

test("an address is written and read alike, whatever is in it", () => {
  for (const params of [{}, { view: "label" }, { view: "a b", filter: "x&y=#%?/ 猫" }]) {
    assert.deepEqual(parseAddress(formatAddress(params)), params);
  }
});

test("what is empty is left out, and broken addresses are read as far as they go", () => {
  assert.equal(formatAddress({ view: "", evaluation: "" }), "");
  assert.equal(formatAddress({ view: "", evaluation: "open" }), "#evaluation=open");
  assert.deepEqual(parseAddress(""), {});
  assert.deepEqual(parseAddress("#view=counts&%&"), { view: "counts", "%": "" });
});
