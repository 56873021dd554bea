// What the classes are while a view is shown: whatever anybody makes of them is seen within 3 s. The status that the view
// `label` asks for tells it; where nobody opened that view, it is asked for here. Whether the server answers is learned by the
// same questions, whatever view is shown. No DOM but the window's being hidden.

import { ApiError } from "./api.js";
import { Emitter } from "./emitter.js";

/** @typedef {import("./api.js").StatusAnswer} StatusAnswer */

const POLL_MS = 2500; // what others change is seen within 3 s

/** Emits every `status` while it is shown; `answered`, and `lost` with an ApiError, at all times. */
export class ClassWatch extends Emitter {
  /** @type {Promise<void> | null} */
  #learning = null;

  /**
   * @param {import("./api.js").ProjectApi} api
   * @param {() => import("./session.js").Session | undefined} session of the view `label`, where that was opened
   */
  constructor(api, session) {
    super();
    this.api = api;
    this.session = session;
    this.isShown = false;
    /** @type {import("./session.js").Session | undefined} whose status is told already */
    this.followed = undefined;
  }

  /** Asks now, or waits for the answer that is on its way. Throws ApiError. */
  learn() {
    this.#learning ??= this.#ask().finally(() => {
      this.#learning = null;
    });
    return this.#learning;
  }

  async #ask() {
    try {
      const status = await this.api.status();
      this.emit("answered");
      this.emit("status", status);
    } catch (error) {
      if (error instanceof ApiError) this.emit("lost", error);
      throw error;
    }
  }

  show() {
    this.hide();
    this.isShown = true;
    if (this.follow()) return;
    this.polling = setInterval(() => this.poll(), POLL_MS);
    this.poll();
  }

  /** Whether the view `label` asks already; from now on it is told here what that learns. */
  follow() {
    const session = this.session();
    if (session && session !== this.followed) {
      session.on("status", (status) => {
        this.emit("answered");
        if (this.isShown) this.emit("status", status);
      });
      session.on("lost", (error) => this.emit("lost", error));
    }
    this.followed = session;
    return Boolean(session);
  }

  hide() {
    this.isShown = false;
    clearInterval(this.polling);
  }

  async poll() {
    if (!globalThis.document?.hidden) await this.learn().catch(() => null); // the next one may be answered
  }
}
