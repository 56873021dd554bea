"""Doubts: which labels to look at again, as rows in the order in which to doubt them.

Labels are ranked by the logit margin: the logit of the label less the largest other one, of a head that did not see the
label. Of the rankings that were compared (out-of-fold confidence, probability margins, cleanlab's, neighbours, ridge
leave-one-out) it found most of the labels that were made wrong; `benchmarks/mistakes.py` prints how many.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from fastlabel_gradio.head import BLOCK_ROWS, Head
from fastlabel_gradio.pool.ground import Ground
from fastlabel_gradio.types import LabelSchema, Rows, Targets

Logits = Float32[np.ndarray, "items classes"]
LabelIds = Int64[np.ndarray, " picked"]


@runtime_checkable
class Heads(Protocol):
    """Who makes the heads of a project: a `Learner`."""

    @property
    def head(self) -> Head | None:
        """The newest."""

    @property
    def trained_rows(self) -> Rows | None:
        """What the newest head was trained on, ascending; None where that is not known."""

    def head_for(self, schema: LabelSchema) -> Head | None:
        """The newest head, where its columns are the classes of that schema."""

    def ground_of(self, head: Head | None) -> Ground:
        """The vectors that a head is asked about; those of the encoder in use where there is none."""

    def scan_soon(self) -> None:
        """Asks for a scan of what the newest head has not looked at, in the background."""


@dataclass(frozen=True, slots=True, eq=False)
class Doubted:
    """Rows of the pool whose label may be wrong.

    Attributes:
        keys: float64[n], one a row: the smallest first; below 0 where a class is more likely than the label.
        rivals: that class: the id of the most likely one beside the label, -1 where none is known.
        missing: labels that have no place yet; they are ranked in the background.
    """

    rows: Rows
    keys: Float64[np.ndarray, " picked"]
    rivals: LabelIds
    missing: int = 0

    def only(self, wanted: Bool[np.ndarray, " doubted"]) -> "Doubted":
        """Those rows alone."""
        return Doubted(self.rows[wanted], self.keys[wanted], self.rivals[wanted], self.missing)

    def instead(self, rows: Rows) -> dict[int, int]:
        """By row the id of the class that is more likely than the label, of those rows of which one is."""
        told = self.only(np.isin(self.rows, rows) & (self.keys < 0) & (self.rivals >= 0))
        return dict(zip(told.rows.tolist(), told.rivals.tolist(), strict=True))


NOTHING_DOUBTED = Doubted(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=np.int64))


def logit_margins(logits: Logits, targets: Targets) -> Float64[np.ndarray, " items"]:
    """The logit of each item's label less the largest other one: below 0 where another class is more likely.

    Args:
        logits: of at least two classes.
        targets: the column of each label.
    """
    every = np.arange(len(targets))
    others = logits.astype(np.float64)
    own = others[every, targets]
    others[every, targets] = -np.inf
    return np.asarray(own - others.max(axis=1, initial=-np.inf))


def rivals(logits: Logits, targets: Targets) -> Int64[np.ndarray, " items"]:
    """The column of the largest logit of each item beside that of its label."""
    others = logits.copy()
    others[np.arange(len(targets)), targets] = -np.inf
    return np.asarray(others.argmax(axis=1))


def doubts_by_head(
    head: Head, ground: Ground, rows: Rows, targets: Targets
) -> tuple[Float64[np.ndarray, " items"], Int64[np.ndarray, " items"]]:
    """The logit margins of some rows, and their rivals, by a head that was trained on none of them, in blocks."""
    embeddings = ground.embeddings
    margins, others = np.empty(len(rows)), np.empty(len(rows), dtype=np.int64)
    for start in range(0, len(rows), BLOCK_ROWS):
        part = slice(start, start + BLOCK_ROWS)
        logits = head.logits(np.asarray(embeddings[rows[part]]))
        margins[part], others[part] = logit_margins(logits, targets[part]), rivals(logits, targets[part])
    return margins, others
