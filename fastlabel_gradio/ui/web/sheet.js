// The contact sheet of a batch: one picture that holds all tiles.

/** @typedef {{ picture: HTMLImageElement, columns: number, rows: number, image: string }} Sheet */

const TILE_OVERLAP = 1.01; // a tile is drawn 1 % larger than its box: rounding never shows a line of its neighbour

/**
 * Where tile `index` lies on the sheet, as CSS percentages.
 * @param {HTMLElement} tile
 * @param {number} index
 * @param {Sheet} sheet
 */
export function placeTile(tile, index, sheet) {
  const column = index % sheet.columns;
  const row = Math.floor(index / sheet.columns);
  tile.style.backgroundImage = sheet.image;
  tile.style.backgroundSize = `${sheet.columns * TILE_OVERLAP * 100}% ${sheet.rows * TILE_OVERLAP * 100}%`;
  tile.style.backgroundPosition = `${tileOffset(column, sheet.columns)}% ${tileOffset(row, sheet.rows)}%`;
}

/**
 * @param {number} place
 * @param {number} count
 */
export function tileOffset(place, count) {
  const margin = (TILE_OVERLAP - 1) / 2;
  return ((place * TILE_OVERLAP + margin) / (count * TILE_OVERLAP - 1)) * 100;
}

/**
 * Resolves when the sheet of `count` tiles can be painted without another wait.
 * @param {string} url
 * @param {number} columns
 * @param {number} count
 * @returns {Promise<Sheet>}
 */
export async function loadSheet(url, columns, count) {
  const picture = new Image();
  picture.src = url;
  await picture.decode();
  return { picture, columns, rows: Math.ceil(count / columns), image: `url("${CSS.escape(url)}")` };
}
