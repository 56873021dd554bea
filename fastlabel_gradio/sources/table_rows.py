"""Rows of a table file: CSV as spreadsheets and programs write it, JSON, JSONL, Parquet. Shared by all that read one."""

import csv
import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.sources.json_entries import json_entries
from fastlabel_gradio.sources.table_columns import PATH
from fastlabel_gradio.sources.table_format import (
    HEAD_CHARS,
    HEAD_ROWS,
    Layout,
    encoding_of,
    layout_of,
    open_text,
    text_blocks,
)

JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
PARQUET_SUFFIXES = (".parquet", ".pq")
SUFFIXES = (".csv", ".tsv", ".tab", ".txt", *JSON_SUFFIXES, *PARQUET_SUFFIXES)
PARQUET_ROWS = 10_000  # read at once

Row: TypeAlias = Mapping[str | None, object]
Placed: TypeAlias = tuple[str, Row]  # "line 7", "entry 7" of a JSON list or "row 7" of a Parquet file, and the row


class TableRows:
    """A table that is opened: the names of its columns, its first rows, and all of them once.

    Cells beyond the last column of a CSV are at the key None, as a list. Of JSON the columns are those of the first rows.

    Attributes:
        is_csv: whether it is text with cells, which spreadsheets write too.

    Args:
        encoding: what its user calls it; found out by default.

    Raises:
        SourceError: here and while reading: no text, a line that is no CSV or JSON, a quote that is never closed.
    """

    def __init__(self, table: Path, encoding: str | None = None) -> None:
        self.table = table
        suffix = table.suffix.lower()
        self.is_csv = suffix not in (*JSON_SUFFIXES, *PARQUET_SUFFIXES)
        if suffix in PARQUET_SUFFIXES:
            rows, self.columns = _parquet_rows(table)
        elif self.is_csv:
            rows, self.columns = _csv_rows(table, _encoding(table, encoding))
        else:
            rows, self.columns = _json_rows(table, _encoding(table, encoding)), ()
        self.first = tuple(itertools.islice(rows, HEAD_ROWS))
        self.columns = self.columns or tuple(dict.fromkeys(str(name) for _, row in self.first for name in row))
        self._rest = rows

    def __iter__(self) -> Iterator[Placed]:
        return itertools.chain(self.first, self._rest)


def table_rows(table: Path, required: Iterable[str] = (), advice: str = "") -> Iterator[Placed]:
    """Every row with its place.

    Args:
        required: columns that must be there.
        advice: what to do where one is not, the end of that message.

    Raises:
        SourceError: as `TableRows`, and for a column that is missing.
    """
    rows = TableRows(table)
    for column in required:
        if column not in rows.columns:
            found = ", ".join(rows.columns) or "none"
            raise SourceError(f"{table}: no column '{column}'. Its columns: {found}. {advice}".rstrip())
    yield from rows


def text_of(value: object) -> str | None:
    """A cell's text without blanks around it; None for an empty one, null and NaN."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return str(value).strip() or None


def _encoding(table: Path, named: str | None) -> str:
    try:
        return encoding_of(table, named)
    except OSError as error:
        raise SourceError(f"{table} cannot be read: {error.strerror}.") from error


def _parquet_rows(table: Path) -> tuple[Iterator[Placed], tuple[str, ...]]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(table)
    except (OSError, pyarrow.ArrowException) as error:
        raise SourceError(f"{table} is no Parquet file that can be read: {str(error).splitlines()[0]}") from error

    def rows() -> Iterator[Placed]:
        number = 0
        try:
            for batch in file.iter_batches(PARQUET_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield f"row {number}", row
        except (OSError, UnicodeDecodeError, pyarrow.ArrowException) as error:
            raise SourceError(f"{table}, after row {number}: {str(error).splitlines()[0]}") from error

    return rows(), tuple(file.schema_arrow.names)


def _csv_rows(table: Path, encoding: str) -> tuple[Iterator[Placed], tuple[str, ...]]:
    head = _head(table, encoding)
    try:
        layout = layout_of(head, is_whole=len(head) < HEAD_CHARS)
    except SourceError as error:
        raise SourceError(f"{table}: {error}") from error

    def rows() -> Iterator[Placed]:
        records = _records(table, encoding, layout)
        if layout.has_header:
            next(records, None)
        for line, cells in records:
            row: dict[str | None, object] = dict(zip(layout.columns, cells, strict=False))
            if len(cells) > len(layout.columns):
                row[None] = cells[len(layout.columns) :]
            yield f"line {line}", row

    return rows(), layout.columns


def _records(table: Path, encoding: str, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every record that is not empty."""
    lines = _Remembered(open_text(table, encoding))
    if layout.has_separator_line:
        next(lines, None)
        lines.begin_record()
    reader = csv.reader(lines, delimiter=layout.delimiter, skipinitialspace=layout.skips_blanks)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield lines.number, cells
            lines.begin_record()
    except csv.Error as error:
        raise SourceError(f"{table}, line {lines.first}: {error}. Is a quote opened there and never closed?") from error
    lines.refuse_open_quote(table, layout.delimiter)


class _Remembered(Iterator[str]):
    """Lines, with the number of the last one and those of the record being read.

    Python's reader takes the end of the file for the end of a quote: rows after a stray one would be lost in one cell.
    """

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._of_record: list[str] = []
        self._of_last: list[str] = []
        self.number = 0

    @property
    def first(self) -> int:
        """The number of the line with which the record begins."""
        return self.number - max(len(self._of_record), 1) + 1

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        self._of_record.append(line)
        return line

    def begin_record(self) -> None:
        self._of_last, self._of_record = self._of_record, []

    def refuse_open_quote(self, table: Path, delimiter: str) -> None:
        if len(self._of_last) < 2:
            return
        try:
            list(csv.reader(self._of_last, delimiter=delimiter, skipinitialspace=True, strict=True))
        except csv.Error as error:
            line = self.number - len(self._of_last) + 1
            raise SourceError(f"{table}, line {line}: a quote is opened there and never closed. Close it.") from error


def _head(table: Path, encoding: str) -> str:
    return next(text_blocks(table, encoding), "")[:HEAD_CHARS]


def _json_rows(table: Path, encoding: str) -> Iterator[Placed]:
    """Of a list of objects, or of one object a line, whatever the suffix says."""
    head = _head(table, encoding).lstrip()
    if head[:1] == "[" or _is_one_object(table, head):
        return _entries(table, encoding, is_list=head[:1] == "[")
    return _objects(table, encoding)


def _is_one_object(table: Path, head: str) -> bool:
    """Whether a .json file begins an object that its first line does not end."""
    line, *rest = re.split("[\r\n]", head, maxsplit=1)
    if table.suffix.lower() != ".json" or not line or (not rest and len(head) > HEAD_CHARS - 1_000):
        return False
    try:
        json.loads(line)
    except ValueError:
        return True
    return False


def _entries(table: Path, encoding: str, *, is_list: bool) -> Iterator[Placed]:
    try:
        for number, entry in enumerate(json_entries(text_blocks(table, encoding)), start=1):
            if not is_list:
                raise _no_list(table, entry)
            row = {PATH: entry} if isinstance(entry, str) else entry
            yield f"entry {number}", _object(f"{table}, entry {number}", row)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{table}: not JSON ({error}). It is a list of objects, or one object a line.") from error


def _no_list(table: Path, content: object) -> SourceError:
    keys = ", ".join(content)[:80] if isinstance(content, dict) else type(content).__name__
    return SourceError(
        f"{table}: one object ({keys}) where a list of objects is expected. Write "
        '[{"path": "a.jpg", "label": "x"}, …], or one object a line.'
    )


def _objects(table: Path, encoding: str) -> Iterator[Placed]:
    for number, line in enumerate(open_text(table, encoding), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise SourceError(f"{table}, line {number}: not JSON ({error}). Each line is one object.") from error
        yield f"line {number}", _object(f"{table}, line {number}", row)


def _object(where: str, row: object) -> Row:
    if not isinstance(row, dict):
        raise SourceError(f"{where}: {type(row).__name__} where an object is expected.")
    return row
