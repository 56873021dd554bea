"""What an export says of one item, and in which columns."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from fastlabel_gradio.media.recording_time import recorded_at
from fastlabel_gradio.spreadsheet_cells import harmless
from fastlabel_gradio.types import Medium, TimeSpan


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
        stands: of an export with evidence: whether this is what counts of the item; None in others.
        head_version, label_confidence: of the prediction that was accepted; None without one.
        note: in the annotator's own words. promise: the evidence of a label that was accepted at a promised precision.
        original_label: the class that was chosen, where it is part of another one by now; "" where it is not.
        split: the part of the data that it belongs to; None where the export has no parts.
        medium: what the item is; None where nobody said. In no column.
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
    stands: bool | None = None
    head_version: int | None = None
    label_confidence: float | None = None
    note: str = ""
    promise: str = ""
    original_label: str = ""
    split: str | None = None
    medium: Medium | None = None

    @property
    def said_or_predicted(self) -> str:
        """The class that somebody said, or else the head; "" for neither."""
        return self.label or self.predicted_label

    @property
    def came_by(self) -> str:
        """The source of that class: "prediction" where only the head says it, "" where the row does not tell."""
        return self.source or ("" if self.label else "prediction")

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


COLUMNS = (
    *("item_id", "label", "annotator", "created_at", "predicted_label", "confidence"),
    *("start_s", "end_s", "path", "recorded_at", "expand"),  # new ones are added at the end
)
STATE_COLUMNS = (*COLUMNS, "state", "source")  # of rows that say their state
ALL_COLUMNS = (
    *STATE_COLUMNS,
    *("stands", "head_version", "label_confidence", "note", "promise", "original_label"),  # of rows with evidence
)
SPLIT = "split"  # the last column of rows that say their part

_NAMES = ("item_id", "label", "annotator", "predicted_label", "path", "note", "promise", "original_label")


def harmless_rows(rows: Iterable[ExportRow]) -> Iterator[ExportRow]:
    """The rows with names that a spreadsheet would run marked by "'" (`spreadsheet_cells`); a table source takes it back."""
    for row in rows:
        marked: dict[str, Any] = {
            name: cell for name in _NAMES if (cell := harmless(text := getattr(row, name))) is not text
        }
        yield replace(row, **marked) if marked else row


def columns_of(rows: Iterable[ExportRow]) -> tuple[tuple[str, ...], Iterator[ExportRow]]:
    """The columns of some rows, which all say as much as the first one does, and the rows."""
    rest = iter(rows)
    first = next(rest, None)
    if first is None:
        return COLUMNS, rest
    columns = COLUMNS if first.state is None else STATE_COLUMNS if first.stands is None else ALL_COLUMNS
    return (columns if first.split is None else (*columns, SPLIT)), chain([first], rest)
