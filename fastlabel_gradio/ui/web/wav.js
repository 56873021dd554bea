// Samples as a WAV file: what a browser recorded, in the one format that every decoder reads.

const HEADER_BYTES = 44;
const BYTES_A_SAMPLE = 2;

/**
 * A mono WAV of 16 bits.
 * @param {Float32Array} samples full scale is -1 to 1; what is beyond is cut off
 * @param {number} rateHz
 * @returns {ArrayBuffer}
 */
export function encodeWav(samples, rateHz) {
  const bytes = samples.length * BYTES_A_SAMPLE;
  const view = new DataView(new ArrayBuffer(HEADER_BYTES + bytes));
  const words = { 0: "RIFF", 8: "WAVE", 12: "fmt ", 36: "data" };
  for (const [place, word] of Object.entries(words))
    for (let index = 0; index < 4; index++) view.setUint8(Number(place) + index, word.charCodeAt(index));
  view.setUint32(4, HEADER_BYTES - 8 + bytes, true);
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // one channel
  view.setUint32(24, rateHz, true);
  view.setUint32(28, rateHz * BYTES_A_SAMPLE, true);
  view.setUint16(32, BYTES_A_SAMPLE, true);
  view.setUint16(34, 8 * BYTES_A_SAMPLE, true);
  view.setUint32(40, bytes, true);
  samples.forEach((sample, index) => {
    const level = Math.max(-1, Math.min(1, sample));
    view.setInt16(HEADER_BYTES + index * BYTES_A_SAMPLE, Math.round(level < 0 ? level * 32768 : level * 32767), true);
  });
  return view.buffer;
}

/**
 * The mean of all channels.
 * @param {Float32Array[]} channels of one length
 * @returns {Float32Array}
 */
export function mixed(channels) {
  const mean = new Float32Array(channels[0]?.length ?? 0);
  for (const channel of channels)
    for (let index = 0; index < mean.length; index++) mean[index] += channel[index] / channels.length;
  return mean;
}
