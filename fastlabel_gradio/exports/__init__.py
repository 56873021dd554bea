"""Exports: the formats that labels leave in. Each writes the rows it is handed, in bounded memory, whole or not at all.

`rows.py` is what a row says, `base.py` the registry and the file that takes another's place; a file more is a format or a
family of them. Where the rows come from (labels, predictions) is the business of `row_stream`.
"""

from fastlabel_gradio.exports import parquet, text_formats  # noqa: F401  # they register themselves
from fastlabel_gradio.exports.base import EXPORTERS, Exporter, exporter, replaced_bytes, replaced_file
from fastlabel_gradio.exports.rows import ALL_COLUMNS, COLUMNS, STATE_COLUMNS, ExportRow, harmless_rows

__all__ = [
    "ALL_COLUMNS",
    "COLUMNS",
    "EXPORTERS",
    "STATE_COLUMNS",
    "ExportRow",
    "Exporter",
    "exporter",
    "harmless_rows",
    "replaced_bytes",
    "replaced_file",
]
