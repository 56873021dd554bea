// What a sound looks like, on its card and enlarged: cursor, play button, seconds along the bottom, kHz at the side.

import { button, el, setShown, setText } from "./dom.js";
import { formatDuration, frequencyTicks, ticksPerTime, timePx, timeTicks, timeUnit } from "./ticks.js";
import { t } from "./words.js";

/** @typedef {import("./sound_player.js").Sound} Sound */
/** @typedef {import("./sound_player.js").PlayState} PlayState */
/** @typedef {import("./ticks.js").Tick} Tick */
/** @typedef {import("./ticks.js").FrequencyRange} FrequencyRange */
/** @typedef {SoundFace & { time: HTMLElement }} CardFace */

const CARD_TICKS = 6;
const LARGE_TICKS = 12;
const NARROW_PX = 700; // a window with half the ticks, and narrow cards
const CARD_WIDTHS_PX = [156, 220]; // the least of a card in a narrow and in a wide window, as grid_sound.css has it
const LARGE_WIDTHS_PX = [270, 600];
const DURATION_PX = 50; // of a card's ruler, behind its times
const LARGE_RATIO = 2.5;

export class SoundFace {
  /**
   * @param {{ play: string, stop: string }} names of its button
   * @param {number} ticks at most below a spectrogram
   * @param {number} widthPx that is at least so wide
   */
  constructor(names, ticks, widthPx) {
    this.names = names;
    this.ticks = ticks;
    this.widthPx = widthPx;
    this.cursor = el("div", "fl-cursor");
    this.play = button("fl-play", "", "play");
    this.play.tabIndex = -1;
    this.ruler = el("div", "fl-ruler");
    this.ruler.setAttribute("aria-hidden", "true");
    this.duration = el("span", "fl-duration");
    this.gain = el("span", "fl-gain");
    this.problem = el("p", "fl-sound-problem");
    this.unit = el("span", "fl-second");
    this.unit.setAttribute("aria-hidden", "true");
    setShown(this.cursor, false);
    setShown(this.problem, false);
  }

  /**
   * @param {Sound} sound
   * @param {PlayState} state
   * @param {number} gainDb by how much it is turned up
   */
  paint(sound, state, gainDb) {
    setShown(this.cursor, state !== "stopped");
    this.play.dataset.state = state;
    this.play.setAttribute("aria-label", state === "stopped" ? this.names.play : this.names.stop);
    this.play.title = t(state === "stopped" ? "play_key" : "stop_key");
    setText(this.problem, sound.problem);
    setShown(this.problem, sound.problem !== "");
    setText(this.gain, gainDb ? `+${gainDb} dB` : "");
    setShown(this.gain, gainDb > 0);
    this.gain.title = gainDb ? t("turned_up", { gain: gainDb }) : "";
    if (this.measured !== sound || this.durationS !== sound.durationS) this.paintTime(sound);
  }

  /** @param {Sound} sound */
  paintTime(sound) {
    this.measured = sound;
    this.durationS = sound.durationS;
    const durationS = sound.durationS ?? 0;
    const ticks = durationS > 0 ? timeTicks(sound.startS, durationS, this.ticks) : [];
    setText(this.duration, durationS > 0 ? formatDuration(durationS) : "");
    setText(this.unit, timeUnit(sound.startS + durationS));
    const every = ticksPerTime(ticks, this.widthPx);
    const timed = ticks.map((tick, index) => (index % every === 0 ? tick : { ...tick, text: "" }));
    this.ruler.replaceChildren(...timed.map((tick) => tickNode(tick, this.widthPx)));
  }

  /**
   * A transform and nothing else: no layout work while a sound plays.
   * @param {number} place 0 to 1
   */
  moveCursor(place) {
    this.cursor.style.transform = `translateX(${(Math.min(place, 1) * 100).toFixed(3)}%)`;
  }
}

/**
 * @param {number} index of its card
 * @returns {CardFace}
 */
export function cardFace(index) {
  const place = index + 1;
  const names = { play: t("play_item", { place }), stop: t("stop_item", { place }) };
  const face = new SoundFace(names, CARD_TICKS, CARD_WIDTHS_PX[isNarrow() ? 0 : 1]);
  return Object.assign(face, { time: el("div", "fl-time", face.ruler, face.duration) });
}

export function largeFace() {
  const names = { play: t("play_this"), stop: t("stop_this") };
  return new SoundFace(names, isNarrow() ? LARGE_TICKS / 2 : LARGE_TICKS, LARGE_WIDTHS_PX[isNarrow() ? 0 : 1]);
}

function isNarrow() {
  return window.innerWidth < NARROW_PX;
}

/**
 * A spectrogram with its axes.
 * @param {SoundFace} face
 * @param {HTMLElement} picture
 * @param {FrequencyRange} view
 */
export function largeAxes(face, picture, view) {
  return el("div", "fl-axes", frequencyRuler(view, face.widthPx / LARGE_RATIO), picture, face.unit, face.ruler);
}

/**
 * @param {Tick} tick
 * @param {number} widthPx
 */
function tickNode({ place, text }, widthPx) {
  const node = el("span", "fl-tick", text ? el("span", "fl-tick-text", text) : null);
  node.style.left = `${place * 100}%`;
  node.dataset.edge = place < 0.02 ? "start" : place > 0.98 ? "end" : "";
  node.dataset.late = String(place * widthPx + timePx(text) / 2 > widthPx - DURATION_PX);
  return node;
}

/**
 * @param {FrequencyRange} view
 * @param {number} heightPx
 */
function frequencyRuler(view, heightPx) {
  const ruler = el("div", "fl-frequencies");
  ruler.setAttribute("aria-hidden", "true");
  for (const { place, text } of frequencyTicks(view, heightPx)) {
    const node = el("span", "fl-frequency", text);
    node.style.bottom = `${place * 100}%`;
    ruler.append(node);
  }
  ruler.append(el("span", "fl-unit", "kHz"));
  return ruler;
}
