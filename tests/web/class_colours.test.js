import assert from "node:assert/strict";
import { test } from "node:test";
import { ClassColours } from "../../fastlabel_gradio/ui/web/class_colours.js";

test("colours are told once, and those that are none are left out", () => {
  const colours = new ClassColours();
  let told = 0;
  colours.addEventListener("change", () => told++);
  colours.share({ cat: "#1f77b4", dog: "red; } body { display: none" });
  colours.share({ cat: "#1f77b4" });
  assert.equal(told, 1);
  assert.deepEqual([colours.of("cat"), colours.of("dog"), colours.of("owl")], ["#1f77b4", undefined, undefined]);
  colours.share({});
  assert.deepEqual([told, colours.of("cat"), colours.rules("images")], [2, undefined, ""]);
});

test("a name cannot end the rule that it stands in", () => {
  const colours = new ClassColours();
  colours.share({ 'a"] { } b\\': "#00ff00" });
  assert.equal(
    colours.rules("my pool"),
    '[data-classes-of="my\\20 pool"] [data-class="a\\22 \\5d \\20 \\7b \\20 \\7d \\20 b\\5c "] ' +
      '{ --fl-class-colour: #00ff00; --fl-class-mark: ""; }',
  );
});
