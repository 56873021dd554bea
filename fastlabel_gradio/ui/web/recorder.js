// Records from the microphone, and gives what was recorded as a WAV file.

import { encodeWav, mixed } from "./wav.js";

export const LONGEST_S = 60;

export class Recorder {
  /** @param {(file: File) => void} onFile */
  constructor(onFile) {
    this.onFile = onFile;
    /** @type {MediaRecorder | null} */
    this.recording = null;
    this.timer = 0;
  }

  static get isPossible() {
    return navigator.mediaDevices !== undefined && "MediaRecorder" in window; // neither without https
  }

  get isRecording() {
    return this.recording !== null;
  }

  /** Asks for the microphone; rejects where it is not given. */
  async start() {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const recording = new MediaRecorder(stream);
    /** @type {Blob[]} */
    const parts = [];
    recording.addEventListener("dataavailable", ({ data }) => parts.push(data));
    recording.addEventListener("stop", () => {
      for (const track of stream.getTracks()) track.stop();
      if (this.recording === recording) this.#give(parts);
    });
    this.recording = recording;
    this.timer = window.setTimeout(() => this.stop(), 1000 * LONGEST_S);
    recording.start();
  }

  stop() {
    clearTimeout(this.timer);
    if (this.recording?.state === "recording") this.recording.stop();
  }

  /** Stops and forgets what was recorded. */
  cancel() {
    const recording = this.recording;
    this.recording = null;
    clearTimeout(this.timer);
    if (recording?.state === "recording") recording.stop();
  }

  /** @param {Blob[]} parts */
  async #give(parts) {
    this.recording = null;
    const context = new AudioContext();
    try {
      const sound = await context.decodeAudioData(await new Blob(parts).arrayBuffer());
      const channels = Array.from({ length: sound.numberOfChannels }, (_, index) => sound.getChannelData(index));
      const wav = encodeWav(mixed(channels), sound.sampleRate);
      this.onFile(new File([wav], "recording.wav", { type: "audio/wav" }));
    } finally {
      context.close();
    }
  }
}
