// Where the page begins: Gradio calls `mount` once for each tab. All tabs share this module and what it holds.

import { ensureAnnotatorCookie } from "./annotator.js";
import { translateGradio } from "./gradio_words.js";
import { LabelView } from "./label_view.js";
import { SoundPlayer } from "./sound_player.js";
import { SoundSettings } from "./sound_settings.js";
import { pickLanguage, useLanguage } from "./words.js";

/** @typedef {import("./label_view.js").Settings} Settings */

/**
 * @param {HTMLElement} element
 * @param {{ settings: Settings }} props
 */
export function mount(element, { settings }) {
  ensureAnnotatorCookie();
  const page = sharedPage();
  page.views[settings.project]?.stop();
  const root = /** @type {HTMLElement} */ (element.querySelector(".fl"));
  root.lang = pickLanguage(new URLSearchParams(location.search).get("lang"), navigator.languages);
  useLanguage(/** @type {import("./words.js").Language} */ (root.lang));
  translateGradio(settings.project);
  const player = settings.kind === "audio" ? sharedPlayer(page) : null;
  const view = new LabelView(root, settings, player);
  page.views[settings.project] = view;
  view.start();
}

/**
 * What the toolbar, whose buttons are Gradio's, and the tabs have in common.
 * @returns {{ views: Record<string, LabelView>, player?: SoundPlayer }}
 */
function sharedPage() {
  const holder = /** @type {any} */ (window);
  holder.fastlabel ??= { views: {} };
  return holder.fastlabel;
}

/**
 * One for all tabs, or two sounds could be heard at once.
 * @param {ReturnType<typeof sharedPage>} page
 */
function sharedPlayer(page) {
  page.player ??= new SoundPlayer(new SoundSettings());
  return page.player;
}
