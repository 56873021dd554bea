import assert from "node:assert/strict";
import { test } from "node:test";
import { ClassColours, coloursOf } from "../../fastlabel_gradio/ui/web/class_colours.js";

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

test("classes that the map draws are marked in the same colours in the view around it, chosen ones everywhere", () => {
  const colours = new ClassColours();
  let told = 0;
  colours.addEventListener("drawn", () => told++);
  colours.share({ cat: "#00ff00" });
  const chosen = colours.rules("pool");
  const drawn = [
    ["cat", "#00ff00"],
    ["dog", "#4c78a8"],
  ];
  colours.draw(drawn);
  colours.draw(drawn);
  const around = '[data-classes-of="pool"] .fl-explore [data-class="dog"]';
  assert.equal(colours.rules("pool"), `${chosen}\n${around} { --fl-class-colour: #4c78a8; --fl-class-mark: ""; }`);
  colours.draw([]);
  assert.deepEqual([told, colours.rules("pool")], [2, chosen]);
});

test("a class has the colour of its place in the palette, or the next one that is near none that was chosen", () => {
  const usual = coloursOf([0, 1, 2], () => undefined);
  const found = coloursOf([0, 1, 2], (number) => (number === 0 ? usual.get(1) : undefined));
  assert.equal(found.get(0), usual.get(1));
  assert.equal(found.get(2), usual.get(2));
  assert.equal(new Set(found.values()).size, 3);
});
