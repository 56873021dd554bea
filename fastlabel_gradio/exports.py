"""Export formats: each writes the rows it is handed as one file, in bounded memory, and replaces the old file at once.

Where the rows come from (labels, predictions) is the labeler's business. Another format is one function more.
"""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import TextIO
from uuid import uuid4

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.media.recording_time import recorded_at
from fastlabel_gradio.registry import Registry
from fastlabel_gradio.spreadsheet_cells import harmless
from fastlabel_gradio.types import TimeSpan


@dataclass(frozen=True, slots=True)
class ExportRow:
    """What is known of one item, said by one annotator or by the head alone.

    Attributes:
        item_id: stable id of the item.
        label: class name; "" for an item that nobody labeled.
        annotator: who said it; "" for an item that nobody labeled.
        created_at: when, ISO 8601 in UTC; "" for an item that nobody labeled.
        predicted_label: what the head says; "" while there is no prediction.
        confidence: probability of the predicted label, 0 to 1.
        path: of its file, relative to the source's folder, as `Source.exported_path` has it; "" without a file.
        expand: how many times slower than it was recorded the sound was played; None where it was not.
        state, source: of an export with states: "label", "skip", "unsure" or "bad", and what it came by; None in others.
        start_s, end_s: which part of its file a sound is, in seconds of the recording; None for whole files and pictures.
        recorded_at: local time at which it begins, as the file's name says; "" where that has none.
    """

    item_id: str
    label: str = ""
    annotator: str = ""
    created_at: str = ""
    predicted_label: str = ""
    confidence: float | None = None
    path: str = ""
    expand: int | None = None
    state: str | None = None
    source: str | None = None

    @property
    def start_s(self) -> float | None:
        span = TimeSpan.split(self.item_id)[1]
        return span.start_s if span else None

    @property
    def end_s(self) -> float | None:
        span = TimeSpan.split(self.item_id)[1]
        return span.end_s if span else None

    @property
    def recorded_at(self) -> str:
        return recorded_at(self.path, self.start_s or 0.0)


Write = Callable[[Iterable[ExportRow], Path], Path]


@dataclass(frozen=True, slots=True)
class Exporter:
    """An export format: its name, the suffix of its files with the dot, its media type for HTTP, and what writes it.

    `opens_in_spreadsheets`: people open its files in a spreadsheet, which would run some names as formulas.

    `write(rows, destination)` reads the rows once, writes the file whole or not at all, and returns its path. It raises
    StoreError where the destination cannot be written; the file that was there before then stays as it was.
    """

    name: str
    suffix: str
    media_type: str
    write: Write
    opens_in_spreadsheets: bool = False


EXPORTERS: Registry[Exporter] = Registry("export format", "fastlabel.exporters")

COLUMNS = (
    *("item_id", "label", "annotator", "created_at", "predicted_label", "confidence"),
    *("start_s", "end_s", "path", "recorded_at", "expand"),  # new ones are added at the end
)
STATE_COLUMNS = (*COLUMNS, "state", "source")  # of rows that say their state


def exporter(name: str, suffix: str, media_type: str, opens_in_spreadsheets: bool = False) -> Callable[[Write], Write]:
    """Decorator that registers a function as an export format."""

    def add(write: Write) -> Write:
        EXPORTERS.register(name)(Exporter(name, suffix, media_type, write, opens_in_spreadsheets))
        return write

    return add


def harmless_rows(rows: Iterable[ExportRow]) -> Iterator[ExportRow]:
    """The rows with names that a spreadsheet would run marked by "'" (`spreadsheet_cells`); a table source takes it back."""
    for row in rows:
        yield replace(
            row,
            item_id=harmless(row.item_id),
            label=harmless(row.label),
            annotator=harmless(row.annotator),
            predicted_label=harmless(row.predicted_label),
            path=harmless(row.path),
        )


@exporter("csv", ".csv", "text/csv; charset=utf-8", opens_in_spreadsheets=True)
def write_csv(rows: Iterable[ExportRow], destination: Path) -> Path:
    """A header line, then one record per row as RFC 4180 has it; a name that holds line ends or quotes is quoted."""
    columns, rows = _columns_of(rows)
    with replaced_file(destination) as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(map(attrgetter(*columns), rows))
    return destination


@exporter("json", ".json", "application/json")
def write_json(rows: Iterable[ExportRow], destination: Path) -> Path:
    """One array with an object per row; a missing number is null."""
    with replaced_file(destination) as file:
        file.write("[")
        for place, text in enumerate(_objects(rows)):
            file.write(f",\n{text}" if place else f"\n{text}")
        file.write("\n]\n")
    return destination


@exporter("jsonl", ".jsonl", "application/x-ndjson")
def write_jsonl(rows: Iterable[ExportRow], destination: Path) -> Path:
    """One object per line; a missing number is null."""
    with replaced_file(destination) as file:
        file.writelines(f"{text}\n" for text in _objects(rows))
    return destination


@contextmanager
def replaced_file(destination: Path) -> Iterator[TextIO]:
    """A UTF-8 file, line ends written as they are, that takes the destination's place once the block has ended well.

    Raises:
        StoreError: the folder is missing, the disk full, the destination no file, or a text no Unicode.
    """
    if not destination.parent.is_dir():
        raise StoreError(
            f"export {destination}: folder {destination.parent} does not exist. Create it or choose another."
        )
    part = destination.with_name(f".{uuid4().hex}.part")
    try:
        with part.open("x", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(destination)
    except UnicodeEncodeError as error:
        raise StoreError(
            f"export {destination}: {error.object!r} is no Unicode text. Rename that item or label."
        ) from error
    except OSError as error:
        raise StoreError(
            f"export {destination}: {error.strerror or error}. Free space or choose another path."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _objects(rows: Iterable[ExportRow]) -> Iterator[str]:
    columns, rows = _columns_of(rows)
    values_of = attrgetter(*columns)
    for row in rows:
        yield json.dumps(dict(zip(columns, values_of(row), strict=True)), ensure_ascii=False, allow_nan=False)


def _columns_of(rows: Iterable[ExportRow]) -> tuple[tuple[str, ...], Iterator[ExportRow]]:
    """The columns of some rows, which either all say their state or all do not, and the rows."""
    rest = iter(rows)
    first = next(rest, None)
    if first is None:
        return COLUMNS, rest
    return COLUMNS if first.state is None else STATE_COLUMNS, chain([first], rest)
