// What the classes are while a view is shown: whatever anybody makes of them is seen within 3 s. The status that the view
// `label` asks for tells it; where nobody opened that view, it is asked for here. No DOM but the window's being hidden.

/** @typedef {import("./api.js").StatusAnswer} StatusAnswer */

const POLL_MS = 2500; // what others change is seen within 3 s

export class ClassWatch {
  /**
   * @param {import("./api.js").ProjectApi} api
   * @param {() => import("./session.js").Session | undefined} session of the view `label`, where that was opened
   * @param {(status: StatusAnswer) => void} use is told every status
   */
  constructor(api, session, use) {
    this.api = api;
    this.session = session;
    this.use = use;
    this.isShown = false;
    /** @type {import("./session.js").Session | undefined} whose status is told already */
    this.followed = undefined;
  }

  /** Asks now. Throws ApiError. */
  async learn() {
    this.use(await this.api.status());
  }

  show() {
    this.hide();
    this.isShown = true;
    const session = this.session();
    if (!session) this.polling = setInterval(() => this.poll(), POLL_MS);
    else if (session !== this.followed) session.on("status", (status) => this.isShown && this.use(status));
    this.followed = session;
  }

  hide() {
    this.isShown = false;
    clearInterval(this.polling);
  }

  async poll() {
    if (this.isAsking || globalThis.document?.hidden) return;
    this.isAsking = true;
    await this.learn().catch(() => null); // the next one may be answered
    this.isAsking = false;
  }
}
