// Sounds and the one player of the page: starting a sound stops the one before, in whichever tab that is.
// Knows no card: what a sound looks like is told by its faces (sound_face.js).

const WARM_AFTER_MS = 100; // moving on faster than this loads nothing

export class Sound {
  // `expand`: how many times slower than it was recorded it is played.
  constructor(url, item, expand) {
    this.url = url;
    this.startS = item.start_s; // where it begins in its file
    this.durationS = item.duration_s; // as it was recorded; null while nobody knows
    this.gainDb = item.gain_db; // by how much it may be turned up
    this.expand = expand;
    this.converted = false;
    this.problem = "";
    this.faces = new Set();
  }

  get playedS() {
    return this.durationS === null ? null : this.durationS * this.expand;
  }

  source(normalised) {
    const url = new URL(this.url);
    if (this.converted) url.searchParams.set("converted", "true");
    if (normalised && this.gainDb) url.searchParams.set("normalised", "true");
    return url.href;
  }
}

export class SoundPlayer {
  constructor(settings) {
    this.settings = settings;
    this.media = new Audio();
    this.media.preload = "auto";
    this.sound = null; // the one in the media element
    this.fraction = 0; // where to begin once the duration is known
    const on = (types, handler) => types.forEach((type) => this.media.addEventListener(type, handler));
    on(["play", "playing", "waiting", "pause", "ended", "emptied"], () => this.paint());
    on(["loadedmetadata"], () => this.onDuration());
    on(["error"], () => this.onError());
    settings.addEventListener("change", () => this.applySettings());
    this.applySettings();
  }

  // A face follows the sound until it is taken out of its faces.
  show(sound, face) {
    sound.faces.add(face);
    this.paintFaces(sound);
  }

  paintFaces(sound) {
    const state = sound === this.sound ? this.state : "stopped";
    for (const face of sound.faces) face.paint(sound, state, this.settings.normalise ? sound.gainDb : 0);
  }

  get state() {
    if (!this.sound || this.media.paused || this.media.ended || this.media.error) return "stopped";
    return this.media.readyState < HTMLMediaElement.HAVE_FUTURE_DATA ? "loading" : "playing";
  }

  isPlaying(sound) {
    return sound === this.sound && this.state !== "stopped";
  }

  // From a place in the sound, 0 to 1. One that could not be played is asked for again.
  play(sound, fraction = 0) {
    this.open(sound);
    this.seek(fraction);
    this.start();
  }

  toggle(sound) {
    if (this.isPlaying(sound)) this.stop();
    else this.play(sound);
  }

  stop() {
    clearTimeout(this.warming);
    this.media.pause();
    this.paint();
  }

  // Has a sound ready for its key; a sound that plays is stopped, because the person went on to another.
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

  open(sound) {
    clearTimeout(this.warming);
    if (sound === this.sound && !sound.problem) return;
    this.stop();
    if (sound.problem) Object.assign(sound, { problem: "", converted: false });
    this.sound = sound;
    this.fraction = 0;
    this.media.src = sound.source(this.settings.normalise);
  }

  seek(fraction) {
    this.fraction = fraction;
    const seconds = fraction * (this.sound.playedS ?? 0);
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
    if (sound.converted) sound.problem = "This sound cannot be played.";
    else {
      sound.converted = true;
      this.reopen(this.fraction, wasStarted);
    }
    this.paint();
  }

  // The same sound from another address, from a place in it, 0 to 1.
  reopen(fraction, wasStarted) {
    this.media.src = this.sound.source(this.settings.normalise);
    this.seek(fraction);
    if (wasStarted) this.start();
  }

  applySettings() {
    const { media, settings } = this;
    media.loop = settings.loop;
    media.defaultPlaybackRate = media.playbackRate = settings.speed; // a browser keeps the pitch by itself
    this.applyNormalise();
  }

  applyNormalise() {
    const { sound, media } = this;
    if (!sound || media.src === sound.source(this.settings.normalise)) return;
    this.reopen(media.currentTime / sound.playedS || 0, this.state !== "stopped");
    this.paint();
  }

  paint() {
    if (this.painted && this.painted !== this.sound) this.paintFaces(this.painted);
    this.painted = this.sound;
    if (this.sound) this.paintFaces(this.sound);
    cancelAnimationFrame(this.frame);
    if (this.state !== "stopped") this.follow();
  }

  follow() {
    const place = this.media.currentTime / (this.sound.playedS ?? this.media.duration);
    for (const face of this.sound.faces) face.moveCursor(place || 0);
    this.frame = requestAnimationFrame(() => this.follow());
  }
}
