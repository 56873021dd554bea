// Building the page: every name and number goes in by textContent or new Option, never as markup.

/** @typedef {Node | string | false | null | undefined} Child nothing where it is empty */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  for (const child of children) if (child) node.append(child);
  return node;
}

/**
 * @param {string} className
 * @param {string} text
 * @param {string} [action] a command, or what pointer.js does with it
 * @param {string} [title]
 */
export function button(className, text, action, title) {
  const node = el("button", className, text);
  node.type = "button";
  if (action) node.dataset.action = action;
  if (title) node.title = title;
  return node;
}

/**
 * A link that downloads.
 * @param {string} text
 * @param {string} url
 */
export function link(text, url) {
  const node = el("a", "fl-link", text);
  node.href = url;
  node.download = "";
  return node;
}

/**
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {HTMLElement} node
 * @param {boolean} shown
 */
export function setShown(node, shown) {
  node.hidden = !shown;
}

/**
 * bdi keeps a right-to-left name from turning the words around it.
 * @param {string} text
 */
export function nameNode(text, className = "") {
  return el("bdi", className, text);
}

/** @param {Element} node */
export function isVisible(node) {
  return node.isConnected && node.getClientRects().length > 0;
}

/**
 * The first element of that selector, once Gradio has put it on the page.
 * @param {string} selector
 * @returns {Promise<Element>}
 */
export function whenThere(selector) {
  return new Promise((resolve) => {
    const look = () => {
      const found = document.querySelector(selector);
      if (!found) return false;
      watcher.disconnect();
      resolve(found);
      return true;
    };
    const watcher = new MutationObserver(look);
    if (!look()) watcher.observe(document.body, { childList: true, subtree: true });
  });
}
