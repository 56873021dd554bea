"""The batches that annotators hold: the part of the label store that claims items, keeps them claimed and frees them."""

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import exists, or_, select

from fastlabel_gradio.labels.claims import (
    CHECKING,
    Claim,
    ClaimedBatch,
    OpenBatch,
    add_batch,
    all_batches,
    batches_of,
    drop_batches,
    extend,
    held_items,
    open_claims,
    put_behind,
)
from fastlabel_gradio.labels.events import events_of
from fastlabel_gradio.labels.head_store import HeadStore
from fastlabel_gradio.labels.judgements import may_be_asked
from fastlabel_gradio.labels.resolve import opinions_of
from fastlabel_gradio.labels.tables import batches


class ClaimStore(HeadStore):
    """The part of the label store that knows who holds what."""

    def claim(
        self,
        annotator: str,
        batch: ClaimedBatch,
        *,
        now: float,
        expires_at: float,
        again: Collection[str] = (),
        judged_too: bool = False,
    ) -> tuple[str, ...]:
        """Claims the batch's items that nobody holds and nobody said anything of, in one transaction.

        Batches that the annotator holds stay open beside it.

        Args:
            annotator: who will hold them.
            batch: with an id that is not in use.
            now: claims that ran out by then are dropped first, as are those of a clock that was ahead (`has_run_out`).
            expires_at: when these claims run out.
            again: those of the items that are claimed for a second opinion: one other person labeled them.
            judged_too: also those of which something was said, by whomever.

        Returns:
            The ids that were claimed, in the order of the batch. Fewer than asked for where another process on the same
            database was faster; where none is left, no batch is opened.
        """
        with self._writing() as connection:
            ends = batches.c.expires_at
            dropped = drop_batches(connection, self._project, or_(ends <= now, ends > now + 2 * (expires_at - now)))
            held = held_items(connection, self._project, batch.item_ids)
            said = opinions_of(events_of(connection, self._project, batch.item_ids))
            judged = (id_ for id_, one in said.items() if id_ not in again or not may_be_asked(one, annotator))
            taken_by_now = held if judged_too else held.union(judged)
            got = tuple(item_id for item_id in dict.fromkeys(batch.item_ids) if item_id not in taken_by_now)
            if got:
                taken = replace(batch, item_ids=got)
                add_batch(connection, self._project, annotator, taken, now, expires_at)
            if got or dropped:
                self._count_change(connection)
        return got

    def open_batch(self, annotator: str, *, now: float, strategy: str | None = None) -> ClaimedBatch | None:
        """The annotator's newest batch whose claims have not run out, without items that were labeled meanwhile.

        Those of CHECKING are found only where their strategy is named.
        """
        with self._database.reading() as connection:
            return next(iter(batches_of(connection, self._project, annotator, now, strategy)), None)

    def open_batches(self, annotator: str, *, now: float) -> list[ClaimedBatch]:
        """As `open_batch`, all of them, the newest first: each comes again when those before it are closed."""
        with self._database.reading() as connection:
            return batches_of(connection, self._project, annotator, now)

    def put_behind(self, annotator: str, batch_id: str, other: str) -> None:
        """Has a batch of the annotator come after another one that is open, whenever it was claimed."""
        with self._writing() as connection:
            put_behind(connection, self._project, annotator, batch_id, other)

    def renew(self, annotator: str, batch_id: str, *, expires_at: float) -> bool:
        """Moves the end of a batch's claims; False when it is closed, or its claims ran out and were dropped."""
        with self._writing() as connection:
            extended = extend(connection, self._project, annotator, batch_id, expires_at)
            if extended:
                self._count_change(connection)
        return extended

    def release(self, annotator: str, batch_id: str = "") -> tuple[str, ...]:
        """Gives back all that the annotator holds, batches of CHECKING left out, or one batch; returns the item ids."""
        which = (
            batches.c.annotator == annotator,
            batches.c.id == batch_id if batch_id else batches.c.strategy.not_in(CHECKING),
        )
        with (
            self._database.reading() as connection
        ):  # behind a submit nothing is held: then nobody is kept from writing
            if not connection.scalar(select(exists().where(batches.c.project == self._project, *which))):
                return ()
        with self._writing() as connection:
            dropped = drop_batches(connection, self._project, *which)
            if dropped:
                self._count_change(connection)
        return tuple(dropped)

    def claims(self, *, now: float) -> list[Claim]:
        """Every claim that has not run out, oldest batch first, in the order of the batch."""
        with self._database.reading() as connection:
            return open_claims(connection, self._project, now)

    def all_batches(self, *, now: float) -> list[OpenBatch]:
        """The open batches of everybody, the oldest first."""
        with self._database.reading() as connection:
            return all_batches(connection, self._project, now)
