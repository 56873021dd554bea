// The view `adjudication`: items of which people say different things, one at a time. What they say is shown after the
// reviewer's own answer, which stands from then on.

import { ApiError } from "./api.js";
import { classNode } from "./class_colours.js";
import { button, el, nameNode, setShown, setText } from "./dom.js";
import { registerView } from "./views.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").Schemas["AdjudicationAnswer"]} AdjudicationAnswer */
/** @typedef {import("./api.js").Schemas["DisputeAnswer"]} DisputeAnswer */
/** @typedef {import("./api.js").Schemas["DecisionAnswer"]} DecisionAnswer */
/** @typedef {import("./api.js").Schemas["OpinionAnswer"]} OpinionAnswer */

const ASKED = 2; // the one that is shown, and the one that "Later" leads to

export class AdjudicationView {
  /**
   * @param {HTMLElement} root
   * @param {import("./views.js").ViewContext} context
   */
  constructor(root, { settings, api }) {
    this.api = api;
    this.kind = settings.kind;
    this.passed = 0; // items that were left for later
    /** @type {DisputeAnswer | null} */
    this.item = null;
    this.count = el("p", "fl-adjudication-count");
    this.shown = el("div", "fl-adjudication-shown");
    this.said = el("ul", "fl-adjudication-said");
    this.choices = el("div", "fl-adjudication-choices");
    this.note = el("p", "fl-adjudication-note");
    this.note.setAttribute("role", "status");
    this.later = this.#act(t("adjudicate_later"), "later", () => this.pass());
    this.next = this.#act(t("adjudicate_next"), "next", () => this.load());
    this.undo = this.#act(t("undo"), "undo", () => this.takeBack());
    const acts = el("div", "fl-adjudication-acts", this.later, this.next, this.undo);
    root.append(
      el(
        "div",
        "fl-adjudication",
        el("h2", "", t("adjudication")),
        el("p", "fl-curve-note", t("adjudication_says")),
        this.count,
        this.shown,
        this.said,
        this.choices,
        this.note,
        acts,
      ),
    );
  }

  show() {
    this.passed = 0;
    return this.load();
  }

  hide() {
    this.shown.replaceChildren(); // a sound that plays stops
  }

  stop() {
    this.hide();
  }

  async load() {
    await this.#tell(async () => {
      const answer = await this.api.get("api/adjudication", { offset: this.passed, size: ASKED });
      if (!answer.items.length && this.passed) {
        this.passed = 0;
        return this.load();
      }
      this.paint(answer);
      return undefined;
    });
  }

  /** @param {AdjudicationAnswer} answer */
  paint({ waiting, decided, classes, items }) {
    [this.item = null] = items;
    setText(this.count, `${t("disputes_left", { n: waiting })} ${t("disputes_decided", { n: decided })}`);
    setText(this.note, this.item ? "" : t("no_disputes"));
    this.shown.replaceChildren(...(this.item ? [this.#media(this.item)] : []));
    this.#paintOpinions(this.item?.opinions ?? null);
    const names = this.item ? classes.map((name) => this.#choice(name)) : [];
    this.choices.replaceChildren(...names, ...(this.item ? [this.#bad()] : []));
    setShown(this.later, waiting > 1 && this.item !== null);
    setShown(this.next, false);
    setShown(this.undo, false);
  }

  /** @param {{ label: string } | { state: "bad" }} said */
  async decide(said) {
    const { item } = this;
    if (!item) return;
    await this.#tell(async () => {
      const answer = await this.api.post("api/adjudication", { id: item.id, ...said });
      this.#paintDecision(answer);
    });
  }

  /** @param {DecisionAnswer} answer */
  #paintDecision({ opinions, decided, waiting }) {
    this.#paintOpinions(opinions);
    setText(this.note, t("decided_as", { name: wordOf(decided) }));
    setText(this.count, t("disputes_left", { n: waiting }));
    this.choices.replaceChildren();
    setShown(this.later, false);
    setShown(this.next, true);
    setShown(this.undo, true);
    this.next.focus();
  }

  pass() {
    this.passed += 1;
    return this.load();
  }

  async takeBack() {
    await this.#tell(async () => {
      await this.api.undo();
      await this.load();
    });
  }

  /** @param {DisputeAnswer} item */
  #media(item) {
    const url = this.api.url(item.media_url);
    if (this.kind === "image") return Object.assign(el("img", ""), { src: url, alt: item.id });
    const picture = Object.assign(el("img", ""), { src: this.api.url(item.spectrogram_url ?? ""), alt: item.id });
    return el("div", "", picture, Object.assign(el("audio", ""), { src: url, controls: true }));
  }

  /** @param {OpinionAnswer[] | null} opinions null while they are not to be seen */
  #paintOpinions(opinions) {
    const lines = (opinions ?? []).map((one) => el("li", "", nameNode(`${one.annotator}: ${wordOf(one)}`)));
    this.said.replaceChildren(...lines);
    setShown(this.said, lines.length > 0);
  }

  /** @param {string} name */
  #choice(name) {
    const node = button("fl-quiet", "");
    node.append(classNode(name));
    node.dataset.label = name;
    node.addEventListener("click", () => this.decide({ label: name }));
    return node;
  }

  #bad() {
    return this.#act(t("adjudicate_bad"), "bad", () => this.decide({ state: "bad" }));
  }

  /**
   * @param {string} words
   * @param {string} name
   * @param {() => unknown} act
   */
  #act(words, name, act) {
    const node = button("fl-quiet", words);
    node.dataset.adjudicate = name;
    node.addEventListener("click", act);
    return node;
  }

  /** @param {() => Promise<unknown>} action */
  async #tell(action) {
    try {
      await action();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(this.note, error.message);
    }
  }
}

/** @param {OpinionAnswer} one */
function wordOf(one) {
  return one.label ?? t("adjudicate_bad");
}

registerView({
  name: "adjudication",
  title: () => t("adjudication"),
  isLinked: true,
  mount: (root, context) => new AdjudicationView(root, context),
});
