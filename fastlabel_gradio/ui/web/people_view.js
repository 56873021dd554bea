// The view `people`: links by which others come in, one for each person, and their end. For owners.

import { button, el, link, nameNode, setShown, setText } from "./dom.js";
import { registerView } from "./views.js";
import { t } from "./words.js";

/** @typedef {import("./api.js").Schemas["InviteAnswer"]} InviteAnswer */

const ROLES = /** @type {const} */ (["annotator", "reviewer", "viewer", "owner"]);
const DAYS = 7;

export class PeopleView {
  /**
   * @param {HTMLElement} root
   * @param {import("./views.js").ViewContext} context
   */
  constructor(root, { api }) {
    this.api = api;
    this.name = el("input", "fl-invite-name");
    Object.assign(this.name, { type: "text", maxLength: 64, placeholder: t("invite_name") });
    this.name.setAttribute("aria-label", t("invite_name"));
    this.role = el("select", "fl-invite-role", ...ROLES.map((role) => new Option(t(`role_${role}`), role)));
    this.role.setAttribute("aria-label", t("invite_role"));
    this.days = el("input", "fl-invite-days");
    Object.assign(this.days, { type: "number", min: "1", max: "365", value: String(DAYS) });
    this.days.setAttribute("aria-label", t("invite_days"));
    this.make = button("fl-quiet fl-invite-make", t("invite_make"));
    this.make.type = "submit";
    const form = el(
      "form",
      "fl-invite-form",
      this.name,
      this.role,
      this.days,
      el("span", "", t("invite_days")),
      this.make,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#during(() => this.invite());
    });
    this.said = el("p", "fl-invite-said");
    this.said.setAttribute("role", "status");
    this.made = el("p", "fl-invite-made");
    setShown(this.made, false);
    this.list = el("ul", "fl-invites");
    const title = el("h2", "fl-evaluation-title", t("invite_title"));
    root.append(el("div", "fl-people", title, el("p", "", t("invite_what")), form, this.said, this.made, this.list));
  }

  show() {
    this.#during(async () => this.paint((await this.api.get("api/invites")).invites));
  }

  async invite() {
    const asked = { name: this.name.value.trim(), role: this.role.value, days: Number(this.days.value) || DAYS };
    const made = await this.api.post("api/invites", asked);
    const node = link(this.api.url(made.link), this.api.url(made.link));
    node.removeAttribute("download");
    this.made.replaceChildren(t("invite_link", { name: made.name }), " ", node);
    setShown(this.made, true);
    this.name.value = "";
    this.paint((await this.api.get("api/invites")).invites);
  }

  /** @param {InviteAnswer[]} invites */
  paint(invites) {
    const lines = invites.map((one) => this.#line(one));
    this.list.replaceChildren(...lines);
    if (!lines.length) this.list.append(el("li", "fl-reason", t("invite_none")));
  }

  /** @param {InviteAnswer} invite */
  #line({ id, name, role, state, expires_at: expires }) {
    const until = new Date(expires).toLocaleString();
    const words = state === "open" ? t("invite_until", { until }) : t(`invite_${state}`);
    const line = el("li", "fl-invite", nameNode(name), el("span", "fl-reason", `${t(`role_${role}`)} · ${words}`));
    line.dataset.state = state;
    if (state !== "open") return line;
    const end = button("fl-quiet fl-invite-revoke", t("invite_revoke"), "", t("invite_revoke_title", { name }));
    end.addEventListener("click", () => this.#during(() => this.revoke(id)));
    line.append(end);
    return line;
  }

  /** @param {string} id */
  async revoke(id) {
    await this.api.post("api/invites/revoke", { id });
    setShown(this.made, false);
    this.paint((await this.api.get("api/invites")).invites);
  }

  /** @param {() => Promise<unknown>} asks */
  async #during(asks) {
    this.make.disabled = true;
    try {
      await asks();
      setText(this.said, "");
    } catch (error) {
      setText(this.said, /** @type {Error} */ (error).message);
    }
    this.make.disabled = false;
  }
}

registerView({
  name: "people",
  title: () => t("view_people"),
  mount: (root, context) => new PeopleView(root, context),
});
