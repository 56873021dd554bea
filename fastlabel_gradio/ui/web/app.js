// Where the page begins: Gradio calls `mount` once for each tab. All tabs share this module and what it holds.

import { ensureAnnotatorCookie } from "./annotator.js";
import { LabelGrid } from "./label_view.js";

export function mount(element, { settings }) {
  ensureAnnotatorCookie();
  window.fastlabel ??= { grids: {} };
  const { grids } = window.fastlabel; // for the toolbar, whose buttons are Gradio's
  grids[settings.project]?.stop();
  grids[settings.project] = new LabelGrid(element, settings);
  grids[settings.project].start();
}
