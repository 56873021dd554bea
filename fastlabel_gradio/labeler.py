"""Labeler: the loop itself. Which items next, for whom, what was said of them, and which head says what of the rest.

Everything that a page, a request or a simulation asks for is one call of this. Labels are durable in the label store before a
submit returns.

The ledger keeps the books in memory, under a lock of its own; encoding, training, scoring and picking run outside it, and so
does whatever waits for the label store: the status is told at any time. `_writing` orders this process' changes of the label
store, and its looks at those of others; each is taken into the books before the next one begins. In between the label store
knows more than the books, and it is the label store that decides on a claim, so nobody gets an item twice. What other
processes write is looked for all the time, and before a batch is picked or a head is trained.
"""

import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakValueDictionary, proxy

import numpy as np

from fastlabel_gradio.classifier.facts import HeadFacts
from fastlabel_gradio.errors import InvalidLabelsError, StoreError, shown
from fastlabel_gradio.explore.finder import Finder
from fastlabel_gradio.explore.finding.saved_filters import SavedFilters
from fastlabel_gradio.explore.pool_map import PoolMap
from fastlabel_gradio.explore.progress import Progress
from fastlabel_gradio.explore.suspects import Suspects
from fastlabel_gradio.exports import ExportRow
from fastlabel_gradio.exports.row_stream import Choice, plain_choice, predicted_row, said_rows
from fastlabel_gradio.finish import Desk, Finisher
from fastlabel_gradio.head import (
    Head,
    HeadInfo,
)
from fastlabel_gradio.head.evaluation import Advice, AuditReport, Gain, advise
from fastlabel_gradio.imports.given_labels import GivenLabels
from fastlabel_gradio.labels import Changes, ClaimedBatch, LabelStore, OpenBatch
from fastlabel_gradio.labels.contradictions import Contradiction
from fastlabel_gradio.loop.actions import Actions, is_made_by_hand
from fastlabel_gradio.loop.batch_queue import BatchQueue, Wish
from fastlabel_gradio.loop.head_exchange import Exchange
from fastlabel_gradio.loop.head_makers import LearnerSettings
from fastlabel_gradio.loop.learner import Learner
from fastlabel_gradio.loop.learning_record import LearningPoint
from fastlabel_gradio.loop.picker import Pick, Picker, interleaved
from fastlabel_gradio.loop.planted_checks import PlantedChecks
from fastlabel_gradio.loop.taken_back import TakenBack
from fastlabel_gradio.loop.trainer import Training
from fastlabel_gradio.opinions import Disputes, FollowedOpinions, Reliability, SecondOpinions, may_be_drawn
from fastlabel_gradio.pool.ledger import PoolLedger
from fastlabel_gradio.pool.pipeline import EmbeddingPipeline
from fastlabel_gradio.pool.progress import EmbeddingProgress
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.strategies import STRATEGIES
from fastlabel_gradio.types import (
    Batch,
    Counts,
    Item,
    LabelSchema,
    LabelSource,
    Prediction,
    Probabilities,
    Receipt,
    Reopened,
    Rows,
    State,
    said_of,
)

log = logging.getLogger(__name__)

CLAIM_ATTEMPTS = 4
BATCHES_REMEMBERED = 256
TURN_WAIT_S = 10.0
FREE_BATCHES = 3  # of so many items nobody may hold, or no batch is claimed ahead
SEARCHED = "search"  # in place of a strategy: somebody chose the items


@dataclass(frozen=True, slots=True)
class LabelerSettings:
    """How a labeler behaves; the fields are those of `config.ProjectConfig`, where their defaults stand.

    Attributes:
        learner: those of its head.
    """

    strategy: str
    batch_size: int
    claim_s: float
    audit_share: float
    planted_checks: float
    second_opinions: float
    learner: LearnerSettings


@dataclass(frozen=True, slots=True)
class Status:
    """Everything the page shows beside the grid. `since_training` counts labels that the head has not seen.

    `settled` is False while a head is trained, saved, measured or calibrated. `contradiction` is one among the labels given.
    """

    counts: Counts
    since_training: int
    embedding: EmbeddingProgress
    head: HeadInfo | None
    training: Training
    settled: bool
    notice: str
    contradiction: Contradiction | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good the newest head is, on random items that it never saw.

    Attributes:
        report: None while there is no head, or no labeled item of the audit.
        brought: by the last labels; None while there is no head of this run to compare with.
        points: of every head so far, oldest first.
    """

    report: AuditReport | None
    brought: Gain | None
    points: list[LearningPoint]
    advice: Advice


class Labeler:
    """The loop over one pool with one label schema and one head. All methods may be called from any thread.

    Attributes:
        finder: finds items by what is known of them.
        suspects: lists of labels to look at again.
        progress: how far the project is, in figures.
        planted: labeled items that stand in a group of another class, and how many of them slipped through.
        second_opinions: labeled items that another person is asked about.
        taken_back: batches that somebody else gave back to the pool.
        disputes: items of which people say different things.
        reliability: how far people agree.
        finisher: accepts predictions at a promised precision.
        actions: changes any number of labels at once, takes steps back and brings them back.
        filters: queries that were saved under a name.

    Args:
        schema: of any number of classes; heads need two.
        folder: where the head's checkpoint is kept.
        clock: seconds since the epoch.
        pool_map: where the items lie on the map; None where nobody looks at one.
        keep_model, exchange: see `Learner`.
        name: of the project, by which items are drawn for second opinions.
    """

    def __init__(
        self,
        schema: LabelSchema,
        store: EmbeddingStore,
        pipeline: EmbeddingPipeline,
        labels: LabelStore,
        folder: Path,
        settings: LabelerSettings,
        clock: Callable[[], float] = time.time,
        pool_map: PoolMap | None = None,
        keep_model: Callable[[HeadFacts], None] = lambda facts: None,
        exchange: Exchange | None = None,
        name: str = "",
    ) -> None:
        STRATEGIES.get(settings.strategy)
        self.schema = schema
        self.settings = settings
        self.suggestions: GivenLabels | None = None  # of other programs
        self.references: GivenLabels | None = None  # imported
        self._store = store
        self._pipeline = pipeline
        self._labels = labels
        self._clock = clock
        self._lock = threading.Lock()  # of the batches given out, and the turns
        self._writing = threading.RLock()
        known = labels.everything(now=clock())
        self._ledger = PoolLedger(store, known, schema, settings.audit_share, pipeline.is_held_out)
        self._batches: OrderedDict[str, Batch] = OrderedDict()  # the newest that were given out, as they were then
        self._turns: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._queue: BatchQueue[Pick] = BatchQueue()
        self.planted = PlantedChecks(folder / "planted.jsonl", settings.planted_checks, settings.learner.seed)
        self._learner = Learner(
            schema, store, pipeline, self._ledger, self._look, folder, settings.learner, clock, keep_model, exchange
        )
        self._rng = np.random.default_rng(settings.learner.seed)
        me = proxy(self)  # a closed labeler is let go at once: nothing that it has holds it
        self._picker = Picker(
            self._ledger, self._learner, lambda: me._free_what_ran_out(), settings.audit_share, settings.learner.seed
        )
        self.suspects = Suspects(
            store,
            labels,
            self._ledger,
            self._learner,
            lambda: me._catch_up(),
            lambda: me.schema,
            lambda item_id: me.known_label(item_id),
            lambda: me.references.version if me.references else 0,
        )
        followed = FollowedOpinions(
            labels,
            lambda: me._ledger.position.submission,
            may_be_drawn(name, settings.second_opinions, settings.audit_share),
        )
        self.second_opinions = SecondOpinions(
            followed, self._ledger, name, settings.second_opinions, settings.audit_share
        )
        self.taken_back = TakenBack()
        self.disputes = Disputes(followed, lambda: me.schema)
        self.reliability = Reliability(followed, lambda: me.schema)
        self.progress = Progress(labels, self._ledger, self._learner, lambda: me._catch_up(), lambda: me.schema)
        self.finder = Finder(
            store,
            pipeline,
            labels,
            self._ledger,
            lambda: me._catch_up(),
            lambda: me.schema,
            lambda: me.head,
            self._learner.ground_of,
            self._learner.scan_soon,
            self.suspects.keys,
            pool_map,
        )
        self.actions = Actions(
            labels,
            self._ledger,
            lambda: me.schema,
            self.finder.item_ids,
            store.known_ids,
            lambda: me._follow(),
            self._learner.request_if_due,
            self._learner.keep_again,
            lambda: me._in_turn(),
            clock,
        )
        self.filters = SavedFilters(folder)
        self.finisher = Finisher(
            store,
            labels,
            self._ledger,
            self._learner,
            folder / "finish",
            Desk(
                lambda: me._catch_up(),
                lambda: me.schema,
                lambda: me.counts().unlabeled,
                self.actions,
                lambda annotator, wanted: me._claim_in_turn(annotator, wanted),
                lambda *batch: me._remembered(me._proposing(*batch), plants=False),
                lambda: pipeline.grouping.noun if pipeline.grouping else None,
            ),
            clock,
            np.random.default_rng(),
        )
        self._stop_watching = labels.watch(self._follow)
        self._stop_taking_heads = labels.watch(self._learner.take_shared) if exchange else lambda: None

    # Batches

    def next_batch(
        self,
        annotator: str,
        size: int | None = None,
        strategy: str | None = None,
        *,
        fresh: bool = False,
        held_back: str = "",
    ) -> Batch:
        """The annotator's open batch, or newly claimed items if there is none or `fresh` is asked for.

        A fresh batch gives the unlabeled items of the open one back to the pool, where they come again when there is nothing
        else. The newest head picks; one that is being trained is waited for, 0.4 s at most, the first one 2 s. Requests of
        one annotator at the same time, from two tabs or a retry, take turns; where none is `fresh` all get the same batch.

        Args:
            held_back: why nothing new is claimed: the notice of an empty batch, where none is open.

        Raises:
            UnknownNameError: no such strategy.
        """
        chosen = STRATEGIES.get(strategy or self.settings.strategy)
        with self._turn_of(annotator):
            if not (fresh and not held_back) and (batch := self._open_batch(annotator)):
                return batch
            if held_back:
                return replace(self._empty_batch(chosen.name), notice=held_back)
            # To the end: what follows a training would begin in between, and take the cores.
            with self._learner.paused():
                self._learner.wait_for_head()
                self._release(annotator, aside=True)
                batch = self._claim_fresh(annotator, Wish(size or self.settings.batch_size, chosen.name))
        self._learner.release_pages()
        return batch

    def batch_after(
        self,
        annotator: str,
        batch_id: str,
        size: int | None = None,
        strategy: str | None = None,
        *,
        fresh: bool = False,
        held_back: str = "",
    ) -> Batch:
        """The batch that comes after an open one, claimed now if there is none yet, so that it can be shown at once.

        It is given back as every batch is: when its claim runs out, or the annotator asks for a fresh one. Nothing is
        claimed ahead where the batch is not open any more, or few items are free: others may want these.

        Args:
            fresh: gives the one that would come back and claims another, picked by the newest head.
            held_back: as of `next_batch`.
        """
        wish = Wish(size or self.settings.batch_size, STRATEGIES.get(strategy or self.settings.strategy).name)
        with self._turn_of(annotator):
            stack = self._labels.open_batches(annotator, now=self._clock())
            ids = [claimed.id for claimed in stack]
            behind = stack[ids.index(batch_id) + 1 :] if batch_id in ids else []
            if behind and fresh:
                self._release(annotator, behind.pop(0).id)
            if behind and (batch := self._opened(annotator, behind[0])):
                return batch
            counts = self.counts()
            if held_back or batch_id not in ids or counts.unlabeled - counts.claimed < FREE_BATCHES * wish.size:
                return self._empty_batch(wish.strategy)
            batch = self._claim_fresh(annotator, wish)
            if batch.id:
                self._labels.put_behind(annotator, batch.id, batch_id)
        self._learner.release_pages()
        return batch

    def batch_of(self, annotator: str, rows: Rows, size: int) -> Batch:
        """A batch of the first of some rows that are free and not kept for the audit, as a search found them.

        A batch that the annotator has stays open behind it and comes again after it.
        """
        head = self._learner.head
        claimed = self._claim(annotator, self._ledger.searchable(rows)[:size], SEARCHED, "", head, whole=False)
        return (
            self._remembered(self._batch(*claimed, head))
            if claimed
            else replace(self._empty_batch(SEARCHED), notice="")
        )

    def renew(self, annotator: str, batch_id: str) -> bool:
        """Keeps a batch claimed for another while; False where it is not the annotator's open batch any more."""
        with self._in_turn():
            expires_at = self._clock() + self.settings.claim_s
            renewed = self._labels.renew(annotator, batch_id, expires_at=expires_at)
            if renewed:
                self._ledger.renew(batch_id, expires_at)
            self._ledger.expire(self._clock(), self.settings.claim_s)
        return renewed

    def release(self, annotator: str, batch_id: str, *, by: str) -> int:
        """Gives a batch of somebody back to the pool; returns how many items that were, 0 where it is not open any more.

        What they said of these items on their page counts all the same where it is submitted later.
        """
        with self._in_turn():
            released = self._labels.release(annotator, batch_id)
            self._ledger.unclaim(released)
        if released and annotator != by:
            self.taken_back.note(batch_id, annotator, by)
        return len(released)

    def open_batches(self) -> list[OpenBatch]:
        """Who holds what since when, the oldest batch first."""
        return self._labels.all_batches(now=self._clock())

    def batches_of(self, annotator: str) -> list[str]:
        """The ids of the annotator's open batches."""
        return sorted({claim.batch_id for claim in self._ledger.claims_of(annotator)})

    def batch_items(self, batch_id: str) -> tuple[Item, ...] | None:
        """The items of a batch that was given out lately, in order; None for an unknown one."""
        known = self._batches.get(batch_id)
        return known.items if known else None

    # Labels

    def submit(
        self,
        annotator: str,
        labels: Sequence[tuple[str, str | int | State]],
        batch_id: str = "",
        together: Collection[str] = (),
    ) -> Receipt:
        """Stores labels durably, all or none, and sets off a training when `train_every` new ones have come.

        Sending the same again changes nothing. Items of the batch that are not named go back to the pool, where they come
        again when there is nothing else.

        Args:
            labels: (item id, class name or position in the schema), or in place of a label the state of an item that gets
                none: it does not come again until that is undone. A name counts as long as a class ever had it, a position
                as in the schema when the batch was given out: the batch stays good while classes are changed.
            together: items that were accepted as a group, not one by one.

        Raises:
            InvalidLabelsError: an unknown item or label, or two labels for one item; nothing was stored.
            StoreError: it could not be written; nothing was stored.
        """
        wanted = self._validated(labels, batch_id)
        planted = {one.item_id: wanted.pop(one.item_id, None) for one in self.planted.of(batch_id)}
        with self._in_turn():
            source = self._source_of(annotator, batch_id)
            said = [
                (id_, said_of(one, self.finisher.source_in(batch_id, one) or ("group" if id_ in together else None)))
                for id_, one in wanted.items()
            ]
            submission = self._labels.submit(annotator, said, batch_id, now=self._clock(), source=source)
            taught = self._ledger.put(submission)
            left_open = set(submission.released) - wanted.keys()
            self._ledger.set_aside(left_open)
            self._ledger.unclaim(submission.released)
        self.finisher.left_open(batch_id, sorted(left_open))
        outcome = self.planted.judge(annotator, batch_id, planted | wanted, self._clock()) if planted else None
        return Receipt(len(wanted), self._learner.request_if_due(taught), outcome)

    def confirm(self, annotator: str, labels: Sequence[tuple[str, str]]) -> None:
        """Stores that the annotator looked at labels, as (item id, class), and says that they are right.

        A label that the source knows of an item of which nothing was said becomes the annotator's. Raises as `submit` does.
        """
        unsaid = self.suspects.confirm(annotator, labels, self._clock())
        if unsaid:
            self.submit(annotator, unsaid)

    def known_label(self, item_id: str) -> str | None:
        """The class that an item was imported with as a reference, or else the one that the data itself gives."""
        [given] = self.references.of([item_id]) if self.references else [None]
        return given.name if given else self._pipeline.known_label(item_id)

    def undo(self, annotator: str) -> Reopened:
        """Takes the annotator's last step back; of one that was made card by card it opens a batch, to be labeled again."""
        with self._in_turn():
            undone = self.actions.undo(annotator)
            if undone is None:
                return Reopened(0, None, {})
            size, event = undone.step.size, undone.step.event
            if not is_made_by_hand(undone.step):
                return Reopened(size, None, {}, event)
            freed = [item_id for item_id, one in undone.standing.items() if one is None]
            asked = [item_id for item_id, _ in undone.labels if item_id not in undone.standing]
            batch = self._reopened(freed, asked, annotator)
        places = self.schema.positions
        labels = {id_: places[label_id] for id_, label_id in undone.labels if label_id in places}
        return Reopened(size, batch, labels, event, undone.states)

    def redo(self, annotator: str) -> int:
        """Brings back what the annotator's last undo took back; returns of how many items, 0 where there is nothing."""
        redone = self.actions.redo(annotator)
        return redone.step.size if redone else 0

    def train(self) -> None:
        """Asks for a training now, whatever the count, and returns at once."""
        self._learner.request()

    def wait_for_training(self, timeout: float) -> bool:
        """Waits until no training is requested or under way, and all that follows one is done: it is saved and measured.

        False where that takes longer than `timeout` seconds.
        """
        return self._learner.settle(timeout)

    # What is known

    @property
    def head(self) -> Head | None:
        return self._learner.head

    def says(self, head: Head, rows: Rows) -> Probabilities:
        """What a head says of some rows, float32[n, classes]."""
        return self._learner.ground_of(head).says(head, rows)

    def head_facts(self) -> HeadFacts | None:
        """What is known of the newest trained head; None before the first."""
        head = self._learner.head
        return self._learner.facts(head) if head and head.info.version else None

    @property
    def checkpoint(self) -> Path:
        """Where the newest head is saved; the file is there once a head was trained."""
        return self._learner.checkpoint

    @property
    def points(self) -> list[LearningPoint]:
        """What each head so far was worth, oldest first."""
        return self._learner.points

    def counts(self) -> Counts:
        self._ledger.expire(self._clock(), self.settings.claim_s)
        self._ledger.catch_up(self._pipeline.progress)
        return self._ledger.counts(self._store.total - self._store.unreadable_count)

    def status(self) -> Status:
        head = self._learner.head
        return Status(
            counts=self.counts(),
            since_training=self._learner.unseen,
            embedding=self._pipeline.progress,
            head=head.info if head else None,
            training=self._learner.training,
            settled=self._learner.settled,
            notice=self._learner.notice or self._audit_notice(),
            contradiction=self._learner.contradiction,
        )

    def evaluation(self, target: float) -> Evaluation:
        """How good the newest head is, and whether that is enough for a target accuracy, 0 to 1."""
        head, points = self._learner.head, self._learner.points
        report, brought = (self._learner.audit(head), self._learner.gain(head)) if head else (None, None)
        agreements = [point.agreement for point in points if point.agreement is not None]
        advice = advise(report, target, self.counts().unlabeled, brought, agreements)
        return Evaluation(report, brought, points, advice)

    def claimed_by_others(self, annotator: str) -> int:
        """Items in the batches of other annotators."""
        return self._ledger.claimed_by_others(annotator)

    def predictions(self, rows: Rows, schema: LabelSchema | None = None) -> list[Prediction | None]:
        """What the newest head says of some rows, in positions of that schema; None for each while there is no head."""
        return self._predictions(self._learner.head, rows, schema or self.schema)

    def _predictions(self, head: Head | None, rows: Rows, schema: LabelSchema) -> list[Prediction | None]:
        """A head that was trained before classes were changed says nothing of those that are gone."""
        if head is not None and tuple(label.id for label in head.info.labels) != schema.ids:
            head = head.seen_through(schema)
        if head is None:
            return self._suggested(rows)
        probabilities = self._learner.ground_of(head).says(head, rows)
        best = probabilities.argmax(axis=1)
        return [Prediction(int(index), float(row[index])) for index, row in zip(best, probabilities, strict=True)]

    def _suggested(self, rows: Rows) -> list[Prediction | None]:
        """What was imported as suggestions of some rows; they are shown until there is a head."""
        if self.suggestions is None or not len(self.suggestions):
            return [None] * len(rows)
        items, names = self._store.items_at(rows), self.schema.names
        known = self.suggestions.of([items[row].id if row in items else "" for row in rows.tolist()])
        return [
            Prediction(names.index(one.name), one.confidence) if one and one.name in names else None for one in known
        ]

    def export_rows(
        self,
        choice: Choice | None = None,
        *,
        include_predictions: bool = False,
        include_states: bool = False,
        as_made: bool = False,
    ) -> Iterator[ExportRow]:
        """What was chosen, as a stream; by default every label of every annotator, with predictions also the unlabeled items.

        With states, rows say their state and source, and those of items that got a state in place of a label are among them.
        Labels name their class as it is called now, or with `as_made` as it was made, before it was renamed or merged.
        """
        self._follow()
        chosen = choice or plain_choice(predictions=include_predictions, states=include_states, as_made=as_made)
        wanted = None if chosen.query is None else frozenset(self.finder.item_ids(chosen.query))
        rows = said_rows(self._labels, self.schema, chosen)
        yield from rows if wanted is None else (row for row in rows if row.item_id in wanted)
        if chosen.predictions:
            yield from self._predicted_rows(chosen, wanted)

    def catch_up(self) -> None:
        """Takes in now what others wrote to the label store, where the watcher would see it within a second."""
        self._catch_up()

    def close(self) -> None:
        """Ends the trainer thread. Labels need no saving: they are durable already."""
        self._stop_watching()
        self._stop_taking_heads()
        self.suspects.close()
        self._learner.close()

    # Private: what other processes do

    def _catch_up(self) -> None:
        self._follow()
        self._ledger.catch_up(self._pipeline.progress)

    def _free_what_ran_out(self) -> None:
        """As `_catch_up`; items whose claims have run out are free from now on."""
        self._follow()
        self._ledger.expire(self._clock(), self.settings.claim_s)
        self._ledger.catch_up(self._pipeline.progress)

    def _follow(self) -> None:
        """Takes in what was written since the last look, and trains where enough of it is new."""
        if self._look():
            self._learner.request()

    def _look(self) -> bool:
        """Takes in what was written since the last look, by whatever process; True where a training is due."""
        with self._in_turn():
            position = self._ledger.position
            changes = self._labels.changes_since(position, now=self._clock())
            if changes.position == position:
                return False
            self._look_at_classes(changes)
            taught = self._ledger.apply(changes)
        return self._learner.is_due(taught)

    def _look_at_classes(self, changes: Changes) -> None:
        """Takes over classes that others changed, or labeled items with."""
        known = self.schema.known_names
        unknown = (one.label_id not in known for one in changes.standing.values() if one and one.label_id is not None)
        if not changes.classes_changed and not any(unknown):
            return
        self.schema = self._labels.schema()
        self.actions.note_classes()
        self._ledger.use_schema(self.schema)
        self._learner.use_schema(self.schema)

    # Private: batches

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
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

    def _turn_of(self, annotator: str) -> threading.Lock:
        with self._lock:
            return self._turns.setdefault(annotator, threading.Lock())

    def _open_batch(self, annotator: str) -> Batch | None:
        claimed = self._labels.open_batch(annotator, now=self._clock())
        return self._opened(annotator, claimed) if claimed else None

    def _opened(self, annotator: str, claimed: ClaimedBatch) -> Batch | None:
        self._ledger.catch_up(self._pipeline.progress)
        in_pool = self._store.known_ids(claimed.item_ids)  # a file may have been removed since
        claimed = replace(claimed, item_ids=tuple(id_ for id_ in claimed.item_ids if id_ in in_pool))
        rows = self._store.rows_of(claimed.item_ids)
        if not rows or len(rows) < len(claimed.item_ids):  # the encoder was changed and has not come to them yet
            self._release(annotator)
            return None
        return self._remembered(
            self._batch(claimed, [rows[item_id] for item_id in claimed.item_ids], self._learner.head)
        )

    def _claim_fresh(self, annotator: str, wish: Wish) -> Batch:
        """Picks and claims. Picks anew where another annotator was faster with some; takes fewer where that goes on."""
        again = self._second_opinions_for(annotator, wish.size)
        for attempt in range(CLAIM_ATTEMPTS):
            pick = self._queue.picked(replace(wish, size=wish.size - len(again)), self._picker.pick)
            if not len(pick.rows) and not attempt:  # then second opinions are all that there is
                again = self.second_opinions.due(annotator, wish.size)
            try:
                whole = attempt < CLAIM_ATTEMPTS - 1
                claimed = self._claim(
                    annotator, pick.rows, pick.strategy, pick.notice, pick.head, whole=whole, again=again
                )
            finally:
                self._picker.let_go(pick.rows)
            if claimed is not None:
                return self._remembered(self._planted_in(annotator, self._batch(*claimed, pick.head)))
            if not len(pick.rows) and not again:
                break
            again = []  # others were faster, who may have been asked about the same ones
        return self._empty_batch(pick.strategy)

    def _second_opinions_for(self, annotator: str, size: int) -> list[str]:
        """Items of a batch of that size that the annotator is asked about though somebody labeled them."""
        if not self.second_opinions.share:
            return []
        self._follow()
        with self._lock:
            chance = self._rng.random()
        return self.second_opinions.due(annotator, self.second_opinions.wanted(size, chance))

    def _planted_in(self, annotator: str, batch: Batch) -> Batch:
        """The batch, after what is planted in it was chosen: never an item of it."""
        labeled = self._ledger.training_set()
        others = ~np.isin(labeled.rows, np.array(batch.rows, dtype=np.int64))
        of_labels = (labeled.rows[others], labeled.targets[others], labeled.schema)
        self.planted.plant(annotator, batch, of_labels, self.predictions, self._store.items_at, self._clock())
        return batch

    def _claim(
        self,
        annotator: str,
        rows: Rows,
        strategy: str,
        notice: str,
        head: Head | None,
        *,
        whole: bool,
        again: Sequence[str] = (),
    ) -> tuple[ClaimedBatch, list[int]] | None:
        """Claims what is still free of some rows as the annotator's open batch, with its rows.

        None where nothing is free; with `whole` also where some are not. Items of `again` are claimed for a second opinion,
        at random places.
        """
        judged = self._ledger.judged_rows(again)
        if len(judged):
            with self._lock:
                rows = interleaved(rows, judged, self._rng)
        with self._in_turn():
            free = self._ledger.is_free(rows) | np.isin(rows, judged)
            if whole and not free.all():
                return None
            items = self._store.items_at(rows[free])
            if not items:
                return None
            wanted = ClaimedBatch(
                secrets.token_hex(8), tuple(item.id for item in items.values()), strategy, _version(head), notice
            )
            got = self._claim_items(annotator, wanted, again)
        if not got:
            return None
        rows_by_id = {item.id: row for row, item in items.items()}
        return replace(wanted, item_ids=got), [rows_by_id[item_id] for item_id in got]

    def _claim_in_turn(self, annotator: str, wanted: ClaimedBatch) -> tuple[str, ...]:
        with self._in_turn():
            return self._claim_items(annotator, wanted)

    def _claim_items(self, annotator: str, wanted: ClaimedBatch, again: Sequence[str] = ()) -> tuple[str, ...]:
        """Claims in the label store, then in the bookkeeping; returns what was got. The caller has the turn to write."""
        now = self._clock()
        expires_at = now + self.settings.claim_s
        got = self._labels.claim(annotator, wanted, now=now, expires_at=expires_at, again=again)
        self._ledger.claim(got, annotator, wanted.id, now + self.settings.claim_s)
        if len(got) < len(wanted.item_ids):  # another process was faster
            self._follow()
        return got

    def _reopened(self, item_ids: Sequence[str], again: Sequence[str], annotator: str) -> Batch | None:
        """A batch of the items that an undo freed, and of those whose second opinion it took back.

        The undo itself is stored by now, and stays so where this cannot be.
        """
        head = self._learner.head
        try:
            self._release(annotator)
            rows = self._ledger.free_rows_of(item_ids)
            claimed = self._claim(annotator, rows, "undo", "", head, whole=False, again=again)
        except StoreError as error:
            log.warning("An undo is stored, its batch could not be opened: %s", error)
            return None
        return self._remembered(self._batch(*claimed, head)) if claimed else None

    def _batch(self, claimed: ClaimedBatch, rows: Sequence[int], head: Head | None) -> Batch:
        """The batch as it is given out, with the predictions of that head."""
        schema = self.schema
        blind = self.second_opinions.among(claimed.item_ids)
        said = self._predictions(head, np.array(rows, dtype=np.int64), schema)
        predictions = [None if id_ in blind else one for id_, one in zip(claimed.item_ids, said, strict=True)]
        return self._proposing(claimed, rows, predictions, _version(head), schema)

    def _proposing(
        self,
        claimed: ClaimedBatch,
        rows: Sequence[int],
        predictions: Sequence[Prediction | None],
        head_version: int,
        schema: LabelSchema,
    ) -> Batch:
        """The batch with those predictions."""
        return Batch(
            id=claimed.id,
            items=tuple(self._store.items_at(np.array(rows, dtype=np.int64)).values()),
            rows=tuple(rows),
            predictions=predictions,
            strategy=claimed.strategy,
            head_version=head_version,
            notice=claimed.notice,
            schema=schema,
        )

    def _remembered(self, batch: Batch, *, plants: bool = True) -> Batch:
        """With what is planted in it, where anything may be; its items are known as given out from now on."""
        whole = self.planted.into(batch, self._store.rows_of, self._store.items_at) if plants else batch
        with self._lock:
            self._batches[batch.id] = whole
            self._batches.move_to_end(batch.id)
            while len(self._batches) > BATCHES_REMEMBERED:
                self._batches.popitem(last=False)
        return whole

    def _empty_batch(self, strategy: str) -> Batch:
        return Batch("", (), (), (), strategy, _version(self._learner.head), self._why_empty(), self.schema)

    def _why_empty(self) -> str:
        progress, counts = self._pipeline.progress, self.counts()
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

    def _release(self, annotator: str, batch_id: str = "", *, aside: bool = False) -> None:
        """Ends the annotator's batches, or one; with `aside` what the newest left open comes when there is nothing else."""
        with self._in_turn():
            asked = aside and self._ledger.holds(annotator)
            shown = self._labels.open_batch(annotator, now=self._clock()) if asked else None
            released = self._labels.release(annotator, batch_id)
            self._ledger.set_aside(shown.item_ids if shown else ())
            self._ledger.unclaim(released)

    def _audit_notice(self) -> str:
        """Why nothing is kept to test the head on though it should; "" otherwise."""
        progress, grouping = self._pipeline.progress, self._pipeline.grouping
        self._ledger.catch_up(progress)
        if grouping is None or progress.state != "done" or not self._ledger.audits_nothing:
            return ""
        return (
            f"How good the head is on new {grouping.noun} cannot be said: all items are of one {grouping.noun[:-1]}, so none "
            "is kept to test it on. Add others."
        )

    # Private: labels and training

    def _source_of(self, annotator: str, batch_id: str) -> LabelSource:
        given_out = self._batches.get(batch_id)
        if not batch_id or (given_out and given_out.strategy != SEARCHED):
            return "person"
        batch = self._labels.open_batch(annotator, now=self._clock())
        return "search" if batch and batch.id == batch_id and batch.strategy == SEARCHED else "person"

    def _validated(self, labels: Sequence[tuple[str, str | int | State]], batch_id: str) -> dict[str, int | State]:
        """Label ids, or states, by item id. Raises InvalidLabelsError."""
        if any(isinstance(label, str) and label not in self.schema.names for _, label in labels):
            self._follow()  # somebody may have added that class a moment ago, in another process
        given_out = self._batches.get(batch_id)
        shown_with = given_out.schema if given_out else self.schema
        wanted: dict[str, int | State] = {}
        for item_id, label in labels:
            label_id = label if isinstance(label, State) else self.actions.label_id(label, shown_with)
            if wanted.setdefault(item_id, label_id) != label_id:
                raise InvalidLabelsError(f"item {shown(item_id)} has two different labels in one request. Send one.")
        unknown = wanted.keys() - self._store.known_ids(list(wanted))
        if unknown and (unknown := unknown - self._given_out() - self._store.former_ids(list(unknown))):
            raise InvalidLabelsError(
                f"item {shown(min(unknown))} is not in this project"
                f"{f' (nor are {len(unknown) - 1} more)' if len(unknown) > 1 else ''}. Use the ids of /api/next_batch."
            )
        return wanted

    def _given_out(self) -> set[str]:
        """Items of the newest batches: a label counts also where the file was removed or damaged while it was on screen."""
        with self._lock:
            return {item.id for batch in self._batches.values() for item in batch.items}

    def _predicted_rows(self, choice: Choice, wanted: frozenset[str] | None) -> Iterator[ExportRow]:
        """What has no row yet: unlabeled items; where rows say their state only those of which nothing was said."""
        told = self._ledger.labeled_ids() if choice.columns == "labels" else self._ledger.judged_ids()
        head = self._learner.head
        for block in self._store.item_blocks():
            rest = [(row, id_) for row, id_ in block if id_ not in told and (wanted is None or id_ in wanted)]
            said = self._scanned(head, [row for row, _ in rest])
            for (_, item_id), (name, confidence) in zip(rest, said, strict=True):
                yield predicted_row(item_id, name, confidence, choice)
            self._learner.release_pages()

    def _scanned(self, head: Head | None, rows: Sequence[int]) -> list[tuple[str, float | None]]:
        """Predicted class and confidence of some rows by that head; "" and None without one."""
        if head is None:
            return [("", None)] * len(rows)
        ground = self._learner.ground_of(head)
        said = ground.scan.said(head, ground.embeddings, np.array(rows, dtype=np.int64))
        known = self.schema.known_names
        names = [known.get(label.id, label.name) for label in head.info.labels]
        return [(names[index], float(confidence)) for index, confidence in zip(*said, strict=True)]


def _version(head: Head | None) -> int:
    return head.info.version if head else 0
