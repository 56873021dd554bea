// Menus that open below or above their button: a click elsewhere closes them, and so does Escape.

/**
 * Closes every menu below a node that a click was not in, and says whether any was open.
 * @param {Element} root
 * @param {Node | null} target
 */
export function closeMenus(root, target) {
  /** @type {HTMLDetailsElement[]} */
  const menus = [...root.querySelectorAll("details")];
  const open = menus.filter((menu) => menu.matches(".fl-menu[open]") && !menu.contains(target));
  for (const menu of open) menu.open = false;
  return open.length > 0;
}
