"""Desk: one pool, its label store, and the ledger that follows both, for all that reads or changes what is labeled.

The ledger keeps the books in memory, under a lock of its own; encoding, training, scoring and picking run outside it, and so
does whatever waits for the label store: the status is told at any time. `in_turn` orders this process' changes of the label
store, and its looks at those of others; each is taken into the books before the next one begins. In between the label store
knows more than the books, and it is the label store that decides on a claim, so nobody gets an item twice. What other
processes write is looked for all the time, and before a batch is picked or a head is trained.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.labels import Changes, LabelStore, Submission, Undone
from fastlabel_gradio.pool.ledger import PoolLedger
from fastlabel_gradio.pool.pipeline import EmbeddingPipeline
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.types import Counts, LabelSchema

GLANCE_WAIT_S = 0.1
TURN_WAIT_S = 10.0


class Desk:
    """What the parts of a labeler share. All methods may be called from any thread.

    Attributes:
        schema: the classes of now; another object whenever they were changed, by whomever.
        clock: seconds since the epoch.
        claim_s: how long a batch is kept for who does not ask for more time.
        trains: told how many labels that teach were changed; says whether a training follows.

    Args:
        audit_share: see `PoolLedger`.
    """

    def __init__(
        self,
        store: EmbeddingStore,
        pipeline: EmbeddingPipeline,
        label_store: LabelStore,
        schema: LabelSchema,
        audit_share: float,
        claim_s: float,
        clock: Callable[[], float],
    ) -> None:
        self.store = store
        self.pipeline = pipeline
        self.label_store = label_store
        self.schema = schema
        self.clock = clock
        self.claim_s = claim_s
        self.ledger = PoolLedger(store, label_store.everything(now=clock()), schema, audit_share, pipeline.is_held_out)
        self.trains: Callable[[int], bool] = _trains_nothing
        self._writing = threading.RLock()
        self._class_listeners: list[Callable[[], None]] = []

    def when_classes_change(self, callback: Callable[[], None]) -> None:
        """Calls back whenever `schema` is another one, in the turn of whoever noticed."""
        self._class_listeners.append(callback)

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """The label store is changed inside, by one thread at a time. Raises StoreError where that takes too long."""
        if not self._writing.acquire(timeout=TURN_WAIT_S):
            raise StoreError(
                f"the label store is busy with earlier requests for {TURN_WAIT_S:.0f} s. Nothing of this request was stored. "
                "Send it again."
            )
        try:
            yield
        finally:
            self._writing.release()

    def take_in(self, written: Submission | Undone) -> bool:
        """Takes what was just written into the books, in the same turn; returns whether a training follows."""
        taught = self.ledger.put(written)
        if isinstance(written, Submission):
            self.ledger.unclaim(written.released)
        return self.trains(taught)

    def look(self) -> int:
        """Takes in what was written since the last look, by whatever process; returns how many labels that teach changed."""
        with self.in_turn():
            position = self.ledger.position
            changes = self.label_store.changes_since(position, now=self.clock())
            if changes.position == position:
                return 0
            self._look_at_classes(changes)
            return self.ledger.apply(changes)

    def follow(self) -> None:
        """As `look`, and trains where enough of it is new."""
        self.trains(self.look())

    def catch_up(self) -> None:
        """As `follow`, and takes in what was embedded, or left the pool."""
        self.follow()
        self.ledger.catch_up(self.pipeline.progress)

    def glance(self) -> None:
        """As `catch_up` for who only reads: where this process is writing just now, nobody waits long for that.

        What is being written is in the books before it is answered; others who look take less than the wait.
        """
        if self._writing.acquire(timeout=GLANCE_WAIT_S):
            try:
                self.follow()
            finally:
                self._writing.release()
        self.ledger.catch_up(self.pipeline.progress)

    def free_what_ran_out(self) -> None:
        """As `catch_up`; items whose claims have run out are free from now on."""
        self.follow()
        self.expire()
        self.ledger.catch_up(self.pipeline.progress)

    def expire(self) -> None:
        """Frees the items whose claims have run out."""
        self.ledger.expire(self.clock(), self.claim_s)

    def counts(self) -> Counts:
        """How the pool stands now, as far as this process knows."""
        self.expire()
        self.ledger.catch_up(self.pipeline.progress)
        return self.ledger.counts(self.store.total - self.store.unreadable_count)

    def close(self) -> None:
        """Tells nobody any more: who listens has this desk, and would be kept by it."""
        self._class_listeners.clear()
        self.trains = _trains_nothing

    def _look_at_classes(self, changes: Changes) -> None:
        """Takes over classes that others changed, or labeled items with."""
        known = self.schema.known_names
        unknown = (one.label_id not in known for one in changes.standing.values() if one and one.label_id is not None)
        if not changes.classes_changed and not any(unknown):
            return
        self.schema = self.label_store.schema()
        self.ledger.use_schema(self.schema)
        for tell in list(self._class_listeners):
            tell()


def _trains_nothing(taught: int) -> bool:
    """Before there is a learner, and after it."""
    return False
