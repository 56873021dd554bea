"""Predictions as a table: CSV, JSON lines or Parquet, a row an item, written whole or not at all."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from fastlabel_gradio.classifier.journal import Entry
from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.exports import replaced_bytes, replaced_file
from fastlabel_gradio.sources.files import exported_path, id_of
from fastlabel_gradio.types import TimeSpan

Row = dict[str, Any]
ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class TableShape:
    """Which columns a table of predictions has.

    Attributes:
        classes: in the order of their columns, where `every` asks for one of each.
        top: how many classes are named. parts: whether items are parts of recordings.
        least: labels of less confidence are left blank.
    """

    classes: Sequence[str]
    top: int = 1
    every: bool = False
    parts: bool = False
    least: float = 0.0

    @property
    def columns(self) -> list[str]:
        further = [f"{what}_{place}" for place in range(2, self.top + 1) for what in ("label", "confidence")]
        times = ["start_s", "end_s"] if self.parts else []
        return ["path", "label", "confidence", *times, *further, *(self.class_columns if self.every else [])]

    @property
    def class_columns(self) -> list[str]:
        """The names of the classes, those that another column has already with `class ` before."""
        taken = {"path", "label", "confidence", "start_s", "end_s"}
        return [
            f"class {name}" if name in taken or name.startswith(("label_", "confidence_")) else name
            for name in self.classes
        ]

    def row(self, entry: Entry) -> Row:
        """Of one entry the cells by column; None for what is not known."""
        cells: Row = dict.fromkeys(self.columns)
        file, span = TimeSpan.split(entry.name)
        cells["path"] = exported_path(id_of(file if self.parts else entry.name))
        if self.parts and span:
            cells["start_s"], cells["end_s"] = span.start_s, span.end_s
        for place, (label, confidence) in enumerate(entry.best[: self.top], start=1):
            ending = f"_{place}" if place > 1 else ""
            cells[f"label{ending}"] = label if confidence >= self.least else ""
            cells[f"confidence{ending}"] = confidence
        if not entry.best:
            cells["label"] = ""
        if self.every:
            named = dict(zip(self.classes, self.class_columns, strict=True))
            cells |= {named[label]: confidence for label, confidence in entry.best}
        return cells


def write_csv(entries: Iterable[Entry], shape: TableShape, destination: Path) -> None:
    """A header, then a line an item; what is not known is empty."""
    with replaced_file(destination) as file:
        writer = csv.DictWriter(file, shape.columns)
        writer.writeheader()
        writer.writerows(shape.row(entry) for entry in entries)


def write_jsonl(entries: Iterable[Entry], shape: TableShape, destination: Path) -> None:
    """An object an item; what is not known is null."""
    with replaced_file(destination) as file:
        file.writelines(json.dumps(shape.row(entry), ensure_ascii=False) + "\n" for entry in entries)


def write_parquet(entries: Iterable[Entry], shape: TableShape, destination: Path) -> None:
    """Texts and doubles; what is not known is null."""
    import pyarrow
    from pyarrow import parquet

    texts = {"path", "label", *(f"label_{place}" for place in range(2, shape.top + 1))}
    types = [(name, pyarrow.string() if name in texts else pyarrow.float64()) for name in shape.columns]
    with (
        replaced_bytes(destination) as file,
        parquet.ParquetWriter(file, pyarrow.schema(types)) as writer,
    ):
        for rows in _blocks(shape.row(entry) for entry in entries):
            writer.write_table(pyarrow.Table.from_pylist(rows, pyarrow.schema(types)))


WRITERS: dict[str, Callable[[Iterable[Entry], TableShape, Path], None]] = {
    ".csv": write_csv,
    ".jsonl": write_jsonl,
    ".parquet": write_parquet,
}


def writer_of(destination: Path, format: str | None = None) -> Callable[[Iterable[Entry], TableShape, Path], None]:
    """What writes a file of that name, in a format or as it ends. Raises ConfigError for a suffix that is none of a table."""
    suffix = destination.suffix.lower() if format is None else f".{format}"
    if suffix not in WRITERS:
        raise ConfigError(
            f"-o {destination}: '{suffix}' is no format of predictions. Choose one of {', '.join(WRITERS)}, or --format."
        )
    if not destination.absolute().parent.is_dir():
        raise ConfigError(f"-o {destination}: folder {destination.parent} does not exist. Make it, or choose another.")
    return WRITERS[suffix]


def _blocks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while block := list(islice(rows, ROWS_AT_ONCE)):
        yield block
