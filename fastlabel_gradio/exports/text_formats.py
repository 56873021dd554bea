"""CSV, JSON and JSONL: one record a row, written as the rows come."""

import csv
import json
from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path

from fastlabel_gradio.exports.base import exporter
from fastlabel_gradio.exports.replaced import replaced_file, write_array
from fastlabel_gradio.exports.rows import ExportRow, columns_of


@exporter("csv", ".csv", "text/csv; charset=utf-8", opens_in_spreadsheets=True)
def write_csv(rows: Iterable[ExportRow], destination: Path) -> Path:
    """A header line, then one record per row as RFC 4180 has it; a name that holds line ends or quotes is quoted."""
    columns, rows = columns_of(rows)
    with replaced_file(destination) as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(map(attrgetter(*columns), rows))
    return destination


@exporter("json", ".json", "application/json")
def write_json(rows: Iterable[ExportRow], destination: Path) -> Path:
    """One array with an object per row; a missing number is null."""
    with replaced_file(destination) as file:
        write_array(file, _objects(rows))
    return destination


@exporter("jsonl", ".jsonl", "application/x-ndjson")
def write_jsonl(rows: Iterable[ExportRow], destination: Path) -> Path:
    """One object per line; a missing number is null."""
    with replaced_file(destination) as file:
        file.writelines(f"{text}\n" for text in _objects(rows))
    return destination


def _objects(rows: Iterable[ExportRow]) -> Iterator[str]:
    columns, rows = columns_of(rows)
    values_of = attrgetter(*columns)
    for row in rows:
        yield json.dumps(dict(zip(columns, values_of(row), strict=True)), ensure_ascii=False, allow_nan=False)
