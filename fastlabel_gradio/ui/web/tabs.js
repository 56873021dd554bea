// The tabs of the page, one a project. They are Gradio's, and are asked for and pressed here only.

export const TABS = ".fl-tabs [role=tab]";

/** The project whose tab is open; "" where there are no tabs. */
export function openTab() {
  return projectOf(document.querySelector(`${TABS}[aria-selected=true]`));
}

/** The project whose tab is open where the address names none. */
export function firstTab() {
  return projectOf(document.querySelector(TABS));
}

/**
 * Opens the tab of a project, if there is one.
 * @param {string} project
 */
export function selectTab(project) {
  if (openTab() === project) return;
  /** @type {NodeListOf<HTMLElement>} */
  const tabs = document.querySelectorAll(TABS);
  for (const tab of tabs) if (projectOf(tab) === project) tab.click();
}

/**
 * Tells when another tab was opened.
 * @param {(project: string) => void} handler
 */
export function onTabChange(handler) {
  const list = document.querySelector(TABS)?.parentElement;
  let open = openTab();
  const look = () => {
    const now = openTab();
    if (now && now !== open) handler(now);
    open = now || open;
  };
  const what = { attributes: true, attributeFilter: ["aria-selected"], childList: true, subtree: true };
  if (list) new MutationObserver(look).observe(list, what);
}

/** @param {Element | null} tab */
function projectOf(tab) {
  return /** @type {HTMLElement | null} */ (tab)?.dataset.tabId ?? "";
}
