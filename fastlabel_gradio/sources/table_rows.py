"""Rows of a table file, CSV with a header line or JSONL. Shared by the sources that read one."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from fastlabel_gradio.errors import SourceError

SUFFIXES = (".csv", ".jsonl")

Row: TypeAlias = Mapping[str | None, object]


def table_rows(table: Path, required: Iterable[str] = (), advice: str = "") -> Iterator[tuple[int, Row]]:
    """Every row with the number of its line.

    Args:
        required: columns that must be there.
        advice: what to do where one is not, the end of that message.

    Raises:
        SourceError: no file, a column that is missing, not UTF-8, a line that is no CSV or JSON.
    """
    try:
        with table.open(encoding="utf-8-sig", newline="") as lines:
            if table.suffix.lower() == ".csv":
                yield from _csv_rows(table, lines, required, advice)
            else:
                yield from _jsonl_rows(table, lines, required, advice)
    except UnicodeDecodeError as error:
        raise SourceError(f"{table} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from error
    except OSError as error:
        raise SourceError(f"{table} cannot be read: {error.strerror}.") from error


def text_of(value: object) -> str | None:
    """A cell's text without blanks around it; None for an empty one."""
    text = "" if value is None else str(value).strip()
    return text or None


def _csv_rows(table: Path, lines: Iterator[str], required: Iterable[str], advice: str) -> Iterator[tuple[int, Row]]:
    reader = csv.DictReader(lines)
    try:
        _require(required, reader.fieldnames or (), f"{table}", advice)
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise SourceError(f"{table}, line {reader.line_num}: {error}. Save it as comma-separated UTF-8.") from error


def _jsonl_rows(table: Path, lines: Iterator[str], required: Iterable[str], advice: str) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise SourceError(f"{table}, line {number}: not JSON ({error}). Each line is one object.") from error
        if not isinstance(row, dict):
            raise SourceError(f"{table}, line {number}: {type(row).__name__} where an object is expected.")
        _require(required, row, f"{table}, line {number}", advice)
        yield number, row


def _require(required: Iterable[str], columns: Iterable[object], where: str, advice: str) -> None:
    names = [str(name) for name in columns]
    for column in required:
        if column not in names:
            found = ", ".join(names) or "none"
            raise SourceError(f"{where}: no column '{column}'. Its columns: {found}. {advice}".rstrip())
