import { el, setShown, setText } from "./dom.js";

// A menu that lists what is not in the pool, each line with its reason.
export function buildList(className) {
  const summary = el("summary", "fl-quiet", "");
  const list = el("ul", "fl-out-list " + className + "-list");
  const body = el("div", "fl-menu-body", list);
  const node = el("details", "fl-menu fl-list-menu " + className, summary, body);
  node.addEventListener("toggle", () => keepInWindow(body));
  node.hidden = true;
  return { node, summary, list, painted: "" };
}

// A menu opens under its button, and as far to the left of that as the window needs.
function keepInWindow(body) {
  body.style.translate = "";
  const over = body.getBoundingClientRect().right - document.documentElement.clientWidth + 8;
  if (over > 0) body.style.translate = -over + "px";
}

// Lines are [node, reason]; an open list is painted anew only where it differs, so that it keeps its place.
export function paintList(menu, count, title, lines, more) {
  setShown(menu.node, count > 0);
  const items = lines.map(([name, reason]) => el("li", "", name, el("span", "fl-reason", reason)));
  if (more) items.push(el("li", "", more));
  const content = items.map((item) => item.textContent).join("\n");
  setText(menu.summary, title);
  if (content === menu.painted) return;
  menu.painted = content;
  menu.list.replaceChildren(...items);
}
