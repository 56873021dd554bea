// The enlarged view: the current card as large as the window allows, with the same keys as the grid.

class ZoomView {
  constructor(pictureUrl) {
    this.pictureUrl = pictureUrl;
    this.tile = el("div", "fl-zoom-tile");
    this.picture = el("img", "fl-zoom-picture");
    this.picture.alt = "";
    this.picture.addEventListener("load", () => setShown(this.picture, true));
    this.picture.addEventListener("error", () => setText(this.problem, "The large picture could not be loaded."));
    this.problem = el("p", "fl-zoom-problem");
    this.name = nameNode("", "fl-zoom-name");
    this.label = el("p", "fl-zoom-label");
    const close = button("fl-quiet", "Close", "close-zoom", "Esc");
    const caption = el("div", "fl-zoom-caption", el("div", "fl-zoom-words", this.label, this.name), close);
    this.node = el("dialog", "fl-zoom", el("div", "fl-zoom-frame", this.tile, this.picture, this.problem), caption);
    this.node.setAttribute("aria-label", "Enlarged picture");
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
    if (this.card !== card) this.showPicture(card);
    this.paint(card, classes);
  }

  showPicture(card) {
    this.card = card;
    for (const name of ["backgroundImage", "backgroundSize", "backgroundPosition"]) {
      this.tile.style[name] = card.tile.style[name];
    }
    setShown(this.picture, false);
    setText(this.problem, "");
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
    this.card = null;
    this.picture.removeAttribute("src");
  }
}

function zoomWords(card, state, classes) {
  if (state !== "open") return [STATE_MARKS[state] + " ", nameNode(classes[card.label])];
  if (!card.suggestion) return ["not labeled"];
  return [nameNode(card.suggestion.name), "? " + formatPercent(card.suggestion.confidence)];
}
