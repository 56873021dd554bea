export function openStorage() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
