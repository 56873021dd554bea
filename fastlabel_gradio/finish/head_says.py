"""HeadSays: the unlabeled items of a pool with what the newest head says of each, and how often that is right."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from fastlabel_gradio.finish.known_answers import KnownAnswers, known_answers
from fastlabel_gradio.finish.planner import EMBEDDING, NO_HEAD, NO_ITEMS, Candidates, PlanReport, nothing_planned
from fastlabel_gradio.head import Head
from fastlabel_gradio.loop.learner import Learner
from fastlabel_gradio.pool.desk import Desk
from fastlabel_gradio.pool.scan import head_mark
from fastlabel_gradio.pool.scanned import UNSEEN, Scanned

SCANNED_AT_ONCE = 32_768  # rows that a plan waits for; of more it takes what is there


class HeadSays:
    """Asks the newest head of one pool."""

    def __init__(self, desk: Desk, learner: Learner) -> None:
        self._desk = desk
        self._ledger = desk.ledger
        self._learner = learner
        self._known: tuple[tuple[int, int], KnownAnswers] | None = None

    def candidates(self, *, complete: bool) -> Candidates | PlanReport:
        """What may be accepted; a report why there is nothing.

        Args:
            complete: all of it is said by the newest head; otherwise, in a large pool, by some of the newest ones.
        """
        unlabeled, head = self._desk.counts().unlabeled, self._learner.head_for(self._desk.schema)
        if head is None:
            return nothing_planned(NO_HEAD if self._desk.pipeline.encoder else EMBEDDING, unlabeled)
        scanned = self._scanned(head, complete=complete)
        free, reserved, held = self._ledger.acceptable_rows()
        rows = free[free < len(scanned.classes)]
        rows = rows[scanned.classes[rows] != UNSEEN]
        if not len(rows):
            return nothing_planned(NO_ITEMS, unlabeled, reserved, held)
        ids = np.array(head.info.label_ids, dtype=np.int64)
        said = ids[scanned.classes[rows]], scanned.confidences[rows]
        return Candidates.of(rows, *said, self._known_answers(head).fit, head.info.version, unlabeled, reserved, held)

    def confidences(self, rows: Sequence[int]) -> Float32[np.ndarray, " picked"]:
        """How sure the newest head is of its class for some rows, 0 to 1; 0 where it has not looked."""
        head = self._learner.head_for(self._desk.schema)
        if head is None:
            return np.zeros(len(rows), dtype=np.float32)
        ground = self._learner.ground_of(head)
        _, confidences = ground.scan.said(head, ground.embeddings, np.array(rows, dtype=np.int64))
        return confidences

    def _scanned(self, head: Head, *, complete: bool) -> Scanned:
        ground = self._learner.ground_of(head)
        embeddings = ground.embeddings
        if complete or ground.scan.missing(head, len(embeddings)) <= SCANNED_AT_ONCE:
            ground.scan.complete(head, embeddings)
        else:
            self._learner.scan_soon()
        return ground.scan.view(head.info.label_ids)

    def _known_answers(self, head: Head) -> KnownAnswers:
        """Kept until the head or a label is another one."""
        key = (head_mark(head), self._ledger.changes)
        if self._known is None or self._known[0] != key:
            audit = self._ledger.audit_set() if self._learner.measures.is_honest(head) else None
            trained = self._ledger.training_set()
            self._known = key, known_answers(head, self._learner.ground_of(head), audit, trained)
        return self._known[1]
