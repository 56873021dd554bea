"""Batches: the cards that annotators are given, one batch after the other, and what is known of those given out lately."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakValueDictionary

import numpy as np
from jaxtyping import Int64

from fastlabel_gradio.config import LoopSettings
from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.head import Head
from fastlabel_gradio.labels import ClaimedBatch
from fastlabel_gradio.loop.batch_queue import BatchQueue, Wish
from fastlabel_gradio.loop.claims import Claims, Held
from fastlabel_gradio.loop.learner import Learner
from fastlabel_gradio.loop.picker import Pick, Picker, interleaved
from fastlabel_gradio.loop.planted_checks import Chosen, PlantedChecks
from fastlabel_gradio.loop.predictions import Predictions
from fastlabel_gradio.opinions import SecondOpinions
from fastlabel_gradio.pool.desk import Desk
from fastlabel_gradio.strategies import STRATEGIES
from fastlabel_gradio.types import Batch, Card, Item, LabelSchema, LabelSource, Prediction, Rows

log = logging.getLogger(__name__)

CLAIM_ATTEMPTS = 4
BATCHES_REMEMBERED = 256
FREE_BATCHES = 3  # of so many items nobody may hold, or no batch is claimed ahead
SEARCHED = "search"  # in place of a strategy: somebody chose the items


class Batches:
    """The batches of one pool. All methods may be called from any thread.

    Args:
        picker: picks the rows of new batches.
        predictions: what is proposed on the cards.
        planted, second_opinions: what is among new batches beside what is picked.
    """

    def __init__(
        self,
        desk: Desk,
        settings: LoopSettings,
        learner: Learner,
        claims: Claims,
        picker: Picker,
        predictions: Predictions,
        planted: PlantedChecks,
        second_opinions: SecondOpinions,
    ) -> None:
        self._desk = desk
        self._settings = settings
        self._learner = learner
        self._claims = claims
        self._picker = picker
        self._predictions = predictions
        self._planted = planted
        self._second_opinions = second_opinions
        self._queue: BatchQueue[Pick] = BatchQueue()
        self._rng = np.random.default_rng(settings.seed)
        self._lock = threading.Lock()  # of the three around it
        self._given_out: OrderedDict[str, Batch] = OrderedDict()  # the newest, as they were then
        self._turns: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()

    # New batches, and those that are open

    def next(self, annotator: str, size: int | None, strategy: str | None, *, fresh: bool, held_back: str) -> Batch:
        """As `Labeler.next_batch`."""
        wish = self._wish(size, strategy)
        with self._turn_of(annotator):
            if not (fresh and not held_back) and (batch := self._open_batch(annotator)):
                return batch
            if held_back:
                return replace(self.empty(wish.strategy), notice=held_back)
            # To the end: what follows a training would begin in between, and take the cores.
            with self._learner.paused():
                self._learner.wait_for_head()
                self._claims.release(annotator, last=True)
                batch = self._claim_fresh(annotator, wish)
        self._learner.release_pages()
        return batch

    def after(
        self, annotator: str, batch_id: str, size: int | None, strategy: str | None, *, fresh: bool, held_back: str
    ) -> Batch:
        """As `Labeler.batch_after`."""
        wish = self._wish(size, strategy)
        with self._turn_of(annotator):
            stack = self._claims.open_batches(annotator)
            ids = [claimed.id for claimed in stack]
            behind = stack[ids.index(batch_id) + 1 :] if batch_id in ids else []
            if behind and fresh:
                self._claims.release(annotator, behind.pop(0).id)
            if behind and (batch := self._opened(annotator, behind[0])):
                return batch
            counts = self._desk.counts()
            if held_back or batch_id not in ids or counts.unlabeled - counts.claimed < FREE_BATCHES * wish.size:
                return self.empty(wish.strategy)
            batch = self._claim_fresh(annotator, wish)
            if batch.id:
                self._claims.put_behind(annotator, batch.id, batch_id)
        self._learner.release_pages()
        return batch

    def of_rows(self, annotator: str, rows: Rows, size: int) -> Batch:
        """As `Labeler.batch_of`."""
        head = self._learner.head
        wanted = ClaimedBatch("", (), SEARCHED, version_of(head))
        held = self._claims.claim(annotator, self._desk.ledger.searchable(rows)[:size], wanted)
        return self._remembered(self._batch(held, head)) if held else replace(self.empty(SEARCHED), notice="")

    def reopened(self, item_ids: Sequence[str], again: Sequence[str], annotator: str) -> Batch | None:
        """A batch of the items that an undo freed, and of those whose second opinion it took back.

        The undo itself is stored by now, and stays so where this cannot be.
        """
        head = self._learner.head
        try:
            self._claims.release(annotator)
            rows = self._with_second_opinions(self._desk.ledger.free_rows_of(item_ids), again)
            held = self._claims.claim(annotator, rows, ClaimedBatch("", (), "undo", version_of(head)), again=again)
        except StoreError as error:
            log.warning("An undo is stored, its batch could not be opened: %s", error)
            return None
        return self._remembered(self._batch(held, head)) if held else None

    def proposing(
        self, held: Held, predictions: Sequence[Prediction | None], head_version: int, schema: LabelSchema
    ) -> Batch:
        """Gives a claimed batch out with these predictions, one an item, and nothing planted in it."""
        return self._given(_cards(held, predictions, head_version, schema))

    # What was given out

    def items_of(self, batch_id: str) -> tuple[Item, ...] | None:
        """The items of a batch that was given out lately, in order; None for an unknown one."""
        known = self._given_out.get(batch_id)
        return known.items if known else None

    def schema_of(self, batch_id: str) -> LabelSchema:
        """The classes that a batch was given out with; those of now for an unknown one."""
        known = self._given_out.get(batch_id)
        return known.schema if known else self._desk.schema

    def lately(self) -> set[str]:
        """Items of the newest batches: a label counts also where the file was removed or damaged while it was on screen."""
        with self._lock:
            return {card.item.id for batch in self._given_out.values() for card in batch.cards}

    def source_of(self, annotator: str, batch_id: str) -> LabelSource:
        """What labels of a batch came by."""
        given_out = self._given_out.get(batch_id)
        if not batch_id or (given_out and given_out.strategy != SEARCHED):
            return "person"
        batch = self._claims.open_batch(annotator)
        return "search" if batch and batch.id == batch_id and batch.strategy == SEARCHED else "person"

    def empty(self, strategy: str) -> Batch:
        """No batch, with the reason why."""
        return Batch("", (), strategy, version_of(self._learner.head), self._why_empty(), self._desk.schema)

    # Private

    def _wish(self, size: int | None, strategy: str | None) -> Wish:
        """Raises UnknownNameError: no such strategy."""
        chosen = STRATEGIES.get(strategy or self._settings.strategy)
        return Wish(size or self._settings.batch_size, chosen.name)

    def _turn_of(self, annotator: str) -> threading.Lock:
        with self._lock:
            return self._turns.setdefault(annotator, threading.Lock())

    def _open_batch(self, annotator: str) -> Batch | None:
        claimed = self._claims.open_batch(annotator)
        return self._opened(annotator, claimed) if claimed else None

    def _opened(self, annotator: str, claimed: ClaimedBatch) -> Batch | None:
        held = self._claims.held(claimed)
        if held is None and self._desk.pipeline.encoder is None:
            return self.empty(claimed.strategy)  # after a restart: its embeddings are there once the encoder is loaded
        if held is None:
            self._claims.release(annotator)
            return None
        return self._remembered(self._batch(held, self._learner.head))

    def _claim_fresh(self, annotator: str, wish: Wish) -> Batch:
        """Picks and claims. Picks anew where another annotator was faster with some; takes fewer where that goes on."""
        again, plants = self._second_opinions_for(annotator, wish.size), self._planted.is_due()
        for attempt in range(CLAIM_ATTEMPTS):
            pick = self._queue.picked(replace(wish, size=wish.size - len(again)), self._picker.pick)
            if not len(pick.rows) and not attempt:  # then second opinions are all that there is
                again = self._second_opinions.due(annotator, wish.size)
            try:
                batch = self._claim_picked(annotator, pick, again, plants=plants, whole=attempt < CLAIM_ATTEMPTS - 1)
            finally:
                self._picker.let_go(pick.rows)
            if batch is not None:
                return batch
            if not len(pick.rows) and not again:
                break
            again = []  # others were faster, who may have been asked about the same ones
        return self.empty(pick.strategy)

    def _claim_picked(
        self, annotator: str, pick: Pick, again: Sequence[str], *, plants: bool, whole: bool
    ) -> Batch | None:
        """With what is planted in place of the last ones, so that its size tells nobody of them."""
        wanted = ClaimedBatch("", (), pick.strategy, version_of(pick.head), pick.notice)
        chosen = self._to_plant(pick.rows) if plants else []
        rows = self._with_second_opinions(pick.rows[: len(pick.rows) - len(chosen)], again)
        held = self._claims.claim(annotator, rows, wanted, whole=whole, again=again)
        if held is None:
            return None
        batch = self._batch(held, pick.head)
        if chosen:
            self._planted.plant(annotator, batch, chosen, self._desk.store.items_at, self._desk.clock())
        return self._remembered(batch)

    def _second_opinions_for(self, annotator: str, size: int) -> list[str]:
        """Items of a batch of that size that the annotator is asked about though somebody labeled them."""
        if not self._second_opinions.share:
            return []
        self._desk.follow()
        with self._lock:
            chance = self._rng.random()
        return self._second_opinions.due(annotator, self._second_opinions.wanted(size, chance))

    def _with_second_opinions(self, rows: Rows, again: Sequence[str]) -> Int64[np.ndarray, " batch"]:
        """The rows, with those of the items of a second opinion at random places among them."""
        judged = self._desk.ledger.judged_rows(again)
        if not len(judged):
            return rows
        with self._lock:
            return interleaved(rows, judged, self._rng)

    def _to_plant(self, picked: Rows) -> list[Chosen]:
        labeled = self._desk.ledger.training_set()
        return self._planted.chosen(picked, (labeled.rows, labeled.targets, labeled.schema), self._said_of)

    def _said_of(self, rows: Rows) -> Sequence[Prediction | None]:
        return self._predictions.of_rows(rows, self._desk.schema)

    def _batch(self, held: Held, head: Head | None) -> Batch:
        """As it is given out, with the predictions of that head; none where it is asked for a second opinion."""
        schema = self._desk.schema
        blind = self._second_opinions.among(held.batch.item_ids)
        said = self._predictions.of_items(held.items, schema, head)
        predictions = [None if item.id in blind else one for item, one in zip(held.items, said, strict=True)]
        return _cards(held, predictions, version_of(head), schema)

    def _remembered(self, batch: Batch) -> Batch:
        """With what is planted in it."""
        store = self._desk.store
        return self._given(self._planted.into(batch, store.rows_of, store.items_at))

    def _given(self, batch: Batch) -> Batch:
        """The batch, whose items are known as given out from now on."""
        with self._lock:
            self._given_out[batch.id] = batch
            self._given_out.move_to_end(batch.id)
            while len(self._given_out) > BATCHES_REMEMBERED:
                self._given_out.popitem(last=False)
        return batch

    def _why_empty(self) -> str:
        progress, counts = self._desk.pipeline.progress, self._desk.counts()
        if progress.state == "failed":
            return progress.error
        if counts.unlabeled == 0 and counts.labeled and not progress.scanning:
            aside = counts.skip + counts.unsure + counts.bad
            others = f" or was set aside ({aside} skipped, unsure or bad)" if aside else ""
            return f"Every item is labeled{others}. Export the labels and the trained head."
        if progress.state != "done":
            return "The first items are being embedded. This takes a moment."
        if counts.claimed:
            return "The remaining items are in the batches of other annotators. Come back in a few minutes."
        return "There is nothing to label: no item of the source can be read."


def version_of(head: Head | None) -> int:
    """Of a head; 0 without one."""
    return head.info.version if head else 0


def _cards(held: Held, predictions: Sequence[Prediction | None], head_version: int, schema: LabelSchema) -> Batch:
    cards = tuple(Card(*one) for one in zip(held.items, predictions, strict=True))
    return Batch(held.batch.id, cards, held.batch.strategy, head_version, held.batch.notice, schema)
