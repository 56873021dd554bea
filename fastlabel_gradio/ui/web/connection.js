// Whether the server answers, said once above whatever view of a project's tab is shown.

import { banner } from "./banner.js";
import { Emitter } from "./emitter.js";
import { t } from "./words.js";

/** Emits `back` when the server answers again. */
export class Connection extends Emitter {
  constructor() {
    super();
    this.line = banner("fl-view fl-connection", "error");
    this.node = this.line.node;
    this.isLost = false;
  }

  /** @param {import("./api.js").ApiError} error */
  lose(error) {
    this.isLost = true;
    this.line.say(t(error.status === 401 ? "logged_out" : "connection_lost"));
  }

  answered() {
    if (!this.isLost) return;
    this.isLost = false;
    this.line.say("");
    this.emit("back");
  }
}
