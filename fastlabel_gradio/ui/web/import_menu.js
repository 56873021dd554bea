// The menu that takes labels in: what they are taken as, a file, and what became of it.

import { button, el, setShown, setText } from "./dom.js";
import { formatCount } from "./numbers.js";
import { needing } from "./rights.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").ProjectApi} ProjectApi */
/** @typedef {import("./api.js").ImportAnswer} ImportAnswer */
/** @typedef {"labels" | "suggestions" | "references"} Kind what labels are taken as */

/** @type {Kind[]} */
const KINDS = ["labels", "suggestions", "references"];
const LOOK_AFTER_MS = 400;

/** @param {ProjectApi} api */
export function buildImports(api) {
  const kind = el("select", "fl-import-as", ...KINDS.map((name) => new Option(t(`import_as_${name}`), name)));
  kind.setAttribute("aria-label", t("import_as"));
  const file = el("input", "fl-import-file");
  file.type = "file";
  file.setAttribute("aria-label", t("import_file"));
  const said = el("div", "fl-menu-said");
  said.setAttribute("role", "status");
  file.addEventListener("change", () => {
    const chosen = file.files?.[0];
    if (!chosen) return;
    take(api, chosen, /** @type {Kind} */ (kind.value), said).finally(() => {
      file.value = "";
    });
  });
  const body = el("div", "fl-menu-body fl-import-body", el("p", "", t("import_what")), kind, file, said);
  const menu = el("details", "fl-menu fl-import", el("summary", "fl-quiet", t("import")), body);
  return needing("POST /api/import", menu);
}

/**
 * @param {ProjectApi} api
 * @param {File} file
 * @param {Kind} kind
 * @param {HTMLElement} said
 */
async function take(api, file, kind, said) {
  setText(said, t("importing", { name: file.name }));
  const importing = api.importFile(file, kind);
  tellProgress(api, importing, said).catch(() => {}); // the import itself says what is wrong
  try {
    paint(api, await importing, kind, said);
  } catch (error) {
    setText(said, error instanceof Error ? error.message : String(error));
  }
}

/**
 * Says how far it is until it has ended.
 * @param {ProjectApi} api
 * @param {Promise<unknown>} importing
 * @param {HTMLElement} said
 */
async function tellProgress(api, importing, said) {
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  importing.then(end, end);
  while (!isOver) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AFTER_MS));
    const { running, read, stored } = await api.importProgress();
    if (isOver || !running) continue;
    setText(said, stored ? t("import_stored", { n: stored, all: read }) : t("import_read", { n: read }));
  }
}

/**
 * @param {ProjectApi} api
 * @param {ImportAnswer} answer
 * @param {Kind} kind
 * @param {HTMLElement} said
 */
function paint(api, answer, kind, said) {
  const lines = describe(answer, kind).map((line) => el("p", "", line));
  const reasons = answer.left_out.map(({ count, what, why }) =>
    el("li", "", `${formatCount(count)} × ${what}: ${why}`),
  );
  said.replaceChildren(...lines, el("ul", "", ...reasons));
  if (!answer.id) return;
  const id = answer.id;
  const undo = button("fl-quiet fl-import-undo", t("import_take_back"));
  undo.addEventListener("click", async () => {
    await api.takeBackImport(id);
    setShown(undo, false);
    said.prepend(el("p", "", t("import_taken_back")));
  });
  said.append(undo);
}

/**
 * What became of an import, a sentence a line.
 * @param {Pick<ImportAnswer, "added" | "known" | "older" | "new_classes" | "left_out_count">} answer
 * @param {Kind} kind
 */
export function describe(answer, kind) {
  const { added, known, older, new_classes: classes, left_out_count: left } = answer;
  return [
    t(`import_added_${kind}`, { n: added }),
    known > 0 && t("import_known", { n: known }),
    older > 0 && t("import_older", { n: older }),
    classes.length > 0 && t("import_classes", { names: classes.join(", ") }),
    left > 0 && t("import_left_out", { n: left }),
  ].filter((line) => line !== false);
}
