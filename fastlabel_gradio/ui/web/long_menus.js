// Menus of cards with many classes: pressed, or typed into, they open the palette, where one can type.

const DIGITS = 10; // of more classes than that not every one has a key

/**
 * @param {HTMLElement} root of a view
 * @param {AbortSignal} signal ends it
 * @param {() => string[]} classes
 * @param {(menu: Element, typed: string) => void} open
 */
export function openPaletteByMenu(root, signal, classes, open) {
  const isLong = (/** @type {Element} */ target) => target.matches(".fl-select") && classes().length > DIGITS;

  /** @param {MouseEvent} event */
  function onPress(event) {
    const menu = /** @type {Element} */ (event.target);
    if (event.button || !isLong(menu)) return;
    event.preventDefault();
    open(menu, "");
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const { key, ctrlKey, altKey, metaKey } = event;
    const menu = /** @type {Element} */ (event.target);
    if (ctrlKey || metaKey || !isLong(menu)) return;
    const opens = key === "Enter" || key === " " || (altKey && key === "ArrowDown");
    if (!opens && (altKey || [...key].length > 1)) return;
    event.preventDefault();
    open(menu, opens ? "" : key);
  }

  root.addEventListener("mousedown", onPress, { signal });
  root.addEventListener("keydown", onKey, { signal });
}
