"""What the newest head was trained on, and what heads said of the audit, for the heads after them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fastlabel_gradio.head import Head
from fastlabel_gradio.types import Groups, Rows, Targets


class TrainingRun:
    """What the newest head was trained on, and the head before it; the trainer's thread alone uses it.

    Attributes:
        groups: of the rows; None where there are none.
        is_new: whether it differs from the run before; the same labels once more say nothing of how heads learn.
    """

    def __init__(
        self, rows: Rows, targets: Targets, before: Head | None, last: "TrainingRun | None", groups: Groups | None
    ) -> None:
        self.rows = rows
        self.groups = groups
        self.targets = targets
        self.before = before
        self.is_new = not (last and np.array_equal(rows, last.rows) and np.array_equal(targets, last.targets))


class Columns(NamedTuple):
    """What the outputs of a head are of: the ids of its classes, and the encoder."""

    ids: tuple[int, ...]
    encoder: str


def columns_of(head: Head) -> Columns:
    """Those of a head; heads with the same ones can be compared."""
    return Columns(head.info.label_ids, head.info.encoder_fingerprint)


@dataclass(frozen=True, slots=True, eq=False)
class SaidByHead:
    """The classes that a head with those columns gave to some rows, ascending. `label_count`: what it was trained on."""

    label_count: int
    rows: Rows
    classes: np.ndarray
    columns: Columns

    def of(self, rows: Rows) -> np.ndarray:
        """The class of each of some of its rows."""
        return np.asarray(self.classes[np.searchsorted(self.rows, rows)])
