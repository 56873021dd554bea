"""Pictures listed in a table, CSV or JSONL: one row each, with a path and perhaps a label."""

import csv
import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from PIL import Image

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.media import open_picture
from fastlabel_gradio.sources.base import SOURCES, Source, SourceOptions
from fastlabel_gradio.sources.files import file_key, id_of, locate, path_of, stamp_of
from fastlabel_gradio.types import Item

SUFFIXES = (".csv", ".jsonl")

_log = logging.getLogger(__name__)
_Row = Mapping[str | None, object]


class TableOptions(SourceOptions):
    """`path`: the table. `root`: the folder that its paths are relative to, by default the table's own."""

    path: Path
    root: Path | None = None
    path_column: str = "path"
    label_column: str = "label"


@SOURCES.register("table")
class Table(Source):
    """The pictures that a table names, each once; its labels, if any, are reference labels.

    The table is read once, when it is opened; ids and labels are kept (about 100 MB for a million rows). A row whose
    file is missing is an item all the same, and so is a path that leads out of the root: reading it gives the reason.
    """

    kind = "image"
    Options = TableOptions

    def __init__(self, options: TableOptions, base_dir: Path, cache_dir: Path) -> None:
        table = base_dir / options.path.expanduser()
        _check_table(table)
        self.root = table.parent if options.root is None else base_dir / options.root.expanduser()
        self._labels = _read_labels(table, self.root, options)
        if not self._labels:
            raise SourceError(f"{table} names no picture. Fill its column '{options.path_column}', one path a row.")

    def scan(self) -> Iterator[Item]:
        """In the order of the rows."""
        for item_id in self._labels:
            yield Item(item_id, _stamp(self.root, item_id))

    def read(self, item: Item, enough_px: int | None = None) -> Image.Image:
        return open_picture(locate(self.root, item.id), enough_px)

    def content_key(self, item: Item) -> str:
        return file_key(locate(self.root, item.id))

    def classes(self) -> tuple[str, ...]:
        """The distinct labels, sorted."""
        return tuple(sorted({label for label in self._labels.values() if label is not None}))

    def reference_label(self, item: Item) -> str | None:
        return self._labels.get(item.id)


def _check_table(table: Path) -> None:
    if not table.is_file():
        raise SourceError(f"{table} is not a file. Give the path of a .csv or .jsonl table.")
    if table.suffix.lower() not in SUFFIXES:
        raise SourceError(f"{table} is no table that can be read. Known: {', '.join(SUFFIXES)}, by the file's suffix.")


def _read_labels(table: Path, root: Path, options: TableOptions) -> dict[str, str | None]:
    """Label by item id. Of rows with the same path the first counts; where they disagree the log says how often."""
    labels: dict[str, str | None] = {}
    conflicts = 0
    for line, row in _rows(table, options.path_column):
        path = _text(row.get(options.path_column))
        if path is None:
            continue
        item_id = id_of(_relative(path, root))
        label = _text(row.get(options.label_column))
        if label is not None:
            label = sys.intern(label)
        conflicts += labels.setdefault(item_id, label) != label
        if not item_id.strip("./"):
            raise SourceError(f"{table}, line {line}: '{path}' is not the path of a file.")
    if conflicts:
        _log.warning("%s: %d rows repeat a path with another label; the first row counts", table, conflicts)
    return labels


def _rows(table: Path, path_column: str) -> Iterator[tuple[int, _Row]]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as lines:
            if table.suffix.lower() == ".csv":
                yield from _csv_rows(table, lines, path_column)
            else:
                yield from _jsonl_rows(table, lines, path_column)
    except UnicodeDecodeError as error:
        raise SourceError(f"{table} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from error
    except OSError as error:
        raise SourceError(f"{table} cannot be read: {error.strerror}.") from error


def _csv_rows(table: Path, lines: Iterator[str], path_column: str) -> Iterator[tuple[int, _Row]]:
    reader = csv.DictReader(lines)
    try:
        _require(path_column, reader.fieldnames or (), f"{table}")
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise SourceError(f"{table}, line {reader.line_num}: {error}. Save it as comma-separated UTF-8.") from error


def _jsonl_rows(table: Path, lines: Iterator[str], path_column: str) -> Iterator[tuple[int, _Row]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise SourceError(f"{table}, line {number}: not JSON ({error}). Each line is one object.") from error
        if not isinstance(row, dict):
            raise SourceError(f"{table}, line {number}: {type(row).__name__} where an object is expected.")
        _require(path_column, row, f"{table}, line {number}")
        yield number, row


def _require(path_column: str, columns: Iterable[object], where: str) -> None:
    names = [str(name) for name in columns]
    if path_column not in names:
        found = ", ".join(names) or "none"
        raise SourceError(
            f"{where}: no column '{path_column}'. Its columns: {found}. Name the right one as `path_column`."
        )


def _text(value: object) -> str | None:
    text = "" if value is None else str(value).strip()
    return text or None


def _relative(path: str, root: Path) -> str:
    """The path relative to the root, plain and with '/'. It may lead out by '..', which `locate` refuses."""
    plain = os.path.normpath(path)
    if os.path.isabs(plain):  # noqa: PTH117  # strings throughout: a million rows take seconds, not half a minute
        plain = os.path.relpath(plain, root)
    return plain.replace(os.sep, "/")


def _stamp(root: Path, item_id: str) -> str:
    try:
        return stamp_of(os.stat(os.path.join(root, path_of(item_id))))  # noqa: PTH116, PTH118
    except (OSError, ValueError):
        return "missing"
