// A text of the program with what one types between backticks, as documents have it, in parts.

/**
 * The parts in order, none of them empty. A backtick without a second one is a character like any other.
 *
 * @param {string} text
 * @returns {{ text: string, isCode: boolean }[]}
 */
export function codeParts(text) {
  const pieces = text.split(/`([^`]+)`/);
  return pieces.map((piece, place) => ({ text: piece, isCode: place % 2 === 1 })).filter((part) => part.text !== "");
}
