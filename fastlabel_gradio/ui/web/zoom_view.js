// The enlarged view: the current card as large as the window allows, with the same keys as the grid. A sound is seen as
// its large spectrogram.

import { STATE_MARKS, cardState } from "./cards.js";
import { button, el, nameNode, setShown, setText } from "./dom.js";
import { formatPercent } from "./numbers.js";
import { largeAxes, largeFace } from "./sound_face.js";

export class ZoomView {
  // `player`: null where the items are pictures. `view`: the range of the spectrograms.
  constructor(pictureUrl, player, view) {
    this.pictureUrl = pictureUrl;
    this.player = player;
    this.face = player && largeFace();
    this.tile = el("div", "fl-zoom-tile");
    this.picture = el("img", "fl-zoom-picture");
    this.picture.alt = "";
    this.picture.addEventListener("load", () => setShown(this.picture, true));
    this.picture.addEventListener("error", () => setText(this.problem, "The large picture could not be loaded."));
    this.problem = el("p", "fl-zoom-problem");
    this.name = nameNode("", "fl-zoom-name");
    this.label = el("p", "fl-zoom-label");
    const close = button("fl-quiet", "Close", "close-zoom", "Esc");
    this.note = el("p", "fl-zoom-note");
    const words = el("div", "fl-zoom-words", this.label, this.name, this.note);
    const caption = el("div", "fl-zoom-caption", this.face?.play, words, this.face?.gain, this.face?.duration, close);
    const frame = el("div", "fl-zoom-frame", this.tile, this.picture, this.problem);
    if (this.face) frame.append(this.face.cursor, this.face.problem);
    this.node = el("dialog", "fl-zoom", player ? largeAxes(this.face, frame, view) : frame, caption);
    this.node.setAttribute("aria-label", player ? "Enlarged spectrogram" : "Enlarged picture");
    this.node.tabIndex = -1;
  }

  get open() {
    return this.node.open;
  }

  show(card, classes) {
    if (!this.node.open) {
      document.activeElement?.blur(); // or closing gives the focus back to a card that is no longer the current one
      this.node.showModal();
    }
    this.node.focus(); // not its button, which would take Enter and Space for itself
    if (this.card !== card) this.showCard(card);
    this.paint(card, classes);
  }

  showCard(card) {
    this.card?.sound?.faces.delete(this.face);
    this.card = card;
    if (card.sound) this.player.show(card.sound, this.face);
    for (const name of ["backgroundImage", "backgroundSize", "backgroundPosition"]) {
      this.tile.style[name] = card.tile.style[name];
    }
    setShown(this.picture, false);
    setText(this.problem, "");
    setText(this.note, card.item.note);
    setShown(this.note, card.item.note !== "");
    this.picture.src = this.pictureUrl(card.item);
  }

  paint(card, classes) {
    if (this.card !== card) return;
    const state = cardState(card);
    this.label.dataset.state = state;
    setText(this.name, card.index + 1 + " of " + card.count + " · " + card.item.id);
    this.label.replaceChildren(...zoomWords(card, state, classes));
  }

  close() {
    if (this.node.open) this.node.close();
    this.card?.sound?.faces.delete(this.face);
    this.card = null;
    this.picture.removeAttribute("src");
  }
}

function zoomWords(card, state, classes) {
  if (state !== "open") return [STATE_MARKS[state] + " ", nameNode(classes[card.label])];
  if (!card.suggestion) return ["not labeled"];
  return [nameNode(card.suggestion.name), "? " + formatPercent(card.suggestion.confidence)];
}
