// Building the page: every name and number goes in by textContent or new Option, never as markup.

export function el(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child instanceof Node || child)); // leaves out "" and null
  return node;
}

export function button(className, text, action, title) {
  const node = el("button", className, text);
  node.type = "button";
  if (action) node.dataset.action = action;
  if (title) node.title = title;
  return node;
}

export function link(text, url, fileName) {
  const node = el("a", "fl-link", text);
  node.href = url;
  node.download = fileName ?? "";
  return node;
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setShown(node, shown) {
  node.hidden = !shown;
}

// bdi keeps a right-to-left name from turning the words around it.
export function nameNode(text, className) {
  const node = el("bdi", className ?? "");
  node.textContent = text;
  return node;
}

export function isVisible(node) {
  return node.isConnected && node.getClientRects().length > 0;
}
