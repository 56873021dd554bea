"""Batches that somebody else gave back to the pool, so that the page of who held them can say so."""

import threading
from collections import OrderedDict

REMEMBERED = 256  # batches; who looks later than that many others learns only that the batch is not open any more


class TakenBack:
    """What was taken back by this process. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._batches: OrderedDict[str, tuple[str, str]] = OrderedDict()

    def note(self, batch_id: str, annotator: str, by: str) -> None:
        """Remembers that `by` gave a batch of the annotator back."""
        with self._lock:
            self._batches[batch_id] = annotator, by
            while len(self._batches) > REMEMBERED:
                self._batches.popitem(last=False)

    def of(self, annotator: str) -> dict[str, str]:
        """By batch of the annotator who gave it back, the latest last."""
        with self._lock:
            return {batch_id: by for batch_id, (holder, by) in self._batches.items() if holder == annotator}
