"""Files of vectors with ids: .npy with a list of names beside it, .parquet, or a folder of .parquet parts. Read in blocks."""

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastlabel_gradio.errors import ConfigError

BLOCK_ROWS = 8_192
BUFFER_BYTES = 2**20
NAME_SUFFIXES = (".txt", ".csv", ".json")
ID_COLUMNS = ("id", "item_id", "path", "file", "file_name", "filename", "image", "name", "label")
VECTOR_COLUMNS = ("vector", "embedding", "embeddings", "vectors", "features")


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows in the order of the file.

    Attributes:
        ids: one a row.
        vectors: [rows, dim] of float16, float32 or float64; zeros where `lengths` differs from dim.
        lengths: int[rows], how many numbers each row has.
    """

    ids: list[str]
    vectors: np.ndarray
    lengths: np.ndarray


class VectorFile(ABC):
    """Vectors in a file that is open.

    Attributes:
        dim: numbers in a vector; of parts with several lengths the most frequent at the beginning.
        mapped: [rows, dim], the file itself, memory-mapped; None where it has to be decoded.
    """

    dim: int
    mapped: np.memmap | None = None

    @abstractmethod
    def blocks(self) -> Iterator[Block]:
        """All rows. Raises ConfigError where the file is damaged."""


def open_vectors(path: Path, ids: Path | None, id_column: str, vector_column: str) -> VectorFile:
    """Opens a file or folder and reads no vector yet.

    Args:
        ids: names of the rows of an .npy; by default the file of its name beside it.
        id_column, vector_column: of parquet, and of names in .csv; "" for the usual names, or the only one that may be it.

    Raises:
        ConfigError: it is not there, of no such format, or does not say whose its vectors are.
    """
    if path.suffix.lower() == ".npy":
        return NpyVectors(path, ids, id_column)
    return ParquetVectors(path, id_column, vector_column)


class NpyVectors(VectorFile):
    """A two-dimensional array, memory-mapped, with names from a text file."""

    def __init__(self, path: Path, ids: Path | None, id_column: str) -> None:
        try:
            mapped: Any = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ConfigError(f"{path}: no array of vectors ({error}). Write it with numpy.save.") from error
        if not isinstance(mapped, np.memmap):  # an .npz of another name
            raise ConfigError(f"{path}: an archive of arrays. Write the array of vectors alone, with numpy.save.")
        if mapped.ndim != 2 or mapped.dtype.kind != "f" or not mapped.size:
            raise ConfigError(
                f"{path}: an array {mapped.shape} of {mapped.dtype}: vectors are [items, numbers] of float16, "
                "float32 or float64."
            )
        self.mapped, self.dim = mapped, int(mapped.shape[1])
        self._path, self._id_column = path, id_column
        self._names = ids or _names_beside(path)

    def blocks(self) -> Iterator[Block]:
        assert self.mapped is not None
        rows = len(self.mapped)
        ids = _names_in(self._names, self._id_column, rows)
        if len(ids) != rows:
            raise ConfigError(
                f"{self._names} names {len(ids):,} items and {self._path.name} has {rows:,} vectors: there must be one name "
                "for each, in their order."
            )
        for start in range(0, rows, BLOCK_ROWS):
            vectors = self.mapped[start : start + BLOCK_ROWS]
            yield Block(ids[start : start + BLOCK_ROWS], vectors, np.full(len(vectors), self.dim))


class ParquetVectors(VectorFile):
    """A table with a column of ids and one of lists of numbers; the parts of a folder, and of folders in it, by their names.

    Hidden files and folders are no parts, and those with `_` before their names, as other programs keep theirs beside parts.
    """

    def __init__(self, path: Path, id_column: str, vector_column: str) -> None:
        self._parts = _parts_in(path) if path.is_dir() else [path]
        if not self._parts or not self._parts[0].is_file():
            raise ConfigError(f"{path}: there is no such file of vectors (.npy, .parquet), nor .parquet parts in it.")
        schema = self._opened(self._parts[0]).schema_arrow
        self._id = _column(schema, id_column, ID_COLUMNS, _may_be_id, "id_column", path)
        self._vector = _column(schema, vector_column, VECTOR_COLUMNS, _is_list, "vector_column", path)
        self.dim = self._usual_length()

    def blocks(self) -> Iterator[Block]:
        for part in self._parts:
            yield from self._blocks_of(part)

    def _blocks_of(self, part: Path) -> Iterator[Block]:
        import pyarrow as pa

        try:
            for batch in self._opened(part).iter_batches(BLOCK_ROWS, columns=[self._id, self._vector]):
                ids = batch.column(self._id).cast(pa.string()).to_pylist()
                lengths, vectors = self._numbers(batch.column(self._vector))
                yield Block([str(id_ or "") for id_ in ids], vectors, lengths)
        except (OSError, KeyError, ValueError) as error:  # pyarrow's errors are kinds of these
            raise ConfigError(f"{part}: cannot be read ({str(error).splitlines()[0]}).") from error

    def _numbers(self, column: Any) -> tuple[np.ndarray, np.ndarray]:
        import pyarrow.compute as pc

        lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
        is_whole = lengths == self.dim
        if is_whole.all():
            return lengths, _floats(column).reshape(-1, self.dim)
        flat = _floats(column.filter(is_whole))
        vectors = np.zeros((len(lengths), self.dim), dtype=flat.dtype)
        vectors[is_whole] = flat.reshape(-1, self.dim)
        return lengths, vectors

    def _usual_length(self) -> int:
        """Of the first rows that hold vectors at all; some programs begin with a part of no rows."""
        for part in self._parts:
            lengths = self._first_lengths(part)
            found, counts = np.unique(lengths[lengths > 0], return_counts=True)
            if len(found):
                return int(found[counts.argmax()])
        where = self._parts[0] if len(self._parts) == 1 else self._parts[0].parent
        raise ConfigError(f"{where}: column '{self._vector}' holds no vector.")

    def _first_lengths(self, part: Path) -> np.ndarray:
        import pyarrow.compute as pc

        try:
            batch = next(iter(self._opened(part).iter_batches(BLOCK_ROWS, columns=[self._vector])), None)
            lengths: np.ndarray = (
                np.empty(0, dtype=np.int64)
                if batch is None
                else pc.list_value_length(batch.column(self._vector)).drop_null().to_numpy(zero_copy_only=False)
            )
        except (OSError, KeyError, ValueError) as error:  # pyarrow's errors are kinds of these
            raise ConfigError(f"{part}: cannot be read ({str(error).splitlines()[0]}).") from error
        return lengths

    @staticmethod
    def _opened(part: Path) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pq.ParquetFile(
                part, pre_buffer=False, buffer_size=BUFFER_BYTES
            )  # mapped, all of it would stay resident
        except (OSError, pa.ArrowInvalid) as error:
            raise ConfigError(f"{part}: no parquet file ({str(error).splitlines()[0]}).") from error


def _parts_in(folder: Path) -> list[Path]:
    within = {path: path.relative_to(folder).parts for path in folder.rglob("*") if path.suffix.lower() == ".parquet"}
    parts = (path for path, names in within.items() if not any(name.startswith((".", "_")) for name in names))
    return sorted(path for path in parts if path.is_file())


def _floats(column: Any) -> np.ndarray:
    """All numbers of lists, one after the other: the column's own memory, where they are floats and none is missing."""
    flat: np.ndarray = column.flatten().to_numpy(zero_copy_only=False)
    return flat if flat.dtype.kind == "f" else flat.astype(np.float32)


def _column(schema: Any, wanted: str, usual: Sequence[str], may_be: Any, option: str, path: Path) -> str:
    """The wanted column, the first of a usual name, or the only one of the type. Raises ConfigError."""
    fitting = [field.name for field in schema if may_be(field.type)]
    named = [name for name in usual if name in fitting]
    if wanted in fitting or (not wanted and (named or len(fitting) == 1)):
        return wanted or (named or fitting)[0]
    columns = ", ".join(f"{field.name} ({field.type})" for field in schema)
    what = f"'{wanted}' cannot be" if wanted else "it is not clear which column is"
    raise ConfigError(f"{path}: {what} the {option}. Set `{option}` to one of its columns: {columns}.")


def _may_be_id(kind: Any) -> bool:
    import pyarrow.types as types

    texts = (types.is_string, types.is_large_string, types.is_string_view, types.is_dictionary)
    return bool(any(is_text(kind) for is_text in texts) or types.is_integer(kind))


def _is_list(kind: Any) -> bool:
    import pyarrow.types as types

    is_list = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(is_list and (types.is_floating(kind.value_type) or types.is_integer(kind.value_type)))


def _names_beside(path: Path) -> Path:
    found = [other for suffix in NAME_SUFFIXES if (other := path.with_suffix(suffix)).is_file()]
    if not found:
        raise ConfigError(
            f"{path} does not say whose its vectors are: write their ids, one a line in the same order, to "
            f"{path.with_suffix('.txt').name} beside it, or name a file (.txt, .csv, .json) in the encoder's option `ids`."
        )
    return found[0]


def _names_in(path: Path, id_column: str, rows: int) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
        if path.suffix.lower() == ".json":
            return _json_names(json.loads(text))
        if path.suffix.lower() == ".csv":
            return _csv_names([row for row in csv.reader(io.StringIO(text, newline="")) if row], id_column, rows)
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise ConfigError(f"{path}: no list of names ({error}). Write one a line, or a JSON list.") from error
    return text.removesuffix("\n").split("\n") if text else []  # names may have other ends of lines in them


def _json_names(content: Any) -> list[str]:
    if not isinstance(content, list):
        raise ValueError(f"it holds a {type(content).__name__}, and an order is needed")
    names = ["" if name is None else str(name) for name in content]
    "\0".join(names).encode("utf-8", "surrogateescape")  # a ValueError for halves of characters, which no file name has
    return names


def _csv_names(table: list[list[str]], id_column: str, rows: int) -> list[str]:
    """Of the column of that name, one of a usual name, or the first; a first row beyond the vectors is the header."""
    header, has_header = (table[0], len(table) == rows + 1) if table else ([], False)
    if id_column and id_column not in header:
        raise ValueError(f"there is no column '{id_column}' in {', '.join(header)}")
    named = [name for name in ([id_column] if id_column else ID_COLUMNS) if has_header and name in header]
    place = header.index(named[0]) if named else 0
    lines = table[1:] if has_header else table
    short = next((row for row in lines if len(row) <= place), None)
    if short is not None:
        raise ValueError(f"the row '{','.join(short)[:80]}' has no column {place + 1}")
    return [row[place] for row in lines]
