// What a sound looks like, on its card and enlarged: cursor, play button, seconds along the bottom, kHz at the side.

const TIME_STEPS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
const CARD_TICKS = 6;
const LARGE_TICKS = 12;
const NARROW_PX = 700; // a window with half the ticks, and narrow cards
const CARD_WIDTHS_PX = [156, 220]; // the least of a card in a narrow and in a wide window, as grid_sound.css has it
const LARGE_WIDTHS_PX = [270, 600];
const DIGIT_PX = 7; // of a time below a spectrogram; a colon or a point takes half of it
const BETWEEN_TIMES_PX = 6;
const DURATION_PX = 50; // of a card's ruler, behind its times
const FREQUENCY_PX = 20; // a line of text beside an enlarged spectrogram
const FREQUENCY_STEPS_HZ = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000];
const OCTAVES_HZ = Array.from({ length: 15 }, (_, octave) => 31.25 * 2 ** octave); // 500, 1000, 2000 … among them
const FEWEST_OCTAVES = 5; // in a narrower range frequencies stand in equal steps
const MOST_STEPS = 8;
const LARGE_RATIO = 2.5;

class SoundFace {
  // `ticks` at most below a spectrogram that is at least `widthPx` wide.
  constructor(name, ticks, widthPx) {
    this.name = name;
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

  // `gainDb`: by how much it is turned up.
  paint(sound, state, gainDb) {
    setShown(this.cursor, state !== "stopped");
    this.play.dataset.state = state;
    this.play.setAttribute("aria-label", (state === "stopped" ? "Play " : "Stop ") + this.name);
    this.play.title = (state === "stopped" ? "Play" : "Stop") + " (Space)";
    setText(this.problem, sound.problem);
    setShown(this.problem, sound.problem !== "");
    setText(this.gain, gainDb ? "+" + gainDb + " dB" : "");
    setShown(this.gain, gainDb > 0);
    this.gain.title = gainDb ? "A quiet recording, turned up by " + gainDb + " dB (v)" : "";
    if (this.measured !== sound || this.durationS !== sound.durationS) this.paintTime(sound);
  }

  paintTime(sound) {
    this.measured = sound;
    this.durationS = sound.durationS;
    const ticks = sound.durationS > 0 ? timeTicks(sound.startS, sound.durationS, this.ticks) : [];
    setText(this.duration, sound.durationS > 0 ? formatDuration(sound.durationS) : "");
    setText(this.unit, timeUnit(sound.startS + sound.durationS));
    const every = ticksPerTime(ticks, this.widthPx);
    const timed = ticks.map((tick, index) => (index % every === 0 ? tick : { ...tick, text: "" }));
    this.ruler.replaceChildren(...timed.map((tick) => tickNode(tick, this.widthPx)));
  }

  // A transform and nothing else: no layout work while a sound plays.
  moveCursor(place) {
    this.cursor.style.transform = "translateX(" + (Math.min(place, 1) * 100).toFixed(3) + "%)";
  }
}

function cardFace(index) {
  const face = new SoundFace("item " + (index + 1), CARD_TICKS, CARD_WIDTHS_PX[isNarrow() ? 0 : 1]);
  face.time = el("div", "fl-time", face.ruler, face.duration);
  return face;
}

function largeFace() {
  return new SoundFace("this sound", isNarrow() ? LARGE_TICKS / 2 : LARGE_TICKS, LARGE_WIDTHS_PX[isNarrow() ? 0 : 1]);
}

function isNarrow() {
  return window.innerWidth < NARROW_PX;
}

function largeAxes(face, picture, view) {
  return el("div", "fl-axes", frequencyRuler(view, face.widthPx / LARGE_RATIO), picture, face.unit, face.ruler);
}

// Times in the file as { place: 0 to 1, text }, at most `most` steps of them.
function timeTicks(startS, durationS, most) {
  const step = TIME_STEPS_S.find((one) => durationS / one <= most) ?? 3600 * Math.ceil(durationS / most / 3600);
  const decimals = step < 0.01 ? 3 : step < 0.1 ? 2 : step < 1 ? 1 : 0;
  const format = inMinutes(startS + durationS) ? formatClock : (seconds) => seconds.toFixed(decimals);
  const ticks = [];
  for (let count = Math.ceil(startS / step - 1e-6); count * step <= startS + durationS + 1e-6; count += 1) {
    const seconds = count * step;
    ticks.push({ place: (seconds - startS) / durationS, text: format(seconds, decimals) });
  }
  return ticks;
}

// Of so many ticks one gets its time written, because more times would run into each other. The first stands beside its
// tick, not below, and takes half its width more.
function ticksPerTime(ticks, widthPx) {
  if (ticks.length < 2) return 1;
  const longest = Math.max(...ticks.map(({ text }) => timePx(text)));
  const apart = (ticks[1].place - ticks[0].place) * widthPx;
  return Math.ceil((1.5 * longest + BETWEEN_TIMES_PX) / apart);
}

function timePx(text) {
  const marks = text.replace(/[0-9]/g, "").length;
  return (text.length - marks / 2) * DIGIT_PX;
}

function inMinutes(endS) {
  return endS >= 60;
}

function timeUnit(endS) {
  if (!inMinutes(endS)) return "s";
  return endS < 3600 ? "min" : "h";
}

// Frequencies of the recording as { place: 0 to 1, text in kHz } where they stand at a spectrogram of that height.
// Its axis is the mel scale, mel(f) = 2595 log10(1 + f / 700), of the sound as it is drawn, `stretch` times slower.
function frequencyTicks({ low_hz: lowHz, top_hz: topHz, stretch }, heightPx) {
  const mel = (hz) => 2595 * Math.log10(1 + hz / stretch / 700);
  const placed = frequenciesIn(lowHz, topHz).map((hz) => {
    return { place: (mel(hz) - mel(lowHz)) / (mel(topHz) - mel(lowHz)), text: String(hz / 1000) };
  });
  const apart = FREQUENCY_PX / heightPx;
  const kept = [];
  for (const tick of placed.reverse()) {
    if (tick.place >= apart && tick.place <= (kept[0]?.place ?? 2) - apart) kept.unshift(tick);
  }
  return kept;
}

function frequenciesIn(lowHz, topHz) {
  const inRange = (hz) => hz > lowHz && hz <= topHz;
  const octaves = OCTAVES_HZ.filter((hz) => inRange(hz) && (hz >= 500 || topHz <= 2000));
  if (octaves.length >= FEWEST_OCTAVES) return octaves;
  const step = FREQUENCY_STEPS_HZ.find((one) => (topHz - lowHz) / one <= MOST_STEPS);
  const first = Math.floor(lowHz / step) + 1;
  return Array.from({ length: MOST_STEPS }, (_, count) => (first + count) * step).filter(inRange);
}

function tickNode({ place, text }, widthPx) {
  const node = el("span", "fl-tick", text ? el("span", "fl-tick-text", text) : null);
  node.style.left = place * 100 + "%";
  node.dataset.edge = place < 0.02 ? "start" : place > 0.98 ? "end" : "";
  node.dataset.late = place * widthPx + timePx(text) / 2 > widthPx - DURATION_PX;
  return node;
}

function frequencyRuler(view, heightPx) {
  const ruler = el("div", "fl-frequencies");
  ruler.setAttribute("aria-hidden", "true");
  for (const { place, text } of frequencyTicks(view, heightPx)) {
    const node = el("span", "fl-frequency", text);
    node.style.bottom = place * 100 + "%";
    ruler.append(node);
  }
  ruler.append(el("span", "fl-unit", "kHz"));
  return ruler;
}

function formatDuration(seconds) {
  if (seconds < 0.0995) return seconds.toFixed(3) + " s";
  if (seconds < 0.995) return seconds.toFixed(2) + " s";
  if (seconds < 59.95) return seconds.toFixed(1) + " s";
  return formatClock(Math.round(seconds), 0);
}

function formatClock(seconds, decimals) {
  const whole = Math.floor(seconds + 1e-6);
  const minutes = Math.floor(whole / 60);
  const rest = Math.max(0, seconds - minutes * 60).toFixed(decimals);
  const padded = rest.padStart(decimals ? decimals + 3 : 2, "0");
  if (minutes < 60) return minutes + ":" + padded;
  return Math.floor(minutes / 60) + ":" + String(minutes % 60).padStart(2, "0") + ":" + padded;
}
