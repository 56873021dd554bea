"""Label Studio: its JSON of tasks, with what people said as annotations and what the head says as predictions.

A task is a file: a picture, a sound with one class, or a recording with a region for each of its parts. The names are those
of the labeling configuration that docs/labels-in-and-out.md gives: `label` for classes, `state` for what is no class.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastlabel_gradio.exports.base import exporter
from fastlabel_gradio.exports.replaced import replaced_file, write_array
from fastlabel_gradio.exports.rows import ExportRow
from fastlabel_gradio.types import TimeSpan

LOCAL_FILES = "/data/local-files/?d="  # how Label Studio names a file of its local storage


@exporter("label_studio", ".json", "application/json", tells_all=True)
def write_label_studio(rows: Iterable[ExportRow], destination: Path) -> Path:
    """An array of tasks. Rows of one file come one after the other; its predictions may be a task of their own."""
    with replaced_file(destination) as file:
        write_array(file, (json.dumps(task, ensure_ascii=False, allow_nan=False) for task in tasks_of(rows)))
    return destination


def tasks_of(rows: Iterable[ExportRow]) -> Iterator[dict[str, Any]]:
    """The tasks, in the order of the rows."""
    for _, group in groupby(rows, lambda row: TimeSpan.split(row.item_id)[0]):
        of_file = list(group)
        said = [row for row in of_file if row.state]
        guessed = [row for row in of_file if not row.state and row.predicted_label]
        kind = of_file[0].medium or "image"
        yield {
            "data": _data(of_file[0], kind),
            "annotations": [_annotation(own, kind) for own in _by_annotator(said)],
            "predictions": [_prediction(guessed, kind)] if guessed else [],
        }


def _data(row: ExportRow, kind: str) -> dict[str, str]:
    file_id = TimeSpan.split(row.item_id)[0]
    return {kind: LOCAL_FILES + quote(row.path or file_id), "item_id": file_id, "path": row.path}


def _by_annotator(rows: Iterable[ExportRow]) -> list[list[ExportRow]]:
    own: dict[tuple[str, bool], list[ExportRow]] = {}
    for row in rows:
        own.setdefault((row.annotator, row.source == "auto"), []).append(row)
    return list(own.values())


def _annotation(rows: list[ExportRow], kind: str) -> dict[str, Any]:
    results = [_result(row, row.label, number, kind) for number, row in enumerate(rows) if row.state != "skip"]
    return {
        "result": results,
        "was_cancelled": not results,
        "ground_truth": False,
        "created_at": max(row.created_at for row in rows),
    }


def _prediction(rows: list[ExportRow], kind: str) -> dict[str, Any]:
    confidences = [row.confidence for row in rows if row.confidence is not None]
    results = [_result(row, row.predicted_label, number, kind) for number, row in enumerate(rows)]
    return {
        "model_version": "fastlabel",
        "score": sum(confidences) / len(confidences) if confidences else 0.0,
        "result": results,
    }


def _result(row: ExportRow, label: str, number: int, kind: str) -> dict[str, Any]:
    """A class of a whole file is a choice, that of a part a region; who said it when stands in `meta`, which is kept."""
    span = TimeSpan.split(row.item_id)[1]
    name, values = ("label", [label]) if label else ("state", [row.state])
    value: dict[str, Any] = {} if span is None else {"start": span.start_s, "end": span.end_s, "channel": 0}
    kind_of_result = "choices" if span is None else "labels"
    known = {
        "annotator": row.annotator,
        "created_at": row.created_at,
        "source": row.source,
        "head_version": row.head_version,
        "confidence": row.label_confidence,
        "note": row.note,
        "promise": row.promise,
    }
    result: dict[str, Any] = {
        "id": f"r{number}",
        "from_name": name if span is None else f"{name}_part",
        "to_name": kind,
        "type": kind_of_result,
        "value": value | {kind_of_result: values},
        "meta": {name: value for name, value in known.items() if value not in (None, "")},
    }
    if not row.state and row.confidence is not None:
        result["score"] = row.confidence
    return result
