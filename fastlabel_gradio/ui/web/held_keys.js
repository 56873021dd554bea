// A key that is held tells of itself again and again. What it opened takes the focus meanwhile: it must not be typed into a
// field there, nor press a button that nobody has read.

import { isMeantForTarget } from "./commands.js";

/** @param {Document} page */
export function ignoreHeldKeys(page) {
  /** @type {EventTarget | null} */
  let began = null; // what had the focus when the key went down
  page.addEventListener(
    "keydown",
    (event) => {
      if (!event.repeat) began = event.target;
      else if (event.target !== began && isMeantForTarget(event)) stop(event);
    },
    { capture: true },
  );
}

/** @param {KeyboardEvent} event */
function stop(event) {
  event.preventDefault();
  event.stopPropagation();
}
