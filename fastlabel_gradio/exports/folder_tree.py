"""A folder tree: a folder a class with the files of its items, and the list of what lies where."""

import csv
from collections.abc import Iterable

from fastlabel_gradio.exports.base import folder_exporter
from fastlabel_gradio.exports.folders import Folder, spooled
from fastlabel_gradio.exports.item_media import ItemMedia, plain_names, stem_of
from fastlabel_gradio.exports.rows import ExportRow
from fastlabel_gradio.spreadsheet_cells import harmless

PLACES = "places.csv"
COLUMNS = ("item_id", "path", "label", "place", "annotator", "created_at", "source", "promise")


@folder_exporter("tree")
def write_tree(rows: Iterable[ExportRow], folder: Folder, media: ItemMedia) -> None:
    """`CLASS/path/of/the/file` for every item with a class, below its part of the data where there are parts.

    `places.csv` beside them has `item_id`, `path`, relative to the source's folder, `label`, `place`, relative to this,
    and who said it, when, what it came by ("prediction" where only the head says it), and the evidence of what was accepted.
    What a spreadsheet would run as a formula begins with ' there.
    """
    names: dict[str, str] = {}
    with spooled() as path:
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            for row in rows:
                if row.said_or_predicted:
                    place = media.add(folder, "/".join((*_folders(row, names), *stem_of(row))), row)
                    said = (row.annotator, row.created_at, row.came_by, row.promise)
                    cells = (row.item_id, row.path, row.said_or_predicted, place, *said)
                    table.writerows([map(harmless, cells)] if place else [])
        folder.add_written(PLACES, path)


def _folders(row: ExportRow, names: dict[str, str]) -> tuple[str, ...]:
    label = row.said_or_predicted
    if label not in names:
        names.update(plain_names((*names, label)))
    return (names[label],) if row.split is None else (row.split, names[label])
