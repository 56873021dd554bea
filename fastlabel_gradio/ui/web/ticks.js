// Where times and frequencies stand beside a spectrogram, and how they are written. No DOM.

/** @typedef {{ place: number, text: string }} Tick place: 0 to 1 */
/** @typedef {{ low_hz: number, top_hz: number, stretch: number }} FrequencyRange */

// What a sound looks like, on its card and enlarged: cursor, play button, seconds along the bottom, kHz at the side.

const TIME_STEPS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
const DIGIT_PX = 7; // of a time below a spectrogram; a colon or a point takes half of it
const BETWEEN_TIMES_PX = 6;
const FREQUENCY_PX = 20; // a line of text beside an enlarged spectrogram
const FREQUENCY_STEPS_HZ = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000];
const OCTAVES_HZ = Array.from({ length: 15 }, (_, octave) => 31.25 * 2 ** octave); // 500, 1000, 2000 … among them
const FEWEST_OCTAVES = 5; // in a narrower range frequencies stand in equal steps
const MOST_STEPS = 8;

/**
 * Times in the file, at most `most` steps of them.
 * @param {number} startS
 * @param {number} durationS
 * @param {number} most
 * @returns {Tick[]}
 */
export function timeTicks(startS, durationS, most) {
  const step = TIME_STEPS_S.find((one) => durationS / one <= most) ?? 3600 * Math.ceil(durationS / most / 3600);
  const decimals = step < 0.01 ? 3 : step < 0.1 ? 2 : step < 1 ? 1 : 0;
  const inClock = inMinutes(startS + durationS);
  /** @type {Tick[]} */
  const ticks = [];
  for (let count = Math.ceil(startS / step - 1e-6); count * step <= startS + durationS + 1e-6; count += 1) {
    const seconds = count * step;
    ticks.push({
      place: (seconds - startS) / durationS,
      text: inClock ? formatClock(seconds, decimals) : seconds.toFixed(decimals),
    });
  }
  return ticks;
}

/**
 * Of so many ticks one gets its time written, because more times would run into each other. The first stands beside its
 * tick, not below, and takes half its width more.
 * @param {Tick[]} ticks
 * @param {number} widthPx
 */
export function ticksPerTime(ticks, widthPx) {
  if (ticks.length < 2) return 1;
  const longest = Math.max(...ticks.map(({ text }) => timePx(text)));
  const apart = (ticks[1].place - ticks[0].place) * widthPx;
  return Math.ceil((1.5 * longest + BETWEEN_TIMES_PX) / apart);
}

/** @param {string} text */
export function timePx(text) {
  const marks = text.replace(/[0-9]/g, "").length;
  return (text.length - marks / 2) * DIGIT_PX;
}

/** @param {number} endS */
function inMinutes(endS) {
  return endS >= 60;
}

/** @param {number} endS */
export function timeUnit(endS) {
  if (!inMinutes(endS)) return "s";
  return endS < 3600 ? "min" : "h";
}

/**
 * Frequencies of the recording, in kHz, where they stand at a spectrogram of that height.
 * Its axis is the mel scale, mel(f) = 2595 log10(1 + f / 700), of the sound as it is drawn, `stretch` times slower.
 * @param {FrequencyRange} range
 * @param {number} heightPx
 */
export function frequencyTicks({ low_hz: lowHz, top_hz: topHz, stretch }, heightPx) {
  const mel = (/** @type {number} */ hz) => 2595 * Math.log10(1 + hz / stretch / 700);
  const placed = frequenciesIn(lowHz, topHz).map((hz) => {
    return { place: (mel(hz) - mel(lowHz)) / (mel(topHz) - mel(lowHz)), text: String(hz / 1000) };
  });
  const apart = FREQUENCY_PX / heightPx;
  /** @type {Tick[]} */
  const shown = [];
  for (const tick of placed.reverse()) {
    if (tick.place >= apart && tick.place <= (shown[0]?.place ?? 2) - apart) shown.unshift(tick);
  }
  return shown;
}

/**
 * @param {number} lowHz
 * @param {number} topHz
 */
function frequenciesIn(lowHz, topHz) {
  const inRange = (/** @type {number} */ hz) => hz > lowHz && hz <= topHz;
  const octaves = OCTAVES_HZ.filter((hz) => inRange(hz) && (hz >= 500 || topHz <= 2000));
  if (octaves.length >= FEWEST_OCTAVES) return octaves;
  const step = FREQUENCY_STEPS_HZ.find((one) => (topHz - lowHz) / one <= MOST_STEPS) ?? 100000;
  const first = Math.floor(lowHz / step) + 1;
  return Array.from({ length: MOST_STEPS }, (_, count) => (first + count) * step).filter(inRange);
}

/** @param {number} seconds */
export function formatDuration(seconds) {
  if (seconds < 0.0995) return `${seconds.toFixed(3)} s`;
  if (seconds < 0.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  return formatClock(Math.round(seconds), 0);
}

/**
 * @param {number} seconds
 * @param {number} decimals
 */
function formatClock(seconds, decimals) {
  const whole = Math.floor(seconds + 1e-6);
  const minutes = Math.floor(whole / 60);
  const rest = Math.max(0, seconds - minutes * 60).toFixed(decimals);
  const padded = rest.padStart(decimals ? decimals + 3 : 2, "0");
  if (minutes < 60) return `${minutes}:${padded}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${padded}`;
}
