"""Progress: how far a project is, in figures: classes, the audit's confusions, heads so far, people.

All of it is there in a moment at any size: it is kept up to date elsewhere, or remembered until a label or the head changes.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from fastlabel_gradio.explore.doubts import Heads
from fastlabel_gradio.explore.pace import Pace, PersonPace
from fastlabel_gradio.head import Head
from fastlabel_gradio.pool.desk import Desk
from fastlabel_gradio.pool.standings import LabeledSet, Standings
from fastlabel_gradio.types import LabelSchema

Counts = Int64[np.ndarray, " classes"]
Confusions = Int64[np.ndarray, "classes classes"]


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """How far a project is.

    Attributes:
        schema: the classes that the counts are of.
        labeled: items that carry each class.
        predicted: items of the pool whose most probable class it is, of the `looked_at` ones of `rows`.
        confusions: of the labeled audit: label, head's class; None without a head, or labels of the audit.
        people: how fast each one labels.
    """

    schema: LabelSchema
    labeled: Counts
    predicted: Counts
    looked_at: int
    rows: int
    confusions: Confusions | None
    people: list[PersonPace]


def count_labels(standings: Standings, schema: LabelSchema) -> Counts:
    """How many items of the pool carry each class of the screen; merged classes count for what they are part of now."""
    said = standings.said[standings.in_pool]
    by_id = np.bincount(said["label"][said["state"] == 1])
    counts = np.zeros(len(schema), dtype=np.int64)
    for label_id, place in schema.positions.items():
        counts[place] += by_id[label_id] if label_id < len(by_id) else 0
    return counts


def confusions_of(targets: np.ndarray, said: np.ndarray, classes: int) -> Confusions:
    """How many items of each class, one a row, the head gave each class, one a column."""
    return np.bincount(targets * classes + said, minlength=classes * classes).reshape(classes, classes).astype(np.int64)


class Progress:
    """The figures of one labeler. All methods may be called from any thread."""

    def __init__(self, desk: Desk, heads: Heads) -> None:
        self._desk = desk
        self._ledger = desk.ledger
        self._heads = heads
        self._pace = Pace(desk.label_store)
        self._last: tuple[Head, LabeledSet, Confusions] | None = None

    def figures(self) -> Figures:
        """As of now."""
        self._desk.glance()
        standings, schema = self._ledger.standings(), self._desk.schema
        head = self._heads.head_for(schema)
        classes = self._heads.ground_of(head).scan.view(schema.ids).classes[: len(standings.in_pool)]
        classes = classes[standings.in_pool[: len(classes)]]
        predicted = np.bincount(classes[classes >= 0], minlength=len(schema)).astype(np.int64)
        return Figures(
            schema,
            count_labels(standings, schema),
            predicted,
            int(predicted.sum()),
            int(standings.in_pool.sum()),
            self._confusions(head) if head else None,
            self._pace.people(),
        )

    def labels_of(self, annotator: str) -> int:
        """How many labels the annotator gave and did not undo."""
        return next((one.label_count for one in self._pace.people() if one.annotator == annotator), 0)

    # Private

    def _confusions(self, head: Head) -> Confusions | None:
        audited = self._ledger.audit_set()
        is_honest = head.info.version == 0 or self._ledger.is_this_audit(head.info.audit)
        if not len(audited.rows) or not is_honest or audited.schema.ids != head.info.label_ids:
            return None
        last = self._last
        if last is None or last[0] is not head or last[1] is not audited:
            said = self._heads.ground_of(head).says(head, audited.rows).argmax(axis=1)
            last = self._last = head, audited, confusions_of(audited.targets, said, len(audited.schema))
        return last[2]
