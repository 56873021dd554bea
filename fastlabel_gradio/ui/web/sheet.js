// Where tile `index` lies on the contact sheet, as CSS percentages. The tile is drawn 1 % larger than its box, so that
// rounding never shows a line of its neighbour.
const TILE_OVERLAP = 1.01;

export function placeTile(tile, index, sheet) {
  const column = index % sheet.columns;
  const row = Math.floor(index / sheet.columns);
  tile.style.backgroundImage = sheet.image;
  tile.style.backgroundSize = sheet.columns * TILE_OVERLAP * 100 + "% " + sheet.rows * TILE_OVERLAP * 100 + "%";
  tile.style.backgroundPosition = tileOffset(column, sheet.columns) + "% " + tileOffset(row, sheet.rows) + "%";
}

function tileOffset(place, count) {
  const margin = (TILE_OVERLAP - 1) / 2;
  return ((place * TILE_OVERLAP + margin) / (count * TILE_OVERLAP - 1)) * 100;
}

// Resolves when the sheet of `count` tiles can be painted without another wait.
export async function loadSheet(url, columns, count) {
  const picture = new Image();
  picture.src = url;
  await picture.decode();
  return { picture, columns, rows: Math.ceil(count / columns), image: 'url("' + CSS.escape(url) + '")' };
}
