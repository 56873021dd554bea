// One class in the panel of classes: what it is called and looks like, and behind it all that can be changed of it.

import { commandWithKey } from "./class_keys.js";
import { leafNode } from "./class_tree.js";
import { button, el, nameNode } from "./dom.js";
import { formatCount } from "./numbers.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").ClassAnswer} ClassAnswer */
/** @typedef {import("./classes_panel.js").ClassesPanel} ClassesPanel */

const NO_COLOUR = "#888888"; // what a colour input shows for none

/**
 * @param {ClassAnswer} one
 * @param {ClassAnswer[]} shown the classes on the screen, in their order
 * @param {ClassesPanel} panel
 */
export function buildClassRow(one, shown, panel) {
  const row = el("li", "fl-class");
  row.dataset.classId = String(one.id);
  row.append(one.index === null ? buildAside(one, panel) : buildShown(one, shown, panel));
  return row;
}

/**
 * @param {ClassAnswer} one
 * @param {ClassesPanel} panel
 */
function buildAside(one, panel) {
  const why = one.part_of ? t("classes_part_of", { name: one.part_of }) : t("classes_archived");
  const line = el("div", "fl-class-line", nameNode(one.name, "fl-class-name"), el("span", "fl-class-count", why));
  if (!one.part_of) line.append(action(t("classes_restore"), () => panel.change({ restore: one.name })));
  return line;
}

/**
 * @param {ClassAnswer} one
 * @param {ClassAnswer[]} shown
 * @param {ClassesPanel} panel
 */
function buildShown(one, shown, panel) {
  const swatch = el("span", "fl-class-swatch");
  if (one.colour) swatch.style.background = one.colour;
  const summary = el("summary", "fl-class-line", swatch, leafNode(one.name));
  if (one.key && !commandWithKey(one.key.toLowerCase())) summary.append(el("kbd", "fl-key", one.key));
  summary.append(el("span", "fl-class-count", formatCount(one.labels)));
  if (one.description) summary.title = one.description;
  const details = el("details", "", summary, buildFields(one, panel), buildActions(one, shown, panel));
  const node = el("div", "fl-class-shown", details);
  if (one.examples.length) node.append(buildExamples(one, panel));
  return node;
}

/**
 * @param {ClassAnswer} one
 * @param {ClassesPanel} panel
 */
function buildExamples(one, panel) {
  const pictures = one.examples.map(({ id, media_url: media, spectrogram_url: spectrogram }) => {
    const url = spectrogram ?? media;
    if (!url) return nameNode(id);
    const picture = el("img", "fl-class-example");
    picture.src = panel.api.url(url);
    picture.alt = id;
    picture.loading = "lazy";
    return picture;
  });
  return el("div", "fl-class-examples", ...pictures);
}

/**
 * @param {ClassAnswer} one
 * @param {ClassesPanel} panel
 */
function buildFields(one, panel) {
  const set = (/** @type {Record<string, unknown>} */ value) => panel.change({ set: { name: one.name, ...value } });
  const name = field("text", one.name, (value) => panel.change({ rename: [one.name, value] }));
  const key = field("text", one.key, (value) => panel.setKey(one.name, value.toLowerCase()));
  key.maxLength = 1;
  key.classList.add("fl-class-key");
  const colour = field("color", one.colour || NO_COLOUR, (value) => set({ colour: value }));
  const description = field("text", one.description, (value) => set({ description: value }));
  const examples = field("text", one.examples.map(({ id }) => id).join(", "), (value) =>
    set({ examples: idsOf(value) }),
  );
  examples.placeholder = t("classes_examples_how");
  const fields = [
    labelled(t("classes_name"), name),
    labelled(t("classes_key"), key),
    labelled(t("classes_colour"), colour),
    labelled(t("classes_description"), description),
    labelled(t("classes_examples"), examples),
  ];
  return el("div", "fl-class-fields", ...fields);
}

/**
 * @param {ClassAnswer} one
 * @param {ClassAnswer[]} shown
 * @param {ClassesPanel} panel
 */
function buildActions(one, shown, panel) {
  const into = el("select", "fl-class-merge");
  into.setAttribute("aria-label", t("classes_merge"));
  into.append(new Option(t("classes_merge"), ""));
  for (const { id, name } of shown) if (id !== one.id) into.append(new Option(name, name));
  const merge = action(t("classes_merge_now"), () => panel.change({ merge: [one.name, into.value] }));
  merge.disabled = true; // the arrow keys choose in the menu, and must merge nothing
  into.addEventListener("change", () => {
    merge.disabled = into.value === "";
  });
  const up = action(t("classes_up"), () => panel.change({ order: moved(shown, one, -1) }));
  const down = action(t("classes_down"), () => panel.change({ order: moved(shown, one, 1) }));
  up.disabled = shown[0] === one;
  down.disabled = shown.at(-1) === one;
  const split = action(t("classes_split"), () => panel.explore(one.name));
  split.title = t("classes_split_title");
  const archive = action(t("classes_archive"), () => panel.change({ archive: one.name }));
  return el("div", "fl-class-actions", up, down, into, merge, split, archive);
}

/**
 * The names in their order, one of them moved by some places.
 * @param {ClassAnswer[]} shown
 * @param {ClassAnswer} one
 * @param {number} places
 */
function moved(shown, one, places) {
  const names = shown.map(({ name }) => name);
  const place = shown.indexOf(one);
  const [taken] = names.splice(place, 1);
  names.splice(place + places, 0, taken);
  return names;
}

/** @param {string} text ids with commas between them */
function idsOf(text) {
  return text
    .split(",")
    .map((id) => id.trim())
    .filter(Boolean);
}

/**
 * @param {string} text
 * @param {() => unknown} run
 */
function action(text, run) {
  const node = button("fl-quiet", text);
  node.addEventListener("click", run);
  return node;
}

/**
 * @param {string} type
 * @param {string} value
 * @param {(value: string) => unknown} onChange
 */
function field(type, value, onChange) {
  const input = el("input", "");
  input.type = type;
  input.value = value;
  input.addEventListener("change", () => onChange(input.value));
  return input;
}

/**
 * @param {string} text
 * @param {HTMLElement} input
 */
function labelled(text, input) {
  return el("label", "fl-class-field", text, input);
}
