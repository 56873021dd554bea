"""Labeler: the loop itself. Which items next, for whom, what was said of them, and which head says what of the rest.

Everything that a page, a request or a simulation asks for is one call of this, or of one of its parts: it puts them together
and hands on what they answer. Labels are durable in the label store before a submit returns. Who waits for whom is told by
`pool/desk.py`.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastlabel_gradio.classifier.facts import HeadFacts
from fastlabel_gradio.config import LoopSettings
from fastlabel_gradio.errors import InvalidLabelsError, shown
from fastlabel_gradio.explore.finder import Finder
from fastlabel_gradio.explore.finding.saved_filters import SavedFilters
from fastlabel_gradio.explore.pool_map import PoolMap
from fastlabel_gradio.explore.progress import Progress
from fastlabel_gradio.explore.suspects import Suspects
from fastlabel_gradio.exports import ExportRow
from fastlabel_gradio.exports.row_stream import Choice, plain_choice
from fastlabel_gradio.finish import Finisher
from fastlabel_gradio.head import Head, HeadInfo
from fastlabel_gradio.head.evaluation import Advice, AuditReport, Gain, advise
from fastlabel_gradio.imports.given_labels import GivenLabels, ReferenceLabels
from fastlabel_gradio.labels import LabelStore, OpenBatch, Undone
from fastlabel_gradio.labels.contradictions import Contradiction
from fastlabel_gradio.loop.actions import Actions, is_made_by_hand
from fastlabel_gradio.loop.batches import Batches
from fastlabel_gradio.loop.claims import Claims
from fastlabel_gradio.loop.export_stream import export_stream
from fastlabel_gradio.loop.head_exchange import Exchange
from fastlabel_gradio.loop.learner import Learner
from fastlabel_gradio.loop.learning_record import LearningPoint
from fastlabel_gradio.loop.picker import Picker
from fastlabel_gradio.loop.planted_checks import PlantedChecks
from fastlabel_gradio.loop.predictions import Predictions
from fastlabel_gradio.loop.trainer import Training
from fastlabel_gradio.opinions import Disputes, FollowedOpinions, Reliability, SecondOpinions, may_be_drawn
from fastlabel_gradio.pool.desk import Desk
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

SAMPLE = 100  # items that tell whether the data knows labels


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
        suggestions: labels of other programs, shown until there is a head.
        references: labels that are known whatever anybody says; those of the source by default.
    """

    def __init__(
        self,
        schema: LabelSchema,
        store: EmbeddingStore,
        pipeline: EmbeddingPipeline,
        label_store: LabelStore,
        folder: Path,
        settings: LoopSettings,
        device: str = "cpu",
        clock: Callable[[], float] = time.time,
        pool_map: PoolMap | None = None,
        keep_model: Callable[[HeadFacts], None] = lambda facts: None,
        exchange: Exchange | None = None,
        name: str = "",
        suggestions: GivenLabels | None = None,
        references: ReferenceLabels | None = None,
    ) -> None:
        STRATEGIES.get(settings.strategy)
        audit_share, share = settings.audit_share, settings.second_opinions
        self.settings = settings
        self._store, self._pipeline, self._label_store = store, pipeline, label_store
        self._desk = desk = Desk(store, pipeline, label_store, schema, audit_share, settings.claim_s, clock)
        self._ledger = desk.ledger
        self._learner = learner = Learner(desk, folder, settings, device, keep_model, exchange)
        self._picker = Picker(desk, learner, audit_share, settings.seed)
        self._claims = Claims(desk)
        self._predictions = Predictions(desk, learner, suggestions)
        self._references = references or ReferenceLabels(None, pipeline.known_label)
        self.taken_back = self._claims.taken_back
        self.planted = PlantedChecks(folder / "planted.jsonl", settings.planted_checks, settings.seed)
        followed = FollowedOpinions(desk, may_be_drawn(name, share, audit_share))
        self.second_opinions = SecondOpinions(followed, desk.ledger, name, share, audit_share)
        self.disputes = Disputes(desk, followed)
        self.reliability = Reliability(desk, followed)
        self.progress = Progress(desk, learner)
        self.suspects = Suspects(desk, learner, self._references)
        self.finder = Finder(desk, learner, self.suspects.keys, pool_map, self.planted.items_of)
        self.actions = Actions(desk, self.finder, learner)
        self.filters = SavedFilters(folder)
        self._batches = Batches(
            desk, settings, learner, self._claims, self._picker, self._predictions, self.planted, self.second_opinions
        )
        self.finisher = Finisher(
            desk, learner, self._claims, self._batches, self.actions, folder / "finish", np.random.default_rng()
        )
        self._stop_watching = label_store.watch(desk.follow)
        self._stop_taking_heads = label_store.watch(learner.take_shared) if exchange else lambda: None

    @property
    def schema(self) -> LabelSchema:
        """The classes of now."""
        return self._desk.schema

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
        return self._batches.next(annotator, size, strategy, fresh=fresh, held_back=held_back)

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
        return self._batches.after(annotator, batch_id, size, strategy, fresh=fresh, held_back=held_back)

    def batch_of(self, annotator: str, rows: Rows, size: int) -> Batch:
        """A batch of the first of some rows that are free and not kept for the audit, as a search found them.

        A batch that the annotator has stays open behind it and comes again after it.
        """
        return self._batches.of_rows(annotator, rows, size)

    def renew(self, annotator: str, batch_id: str) -> bool:
        """Keeps a batch claimed for another while; False where it is not the annotator's open batch any more."""
        return self._claims.renew(annotator, batch_id)

    def release(self, annotator: str, batch_id: str, *, by: str) -> int:
        """Gives a batch of somebody back to the pool; returns how many items that were, 0 where it is not open any more.

        What they said of these items on their page counts all the same where it is submitted later.
        """
        return self._claims.take_back(annotator, batch_id, by)

    def open_batches(self) -> list[OpenBatch]:
        """Who holds what since when, the oldest batch first."""
        return self._claims.everybodys()

    def batches_of(self, annotator: str) -> list[str]:
        """The ids of the annotator's open batches."""
        return self._claims.batches_of(annotator)

    def batch_items(self, batch_id: str) -> tuple[Item, ...] | None:
        """The items of a batch that was given out lately, in order; None for an unknown one."""
        return self._batches.items_of(batch_id)

    # Labels

    def submit(
        self,
        annotator: str,
        labels: Sequence[tuple[str, str | int | State]],
        batch_id: str = "",
        together: Collection[str] = (),
    ) -> Receipt:
        """Stores labels durably, all or none, and sets off a training when enough new ones have come (`labels_due`).

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
        with self._desk.in_turn():
            source = self._batches.source_of(annotator, batch_id)
            seen: Collection[str] = () if batch_id else self._seen(annotator, wanted)
            own = self.finisher.sources_in(batch_id, wanted)
            said = [(id_, said_of(one, own.get(id_) or _source(id_, together, seen))) for id_, one in wanted.items()]
            submission = self._label_store.submit(annotator, said, batch_id, now=self._desk.clock(), source=source)
            left_open = set(submission.released) - wanted.keys()
            self._ledger.put_last(left_open)
            is_training = self._desk.take_in(submission)
        self.finisher.take_in(annotator, batch_id, own, sorted(left_open), is_answered=bool(wanted))
        outcome = self.planted.judge(annotator, batch_id, planted | wanted, self._desk.clock()) if planted else None
        return Receipt(len(wanted), is_training, outcome)

    def confirm(self, annotator: str, labels: Sequence[tuple[str, str]]) -> None:
        """Stores that the annotator looked at labels, as (item id, class), and says that they are right.

        A label that the source knows of an item of which nothing was said becomes the annotator's, of several at once with
        the source `group`. Raises as `submit` does.
        """
        unsaid = self.suspects.confirm(annotator, labels, self._desk.clock())
        if unsaid:
            self.submit(annotator, unsaid, together=[item_id for item_id, _ in unsaid] if len(unsaid) > 1 else ())

    def known_label(self, item_id: str) -> str | None:
        """The class that an item was imported with as a reference, or else the one of the data, as it is called now."""
        return self._references.of(item_id, self.schema)

    def knows_labels(self) -> bool:
        """Whether labels were imported as references, or the data gives one of the first items a class that there is.

        The first items are a random sample.
        """
        if self._references.are_imported:
            return True
        classes = set(self.schema.names)
        return any(self.known_label(item_id) in classes for _, item_id in self._desk.store.items_between(0, SAMPLE))

    def undo(self, annotator: str) -> Reopened:
        """Takes the annotator's last step back; of one that was made card by card it opens a batch, to be labeled again."""
        with self._desk.in_turn():
            undone = self.actions.undo(annotator)
            if undone is None:
                return Reopened(0, None, {})
            if is_made_by_hand(undone.step):
                return self._reopened(undone, annotator)
        self.actions.wait_for_bundle(undone)
        return Reopened(undone.step.size, None, {}, undone.step.event)

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
        return self._learner.says(head, rows)

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
        return self._learner.measures.points

    def counts(self) -> Counts:
        """Items that are labeled, unlabeled and claimed now."""
        return self._desk.counts()

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
        head, measures, says = self._learner.head, self._learner.measures, self._learner.says
        report, brought = (measures.audit(head, says), measures.gain(head, says)) if head else (None, None)
        points = measures.points
        agreements = [point.agreement for point in points if point.agreement is not None]
        advice = advise(report, target, self.counts().unlabeled, brought, agreements)
        return Evaluation(report, brought, points, advice)

    def claimed_by_others(self, annotator: str) -> int:
        """Items in the batches of other annotators."""
        return self._ledger.held.count_of_others(annotator)

    def predictions(self, rows: Rows, schema: LabelSchema | None = None) -> Sequence[Prediction | None]:
        """What the newest head says of some rows, in positions of that schema; None for each while there is no head."""
        return self._predictions.of_rows(rows, schema or self.schema)

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
        chosen = choice or plain_choice(predictions=include_predictions, states=include_states, as_made=as_made)
        yield from export_stream(self._desk, self.finder, self._learner, self._predictions, chosen)

    def catch_up(self) -> None:
        """Takes in now what others wrote to the label store, where the watcher would see it within a second."""
        self._desk.catch_up()

    def close(self) -> None:
        """Ends the trainer thread. Labels need no saving: they are durable already."""
        self._stop_watching()
        self._stop_taking_heads()
        self.suspects.close()
        self._learner.close()
        self._desk.close()

    # Private

    def _audit_notice(self) -> str:
        """Why nothing is kept to test the head on though it should; "" otherwise."""
        progress, grouping = self._pipeline.progress, self._pipeline.grouping
        self._ledger.catch_up(progress)
        if grouping is None or progress.state != "done" or not self._ledger.audits_nothing:
            return ""
        return (
            f"How good the head is on new {grouping.noun} cannot be measured: all items are of one {grouping.noun[:-1]}, so "
            "none is kept to test it on. Add others."
        )

    def _reopened(self, undone: Undone, annotator: str) -> Reopened:
        """What a step said that was made card by card, with a batch of its items; in the turn in which it was taken back."""
        freed = [item_id for item_id, one in undone.standing.items() if one is None]
        asked = [item_id for item_id, _ in undone.labels if item_id not in undone.standing]
        batch, places = self._batches.reopened(freed, asked, annotator), self.schema.positions
        labels = {id_: places[label_id] for id_, label_id in undone.labels if label_id in places}
        return Reopened(undone.step.size, batch, labels, undone.step.event, undone.states)

    def _seen(self, annotator: str, item_ids: Collection[str]) -> Collection[str]:
        """Items that others judged, that the annotator does not hold and of which they said nothing: not a blind answer."""
        judged = self._ledger.judged_among(item_ids) - {claim.item_id for claim in self._ledger.held.of(annotator)}
        return judged - self._label_store.said_by(annotator, judged).keys() if judged else ()

    def _validated(self, labels: Sequence[tuple[str, str | int | State]], batch_id: str) -> dict[str, int | State]:
        """Label ids, or states, by item id. Raises InvalidLabelsError."""
        if any(isinstance(label, str) and label not in self.schema.names for _, label in labels):
            self._desk.follow()  # somebody may have added that class a moment ago, in another process
        shown_with = self._batches.schema_of(batch_id)
        wanted: dict[str, int | State] = {}
        for item_id, label in labels:
            label_id = label if isinstance(label, State) else self.actions.label_id(label, shown_with)
            if wanted.setdefault(item_id, label_id) != label_id:
                raise InvalidLabelsError(f"item {shown(item_id)} has two different labels in one request. Send one.")
        unknown = wanted.keys() - {item.id for item in self.batch_items(batch_id) or ()}
        unknown -= self._store.known_ids(list(unknown)) if unknown else set()
        if unknown and (unknown := unknown - self._batches.lately() - self._store.former_ids(list(unknown))):
            raise InvalidLabelsError(
                f"item {shown(min(unknown))} is not in this project"
                f"{f' (nor are {len(unknown) - 1} more)' if len(unknown) > 1 else ''}. Use the ids of /api/next_batch."
            )
        return wanted


def _source(item_id: str, together: Collection[str], seen: Collection[str]) -> LabelSource | None:
    """What a label came by that was given without a batch of its own, or with others as a group; None for any other."""
    return "group" if item_id in together else "search" if item_id in seen else None
