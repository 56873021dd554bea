// The controls of playing sounds, above the cards.

import { button, el } from "./dom.js";
import { SPEEDS } from "./sound_settings.js";
import { t } from "./words.js";

export class SoundBar {
  /**
   * @param {import("./sound_settings.js").SoundSettings} settings
   * @param {number} expand how many times slower than they were recorded sounds are played
   * @param {AbortSignal} signal ends it
   */
  constructor(settings, expand, signal) {
    this.settings = settings;
    this.playOnFocus = soundSwitch(t("play_on_focus"), "p", "play-on-focus", t("play_on_focus_title"));
    this.loop = soundSwitch(t("loop"), "l", "loop", t("loop_title"));
    this.normalise = soundSwitch(t("normalise"), "v", "normalise", t("normalise_title"));
    this.speed = el("select", "fl-speed");
    this.speed.append(...SPEEDS.map((speed) => new Option(`${speed} ×`, String(speed))));
    this.speed.title = t("speed_title");
    this.speed.setAttribute("aria-label", t("speed"));
    this.speed.addEventListener("change", () => settings.set("speed", Number(this.speed.value)));
    const keys = el("span", "fl-speed-keys", el("kbd", "fl-key", ","), el("kbd", "fl-key", "."));
    const speed = el("span", "fl-speed-setting", el("span", "fl-speed-name", t("speed")), this.speed, keys);
    const slower = expand > 1 ? el("span", "fl-expand", t("played_slower", { times: expand })) : null;
    this.node = el("div", "fl-sound-bar", slower, this.playOnFocus, this.loop, this.normalise, speed);
    this.node.setAttribute("role", "group");
    this.node.setAttribute("aria-label", t("playing_sounds"));
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

/**
 * @param {string} text
 * @param {string} key
 * @param {string} command
 * @param {string} title
 */
function soundSwitch(text, key, command, title) {
  const node = button("fl-quiet fl-switch", text, command, title);
  node.append(el("kbd", "fl-key", key));
  return node;
}
