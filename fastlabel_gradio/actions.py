"""Actions: what changes the label store, whatever the number of items, and is taken into the books before the next change."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from fastlabel_gradio.label_store import LabelStore, Submission, Undone
from fastlabel_gradio.pool_ledger import PoolLedger
from fastlabel_gradio.types import LabelSource, State


class Actions:
    """Acts on the labels of one pool. All methods may be called from any thread.

    All of them raise StoreError where the label store cannot be written; nothing was stored then.

    Args:
        train_if_due: is told how many labels that teach have changed.
        in_turn: keeps other changes of the label store by this process out while inside.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        labels: LabelStore,
        ledger: PoolLedger,
        train_if_due: Callable[[int], object],
        in_turn: Callable[[], AbstractContextManager[None]],
        clock: Callable[[], float],
    ) -> None:
        self._labels = labels
        self._ledger = ledger
        self._train_if_due = train_if_due
        self._in_turn = in_turn
        self._clock = clock

    def write(
        self,
        annotator: str,
        item_ids: Sequence[str],
        label_ids: Sequence[int | None] | int | None,
        *,
        state: State = State.LABEL,
        source: LabelSource = "person",
        head_version: int | None = None,
        confidences: Sequence[float | None] | None = None,
        note: str = "",
        batch_id: str = "",
    ) -> Submission:
        """Stores what is said of any number of items as one step that one undo takes back (`LabelStore.submit_many`)."""
        with self._in_turn():
            submission = self._labels.submit_many(
                annotator,
                item_ids,
                label_ids,
                now=self._clock(),
                state=state,
                source=source,
                head_version=head_version,
                confidences=confidences,
                note=note,
                batch_id=batch_id,
            )
            self._take_in(submission)
            self._ledger.unclaim(submission.released)
        return submission

    def undo(self, annotator: str) -> Undone | None:
        """Takes back the annotator's last step that stands; None where there is none."""
        with self._in_turn():
            undone = self._labels.undo(annotator, now=self._clock())
            if undone:
                self._take_in(undone)
        return undone

    def redo(self, annotator: str) -> Undone | None:
        """Brings back what the annotator's last undo took back; None where there is none, or they did something since."""
        with self._in_turn():
            redone = self._labels.redo(annotator, now=self._clock())
            if redone:
                self._take_in(redone)
        return redone

    def take_back(self, annotator: str, submitter: str, batch_id: str) -> Undone | None:
        """Takes back what somebody submitted last under that batch id; None where nothing of it stands."""
        with self._in_turn():
            undone = self._labels.take_back(annotator, submitter, batch_id, now=self._clock())
            if undone:
                self._take_in(undone)
        return undone

    def _take_in(self, written: Submission | Undone) -> None:
        self._train_if_due(self._ledger.put(written))
