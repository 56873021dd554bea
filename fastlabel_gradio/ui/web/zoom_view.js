// The enlarged view: the current card as large as the window allows, with the same keys as the grid. A sound is seen as
// its large spectrogram.

import { cardState } from "./answers.js";
import { STATE_MARKS } from "./cards.js";
import { classNode } from "./class_colours.js";
import { button, el, nameNode, setShown, setText } from "./dom.js";
import { formatPercent } from "./numbers.js";
import { largeAxes, largeFace } from "./sound_face.js";
import { t } from "./words.js";

/** @typedef {import("./batch.js").Batch} Batch */
/** @typedef {import("./batch.js").Card} Card */
/** @typedef {import("./cards.js").CardNode} CardNode */

export class ZoomView {
  /**
   * @param {(item: Card["item"]) => string} pictureUrl
   * @param {import("./sound_player.js").SoundPlayer | null} player null where the items are pictures
   * @param {import("./ticks.js").FrequencyRange} range of the spectrograms
   */
  constructor(pictureUrl, player, range) {
    this.pictureUrl = pictureUrl;
    this.player = player;
    this.face = player && largeFace();
    /** @type {CardNode | null} */
    this.shown = null;
    this.tile = el("div", "fl-zoom-tile");
    this.problem = el("p", "fl-zoom-problem");
    this.picture = el("img", "fl-zoom-picture");
    this.picture.alt = "";
    this.picture.addEventListener("load", () => setShown(this.picture, true));
    this.picture.addEventListener("error", () => setText(this.problem, t("no_large_picture")));
    this.name = nameNode("", "fl-zoom-name");
    this.label = el("p", "fl-zoom-label");
    this.note = el("p", "fl-zoom-note");
    const frame = el("div", "fl-zoom-frame", this.tile, this.picture, this.problem);
    if (this.face) frame.append(this.face.cursor, this.face.problem);
    const large = this.face ? largeAxes(this.face, frame, range) : frame;
    this.node = el("dialog", "fl-zoom", large, this.caption());
    this.node.setAttribute("aria-label", t(player ? "enlarged_spectrogram" : "enlarged_picture"));
    this.node.tabIndex = -1;
  }

  caption() {
    const words = el("div", "fl-zoom-words", this.label, this.name, this.note);
    const close = button("fl-quiet", t("close"), "close-zoom", "Esc");
    return el("div", "fl-zoom-caption", this.face?.play, words, this.face?.gain, this.face?.duration, close);
  }

  get open() {
    return this.node.open;
  }

  /**
   * @param {CardNode} built
   * @param {Batch} batch
   */
  show(built, batch) {
    if (!this.node.open) {
      // or closing gives the focus back to a card that is no longer the current one
      /** @type {HTMLElement | null} */ (document.activeElement)?.blur();
      this.node.showModal();
    }
    this.node.focus(); // not its button, which would take Enter and Space for itself
    if (this.shown !== built) this.showCard(built);
    this.paint(batch);
  }

  /** @param {CardNode} built */
  showCard(built) {
    this.leaveSound();
    this.shown = built;
    const { card, sound, tile } = built;
    if (sound && this.face) this.player?.show(sound, this.face);
    const { backgroundImage, backgroundSize, backgroundPosition } = tile.style;
    Object.assign(this.tile.style, { backgroundImage, backgroundSize, backgroundPosition });
    setShown(this.picture, false);
    setText(this.problem, "");
    setText(this.note, card.item.note);
    setShown(this.note, card.item.note !== "");
    this.picture.src = this.pictureUrl(card.item);
  }

  /** @param {Batch} batch */
  paint(batch) {
    const card = this.shown?.card;
    if (!card) return;
    this.label.dataset.state = cardState(card);
    setText(this.name, `${t("of", { done: card.index + 1, all: card.count })} · ${card.item.id}`);
    this.label.replaceChildren(...zoomWords(card, batch.classes));
  }

  close() {
    if (this.node.open) this.node.close();
    this.leaveSound();
    this.shown = null;
    this.picture.removeAttribute("src");
  }

  leaveSound() {
    if (this.face) this.shown?.sound?.faces.delete(this.face);
  }
}

/**
 * @param {Card} card
 * @param {string[]} classes
 */
function zoomWords(card, classes) {
  if (card.label !== null) return [`${STATE_MARKS[cardState(card)]} `, classNode(classes[card.label])];
  if (card.aside) return [`${STATE_MARKS[card.aside]} ${t(`is_${card.aside}`)}`];
  if (!card.suggestion) return [t("not_labeled")];
  return [classNode(card.suggestion.name), `? ${formatPercent(card.suggestion.confidence)}`];
}
