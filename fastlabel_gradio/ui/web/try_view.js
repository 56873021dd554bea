// The view `try`: a picture that is dropped, or a sound that is recorded; what the newest head says of it, labeled items that
// are like it, and a way into the pool. Files go to a route of our own: Gradio's upload stays closed.

import { classNode } from "./class_colours.js";
import { button, el, isVisible, nameNode, setShown, setText } from "./dom.js";
import { formatPercent } from "./numbers.js";
import { LONGEST_S, Recorder } from "./recorder.js";
import { needing } from "./rights.js";
import { registerView } from "./views.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").ProjectApi} ProjectApi */
/** @typedef {import("./api.js").SentAnswer} SentAnswer */

const SHOWN_CLASSES = 5;

/** @type {Record<string, import("./words.js").Word>} words by the name of the browser's error */
const WITHOUT_MICROPHONE = { NotFoundError: "try_microphone_missing", NotReadableError: "try_microphone_busy" };

export class TryView {
  /**
   * @param {HTMLElement} root
   * @param {import("./views.js").ViewContext} context
   */
  constructor(root, { settings, api }) {
    this.api = api;
    this.kind = settings.kind;
    this.asked = 0; // a late answer of an earlier file counts no more
    /** @type {File | null} */
    this.file = null;
    this.preview = ""; // address of what is shown, to be let go
    this.recorder = new Recorder(
      (file) => this.classify(file),
      () => this.#sayRecording("try_nothing_recorded"),
    );
    this.stopping = new AbortController();
    this.root = root;
    this.input = el("input", "fl-try-file");
    Object.assign(this.input, { type: "file", accept: this.kind === "image" ? "image/*" : "audio/*,video/*" });
    const isPicture = this.kind === "image";
    const words = isPicture ? t("try_choose_image") : t("try_choose_audio");
    this.input.setAttribute("aria-label", words);
    this.drop = el(
      "label",
      "fl-try-drop",
      el("strong", "", isPicture ? t("try_drop_image") : t("try_drop_audio")),
      el("span", "", t("try_what_comes")),
      el("span", "fl-quiet", words),
      this.input,
    );
    this.record = button("fl-quiet fl-try-record", t("try_record"));
    setShown(this.record, this.kind === "audio" && Recorder.isPossible);
    const noRecording = el("p", "fl-quiet", t("try_needs_https"));
    setShown(noRecording, this.kind === "audio" && !Recorder.isPossible);
    this.shown = el("div", "fl-try-shown");
    this.note = el("p", "fl-try-note");
    this.note.setAttribute("role", "status");
    this.classes = el("ol", "fl-try-classes");
    this.nearest = el("div", "fl-try-nearest");
    this.nearestTitle = el("h2", "", t("try_nearest"));
    this.add = needing("POST /api/predict/take", button("fl-quiet", t("try_add")));
    this.why = el("p", "fl-try-why");
    this.result = el("div", "fl-try-result", this.classes, this.nearestTitle, this.nearest, this.add, this.why);
    setShown(this.result, false);
    root.append(el("div", "fl-try", this.drop, this.record, noRecording, this.shown, this.note, this.result));
    this.#listen();
  }

  hide() {
    this.recorder.cancel();
    this.#paintRecording();
  }

  stop() {
    this.hide();
    this.stopping.abort();
    URL.revokeObjectURL(this.preview);
  }

  /** @param {File} file */
  async classify(file) {
    this.#paintRecording();
    const asked = ++this.asked;
    this.file = null;
    this.#showPreview(file);
    setShown(this.result, false);
    this.say(t("try_asking"));
    try {
      const answer = await this.api.predictMedia(file);
      if (asked !== this.asked) return;
      this.file = file;
      this.#showAnswer(answer);
      this.say("");
    } catch (error) {
      if (asked === this.asked) this.say(/** @type {Error} */ (error).message, "error");
    }
  }

  /** @param {string} text */
  say(text, tone = "") {
    setText(this.note, text);
    this.note.dataset.tone = tone;
  }

  async take() {
    if (!this.file) return;
    this.add.disabled = true;
    try {
      const { id } = await this.api.takeMedia(this.file);
      this.say(t("try_added", { id }));
    } catch (error) {
      this.add.disabled = false;
      this.say(/** @type {Error} */ (error).message, "error");
    }
  }

  async toggleRecording() {
    if (this.recorder.isAsking) return;
    if (this.recorder.isRecording) this.recorder.stop();
    else {
      try {
        await this.recorder.start();
        if (this.recorder.isRecording) this.say(t("try_recording", { n: LONGEST_S }));
      } catch (error) {
        const why = WITHOUT_MICROPHONE[/** @type {Error} */ (error).name];
        this.say(t(why ?? "try_no_microphone"), "error");
      }
    }
    this.#paintRecording();
  }

  /** @param {FileList | null | undefined} files */
  onFiles(files) {
    const file = files?.[0];
    if (file) this.classify(file);
    return Boolean(file);
  }

  #listen() {
    const { signal } = this.stopping;
    this.input.addEventListener("change", () => {
      this.onFiles(this.input.files);
      this.input.value = "";
    });
    this.record.addEventListener("click", () => this.toggleRecording());
    this.add.addEventListener("click", () => this.take());
    this.drop.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.drop.dataset.over = "true";
    });
    this.drop.addEventListener("dragleave", () => delete this.drop.dataset.over);
    this.drop.addEventListener("drop", (event) => {
      event.preventDefault();
      delete this.drop.dataset.over;
      this.onFiles(event.dataTransfer?.files);
    });
    document.addEventListener("paste", (event) => isVisible(this.drop) && this.onFiles(event.clipboardData?.files), {
      signal,
    });
  }

  /** @param {import("./words.js").Word} key */
  #sayRecording(key) {
    this.say(t(key), "error");
    this.#paintRecording();
  }

  #paintRecording() {
    setText(this.record, t(this.recorder.isRecording ? "try_stop" : "try_record"));
    this.record.setAttribute("aria-pressed", String(this.recorder.isRecording));
  }

  /** @param {File} file */
  #showPreview(file) {
    URL.revokeObjectURL(this.preview);
    this.preview = URL.createObjectURL(file);
    const player = el("audio", "");
    player.controls = true;
    const node = this.kind === "image" ? el("img", "") : player;
    if (node instanceof HTMLImageElement) node.alt = file.name;
    node.addEventListener("error", () => this.shown.replaceChildren(nameNode(file.name))); // what only the server reads
    node.src = this.preview;
    this.shown.replaceChildren(node);
  }

  /** @param {SentAnswer} answer */
  #showAnswer(answer) {
    this.classes.replaceChildren(...answer.classes.slice(0, SHOWN_CLASSES).map(classLine));
    this.nearest.replaceChildren(...answer.nearest.map((found) => this.#neighbour(found)));
    setShown(this.nearestTitle, answer.nearest.length > 0);
    this.add.disabled = Boolean(answer.why_not_taken);
    setText(this.why, answer.why_not_taken && t("try_not_added", { why: answer.why_not_taken }));
    setShown(this.result, true);
  }

  /** @param {SentAnswer["nearest"][number]} found */
  #neighbour(found) {
    const picture = el("img", "");
    picture.src = this.api.url(found.spectrogram_url ?? found.media_url);
    picture.alt = found.id;
    picture.loading = "lazy";
    const words = el("figcaption", "", classNode(found.label ?? ""), ` ${formatPercent(found.similarity ?? 0)}`);
    const node = el("figure", "fl-try-neighbour", picture, words);
    node.title = found.id;
    return node;
  }
}

/** @param {SentAnswer["classes"][number]} said */
function classLine({ label, confidence }) {
  const bar = el("span", "fl-try-bar");
  bar.style.width = `${100 * confidence}%`;
  return el("li", "", classNode(label, "fl-try-class"), el("span", "fl-try-share", formatPercent(confidence)), bar);
}

registerView({ name: "try", title: () => t("view_try"), mount: (root, context) => new TryView(root, context) });
