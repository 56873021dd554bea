// Records from the microphone, and gives what was recorded as a WAV file.

import { encodeWav, mixed } from "./wav.js";

export const LONGEST_S = 60;

export class Recorder {
  /**
   * @param {(file: File) => void} onFile
   * @param {() => void} onNothing what was recorded cannot be read: it is no sound, or too short
   */
  constructor(onFile, onNothing) {
    this.onFile = onFile;
    this.onNothing = onNothing;
    this.isAsking = false; // the browser asks the person, which may take long
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

  /** Asks for the microphone; rejects where it is not given. Nothing begins where it was cancelled meanwhile. */
  async start() {
    this.isAsking = true;
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true }).catch((error) => {
      this.isAsking = false;
      throw error;
    });
    if (!this.isAsking) {
      for (const track of stream.getTracks()) track.stop();
      return;
    }
    this.isAsking = false;
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
    this.isAsking = false;
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
    } catch {
      this.onNothing();
    } finally {
      context.close();
    }
  }
}
