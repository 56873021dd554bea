// A menu that lists what is not in the pool, each line with its reason.

import { el, setShown, setText } from "./dom.js";

const MARGIN_PX = 8;

/** @typedef {{ node: HTMLDetailsElement, summary: HTMLElement, list: HTMLElement, painted: string }} ListMenu */
/** @typedef {{ name: HTMLElement, reason: string }} Line */

/**
 * @param {string} className
 * @returns {ListMenu}
 */
export function buildList(className) {
  const summary = el("summary", "fl-quiet", "");
  const list = el("ul", `fl-out-list ${className}-list`);
  const body = el("div", "fl-menu-body", list);
  const node = el("details", `fl-menu fl-list-menu ${className}`, summary, body);
  node.addEventListener("toggle", () => keepInWindow(body));
  node.hidden = true;
  return { node, summary, list, painted: "" };
}

/**
 * An open list is painted anew only where it differs, so that it keeps its place.
 * @param {ListMenu} menu
 * @param {number} count
 * @param {string} title
 * @param {Line[]} lines
 * @param {string} more a last line, "" for none
 */
export function paintList(menu, count, title, lines, more) {
  setShown(menu.node, count > 0);
  const items = lines.map(({ name, reason }) => el("li", "", name, el("span", "fl-reason", reason)));
  if (more) items.push(el("li", "", more));
  const content = items.map((item) => item.textContent).join("\n");
  setText(menu.summary, title);
  if (content === menu.painted) return;
  menu.painted = content;
  menu.list.replaceChildren(...items);
}

/**
 * A menu opens under its button, and as far beside that as the window needs.
 * @param {HTMLElement} body
 */
export function keepInWindow(body) {
  body.style.translate = "";
  const { left, right } = body.getBoundingClientRect();
  const over = right - document.documentElement.clientWidth + MARGIN_PX;
  if (left < MARGIN_PX) body.style.translate = `${MARGIN_PX - left}px`;
  else if (over > 0) body.style.translate = `${-over}px`;
}
