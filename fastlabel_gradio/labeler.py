"""Labeler: the loop itself. Which items next, for whom, what was said of them, and which head says what of the rest.

Everything that a page, a request or a simulation asks for is one call of this. The lock guards bookkeeping only: encoding,
training, scoring and picking run outside it. Labels are durable in the label store before a submit returns.
"""

import secrets
import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from fastlabel_gradio.candidates import candidates_of
from fastlabel_gradio.contradictions import Contradiction
from fastlabel_gradio.embedding_pipeline import EmbeddingPipeline, EmbeddingProgress
from fastlabel_gradio.embedding_store import EmbeddingStore
from fastlabel_gradio.errors import InvalidLabelsError, shown
from fastlabel_gradio.evaluation import Advice, AuditReport, Gain, advise
from fastlabel_gradio.exports import ExportRow
from fastlabel_gradio.head import (
    Head,
    HeadInfo,
)
from fastlabel_gradio.label_store import ClaimedBatch, LabelStore
from fastlabel_gradio.learner import DEFAULT_LEARNING, Learner, LearnerSettings
from fastlabel_gradio.learning_record import LearningPoint
from fastlabel_gradio.pool_ledger import PoolLedger
from fastlabel_gradio.strategies import COLD_START, STRATEGIES, PoolView
from fastlabel_gradio.trainer import Training
from fastlabel_gradio.types import Batch, Counts, Item, LabelSchema, Prediction, Receipt, Reopened, Rows

CLAIM_ATTEMPTS = 4
BATCHES_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class LabelerSettings:
    """How a labeler behaves; the fields are those of `config.ProjectConfig`, those of its head in `learner`."""

    strategy: str = "auto"
    batch_size: int = 100
    claim_s: float = 600.0
    audit_share: float = 0.0
    learner: LearnerSettings = DEFAULT_LEARNING


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

    Args:
        schema: at least two labels.
        folder: where the head's checkpoint is kept.
        clock: seconds since the epoch.
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
    ) -> None:
        STRATEGIES.get(settings.strategy)
        self.schema = schema
        self.settings = settings
        self._store = store
        self._pipeline = pipeline
        self._labels = labels
        self._clock = clock
        self._lock = threading.RLock()
        self._ledger = PoolLedger(
            store, labels.current(), labels.claims(now=clock()), settings.audit_share, pipeline.is_held_out
        )
        self._batches: OrderedDict[str, tuple[Item, ...]] = OrderedDict()
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._rng = np.random.default_rng(settings.learner.seed)
        self._learner = Learner(schema, store, pipeline, self._ledger, self._lock, folder, settings.learner, clock)

    # Batches

    def next_batch(
        self, annotator: str, size: int | None = None, strategy: str | None = None, *, fresh: bool = False
    ) -> Batch:
        """The annotator's open batch, or newly claimed items if there is none or `fresh` is asked for.

        A fresh batch gives the unlabeled items of the open one back to the pool, where they come again when there is nothing
        else. The newest head picks; one that is being trained is waited for, 0.4 s at most, the first one 2 s. Requests of
        one annotator at the same time, from two tabs or a retry, take turns; where none is `fresh` all get the same batch.

        Raises:
            UnknownNameError: no such strategy.
        """
        chosen = STRATEGIES.get(strategy or self.settings.strategy)
        with self._lock:
            turn = self._turns[annotator]
        with turn:
            if not fresh and (batch := self._open_batch(annotator)):
                return batch
            with self._learner.paused():
                self._learner.wait_for_head()
                with self._lock:
                    left_open = self._labels.release(annotator)
                    self._ledger.set_aside(left_open)
                    self._ledger.unclaim(left_open)
                batch = self._claim_fresh(annotator, size or self.settings.batch_size, chosen.name)
        self._learner.release_pages()
        return batch

    def renew(self, annotator: str, batch_id: str) -> bool:
        """Keeps a batch claimed for another while; False where it is not the annotator's open batch any more."""
        with self._lock:
            now = self._clock()
            self._ledger.expire(now)
            renewed = self._labels.renew(annotator, batch_id, expires_at=now + self.settings.claim_s)
            if renewed:
                self._ledger.renew(batch_id, now + self.settings.claim_s)
            return renewed

    def batch_items(self, batch_id: str) -> tuple[Item, ...] | None:
        """The items of a batch that was given out lately, in order; None for an unknown one."""
        return self._batches.get(batch_id)

    # Labels

    def submit(self, annotator: str, labels: Sequence[tuple[str, str | int]], batch_id: str = "") -> Receipt:
        """Stores labels durably, all or none, and sets off a training when `train_every` new ones have come.

        Sending the same again changes nothing. Items of the batch that are not named go back to the pool, where they come
        again when there is nothing else.

        Args:
            labels: (item id, class name or position in the schema).

        Raises:
            InvalidLabelsError: an unknown item or label, or two labels for one item; nothing was stored.
            StoreError: it could not be written; nothing was stored.
        """
        wanted = self._validated(labels)
        with self._lock:
            submission = self._labels.submit(annotator, list(wanted.items()), batch_id, now=self._clock())
            self._ledger.relabel(submission.changed)
            self._ledger.set_aside(set(submission.released) - wanted.keys())
            self._ledger.unclaim(submission.released)
            triggered = self._learner.count(len(submission.changed))
        if triggered:
            self._learner.request()
        return Receipt(len(labels), triggered)

    def undo(self, annotator: str) -> Reopened:
        """Takes the annotator's last submit back and opens a batch of its items, to be labeled again."""
        with self._lock:
            undone = self._labels.undo(annotator, now=self._clock())
            if undone is None:
                return Reopened(0, None, {})
            self._ledger.relabel(undone.changed)
            due = self._learner.count(len(undone.changed))
            self._release(annotator)
            free = [item_id for item_id, label in undone.changed.items() if label is None]
            head = self._learner.head
            claimed = self._claim(annotator, self._ledger.free_rows_of(free), "undo", "", head)
        if due:
            self._learner.request()
        positions = {item_id: self.schema.index_of(label_id) for item_id, label_id in undone.labels}
        return Reopened(len(undone.labels), self._batch(*claimed, head) if claimed else None, positions)

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

    @property
    def checkpoint(self) -> Path:
        """Where the newest head is saved; the file is there once a head was trained."""
        return self._learner.checkpoint

    def counts(self) -> Counts:
        with self._lock:
            self._ledger.expire(self._clock())
            self._ledger.catch_up(self._pipeline.progress)
            labeled = self._ledger.labeled_count
            readable = self._store.total - self._store.unreadable_count
            unlabeled = max(0, readable - self._ledger.labeled_in_pool_count)
            return Counts(labeled, unlabeled, self._ledger.claimed_count, self._ledger.missing_count)

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
        with self._lock:
            return self._ledger.claimed_by_others(annotator)

    def predictions(self, rows: Rows) -> list[Prediction | None]:
        """What the newest head says of some rows; None for each while there is no head."""
        return self._predictions(self._learner.head, rows)

    def _predictions(self, head: Head | None, rows: Rows) -> list[Prediction | None]:
        if head is None:
            return [None] * len(rows)
        probabilities = head.predict_proba_rows(self._store.embeddings, rows)
        best = probabilities.argmax(axis=1)
        return [Prediction(int(index), float(row[index])) for index, row in zip(best, probabilities, strict=True)]

    def export_rows(self, *, include_predictions: bool = False) -> Iterator[ExportRow]:
        """Every standing annotation; with predictions also every unlabeled item, and what the head says of each."""
        names = dict(zip(self.schema.ids, self.schema.names, strict=True))
        for annotation in self._labels.annotations():
            said_at = datetime.fromtimestamp(annotation.created_at, UTC).isoformat(timespec="milliseconds")
            name = names[annotation.label_id]
            yield ExportRow(annotation.item_id, name, annotation.annotator, said_at)
        if include_predictions:
            yield from self._predicted_rows()

    def close(self) -> None:
        """Ends the trainer thread. Labels need no saving: they are durable already."""
        self._learner.close()

    # Private: batches

    def _open_batch(self, annotator: str) -> Batch | None:
        with self._lock:
            self._ledger.catch_up(self._pipeline.progress)
            claimed = self._labels.open_batch(annotator, now=self._clock())
            if claimed is None:
                return None
            in_pool = self._store.known_ids(claimed.item_ids)  # a file may have been removed since
            claimed = replace(claimed, item_ids=tuple(id_ for id_ in claimed.item_ids if id_ in in_pool))
            rows = self._store.rows_of(claimed.item_ids)
            if not rows or len(rows) < len(claimed.item_ids):  # the encoder was changed and has not come to them yet
                self._release(annotator)
                return None
        return self._batch(claimed, [rows[item_id] for item_id in claimed.item_ids], self._learner.head)

    def _claim_fresh(self, annotator: str, size: int, strategy: str) -> Batch:
        """Picks and claims. Picks anew where another annotator was faster with some; takes fewer where that goes on."""
        with self._lock:
            self._ledger.expire(self._clock())
            self._ledger.catch_up(self._pipeline.progress)
            free, free_audit = self._ledger.free_rows(size), self._ledger.free_audit_rows(size)
            labeled, label_ids = self._ledger.training_set()
            rng = self._rng.spawn(1)[0]
        head = self._learner.head
        notice = ""
        if head is None and STRATEGIES.get(strategy).needs == "probabilities":
            notice = f"There is no trained head for '{strategy}' yet: '{COLD_START}' picked these."
            strategy = COLD_START
        embeddings = self._store.embeddings
        found = candidates_of(head, embeddings, free, self._learner.shortlist, rng)
        pool = PoolView(
            store=embeddings,
            rows=found.rows,
            probabilities=found.probabilities,
            labeled=labeled,
            targets=self.schema.positions_of(label_ids),
            classes=len(self.schema),
            head=head,
            labeled_vectors=self._learner.kept.of(embeddings, labeled),
            shortlisted=found.shortlisted,
        )
        for attempt in range(CLAIM_ATTEMPTS):
            random_rows = free_audit[: self._audit_count(size, len(pool), rng)]
            picked = STRATEGIES.get(strategy).pick(pool, size - len(random_rows), rng)
            rows = _interleaved(pool.rows[picked], random_rows, rng)
            with self._lock:
                complete = bool(self._ledger.is_free(rows).all())
                enough = complete or attempt == CLAIM_ATTEMPTS - 1
                claimed = self._claim(annotator, rows, strategy, notice, head) if enough else None
                still_free = self._ledger.is_free(pool.rows)
                free_audit = free_audit[self._ledger.is_free(free_audit)]
            if claimed is not None:
                return self._batch(*claimed, head)
            pool = pool.at(np.flatnonzero(still_free))
        return self._empty_batch(strategy)

    def _audit_count(self, size: int, candidates: int, rng: np.random.Generator) -> int:
        """How many of a batch are drawn for the audit: its share, rounded at random; all where nothing else is left."""
        share = min(int(size * self.settings.audit_share + rng.random()), size)
        return max(share, size - candidates)

    def _claim(
        self, annotator: str, rows: Rows, strategy: str, notice: str, head: Head | None
    ) -> tuple[ClaimedBatch, list[int]] | None:
        """Claims what is still free of some rows as the annotator's open batch, with its rows; None where nothing is."""
        rows = rows[self._ledger.is_free(rows)]
        items = self._store.items_at(rows)
        if not items:
            return None
        ids = tuple(item.id for item in items.values())
        wanted = ClaimedBatch(secrets.token_hex(8), ids, strategy, _version(head), notice)
        now = self._clock()
        got = self._labels.claim(annotator, wanted, now=now, expires_at=now + self.settings.claim_s)
        rows_by_id = {item.id: row for row, item in items.items()}
        if len(got) < len(wanted.item_ids):  # another process works on the same label store
            self._ledger.replace_claims(self._labels.claims(now=now))
            self._ledger.relabel(self._labels.standing(set(wanted.item_ids) - set(got)))
        if not got:
            return None
        self._ledger.claim(got, annotator, wanted.id, now + self.settings.claim_s)
        return replace(wanted, item_ids=tuple(got)), [rows_by_id[item_id] for item_id in got]

    def _batch(self, claimed: ClaimedBatch, rows: Sequence[int], head: Head | None) -> Batch:
        """The batch as it is given out, with the predictions of that head."""
        items = tuple(self._store.items_at(np.array(rows, dtype=np.int64)).values())
        with self._lock:
            self._batches[claimed.id] = items
            self._batches.move_to_end(claimed.id)
            while len(self._batches) > BATCHES_REMEMBERED:
                self._batches.popitem(last=False)
        return Batch(
            id=claimed.id,
            items=items,
            rows=tuple(rows),
            predictions=self._predictions(head, np.array(rows, dtype=np.int64)),
            strategy=claimed.strategy,
            head_version=_version(head),
            notice=claimed.notice,
        )

    def _empty_batch(self, strategy: str) -> Batch:
        return Batch("", (), (), (), strategy, _version(self._learner.head), self._why_empty())

    def _why_empty(self) -> str:
        progress, counts = self._pipeline.progress, self.counts()
        if progress.state == "failed":
            return progress.error
        if counts.unlabeled == 0 and counts.labeled and not progress.scanning:
            return "Every item is labeled. Export the labels and the trained head."
        if progress.state != "done":
            return "The first items are being embedded. This takes a moment."
        if counts.claimed:
            return "The remaining items are in the batches of other annotators. Come back in a few minutes."
        return "There is nothing to label: no item of the source can be read."

    def _release(self, annotator: str) -> None:
        self._ledger.unclaim(self._labels.release(annotator))

    def _audit_notice(self) -> str:
        """Why nothing is kept to test the head on though it should; "" otherwise."""
        progress, grouping = self._pipeline.progress, self._pipeline.grouping
        with self._lock:
            self._ledger.catch_up(progress)
            if grouping is None or progress.state != "done" or not self._ledger.audits_nothing:
                return ""
        return (
            f"How good the head is on new {grouping.noun} cannot be said: all items are of one {grouping.noun[:-1]}, so none "
            "is kept to test it on. Add others."
        )

    # Private: labels and training

    def _validated(self, labels: Sequence[tuple[str, str | int]]) -> dict[str, int]:
        """Label ids by item id. Raises InvalidLabelsError."""
        wanted: dict[str, int] = {}
        for item_id, label in labels:
            label_id = self._label_id(label)
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
            return {item.id for items in self._batches.values() for item in items}

    def _label_id(self, label: str | int) -> int:
        names = self.schema.names
        if isinstance(label, str) and label in names:
            return self.schema.ids[names.index(label)]
        if isinstance(label, int) and 0 <= label < len(names):
            return self.schema.ids[label]
        raise InvalidLabelsError(f"label {shown(label)} is not known. Use a name or an index: {_numbered(names)}.")

    def _predicted_rows(self) -> Iterator[ExportRow]:
        with self._lock:
            labeled = self._ledger.labeled_ids()
        for block in self._store.item_blocks():
            unlabeled = [(row, item_id) for row, item_id in block if item_id not in labeled]
            predictions = self.predictions(np.array([row for row, _ in unlabeled], dtype=np.int64))
            for (_, item_id), prediction in zip(unlabeled, predictions, strict=True):
                name = self.schema.names[prediction.index] if prediction else ""
                yield ExportRow(item_id, "", "", "", name, prediction.confidence if prediction else None)
            self._learner.release_pages()


def _version(head: Head | None) -> int:
    return head.info.version if head else 0


def _interleaved(
    picked: Int64[np.ndarray, " picked"], random_rows: Int64[np.ndarray, " drawn"], rng: np.random.Generator
) -> Int64[np.ndarray, " batch"]:
    """Picks in their order with random rows at random places among them, so that nobody can tell which is which."""
    places = np.sort(rng.integers(len(picked) + 1, size=len(random_rows)))
    return np.insert(picked, places, random_rows)


def _numbered(names: Sequence[str]) -> str:
    return ", ".join(f"{index} {name}" for index, name in enumerate(names[:20]))
