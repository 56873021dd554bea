"""Pictures or sounds as bytes in Parquet files, as Hugging Face keeps datasets: read a row group at a time."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastlabel_gradio.errors import SourceError, UnavailableItemError, UnreadableItemError
from fastlabel_gradio.sources.address import Address, Place
from fastlabel_gradio.sources.base import SOURCES
from fastlabel_gradio.sources.files import id_of
from fastlabel_gradio.sources.packed_rows import (
    PackedRows,
    RowOptions,
    chosen_label,
    class_names,
    group_name,
    label_name,
    numbered,
    row_of,
)
from fastlabel_gradio.sources.remote_options import RemoteOptions
from fastlabel_gradio.sources.sound_files import sound_view
from fastlabel_gradio.sources.table_columns import group_column
from fastlabel_gradio.sources.table_rows import PARQUET_SUFFIXES
from fastlabel_gradio.sources.trees import tree_at
from fastlabel_gradio.types import Item, Medium

KEPT_BYTES = 256e6  # of row groups that were read
NOTHING = -1  # number of a cell that says no label or no group


class ParquetOptions(RowOptions, RemoteOptions):
    """Which files.

    Attributes:
        path: a Parquet file or a folder of them, also of a bucket or a web server.
        media: what the bytes are. media_column, label_column, group_column, group_pattern: see `RowOptions`.
    """

    beside_identity = RowOptions.beside_identity | RemoteOptions.beside_identity

    path: Place


@dataclass(frozen=True, slots=True)
class Part:
    """An opened file: its stamp, the first row of each row group and the end, label and group of each row by number."""

    stamp: str
    starts: np.ndarray
    labels: np.ndarray
    groups: np.ndarray


@SOURCES.register("parquet")
class ParquetBytes(PackedRows):
    """Every row of every file. Four bytes a row are held in memory for its label, and four for its group."""

    Options = ParquetOptions

    def __init__(self, options: ParquetOptions, base_dir: Path, cache_dir: Path) -> None:
        self.medium: Medium = options.media
        self._options = options
        is_file = options.path.name.lower().endswith(PARQUET_SUFFIXES)
        folder: Path | Address = options.path.parent if is_file else options.path
        self._only = id_of(options.path.name) if is_file else ""
        self._tree = tree_at(folder, base_dir, cache_dir, options)
        self._parts: dict[str, Part] = {}
        self._labels: dict[str, int] = {}
        self._group_names: dict[str, int] = {}
        self._label_list: tuple[str, ...] = ()  # the same by number
        self._group_list: tuple[str, ...] = ()
        self._groups: OrderedDict[tuple[str, str, int], list[object]] = OrderedDict()
        self._lock = threading.Lock()
        self._take_in_all()
        self.group_rows(options, self._items, self._tree)
        if self.medium == "audio":
            self.sound_view = sound_view(options, self.rates_hz(self._items()))

    def scan(self) -> Iterator[Item]:
        """File by file, in the order of the rows. Raises SourceError where one cannot be read."""
        self._take_in_all()
        yield from self._items()

    def classes(self) -> tuple[str, ...]:
        """In the order of the dataset's own names; sorted where it has none."""
        return tuple(self._labels) if len(self._labels) > 1 else ()

    def reference_label(self, item: Item) -> str | None:
        name, row = row_of(item.id)
        part = self._parts.get(name)
        number = NOTHING if part is None or row >= len(part.labels) else int(part.labels[row])
        return None if number == NOTHING else self._label_list[number]

    def group_in_row(self, item: Item) -> str | None:
        name, row = row_of(item.id)
        part = self._parts.get(name)
        number = NOTHING if part is None or row >= len(part.groups) else int(part.groups[row])
        return None if number == NOTHING else self._group_list[number]

    def cell(self, item: Item) -> object:
        name, row = row_of(item.id)
        part = self._parts.get(name)
        if part is None or row >= part.starts[-1]:
            raise UnreadableItemError("its row is not there any more")
        group = int(np.searchsorted(part.starts, row, side="right")) - 1
        return self._group(name, part, group)[row - int(part.starts[group])]

    def _items(self) -> Iterator[Item]:
        for name, part in list(self._parts.items()):
            yield from numbered(name, int(part.starts[-1]), part.stamp)

    def _take_in_all(self) -> None:
        files = [Item(self._only, self._tree.stamp(self._only))] if self._only else None
        found = {file.id: file.stamp for file in files or self._tree.items(PARQUET_SUFFIXES)}
        if not found:
            raise SourceError(f"{self._tree} holds no Parquet file. Give a .parquet file or a folder of them.")
        for name, stamp in found.items():
            known = self._parts.get(name)
            if known is None or known.stamp != stamp:
                part = self._opened(name, stamp)
                self._label_list = tuple(self._labels)  # before its rows can be asked for
                self._group_list = tuple(self._group_names)
                self._parts[name] = part
        for name in self._parts.keys() - found.keys():
            del self._parts[name]
        if not any(part.starts[-1] for part in self._parts.values()):
            raise SourceError(f"{self._tree}: its Parquet files hold no row.")

    def _opened(self, name: str, stamp: str) -> Part:
        """Raises SourceError where it is no Parquet file, or none of its columns holds bytes."""
        import pyarrow

        where = f"{self._tree}/{name}"
        try:
            file = self._file(name, stamp)
            media_column(where, file.schema_arrow, self._options.media_column, self.medium)
            rows = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
            starts = np.cumsum([0, *rows])
            return Part(stamp, starts, self._labels_of(where, file), self._groups_of(where, file))
        except (OSError, UnreadableItemError, pyarrow.ArrowException) as error:
            raise SourceError(f"{where} cannot be read as Parquet: {str(error).splitlines()[0]}") from error

    def _labels_of(self, where: str, file: Any) -> np.ndarray:
        group = self._group_column(where, file)
        column = chosen_label(file.schema_arrow.names, self._options.label_column, group)
        if column is None:
            return np.empty(0, dtype=np.int32)
        if column not in file.schema_arrow.names:
            raise SourceError(f"{where}: no column '{column}'. Its columns: {', '.join(file.schema_arrow.names)}.")
        names = class_names(features_of(file.schema_arrow).get(column))
        for known in names:
            self._labels.setdefault(known, len(self._labels))
        return _numbers(file, column, self._labels, lambda value: label_name(value, names))

    def _groups_of(self, where: str, file: Any) -> np.ndarray:
        column = self._group_column(where, file)
        if column is None:
            return np.empty(0, dtype=np.int32)
        names = class_names(features_of(file.schema_arrow).get(column))
        return _numbers(file, column, self._group_names, lambda value: group_name(value, names))

    def _group_column(self, where: str, file: Any) -> str | None:
        wanted = self._options.group_column
        return None if wanted is None else group_column(where, wanted, file.schema_arrow.names)

    def _group(self, name: str, part: Part, number: int) -> list[object]:
        """The cells of a row group; those that were read last are kept."""
        key = name, part.stamp, number
        with self._lock:
            if key in self._groups:
                self._groups.move_to_end(key)
                return self._groups[key]
        import pyarrow

        try:
            file = self._file(name, part.stamp)
            column = media_column(name, file.schema_arrow, self._options.media_column, self.medium)
            cells: list[object] = file.read_row_group(number, columns=[column]).column(0).to_pylist()
        except (OSError, pyarrow.ArrowException) as error:
            raise UnavailableItemError(f"its file cannot be read: {str(error).splitlines()[0][:120]}") from error
        with self._lock:
            self._groups[key] = cells
            while len(self._groups) > 1 and sum(map(_bytes_of, self._groups.values())) > KEPT_BYTES:
                self._groups.popitem(last=False)
        return cells

    def _file(self, name: str, stamp: str) -> Any:
        import pyarrow.parquet

        return pyarrow.parquet.ParquetFile(self._tree.path(name, stamp), memory_map=True)


def _numbers(file: Any, column: str, known: dict[str, int], name_of: Callable[[object], str | None]) -> np.ndarray:
    """The number in `known` of what each row says, which grows by what is new; NOTHING for a row that says nothing."""
    numbers = []
    for batch in file.iter_batches(columns=[column]):
        for name in map(name_of, batch.column(0).to_pylist()):
            numbers.append(NOTHING if name is None else known.setdefault(name, len(known)))
    return np.array(numbers, dtype=np.int32)


def features_of(schema: Any) -> dict[str, Any]:
    """What Hugging Face's metadata says of the columns; empty where there is none."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}
    return features if isinstance(features, dict) else {}


def media_column(where: str, schema: Any, wanted: str | None, medium: Medium) -> str:
    """The column that holds bytes. Raises SourceError where there is none, or not the wanted one."""
    holding = bytes_columns(schema)
    if wanted is not None:
        if wanted in holding:
            return wanted
        raise SourceError(
            f"{where}: column '{wanted}' holds no bytes. Columns that do: {', '.join(holding) or 'none'}."
        )
    if not holding:
        raise SourceError(f"{where}: no column holds bytes. Its columns: {', '.join(schema.names)}.")
    features, named = features_of(schema), {"image": "Image", "audio": "Audio"}[medium]
    return next((name for name in holding if (features.get(name) or {}).get("_type") == named), holding[0])


def bytes_columns(schema: Any) -> list[str]:
    """The columns of `struct{bytes, path}` or of plain bytes."""
    import pyarrow

    def holds_bytes(kind: Any) -> bool:
        if pyarrow.types.is_struct(kind):
            return any(field.name == "bytes" and holds_bytes(field.type) for field in kind)
        return bool(pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind))

    return [field.name for field in schema if holds_bytes(field.type)]


def _bytes_of(cells: list[object]) -> int:
    contents = (cell.get("bytes") if isinstance(cell, dict) else cell for cell in cells)
    return sum(len(content) for content in contents if isinstance(content, bytes))
