"""Doubts: which labels to look at again, as rows in the order in which to doubt them.

Labels are ranked by the logit margin: the logit of the label less the largest other one, of a head that did not see the
label. Of the rankings that were compared (out-of-fold confidence, probability margins, cleanlab's, neighbours, ridge
leave-one-out) it found most of the labels that were made wrong; `benchmarks/mistakes.py` prints how many.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64

from fastlabel_gradio.head import BLOCK_ROWS, Head
from fastlabel_gradio.pool.ground import Ground
from fastlabel_gradio.types import LabelSchema, Rows, Targets

Logits = Float32[np.ndarray, "items classes"]


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
        keys: float64[n], one a row: the smallest first.
        missing: labels that have no place yet; they are ranked in the background.
    """

    rows: Rows
    keys: Float64[np.ndarray, " picked"]
    missing: int = 0


NOTHING_DOUBTED = Doubted(np.zeros(0, dtype=np.int64), np.zeros(0))


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


def margins_by_head(head: Head, ground: Ground, rows: Rows, targets: Targets) -> Float64[np.ndarray, " items"]:
    """The logit margins of some rows by a head that was trained on none of them, in blocks."""
    embeddings = ground.embeddings
    found = np.empty(len(rows))
    for start in range(0, len(rows), BLOCK_ROWS):
        part = slice(start, start + BLOCK_ROWS)
        found[part] = logit_margins(head.logits(np.asarray(embeddings[rows[part]])), targets[part])
    return found
