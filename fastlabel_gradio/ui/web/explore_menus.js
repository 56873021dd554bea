// What the view `explore` has of the view `label` beside the cards: the classes, and what was done lately.

import { ClassesPanel } from "./classes_panel.js";
import { HistoryMenu, sentWords } from "./history_menu.js";

/** @typedef {import("./explore_view.js").ExploreView} ExploreView */

export class ExploreMenus {
  /** @param {ExploreView} view */
  constructor(view) {
    const { api, classWatch } = view;
    this.classes = new ClassesPanel(api, {
      changed: () => classWatch.learn().catch((error) => view.fail(error)),
      explore: (name) => view.ask({ labels: [name] }),
    });
    this.history = new HistoryMenu({
      history: async () => {
        const { steps } = await api.history();
        return steps.map((step) => ({ words: sentWords(step), isUndone: step.undone }));
      },
    });
    view.dock.more.append(this.history.node);
    view.on("changed", () => this.history.paint());
    this.node = this.classes.node;
  }
}
