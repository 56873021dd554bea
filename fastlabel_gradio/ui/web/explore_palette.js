// The palette of classes in the view `explore`: for the selected cards, or the current one. A name that is none can be added.

import { openPaletteByMenu } from "./long_menus.js";
import { Palette } from "./palette.js";
import { t } from "./words.js";

/** @typedef {import("./explore_view.js").ExploreView} ExploreView */

export class ExplorePalette {
  /** @param {ExploreView} view */
  constructor(view) {
    this.view = view;
    const { settings, context, classKeys } = view;
    this.recent = context.recent;
    this.palette = new Palette(`${settings.project}-explore`, classKeys, {
      choose: (index) => this.#label(view.classes[index]),
      add: (name) => this.#add(name),
      close: () => view.grid.focusCurrent(),
    });
    this.node = this.palette.node;
  }

  /**
   * Menus of cards with many classes open it, too.
   * @param {HTMLElement} root
   * @param {AbortSignal} signal ends it
   */
  follow(root, signal) {
    const classes = () => this.view.classes;
    openPaletteByMenu(root, signal, classes, (menu, typed) => this.#openOf(menu, typed));
  }

  open(typed = "") {
    const { view } = this;
    const { target } = view;
    if (!target) return;
    this.palette.open(
      { classes: view.classes, recent: this.recent.names, likely: this.#likely() },
      t("palette_for", { n: target.size }),
      typed,
    );
  }

  /**
   * @param {Element} menu of a card; where others are selected, it is about that card alone
   * @param {string} typed
   */
  #openOf(menu, typed) {
    const { grid, selection } = this.view;
    const shown = grid.cardOf(menu);
    if (!shown) return;
    if (!selection.has(shown.item.id)) selection.clear();
    grid.go(shown.place, { focus: false });
    this.open(typed);
  }

  /** What the head says of the current card, then what it says most often of what is found. */
  #likely() {
    const { classes, grid, facets } = this.view;
    const { index, runners_up: runnersUp = [] } = grid.currentItem?.prediction ?? {};
    const often = (facets.counts?.predicted ?? []).map(({ value }) => classes.indexOf(value));
    return [...new Set([index ?? -1, ...runnersUp, ...often])].filter((place) => place >= 0);
  }

  /** @param {string} name */
  #label(name) {
    return this.view.acts.apply({ label: name });
  }

  /** @param {string} name of a class that is not there yet: it is added, and the cards get it */
  async #add(name) {
    await this.view.api.changeClasses({ add: name });
    await this.view.classWatch.learn();
    this.#label(name);
  }
}
