// The search box of the view `explore`: a text, a name, or a picture or sound that is pasted, dropped or chosen.

import { button, el, setShown, setText } from "./dom.js";
import { likeText, searchedText, searchFor } from "./search_text.js";
import { t } from "./words.js";

/** @typedef {import("./explore_filter.js").Query} Query */

const LARGE_BYTES = 1_000_000; // a larger picture is made smaller before it is sent
const SENT_SIDE_PX = 1024;

export class ExploreSearch {
  /**
   * @param {"image" | "audio"} kind
   * @param {(part: Query) => void} narrow a step of the person
   * @param {(file: Blob) => void} send a picture or sound
   */
  constructor(kind, narrow, send) {
    this.narrow = narrow;
    this.send = send;
    this.readsTexts = false;
    this.input = el("input", "fl-search-input");
    Object.assign(this.input, { type: "search", maxLength: 1000, autocomplete: "off", spellcheck: false });
    this.input.setAttribute("aria-label", t("explore_search"));
    this.byLook = button("fl-quiet", t("explore_by_look"), "", t("explore_by_look_title"));
    this.byName = button("fl-quiet", t("explore_by_name"), "", t("explore_by_name_title"));
    this.file = el("input", "fl-search-file");
    Object.assign(this.file, { type: "file", accept: kind === "image" ? "image/*" : "audio/*,video/*" });
    this.file.setAttribute("aria-label", t(`explore_send_${kind}`));
    const choose = el("label", "fl-quiet fl-search-choose", t(`explore_by_${kind}`), this.file);
    choose.title = t(`explore_send_${kind}`);
    this.note = el("p", "fl-search-note");
    const line = el("form", "fl-search-line", this.input, this.byLook, this.byName, choose);
    line.setAttribute("role", "search");
    line.addEventListener("submit", (event) => {
      event.preventDefault();
      this.search();
    });
    this.node = el("div", "fl-search", line, this.note);
    this.byLook.addEventListener("click", () => this.narrow({ text: undefined, near: likeText(this.input.value) }));
    this.byName.addEventListener("click", () => this.narrow({ text: this.input.value.trim(), near: undefined }));
    this.file.addEventListener("change", () => this.onFiles(this.file.files));
    this.paint({}, false);
  }

  /**
   * @param {Query} query
   * @param {boolean} readsTexts
   */
  paint(query, readsTexts) {
    this.readsTexts = readsTexts;
    if (document.activeElement !== this.input || !this.input.value) this.input.value = searchedText(query);
    this.input.placeholder = t(readsTexts ? "explore_search_texts" : "explore_search_names");
    setShown(this.byLook, readsTexts);
    setText(this.note, readsTexts ? "" : t("explore_no_texts"));
    setShown(this.note, !readsTexts);
  }

  search() {
    this.narrow(searchFor(this.input.value, this.readsTexts));
  }

  focus() {
    this.input.focus();
    this.input.select();
  }

  /**
   * Of what is pasted or dropped; says whether there is something to send.
   * @param {FileList | null | undefined} files
   */
  onFiles(files) {
    const file = files?.[0];
    if (!file) return false;
    smaller(file).then((blob) => this.send(blob));
    this.file.value = "";
    return true;
  }
}

/**
 * A large picture as a smaller one, which is like the same items; what the browser cannot read goes as it is.
 * @param {File} file
 * @returns {Promise<Blob>}
 */
async function smaller(file) {
  if (file.size < LARGE_BYTES || !file.type.startsWith("image/")) return file;
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, SENT_SIDE_PX / Math.max(picture.width, picture.height));
    const canvas = el("canvas", "");
    canvas.width = Math.max(2, Math.round(picture.width * scale));
    canvas.height = Math.max(2, Math.round(picture.height * scale));
    canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    /** @type {Blob | null} */
    const drawn = await new Promise((done) => canvas.toBlob((blob) => done(blob), "image/jpeg", 0.92));
    return drawn ?? file;
  } catch {
    return file;
  }
}
