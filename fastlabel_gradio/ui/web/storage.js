// The browser's own store, for what one person set or has not sent yet. A blocked or full one only forgets.

/** @returns {Storage | null} */
export function openStorage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
