"""Exports: the formats that labels leave in. Each writes the rows it is handed, in bounded memory, whole or not at all.

`rows.py` is what a row says, `base.py` the registry; `replaced.py` a file that takes another's place, `folders.py` a folder
on disk or in a zip, `item_media.py` the pictures and sounds in it, `splits.py` which part of the data an item is of. A file
more is a format or a family of them. Where the rows come from (labels, predictions) is the business of `row_stream`.
"""

from fastlabel_gradio.exports import (  # noqa: F401  # they register themselves
    folder_tree,
    hub_parquet,
    hugging_face,
    label_studio,
    parquet,
    sound_tables,
    text_formats,
)
from fastlabel_gradio.exports.base import (
    EXPORTERS,
    Exported,
    Exporter,
    FolderExporter,
    exporter,
    folder_exporter,
    formats_for,
)
from fastlabel_gradio.exports.folders import How, new_folder, new_zip
from fastlabel_gradio.exports.item_media import ItemMedia
from fastlabel_gradio.exports.replaced import replaced_bytes, replaced_file
from fastlabel_gradio.exports.rows import ALL_COLUMNS, COLUMNS, STATE_COLUMNS, ExportRow, harmless_rows
from fastlabel_gradio.exports.splits import SplitOf, parse_shares, split_items

__all__ = [
    "ALL_COLUMNS",
    "COLUMNS",
    "EXPORTERS",
    "STATE_COLUMNS",
    "ExportRow",
    "Exported",
    "Exporter",
    "FolderExporter",
    "How",
    "ItemMedia",
    "SplitOf",
    "exporter",
    "folder_exporter",
    "formats_for",
    "harmless_rows",
    "new_folder",
    "new_zip",
    "parse_shares",
    "replaced_bytes",
    "replaced_file",
    "split_items",
]
