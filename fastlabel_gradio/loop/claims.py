"""Claims: who holds which items. Each is decided by the label store and noted in the ledger before the next one begins."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fastlabel_gradio.labels import ClaimedBatch, OpenBatch
from fastlabel_gradio.loop.taken_back import TakenBack
from fastlabel_gradio.pool.desk import Desk
from fastlabel_gradio.types import PoolItem, Rows


@dataclass(frozen=True, slots=True)
class Held:
    """A batch that an annotator holds, with its items in their order."""

    batch: ClaimedBatch
    items: tuple[PoolItem, ...]


class Claims:
    """The claims on the items of one pool. All methods may be called from any thread.

    All that change something raise StoreError where the label store cannot be written; nothing was changed then.

    Attributes:
        taken_back: batches that somebody else gave back to the pool.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._ledger = desk.ledger
        self._label_store = desk.label_store
        self.taken_back = TakenBack()

    def claim(
        self,
        annotator: str,
        rows: Rows,
        wanted: ClaimedBatch,
        *,
        whole: bool = False,
        again: Sequence[str] = (),
        judged_too: bool = False,
    ) -> Held | None:
        """Claims what is still free of some rows as the annotator's open batch.

        None where nothing is free; with `whole` also where some are not.

        Args:
            wanted: the batch, whose items are these; one without an id gets one.
            again: those of the items that are claimed for a second opinion: somebody judged them.
            judged_too: all that nobody holds are claimed, whoever said what of them.
        """
        with self._desk.in_turn():
            free = self._ledger.is_free(rows) | np.isin(rows, self._ledger.judged_rows(again)) | judged_too
            if whole and not free.all():
                return None
            found = self._desk.store.items_at(rows[free])
            items = {item.id: PoolItem(row, item.id, item.stamp) for row, item in found.items()}
            if not items:
                return None
            batch = replace(wanted, id=wanted.id or secrets.token_hex(8), item_ids=tuple(items))
            now = self._desk.clock()
            expires_at = now + self._desk.claim_s
            got = self._label_store.claim(
                annotator, batch, now=now, expires_at=expires_at, again=again, judged_too=judged_too
            )
            held = Held(replace(batch, item_ids=got), tuple(items[item_id] for item_id in got))
            self._ledger.claim(held.items, annotator, batch.id, expires_at)
            if len(got) < len(items):  # another process was faster
                self._desk.follow()
        return held if got else None

    def open_batch(self, annotator: str, strategy: str | None = None) -> ClaimedBatch | None:
        """The annotator's newest batch, as `LabelStore.open_batch` has it."""
        return self._label_store.open_batch(annotator, now=self._desk.clock(), strategy=strategy)

    def open_batches(self, annotator: str) -> list[ClaimedBatch]:
        """All batches that the annotator has, the newest first."""
        return self._label_store.open_batches(annotator, now=self._desk.clock())

    def held(self, batch: ClaimedBatch) -> Held | None:
        """A batch with those of its items that are in the pool; None where one of them has no row now."""
        store = self._desk.store
        self._ledger.catch_up(self._desk.pipeline.progress)
        in_pool = store.known_ids(batch.item_ids)  # a file may have been removed since
        item_ids = tuple(item_id for item_id in batch.item_ids if item_id in in_pool)
        rows = store.rows_of(item_ids)
        if not rows or len(rows) < len(item_ids):  # the encoder was changed and has not come to them yet
            return None
        found = store.items_at(np.array([rows[item_id] for item_id in item_ids], dtype=np.int64))
        items = tuple(PoolItem(row, item.id, item.stamp) for row, item in found.items())
        return Held(replace(batch, item_ids=tuple(item.id for item in items)), items)

    def everybodys(self) -> list[OpenBatch]:
        """Who holds what since when, the oldest batch first."""
        return self._label_store.all_batches(now=self._desk.clock())

    def batches_of(self, annotator: str) -> list[str]:
        """The ids of the annotator's open batches."""
        return sorted({claim.batch_id for claim in self._ledger.held.of(annotator)})

    def put_behind(self, annotator: str, batch_id: str, other: str) -> None:
        """Has a batch of the annotator come after another one."""
        self._label_store.put_behind(annotator, batch_id, other)

    def renew(self, annotator: str, batch_id: str) -> bool:
        """Keeps a batch claimed for another while; False where it is not the annotator's open batch any more."""
        with self._desk.in_turn():
            expires_at = self._desk.clock() + self._desk.claim_s
            renewed = self._label_store.renew(annotator, batch_id, expires_at=expires_at)
            if renewed:
                self._ledger.renew(batch_id, expires_at)
            self._desk.expire()
        return renewed

    def release(self, annotator: str, batch_id: str = "", *, last: bool = False) -> int:
        """Ends the annotator's batches, or one; returns of how many items.

        Args:
            last: what the newest batch left open comes again when there is nothing else.
        """
        with self._desk.in_turn():
            shown = self.open_batch(annotator) if last and self._ledger.held.of(annotator) else None
            released = self._label_store.release(annotator, batch_id)
            self._ledger.put_last(shown.item_ids if shown else ())
            self._ledger.unclaim(released)
        return len(released)

    def take_back(self, annotator: str, batch_id: str, by: str) -> int:
        """Gives a batch of somebody back to the pool; returns of how many items, 0 where it is not open any more."""
        released = self.release(annotator, batch_id)
        if released and annotator != by:
            self.taken_back.note(batch_id, annotator, by)
        return released
