// A menu that lists what is not in the pool, each line with its reason.

import { el, setShown, setText } from "./dom.js";

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
 * A menu opens under its button, and as far to the left of that as the window needs.
 * @param {HTMLElement} body
 */
function keepInWindow(body) {
  body.style.translate = "";
  const over = body.getBoundingClientRect().right - document.documentElement.clientWidth + 8;
  if (over > 0) body.style.translate = `${-over}px`;
}
