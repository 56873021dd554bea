// Sounds and the one player of the page: starting a sound stops the one before, in whichever tab that is.
// Knows no card: what a sound looks like is told by its faces (sound_face.js).

import { t } from "./words.js";

/** @typedef {import("./sound_face.js").SoundFace} SoundFace */
/** @typedef {"stopped" | "loading" | "playing"} PlayState */

const WARM_AFTER_MS = 100; // moving on faster than this loads nothing

export class Sound {
  /**
   * @param {string} url
   * @param {import("./api.js").ItemAnswer} item
   * @param {number} expand how many times slower than it was recorded it is played
   */
  constructor(url, item, expand) {
    this.url = url;
    this.startS = item.start_s; // where it begins in its file
    this.durationS = item.duration_s ?? null; // as it was recorded; null while nobody knows
    this.gainDb = item.gain_db; // by how much it may be turned up
    this.expand = expand;
    this.converted = false;
    this.problem = "";
    /** @type {Set<SoundFace>} */
    this.faces = new Set();
  }

  get playedS() {
    return this.durationS === null ? null : this.durationS * this.expand;
  }

  /** @param {boolean} normalised */
  source(normalised) {
    const url = new URL(this.url);
    if (this.converted) url.searchParams.set("converted", "true");
    if (normalised && this.gainDb) url.searchParams.set("normalised", "true");
    return url.href;
  }
}

export class SoundPlayer {
  /** @param {import("./sound_settings.js").SoundSettings} settings */
  constructor(settings) {
    this.settings = settings;
    this.media = new Audio();
    this.media.preload = "auto";
    /** @type {Sound | null} */
    this.sound = null; // the one in the media element
    this.fraction = 0; // where to begin once the duration is known
    /** @type {Sound | null} */
    this.painted = null;
    const on = (/** @type {string[]} */ types, /** @type {() => void} */ handler) => {
      for (const type of types) this.media.addEventListener(type, handler);
    };
    on(["play", "playing", "waiting", "pause", "ended", "emptied"], () => this.paint());
    on(["loadedmetadata"], () => this.onDuration());
    on(["error"], () => this.onError());
    settings.addEventListener("change", () => this.applySettings());
    this.applySettings();
  }

  /**
   * A face follows the sound until it is taken out of its faces.
   * @param {Sound} sound
   * @param {SoundFace} face
   */
  show(sound, face) {
    sound.faces.add(face);
    this.paintFaces(sound);
  }

  /** @param {Sound} sound */
  paintFaces(sound) {
    const state = sound === this.sound ? this.state : "stopped";
    for (const face of sound.faces) face.paint(sound, state, this.settings.normalise ? sound.gainDb : 0);
  }

  /** @returns {PlayState} */
  get state() {
    if (!this.sound || this.media.paused || this.media.ended || this.media.error) return "stopped";
    return this.media.readyState < HTMLMediaElement.HAVE_FUTURE_DATA ? "loading" : "playing";
  }

  /** @param {Sound} sound */
  isPlaying(sound) {
    return sound === this.sound && this.state !== "stopped";
  }

  /**
   * From a place in the sound, 0 to 1. One that could not be played is asked for again.
   * @param {Sound} sound
   */
  play(sound, fraction = 0) {
    this.open(sound);
    this.seek(fraction);
    this.start();
  }

  /** @param {Sound} sound */
  toggle(sound) {
    if (this.isPlaying(sound)) this.stop();
    else this.play(sound);
  }

  stop() {
    clearTimeout(this.warming);
    this.media.pause();
    this.paint();
  }

  /**
   * Has a sound ready for its key; a sound that plays is stopped, because the person went on to another.
   * @param {Sound} sound
   */
  warm(sound) {
    clearTimeout(this.warming);
    if (sound === this.sound) return;
    this.stop();
    if (!sound.problem) this.warming = setTimeout(() => this.open(sound), WARM_AFTER_MS);
  }

  // Lets a sound go whose card leaves the screen.
  close() {
    this.stop();
    this.sound = null;
    this.media.removeAttribute("src");
    this.media.load();
  }

  /** @param {Sound} sound */
  open(sound) {
    clearTimeout(this.warming);
    if (sound === this.sound && !sound.problem) return;
    this.stop();
    if (sound.problem) Object.assign(sound, { problem: "", converted: false });
    this.sound = sound;
    this.fraction = 0;
    this.media.src = sound.source(this.settings.normalise);
  }

  /** @param {number} fraction 0 to 1 */
  seek(fraction) {
    this.fraction = fraction;
    const seconds = fraction * (this.sound?.playedS ?? 0);
    if (this.media.currentTime !== seconds) this.media.currentTime = seconds;
  }

  start() {
    this.media.play().catch(() => this.paint()); // refused by the browser or stopped meanwhile: no fault of the sound
    this.paint();
  }

  onDuration() {
    const { sound, media } = this;
    if (!sound || sound.durationS !== null || !Number.isFinite(media.duration)) return;
    sound.durationS = media.duration / sound.expand;
    this.seek(this.fraction);
    this.paint();
  }

  onError() {
    const { sound, media } = this;
    if (!sound || !media.error) return;
    const wasStarted = !media.paused;
    if (sound.converted) sound.problem = t("not_playable");
    else {
      sound.converted = true;
      this.reopen(this.fraction, wasStarted);
    }
    this.paint();
  }

  /**
   * The same sound from another address.
   * @param {number} fraction where, 0 to 1
   * @param {boolean} wasStarted
   */
  reopen(fraction, wasStarted) {
    if (!this.sound) return;
    this.media.src = this.sound.source(this.settings.normalise);
    this.seek(fraction);
    if (wasStarted) this.start();
  }

  applySettings() {
    const { media, settings } = this;
    media.loop = settings.loop;
    media.defaultPlaybackRate = settings.speed; // a browser keeps the pitch by itself
    media.playbackRate = settings.speed;
    this.applyNormalise();
  }

  applyNormalise() {
    const { sound, media } = this;
    if (!sound || media.src === sound.source(this.settings.normalise)) return;
    this.reopen(media.currentTime / (sound.playedS ?? Number.POSITIVE_INFINITY), this.state !== "stopped");
    this.paint();
  }

  paint() {
    if (this.painted && this.painted !== this.sound) this.paintFaces(this.painted);
    this.painted = this.sound;
    if (this.sound) this.paintFaces(this.sound);
    if (this.frame) cancelAnimationFrame(this.frame);
    if (this.state !== "stopped") this.follow();
  }

  follow() {
    if (!this.sound) return;
    const place = this.media.currentTime / (this.sound.playedS ?? this.media.duration);
    for (const face of this.sound.faces) face.moveCursor(place || 0);
    this.frame = requestAnimationFrame(() => this.follow());
  }
}
