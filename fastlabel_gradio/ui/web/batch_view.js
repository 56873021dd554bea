// The batch on screen: its cards, the current one, the labels given so far and how to take them back. Knows no server.

import { CardDeck } from "./cards.js";
import { el } from "./dom.js";
import { digitsOfClasses } from "./keys.js";
import { plural } from "./numbers.js";
import { placeTile } from "./sheet.js";

const MANY_CARDS = 200;

export class BatchView {
  // `player`: null where the items are pictures. `expand`: how many times slower than recorded it plays.
  constructor(drafts, dock, zoom, player, mediaUrl, expand) {
    this.drafts = drafts;
    this.dock = dock;
    this.zoom = zoom;
    this.player = player;
    this.mediaUrl = mediaUrl;
    this.expand = expand;
    this.node = el("div", "fl-cards");
    this.node.setAttribute("role", "group");
    this.node.setAttribute("aria-label", "Batch");
    this.cards = [];
    this.hasShown = false; // a batch, since the page was loaded
    this.forget();
  }

  // Drops the batch; its cards stay on screen until the next one is there, so that nothing flickers.
  forget() {
    if (this.hasSound()) this.player.close();
    this.batch = null;
    this.cards = [];
    this.changes = []; // what undoChange takes back: lists of [card, label before]
    this.restored = false;
    this.givenBack = false; // the claim ran out while the page slept
    this.current = 0;
  }

  open(batch) {
    this.forget();
    this.batch = batch;
    this.classes = batch.classes;
    this.deck = new CardDeck(batch.classes, this.player, this.mediaUrl, this.expand);
    this.cards = this.deck.build(batch.items);
    this.restoreLabels();
  }

  paintSheet(sheet) {
    this.sheet = sheet; // kept: a decoded picture stays decoded while something holds it
    if (sheet) for (const card of this.cards) placeTile(card.tile, card.index, sheet);
  }

  reveal() {
    this.node.classList.toggle("fl-many", this.cards.length > MANY_CARDS);
    const fragment = document.createDocumentFragment();
    fragment.append(...this.cards.map((card) => card.node));
    this.node.replaceChildren(fragment);
    this.dock.setClasses(this.classes);
    this.dock.paint(this.cards);
    this.setCurrent(Math.max(0, this.cards.findIndex((card) => card.label === null)));
    if (this.hasShown) this.arrive(); // while the page loads, no sound is asked for
    this.hasShown = true;
  }

  labeledCards() {
    return this.cards.filter((card) => card.label !== null);
  }

  submission() {
    return this.labeledCards().map((card) => ({ id: card.item.id, label: this.classes[card.label] }));
  }

  restoreLabels() {
    const draft = this.drafts.load(this.batch.batch_id);
    for (const card of this.cards) {
      card.label = card.item.label ?? null;
      this.restored ||= card.label !== null; // labels that an undo brought back are on this screen only
      if (Object.hasOwn(draft, card.item.id)) this.restoreLabel(card, draft[card.item.id]);
      if (card.label !== null) this.deck.paint(card);
    }
    if (this.labeledCards().length) this.saveDraft();
  }

  restoreLabel(card, name) {
    const index = this.classes.indexOf(name);
    card.label = index < 0 ? null : index;
    this.restored ||= card.label !== null;
  }

  saveDraft() {
    const known = this.cards.filter((card) => card.label !== null || card.item.label !== null);
    const names = known.map((card) => [card.item.id, card.label === null ? null : this.classes[card.label]]);
    this.drafts.save(this.batch.batch_id, Object.fromEntries(names));
  }

  // One change of the person: what it did to which cards, kept for undoChange.
  change(cards, labelOf) {
    const changed = cards.filter((card) => labelOf(card) !== card.label);
    if (!changed.length) return;
    this.changes.push(changed.map((card) => [card, card.label]));
    for (const card of changed) this.setLabel(card, labelOf(card));
    this.afterChange();
  }

  undoChange() {
    const change = this.changes.pop();
    for (const [card, before] of change) this.setLabel(card, before);
    this.afterChange();
    this.focusCard(change[0][0].index);
    return change.length;
  }

  setLabel(card, label) {
    card.label = label;
    this.deck.paint(card);
    this.zoom.paint(card, this.classes);
  }

  afterChange() {
    this.saveDraft();
    this.dock.paint(this.cards);
    this.dock.forgetWarning();
  }

  labelCurrent(index) {
    if (index >= this.classes.length) return;
    this.change([this.cards[this.current]], () => index);
    this.moveOn();
  }

  labelByDigit(digit) {
    const index = digitsOfClasses(this.classes).indexOf(digit);
    if (index >= 0) this.labelCurrent(index);
  }

  acceptCurrent() {
    const card = this.cards[this.current];
    if (!card.suggestion) return this.dock.say("This card has no suggestion yet: choose its class.", "warning");
    this.change([card], () => card.suggestion.index);
    return this.moveOn();
  }

  acceptCard(card) {
    this.change([card], () => card.suggestion.index);
    this.focusCard(card.index);
  }

  acceptRest() {
    const open = this.cards.filter((card) => card.label === null && card.suggestion);
    this.change(open, (card) => card.suggestion.index);
    const accepted = "Accepted " + plural(open.length, "suggestion") + ": press s to submit.";
    this.dock.say(open.length ? accepted : "No suggestion is left to accept.");
  }

  clearCurrent() {
    this.change([this.cards[this.current]], () => null);
  }

  clearAll() {
    const count = this.labeledCards().length;
    this.change(this.cards, () => null);
    if (count) this.dock.say("Cleared " + plural(count, "label") + ": u brings them back.");
  }

  moveOn() {
    if (this.current < this.cards.length - 1) this.focusCard(this.current + 1);
    else this.dock.say("That was the last card: press s to submit.");
  }

  moveLeft() {
    this.focusCard(this.current - 1);
  }

  moveRight() {
    this.focusCard(this.current + 1);
  }

  moveUp() {
    if (this.current >= this.columns()) this.focusCard(this.current - this.columns());
  }

  moveDown() {
    this.focusCard(Math.min(this.current + this.columns(), this.cards.length - 1));
  }

  moveFirst() {
    this.focusCard(0);
  }

  moveLast() {
    this.focusCard(this.cards.length - 1);
  }

  columns() {
    return getComputedStyle(this.node).gridTemplateColumns.split(" ").length;
  }

  focusCard(index) {
    if (!this.cards[index]) return;
    this.goTo(index);
    if (this.zoom.open) this.zoom.show(this.cards[index], this.classes);
    else this.focusCurrent();
  }

  focusCurrent() {
    const card = this.cards[this.current];
    card?.node.focus({ preventScroll: true });
    card?.node.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  keepFocusInView() {
    if (this.cards[this.current]?.node === document.activeElement) this.focusCurrent();
  }

  // One card takes part in the Tab order, so that Tab leads from the toolbar to it, its menu and on to the dock.
  setCurrent(index) {
    this.reach(this.cards[this.current], false);
    this.current = index;
    this.reach(this.cards[index], true);
  }

  goTo(index) {
    if (index === this.current) return;
    this.setCurrent(index);
    this.arrive();
  }

  // What is heard is the current card or nothing.
  arrive() {
    const { sound } = this.cards[this.current];
    if (!sound) return;
    if (this.player.settings.playOnFocus) this.player.play(sound);
    else this.player.warm(sound);
  }

  reach(card, reachable) {
    if (!card) return;
    card.node.classList.toggle("fl-current", reachable);
    for (const node of [card.node, card.chip, card.select]) if (node) node.tabIndex = reachable ? 0 : -1;
  }

  toggleZoom() {
    if (this.zoom.open) this.zoom.close();
    else this.zoom.show(this.cards[this.current], this.classes);
  }

  toggleSound() {
    this.player.toggle(this.cards[this.current].sound);
  }

  toggleCard(card) {
    const stops = this.player.isPlaying(card.sound);
    this.focusCard(card.index); // which may play it
    if (stops) this.player.stop();
    else this.player.play(card.sound);
  }

  playFrom(card, fraction) {
    this.focusCard(card.index);
    this.player.play(card.sound, fraction);
  }

  stopSound() {
    if (this.hasSound()) this.player.stop();
  }

  paintSounds() {
    for (const { sound } of this.cards) this.player.paintFaces(sound);
  }

  // Whether the player holds a sound of this batch, and not one of another tab.
  hasSound() {
    return this.cards.some((card) => card.sound && card.sound === this.player.sound);
  }

  cardOf(target) {
    return this.cards[target.closest(".fl-card")?.dataset.index];
  }
}
