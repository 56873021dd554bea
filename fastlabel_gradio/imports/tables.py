"""Tables of labels: FastLabel's own exports with all that they say, any other with columns of paths and of labels."""

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.imports.base import ImportedLabel, Refuse, importer
from fastlabel_gradio.sources.table_cells import Refused, label_of, seconds_of
from fastlabel_gradio.sources.table_columns import LABEL, PATH, is_own_export, label_column, path_column
from fastlabel_gradio.sources.table_format import looks_like_a_file
from fastlabel_gradio.sources.table_rows import SUFFIXES, Row, TableRows, text_of
from fastlabel_gradio.spreadsheet_cells import original
from fastlabel_gradio.types import LabelSource, State, TimeSpan

STATES = tuple(state.value for state in State if state is not State.CLEAR)
SOURCES = get_args(LabelSource)
PREDICTION = "prediction"  # the source in lists of what only the head says
CONFIDENCES = ("confidence", "score", "probability", "prob", "p")
TIMES = (
    ("start_s", "end_s"),
    ("Begin Time (s)", "End Time (s)"),
    ("Start (s)", "End (s)"),
    ("start_time", "end_time"),
    ("start", "end"),
)


def is_table(path: Path, name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES


@importer("table", is_table)
def read_table(path: Path, name: str, refuse: Refuse) -> Iterator[ImportedLabel]:
    """CSV, JSON, JSONL or Parquet, by the suffix. An own export comes back with its states, sources, times and annotators."""
    rows = TableRows(path)
    return _own(rows, refuse) if is_own_export(rows.columns) else _foreign(rows, name, refuse)


def _own(rows: TableRows, refuse: Refuse) -> Iterator[ImportedLabel]:
    def text(row: Row, column: str) -> str:
        cell = row.get(column)
        return "" if cell is None else original(str(cell)) if rows.is_csv else str(cell)

    for place, row in rows:
        item, label, state = text(row, "item_id"), text(row, "label"), text(row, "state")
        source = text(row, "source")
        if not item:
            refuse("row without an item", "its 'item_id' is empty", place)
        elif source == PREDICTION or (not label and not state):
            if guess := label or text(row, "predicted_label"):
                yield ImportedLabel(place, item, guess, confidence=share_of(row.get("confidence")), is_prediction=True)
        elif (state or "label") not in STATES or (label == "") is ((state or "label") == "label"):
            refuse("row whose state is none", f"it is one of {', '.join(STATES)}, with a label only for 'label'", place)
        else:
            said_at = seconds_of_time(row.get("created_at"))
            yield ImportedLabel(
                *(place, item, label, None, state or "label", text(row, "annotator"), said_at, known_source(source)),
                head_version=whole_of(row.get("head_version")),
                confidence=share_of(row.get("label_confidence")),
                note=text(row, "note") or text(row, "promise"),
            )


def _foreign(rows: TableRows, name: str, refuse: Refuse) -> Iterator[ImportedLabel]:
    def holds_paths(column: str) -> bool:
        cells = [row[column] for _, row in rows.first if text_of(row.get(column))]
        return sum(map(looks_like_a_file, cells)) * 2 > len(cells)

    shown = Path(name)
    path = path_column(shown, PATH, rows.columns, holds_paths)
    label = label_column(shown, LABEL, rows.columns, taken=(path,))
    if label is None:
        raise SourceError(
            f"{shown}: no column of labels. Its columns: {', '.join(rows.columns)}. Call the one of the labels 'label'."
        )
    score = next((column for column in rows.columns if column.lower() in CONFIDENCES), None)
    times = next((pair for pair in TIMES if set(pair) <= set(rows.columns)), None)
    for place, row in rows:
        try:
            item, said, span = text_of(row.get(path)), label_of(row.get(label)), _span(row, times)
        except Refused as refused:
            refuse(refused.what, refused.why, place)
            continue
        if item is None:
            refuse("row without a path", f"its '{path}' is empty", place)
        elif said is None:
            refuse("row without a label", f"its '{label}' is empty", place)
        else:
            yield ImportedLabel(place, item, said, span, confidence=share_of(row.get(score)) if score else None)


def _span(row: Row, times: tuple[str, str] | None) -> TimeSpan | None:
    if times is None or not any(text_of(row.get(column)) for column in times):
        return None
    start, end = (seconds_of(row.get(column)) for column in times)
    if end <= start:
        raise Refused("part that ends before it begins", "give its end in seconds after its begin")
    return TimeSpan(start, end)


def seconds_of_time(value: object) -> float | None:
    """Since the epoch, of a time as ISO 8601; None where it is none."""
    if isinstance(value, datetime):
        moment = value
    else:
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def known_source(name: str) -> str:
    """What a label came by; "import" where that is none that FastLabel has."""
    return name if name in SOURCES else "import"


def share_of(value: object) -> float | None:
    try:
        share = float(str(value))
    except ValueError:
        return None
    return share if math.isfinite(share) and 0 <= share <= 1 else None


def whole_of(value: object) -> int | None:
    share = text_of(value)
    return int(float(share)) if share and re.fullmatch(r"\d{1,9}(\.0)?", share) else None
