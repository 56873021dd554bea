// What the keys of playing do, in every view where sounds play; the view says what is so from then on.

import { t } from "./words.js";

/** @typedef {{ player: import("./sound_player.js").SoundPlayer | null, dock: import("./dock.js").Dock }} Playing */

/**
 * @param {Playing} view
 * @param {number} steps faster, or slower below 0
 */
export function changeSpeed({ player, dock }, steps) {
  const settings = player?.settings;
  settings?.changeSpeed(steps);
  if (settings) dock.say(t("speed_is", { speed: String(settings.speed) }));
}

/**
 * @param {Playing} view
 * @param {import("./sound_settings.js").Switch} name
 */
export function toggleSwitch({ player, dock }, name) {
  const settings = player?.settings;
  if (!settings) return;
  settings.set(name, !settings[name]);
  dock.say(t(`${name}_${settings[name] ? "on" : "off"}`));
}
