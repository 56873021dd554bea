"""Measures: what the heads of a project are worth, one after the other: on the audit, and against those before them."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fastlabel_gradio.head import Head
from fastlabel_gradio.head.evaluation import AuditReport, Gain, audit, cohen_kappa, gain, labels_compared
from fastlabel_gradio.loop.learning_record import LearningPoint, LearningRecord
from fastlabel_gradio.loop.training_run import SaidByHead, columns_of
from fastlabel_gradio.pool.desk import Desk
from fastlabel_gradio.types import Probabilities, Rows

AGREEMENT_ROWS = 2_000  # the first rows of the store, which are a random sample of the pool
COMPARED_ROWS = 2_000  # of the audit, labeled or not: what a head says of them is kept for the heads after it

Says = Callable[[Head, Rows], Probabilities]


class Measures:
    """Measures heads. All methods may be called from any thread; `says` is `Learner.says`.

    Attributes:
        record: the learning curve on disk.
    """

    def __init__(self, desk: Desk, file: Path) -> None:
        self._ledger = desk.ledger
        self._store = desk.store
        self.record = LearningRecord(file)
        self._lock = threading.Lock()
        self._said: list[SaidByHead] = []  # by heads of this run that are needed to compare with, oldest first

    @property
    def points(self) -> list[LearningPoint]:
        """What each head so far was worth on the audit as it is, oldest first."""
        return [point for point in self.record.points if self._ledger.is_this_audit(point.audit)]

    def is_honest(self, head: Head) -> bool:
        """Whether nothing of the audit was taught to the head: items change sides where another grouping is configured."""
        return head.info.version == 0 or self._ledger.is_this_audit(head.info.audit)

    def audit(self, head: Head, says: Says) -> AuditReport | None:
        """What a head is worth on the labeled items of the audit; None while there are none, or it was trained on some."""
        rows, targets, groups, schema, _ = self._ledger.audit_set()
        if not len(rows) or not self.is_honest(head) or columns_of(head).ids != schema.ids:
            return None
        return audit(says(head, rows), targets, groups)

    def gain(self, head: Head, says: Says) -> Gain | None:
        """What the last labels brought: a head against one of this run that had at least 100 labels less, or a fifth."""
        before = self._before(head)
        if before is None or not self.is_honest(head):
            return None
        rows, targets, groups, schema, _ = self._ledger.audit_set()
        known = np.isin(rows, before.rows)
        rows, targets, groups = rows[known], targets[known], None if groups is None else groups[known]
        if not len(rows) or columns_of(head).ids != schema.ids:
            return None
        after = says(head, rows).argmax(axis=1)
        return gain(before.of(rows) == targets, after == targets, head.info.label_count - before.label_count, groups)

    def add(self, head: Head, before: Head | None, says: Says) -> None:
        """Adds a head to the learning curve, and remembers what it says of the audit's first rows for the heads after it.

        Args:
            before: the head that it was trained after.
        """
        report, agreement = self.audit(head, says), self._agreement(before, head, says)
        labels, mark = head.info.label_count, head.info.audit
        if report:
            figures = (report.items, report.correct, agreement, report.low, report.high)
            self.record.add(LearningPoint(labels, *figures, audit=mark))
        else:
            self.record.add(LearningPoint(labels, 0, 0, agreement, audit=mark))
        rows = self._ledger.audit_rows(COMPARED_ROWS)
        said = says(head, rows).argmax(axis=1).astype(np.int32)
        oldest = self._before(head)
        with self._lock:
            needed = self._said[self._said.index(oldest) :] if oldest in self._said else self._said
            self._said = [*needed, SaidByHead(head.info.label_count, rows, said, columns_of(head))]

    def forget(self) -> None:
        """What heads said until now is nothing to compare with any more."""
        with self._lock:
            self._said = []

    def _before(self, head: Head) -> SaidByHead | None:
        """What the newest head of this run with enough labels less said, of the same classes and by the same encoder."""
        labels, columns = labels_compared(head.info.label_count), columns_of(head)
        return next((one for one in reversed(self._said) if one.label_count <= labels and one.columns == columns), None)

    def _agreement(self, before: Head | None, after: Head, says: Says) -> float | None:
        if before is None or before.info.classes != after.info.classes:
            return None
        rows = np.arange(min(AGREEMENT_ROWS, len(self._store)), dtype=np.int64)
        said = [says(head, rows).argmax(axis=1) for head in (before, after)]
        return cohen_kappa(said[0], said[1], len(after.info.classes))
