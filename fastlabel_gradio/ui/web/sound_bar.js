import { button, el } from "./dom.js";
import { SPEEDS } from "./sound_settings.js";

export class SoundBar {
  // `expand`: how many times slower than they were recorded sounds are played.
  constructor(settings, expand, signal) {
    this.settings = settings;
    this.playOnFocus = soundSwitch("Play on focus", "p", "toggle-play-on-focus", "A card you move to plays (p)");
    this.loop = soundSwitch("Loop", "l", "toggle-loop", "A sound begins again at its end (l)");
    this.normalise = soundSwitch("Normalise", "v", "toggle-normalise", "Quiet sounds are turned up (v)");
    this.speed = el("select", "fl-speed");
    this.speed.append(...SPEEDS.map((speed) => new Option(speed + " ×", String(speed))));
    this.speed.title = "Slower (,) and faster (.)";
    this.speed.setAttribute("aria-label", "Speed");
    this.speed.addEventListener("change", () => settings.set("speed", Number(this.speed.value)));
    const keys = el("span", "fl-speed-keys", el("kbd", "fl-key", ","), el("kbd", "fl-key", "."));
    const speed = el("span", "fl-speed-setting", el("span", "fl-speed-name", "Speed"), this.speed, keys);
    const slower = expand > 1 ? el("span", "fl-expand", "played " + expand + " times slower") : null;
    this.node = el("div", "fl-sound-bar", slower, this.playOnFocus, this.loop, this.normalise, speed);
    this.node.setAttribute("role", "group");
    this.node.setAttribute("aria-label", "Playing sounds");
    settings.addEventListener("change", () => this.paint(), { signal });
    this.paint();
  }

  paint() {
    this.playOnFocus.setAttribute("aria-pressed", String(this.settings.playOnFocus));
    this.loop.setAttribute("aria-pressed", String(this.settings.loop));
    this.normalise.setAttribute("aria-pressed", String(this.settings.normalise));
    this.speed.value = String(this.settings.speed);
  }
}

function soundSwitch(text, key, action, title) {
  const node = button("fl-quiet fl-switch", text, action, title);
  node.append(el("kbd", "fl-key", key));
  return node;
}
