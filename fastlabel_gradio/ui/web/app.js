// Where the page begins: Gradio calls `mount` once for each tab. All tabs share this module and what it holds.

import { Address } from "./address.js";
import { ensureAnnotatorCookie } from "./annotator.js";
import { whenThere } from "./dom.js";
import { translateGradio } from "./gradio_words.js";
import { ignoreHeldKeys } from "./held_keys.js";
import "./label_view.js";
import { ProjectPage } from "./project_page.js";
import { loadRights, may } from "./rights.js";
import { SoundPlayer } from "./sound_player.js";
import { SoundSettings } from "./sound_settings.js";
import { firstTab, onTabChange, openTab, selectTab, TABS } from "./tabs.js";
import { registeredViews, registerView } from "./views.js";
import { pickLanguage, t, useLanguage } from "./words.js";

/** @typedef {import("./label_view.js").Settings} Settings */
/** @typedef {import("./address.js").Params} Params */
/**
 * What the toolbar, whose buttons are Gradio's, and the tabs have in common. `views`: by project.
 * @typedef {{ views: Record<string, ProjectPage>, address: Address, player?: SoundPlayer }} SharedPage
 */

registerView({ name: "explore", title: () => t("view_explore"), load: () => import("./explore_view.js") });
registerView({
  name: "finish",
  title: () => t("view_finish"),
  needs: "POST /api/finish/plan",
  load: () => import("./finish_view.js"),
});
registerView({ name: "progress", title: () => t("view_progress"), load: () => import("./progress_view.js") });
registerView({
  name: "adjudication",
  title: () => t("adjudication"),
  isLinked: true,
  load: () => import("./adjudication_view.js"),
});
registerView({ name: "try", title: () => t("view_try"), load: () => import("./try_view.js") });
registerView({
  name: "people",
  title: () => t("view_people"),
  needs: "GET /api/invites",
  load: () => import("./people_view.js"),
});

/**
 * @param {HTMLElement} element
 * @param {{ settings: Settings }} props
 */
export async function mount(element, { settings }) {
  ensureAnnotatorCookie();
  // Gradio may put these on the page after the grid.
  await Promise.all([whenThere(`#fl-toolbar-${settings.project}`), whenThere(TABS), loadRights()]);
  const shared = sharedPage();
  const root = /** @type {HTMLElement} */ (element.querySelector(".fl"));
  root.lang = useLanguage(pickLanguage(new URLSearchParams(location.search).get("lang"), navigator.languages));
  translateGradio(settings.project);
  // A class of the page, as Gradio may draw its button anew at any time.
  document.body.classList.toggle("fl-may-not-train", !may("POST /api/train"));
  for (const module of settings.views) await loadView(module);
  shared.views[settings.project]?.stop();
  const player = settings.kind === "audio" ? sharedPlayer(shared) : null;
  const note = (/** @type {Params} */ params) => shared.address.note({ ...placeOf(settings.project), ...params });
  const keep = (/** @type {Params} */ params) => shared.address.keep({ ...placeOf(settings.project), ...params });
  const page = new ProjectPage(root, settings, theirViews(), player, { note, keep });
  shared.views[settings.project] = page;
  const { params } = shared.address;
  page.show(isMeant(settings.project, params) ? params : {});
  selectTab(params.project ?? openTab());
}

/** The views that the person's role opens. */
function theirViews() {
  return registeredViews().filter((view) => may(view.needs));
}

/**
 * The module of somebody else's view, which registers it. A broken one must not take the grid along.
 * @param {string} module
 */
async function loadView(module) {
  try {
    await import(new URL(module, document.baseURI).href);
  } catch (error) {
    console.error(`The view of ${module} cannot be shown.`, error);
  }
}

/** @returns {SharedPage} */
function sharedPage() {
  const holder = /** @type {any} */ (window);
  holder.fastlabel ??= newPage();
  return holder.fastlabel;
}

/** @returns {SharedPage} */
function newPage() {
  /** @type {SharedPage} */
  const shared = { views: {}, address: new Address() };
  ignoreHeldKeys(document);
  shared.address.on("change", (params) => {
    const project = params.project ?? firstTab();
    selectTab(project);
    shared.views[project]?.show(params);
  });
  onTabChange((project) => {
    if (!isMeant(project, shared.address.params))
      shared.address.note({ ...shared.views[project]?.params, ...placeOf(project) });
  });
  return shared;
}

/**
 * One for all tabs, or two sounds could be heard at once.
 * @param {SharedPage} shared
 */
function sharedPlayer(shared) {
  shared.player ??= new SoundPlayer(new SoundSettings());
  return shared.player;
}

/**
 * How the address names a project: not at all where it is the first.
 * @param {string} project
 * @returns {Params}
 */
function placeOf(project) {
  return project === firstTab() ? {} : { project };
}

/**
 * @param {string} project
 * @param {Params} params
 */
function isMeant(project, params) {
  return project === (params.project ?? firstTab());
}
