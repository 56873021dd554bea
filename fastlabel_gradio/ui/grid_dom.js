// Building the page: every name and number goes in by textContent or new Option, never as markup.

function el(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child instanceof Node || child)); // leaves out "" and null
  return node;
}

function button(className, text, action, title) {
  const node = el("button", className, text);
  node.type = "button";
  if (action) node.dataset.action = action;
  if (title) node.title = title;
  return node;
}

function link(text, url, fileName) {
  const node = el("a", "fl-link", text);
  node.href = url;
  node.download = fileName ?? "";
  return node;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setShown(node, shown) {
  node.hidden = !shown;
}

// bdi keeps a right-to-left name from turning the words around it.
function nameNode(text, className) {
  const node = el("bdi", className ?? "");
  node.textContent = text;
  return node;
}

const formatCount = new Intl.NumberFormat("en-US").format;

function plural(count, noun) {
  return formatCount(count) + " " + noun + (count === 1 ? "" : "s");
}

function formatPercent(fraction) {
  const percent = Math.round(fraction * 100);
  return (fraction < 1 ? Math.min(percent, 99) : 100) + " %";
}

function formatSeconds(seconds) {
  if (seconds < 10) return seconds.toFixed(1) + " s";
  if (seconds < 90) return Math.round(seconds) + " s";
  if (seconds < 5400) return Math.round(seconds / 60) + " min";
  return (seconds / 3600).toFixed(1) + " h";
}

function isVisible(node) {
  return node.isConnected && node.getClientRects().length > 0;
}
