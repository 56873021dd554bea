"""Parquet: the columns of the other tables with their types, in blocks of rows."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from fastlabel_gradio.exports.base import exporter
from fastlabel_gradio.exports.replaced import replaced_bytes
from fastlabel_gradio.exports.rows import ExportRow, columns_of

BLOCK_ROWS = 20_000  # of a row group; about 10 MB while it is made

_NUMBERS = {
    **dict.fromkeys(("confidence", "start_s", "end_s", "label_confidence"), "float64"),
    **dict.fromkeys(("expand", "head_version"), "int32"),
    "stands": "bool",
}


@exporter("parquet", ".parquet", "application/vnd.apache.parquet")
def write_parquet(rows: Iterable[ExportRow], destination: Path) -> Path:
    """A table, compressed by zstd. `created_at` is a time in UTC; an empty text is null as a missing number is."""
    import pyarrow.parquet

    columns, rows = columns_of(rows)
    schema = _schema(columns)
    with (
        replaced_bytes(destination) as file,
        pyarrow.parquet.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        for block in _blocks(rows, columns):
            writer.write_batch(pyarrow.record_batch(block, schema=schema))
    return destination


def _schema(columns: tuple[str, ...]) -> Any:
    import pyarrow

    types = {"created_at": pyarrow.timestamp("ms", tz="UTC")}
    types |= {name: pyarrow.type_for_alias(kind) for name, kind in _NUMBERS.items()}
    return pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in columns])


def _blocks(rows: Iterable[ExportRow], columns: tuple[str, ...]) -> Iterator[list[list[object]]]:
    """Rows turned into columns, so many at a time."""
    values_of, rest = attrgetter(*columns), iter(rows)
    while block := list(map(values_of, islice(rest, BLOCK_ROWS))):
        yield [_cells(name, values) for name, values in zip(columns, zip(*block, strict=True), strict=True)]


def _cells(name: str, values: tuple[Any, ...]) -> list[object]:
    if name == "created_at":
        return [datetime.fromisoformat(text) if text else None for text in values]
    if name in _NUMBERS:
        return list(values)
    return [text or None for text in values]
