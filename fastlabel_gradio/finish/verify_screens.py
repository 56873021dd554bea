"""VerifyScreens: screens of one predicted class, the surest items first, of which a person picks the wrong ones out."""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fastlabel_gradio.errors import FinishError
from fastlabel_gradio.finish.batch_ids import VERIFY, label_shown_in, verify_id
from fastlabel_gradio.finish.head_says import HeadSays
from fastlabel_gradio.finish.picked_out import PickedOut
from fastlabel_gradio.finish.planner import Candidates, PlanReport
from fastlabel_gradio.labels import ClaimedBatch
from fastlabel_gradio.loop.batches import Batches
from fastlabel_gradio.loop.claims import Claims
from fastlabel_gradio.pool.desk import Desk
from fastlabel_gradio.types import Batch, Prediction, Rows

NONE_LEFT = "No unlabeled item is predicted to be of that class."
ONLY_PICKED_OUT = (
    "No unlabeled item is predicted to be of that class but those that you left out as wrong. Label these."
)


class VerifyScreens:
    """Those of one pool. All methods may be called from any thread.

    Args:
        file: where it is kept what people picked out.
    """

    def __init__(self, desk: Desk, claims: Claims, batches: Batches, head_says: HeadSays, file: Path) -> None:
        self._desk = desk
        self._claims = claims
        self._batches = batches
        self._head_says = head_says
        self._picked_out = PickedOut(file)
        self._turn = threading.Lock()  # to write what was picked out

    def open(self, annotator: str, label_id: int, size: int, *, teach: bool) -> Batch:
        """The annotator's open screen of a class, or the next; as `Finisher.verify`. Raises FinishError."""
        before = self._claims.open_batch(annotator, VERIFY)
        if before and label_shown_in(before.id) not in (label_id, None):
            self._claims.release(annotator, before.id)
            before = None
        found = self._head_says.candidates(complete=False)
        if isinstance(found, PlanReport):
            raise FinishError(" ".join(one.text for one in found.lines))
        held = self._claims.held(before) if before else None
        if held is None:
            wanted = ClaimedBatch(verify_id(label_id, teach=teach), (), VERIFY, found.head_version)
            held = self._claims.claim(annotator, self._surest(annotator, label_id, found)[:size], wanted)
        if held is None:
            notice = ONLY_PICKED_OUT if self._out(annotator, label_id) else NONE_LEFT
            return Batch("", (), VERIFY, found.head_version, notice, self._desk.schema)
        schema = self._desk.schema
        place = schema.positions.get(label_id)
        confidences = self._head_says.confidences([item.row for item in held.items])
        proposed = [None if place is None else Prediction(place, float(sure)) for sure in confidences]
        return self._batches.proposing(held, proposed, found.head_version, schema)

    def take_in(self, annotator: str, batch_id: str, left_out: Sequence[str], *, is_answered: bool) -> None:
        """What was picked out of a screen of one class does not come again in one of it, unless the screen is undone.

        Args:
            is_answered: something was submitted of the others.
        """
        label_id = label_shown_in(batch_id)
        if left_out and label_id is not None:
            with self._turn:
                self._picked_out.add(annotator, label_id, left_out, batch_id if is_answered else "")

    def _surest(self, annotator: str, label_id: int, found: Candidates) -> Rows:
        """The rows predicted to be of a class, the surest first, without those that the annotator picked out."""
        its = np.flatnonzero(found.label_ids == label_id)
        rows = found.rows[its[np.argsort(found.errors[its], kind="stable")]]
        picked_out = list(self._desk.store.rows_of(list(self._out(annotator, label_id))).values())
        return rows[~np.isin(rows, picked_out)]

    def _out(self, annotator: str, label_id: int) -> frozenset[str]:
        """The ids of what the annotator picked out of screens of a class that are not undone."""
        told = self._picked_out.of(annotator, label_id)
        standing = self._desk.label_store.standing_batches([(annotator, batch_id) for batch_id in told if batch_id])
        stands = (items for batch_id, items in told.items() if not batch_id or (annotator, batch_id) in standing)
        return frozenset().union(*stands)
