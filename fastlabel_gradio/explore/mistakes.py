"""Mistakes: the labels that people gave, the most doubtful first.

The margins come from the calibration of each head, which leaves labels out of five trainings (`OutOfFold`); of labels that
the head in use has not seen, those of the audit among them, it says them itself. What is still missing, after a restart or
of a large set, is left out in the background when somebody opens the list.
"""

import threading
from typing import NamedTuple

import numpy as np

from fastlabel_gradio.explore.doubts import (
    NOTHING_DOUBTED,
    Doubted,
    Heads,
    doubts_by_head,
    logit_margins,
    rivals,
)
from fastlabel_gradio.head import FOLDS, Head, folds_of
from fastlabel_gradio.inquiry import Finding, Inquiry
from fastlabel_gradio.labels import LabelStore
from fastlabel_gradio.pool.ground import Ground
from fastlabel_gradio.pool.ledger import PoolLedger
from fastlabel_gradio.pool.standings import LabeledSet
from fastlabel_gradio.superseded import until
from fastlabel_gradio.types import Rows

PATIENCE_S = 0.8  # that opening the list waits for labels to be left out
MOST_TRAINED = 10_000  # labels a head that leaves others out: more take long, and change the order little


class _Known(NamedTuple):
    """What a ranking was made of: where none of it changed, the ranking did not either."""

    head: Head
    labeled: LabeledSet
    audited: LabeledSet
    left_out: int
    checks: dict[str, set[int]]
    given_up: LabeledSet | None

    def is_like(self, other: "_Known") -> bool:
        same = (one is two for one, two in zip(self._objects(), other._objects(), strict=True))
        return self.left_out == other.left_out and all(same)

    def _objects(self) -> tuple[object, ...]:
        return self.head, self.labeled, self.audited, self.checks, self.given_up


class Mistakes:
    """The list of one labeler. All methods may be called from any thread; the ledger has caught up."""

    def __init__(self, label_store: LabelStore, ledger: PoolLedger, heads: Heads) -> None:
        self._label_store = label_store
        self._ledger = ledger
        self._heads = heads
        self._lock = threading.Lock()
        self._checks: tuple[int, dict[str, set[int]]] = (-1, {})
        self._last: tuple[_Known, Doubted] | None = None
        self._given_up: LabeledSet | None = None  # of which some could not be left out
        self._leaving_out: Inquiry[None] = Inquiry(lambda tell, stop: self._leave_out(stop))

    @property
    def finding(self) -> Finding[None]:
        """How the work in the background goes."""
        return self._leaving_out.finding

    def doubted(self, patience_s: float = PATIENCE_S) -> Doubted:
        """The labels that nobody said are right. Waits a moment for those that have no place yet, and begins to rank them."""
        found = self._ranked()
        if found.missing and self._leaving_out.finding.state != "failed":
            self._leaving_out.ask()
            self._leaving_out.wait(patience_s)
            found = self._ranked()
        return found

    def checked(self) -> dict[str, set[int]]:
        """By item the labels of which somebody said that they are right."""
        with self._lock:
            newest = self._ledger.position.submission
            if self._checks[0] != newest:
                self._checks = newest, self._label_store.checked()
            return self._checks[1]

    def close(self) -> None:
        self._leaving_out.close()

    # Private

    def _ranked(self) -> Doubted:
        labeled, audited = self._ledger.training_set(), self._ledger.audit_set()
        head = self._heads.head_for(labeled.schema)
        if head is None:
            return NOTHING_DOUBTED
        ground = self._heads.ground_of(head)
        known = _Known(head, labeled, audited, ground.out_of_fold.version, self.checked(), self._given_up)
        last = self._last
        if last is None or not last[0].is_like(known):
            last = self._last = known, self._rank(known, ground)
        return last[1]

    def _rank(self, known: _Known, ground: Ground) -> Doubted:
        head, labeled, audited = known.head, known.labeled, known.audited
        margins, others = self._doubts(head, ground, labeled)
        waiting = 0 if known.given_up is labeled else int(np.isnan(margins).sum())
        rows, targets = labeled.rows, labeled.targets
        if head.info.version == 0 or self._ledger.is_this_audit(head.info.audit):
            of_audit = doubts_by_head(head, ground, audited.rows, audited.targets)
            margins, others = np.concatenate([margins, of_audit[0]]), np.concatenate([others, of_audit[1]])
            rows, targets = np.concatenate([rows, audited.rows]), np.concatenate([targets, audited.targets])
        wanted = ~np.isnan(margins) & ~self._is_checked(known, rows, targets)
        return Doubted(rows, margins, np.array(labeled.schema.ids, dtype=np.int64)[others], waiting).only(wanted)

    def _doubts(self, head: Head, ground: Ground, labeled: LabeledSet) -> tuple[np.ndarray, np.ndarray]:
        """Margins, float64[n], NaN where no head left the label out yet, and the positions of the rivals, 0 there."""
        logits, is_known = ground.out_of_fold.of(labeled.schema.ids, labeled.rows)
        margins, others = np.full(len(labeled.rows), np.nan), np.zeros(len(labeled.rows), dtype=np.int64)
        targets = labeled.targets[is_known]
        margins[is_known], others[is_known] = logit_margins(logits, targets), rivals(logits, targets)
        unseen = ~is_known & self._is_unseen(head, labeled.rows)
        by_head = doubts_by_head(head, ground, labeled.rows[unseen], labeled.targets[unseen])
        margins[unseen], others[unseen] = by_head
        return margins, others

    def _is_unseen(self, head: Head, rows: Rows) -> np.ndarray:
        """bool[n], whether the head was certainly not trained on a row."""
        trained = self._heads.trained_rows
        if head.info.version == 0:
            return np.ones(len(rows), dtype=bool)
        return np.zeros(len(rows), dtype=bool) if trained is None else ~np.isin(rows, trained)

    def _is_checked(self, known: _Known, rows: Rows, targets: Rows) -> np.ndarray:
        """bool[n], whether somebody said that just this label is right."""
        item_ids, positions = list(known.checks), known.labeled.schema.positions
        place_of = {
            row: {positions[label_id] for label_id in known.checks[item_id] if label_id in positions}
            for item_id, row in zip(item_ids, self._ledger.judged_rows(item_ids).tolist(), strict=True)
        }
        found = np.zeros(len(rows), dtype=bool)
        for place in np.flatnonzero(np.isin(rows, [row for row in place_of if row >= 0])).tolist():
            found[place] = int(targets[place]) in place_of[int(rows[place])]
        return found

    def _leave_out(self, stop: threading.Event) -> None:
        """Leaves out the folds that hold labels without a place; in the inquiry's thread."""
        labeled = self._ledger.training_set()
        head = self._heads.head_for(labeled.schema)
        ground = self._heads.ground_of(head)
        if head is None or ground.maker is None or ground.maker.classes != labeled.schema.classes:
            return
        fold = folds_of(labeled.targets, labeled.groups, ground.maker.seed)
        missing = np.isnan(self._doubts(head, ground, labeled)[0])
        vectors = ground.copied.of(ground.embeddings, labeled.rows)
        for number in range(FOLDS):
            if not missing[fold == number].any():
                continue
            found = ground.maker.out_of_fold(
                vectors, labeled.targets, until(stop), labeled.groups, [number], 1, MOST_TRAINED
            )
            if found:
                ground.out_of_fold.put(labeled.schema.ids, labeled.rows[found[1]], found[0])
        self._given_up = labeled
