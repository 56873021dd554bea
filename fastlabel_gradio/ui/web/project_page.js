// One project's tab: its views, of which one is shown, and the line that leads from one to another.

import { ProjectApi } from "./api.js";
import { ClassColours } from "./class_colours.js";
import { ClassKeys } from "./class_keys.js";
import { ClassWatch } from "./class_watch.js";
import { Connection } from "./connection.js";
import { button, el, setShown } from "./dom.js";
import { RecentClasses } from "./recent_classes.js";
import { loadedView } from "./views.js";
import { t } from "./words.js";

/** @typedef {import("./views.js").View | import("./views.js").LazyView} View */
/** @typedef {import("./views.js").MountedView} MountedView */
/** @typedef {import("./address.js").Params} Params */
const LABEL = "label"; // the view whose place Gradio makes, and whose toolbar it has

/**
 * `params`: what opens the view as it was seen last.
 * @typedef {{ root: HTMLElement, tab: HTMLButtonElement, view: View, mounted?: MountedView, params?: Params }} Place
 */

export class ProjectPage {
  /**
   * @param {HTMLElement} root of the first view
   * @param {import("./label_view.js").Settings} settings
   * @param {View[]} views the first is shown where the address names none
   * @param {import("./sound_player.js").SoundPlayer | null} player null where the items are pictures
   * @param {{ note: (params: Params) => void, keep: (params: Params) => void }} address writes the project's part of it
   */
  constructor(root, settings, views, player, address) {
    this.address = address;
    /** @type {Params} */
    this.params = {}; // what opens it as it is
    const { project } = settings;
    const api = new ProjectApi(project);
    const classWatch = new ClassWatch(api, () => this.session);
    const [classKeys, classColours] = [new ClassKeys(project), new ClassColours()];
    const [connection, recent] = [new Connection(), new RecentClasses(project)];
    this.context = { settings, api, player, classKeys, classColours, classWatch, connection, recent };
    classWatch.on("lost", (error) => connection.lose(error));
    classWatch.on("answered", () => connection.answered());
    classWatch.on("status", ({ class_keys: keys, class_colours: colours }) => {
      classKeys.share(keys);
      classColours.share(colours);
    });
    this.colours = new CSSStyleSheet();
    document.adoptedStyleSheets.push(this.colours);
    for (const event of ["change", "drawn"])
      classColours.addEventListener(event, () => this.colours.replaceSync(classColours.rules(project)));
    this.first = views[0].name;
    this.root = root;
    /** @type {Map<string, Place>} */
    this.places = new Map();
    for (const view of views) this.places.set(view.name, this.#placeOf(view, root));
    this.#build(root);
  }

  /**
   * @param {View} view
   * @param {HTMLElement} first
   * @returns {Place}
   */
  #placeOf(view, first) {
    const tab = button("fl-quiet fl-view-tab", view.title());
    tab.dataset.view = view.name;
    tab.addEventListener("click", () => this.go(view.name));
    return { root: view.name === LABEL ? first : el("div", "fl-view"), tab, view };
  }

  /** @param {HTMLElement} root */
  #build(root) {
    const places = [...this.places.values()];
    for (const place of places) {
      place.root.dataset.classesOf = this.context.settings.project;
      if (place.root !== root) root.parentElement?.append(place.root);
    }
    this.line = el("nav", "fl-view fl-views", ...places.map(({ tab }) => tab));
    this.line.setAttribute("aria-label", t("views"));
    if (places.length > 1) root.before(this.line);
    root.before(this.context.connection.node);
    setShown(root, this.places.has(LABEL));
  }

  /**
   * A step of the person to another view, which is as they left it.
   * @param {string} name
   */
  go(name) {
    this.note(this.places.get(name)?.params ?? { view: name === this.first ? "" : name });
    this.show(this.params);
  }

  /** @param {Params} params */
  note(params) {
    this.#remember(params);
    this.address.note(params);
  }

  /** @param {Params} params */
  #remember(params) {
    this.params = params;
    const place = this.places.get(params.view || this.first);
    if (place) place.params = params;
  }

  /**
   * Shows what the address says; the first view where that is none of these.
   * @param {Params} params
   */
  show(params) {
    this.#remember(params);
    const shown = this.places.get(params.view) ?? this.places.get(this.first);
    for (const place of this.places.values()) {
      if (place !== shown) place.mounted?.hide?.();
      setShown(place.root, place === shown);
      setShown(place.tab, place === shown || !place.view.isLinked);
      place.tab.setAttribute("aria-current", place === shown ? "page" : "false");
    }
    this.#showToolbar(shown?.view.name === LABEL);
    if (shown?.view.name === LABEL) this.context.classWatch.hide();
    else this.context.classWatch.show();
    if (shown) this.#open(shown, params);
  }

  /**
   * At once where the view's module is there already, so that the first view is on the page when `show` returns.
   * @param {Place} place
   * @param {Params} params
   */
  #open(place, params) {
    if (!place.mounted && "load" in place.view) {
      loadedView(place.view.name).then((view) => {
        place.view = view;
        if (this.params === params) this.#open(place, params); // nobody went elsewhere meanwhile
      });
      return;
    }
    const { view } = place;
    if (!("mount" in view)) return;
    place.mounted ??= view.mount(place.root, { ...this.context, ...this.#addressOf(view) });
    this.context.classWatch.follow();
    place.mounted.show?.(params);
  }

  /**
   * The toolbar is that of the view `label` alone.
   * @param {boolean} shown
   */
  #showToolbar(shown) {
    document.getElementById(`fl-toolbar-${this.context.settings.project}`)?.toggleAttribute("hidden", !shown);
  }

  /** What the toolbar talks to, if the first view has one. @returns {import("./session.js").Session | undefined} */
  get session() {
    return /** @type {any} */ (this.places.get(LABEL)?.mounted)?.session;
  }

  stop() {
    this.context.classWatch.hide();
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== this.colours);
    for (const { root, mounted } of this.places.values()) {
      mounted?.stop?.();
      if (root !== this.root) root.remove();
    }
    this.line?.remove();
    this.context.connection.node.remove();
  }

  /**
   * What a view has of the page's address, and of the other views.
   * @param {View} view
   */
  #addressOf(view) {
    const whole = (/** @type {Params} */ params) => ({ view: view.name === this.first ? "" : view.name, ...params });
    return {
      note: (/** @type {Params} */ params) => this.note(whole(params)),
      keep: (/** @type {Params} */ params) => {
        this.#remember(whole(params));
        this.address.keep(this.params);
      },
      session: () => this.session,
      openBatch: () => {
        this.go(this.first);
        return this.session?.takeOver();
      },
    };
  }
}
