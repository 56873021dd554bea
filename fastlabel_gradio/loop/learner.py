"""Learner: the head of a project. Trains it in the background on the labels as they are, measures, calibrates and saves it.

What is labeled is the ledger's affair, who asks for a training the labeler's.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np

from fastlabel_gradio.classifier.facts import HeadFacts, facts_of
from fastlabel_gradio.config import LoopSettings
from fastlabel_gradio.devices import at_low_priority
from fastlabel_gradio.encoders import Encoder
from fastlabel_gradio.errors import CheckpointError, FastLabelError, StoreError
from fastlabel_gradio.head import Head, HeadMaker, check_head
from fastlabel_gradio.labels import StoredHead
from fastlabel_gradio.labels.contradictions import Contradiction
from fastlabel_gradio.loop.bundler import Bundler
from fastlabel_gradio.loop.grounds import Grounds
from fastlabel_gradio.loop.head_exchange import Alone, Exchange
from fastlabel_gradio.loop.labeled_copies import contradiction_of
from fastlabel_gradio.loop.measures import Measures
from fastlabel_gradio.loop.saved_head import SavedHead
from fastlabel_gradio.loop.trainer import NotYet, Trainer, Training
from fastlabel_gradio.loop.training_pace import LATEST_S, MANY_PEOPLE, labels_due
from fastlabel_gradio.loop.training_run import TrainingRun
from fastlabel_gradio.pool.candidates import WINDOW_ROWS
from fastlabel_gradio.pool.desk import Desk
from fastlabel_gradio.pool.ground import Ground
from fastlabel_gradio.superseded import Checkpoint, Superseded
from fastlabel_gradio.types import LabelSchema, Probabilities, Rows

log = logging.getLogger(__name__)

HEAD_WAIT_S = 0.4
FIRST_HEAD_WAIT_S = 2.0  # a screen without any suggestion costs more than that
BUNDLE_WAIT_S = 5.0  # of who accepted labels: an export right after it has the promise
CHANGE_WAIT_S = 600.0
CLASSES_CHANGED = "The classes were changed; a head for the new ones is trained next."
ENCODER_CHANGED = "Another encoder takes over; a head for it is trained next."


class Learner:
    """One head after the other. All methods may be called from any thread.

    Attributes:
        measures: what its heads are worth.
        contradiction: items of one content that people labeled differently, as of the newest head.
        notice: why the saved head or the class names are not used; "" where there is nothing to say.

    Args:
        folder: where the checkpoint and the learning curve are kept.
        keep_model: given every head once it is measured and calibrated, in the trainer's thread.
        exchange: with the learners of other processes on the label store.
    """

    def __init__(
        self,
        desk: Desk,
        folder: Path,
        settings: LoopSettings,
        device: str,
        keep_model: Callable[[HeadFacts], None],
        exchange: Exchange | None = None,
    ) -> None:
        self._desk = desk
        self._store = desk.store
        self._pipeline = desk.pipeline
        self._ledger = desk.ledger
        self._keep_model = keep_model
        self._bundler = Bundler(lambda head: self._keep_model(self.facts(head)))
        self._schema = desk.schema
        self._lock = threading.Lock()  # of the head, and of the schema and the ground that it is for
        self._settings = settings
        self._grounds = Grounds(desk, folder, settings, device)
        self._seen = 0  # changes of labels, of all in the ledger
        self.contradiction: Contradiction | None = None
        self.notice = ""
        self.measures = Measures(desk, folder / "learning_curve.jsonl")
        self._saved = SavedHead(folder / "head.safetensors", self.measures.record, exchange or Alone(), device)
        self._head: Head | None = None
        self._run: TrainingRun | None = None
        self._is_measured = True  # the newest head, or there is no need to
        self._is_asked = False  # for a training of all labels, however few are new
        self._trainer = Trainer(self._train, self._after_training_gently)
        desk.trains = self.request_if_due
        desk.when_classes_change(self._use_schema)
        self._wishes: tuple[Callable[[], None], ...] = (
            desk.pipeline.ready.call_back(self._resume),
            desk.pipeline.changed.call_back(self._change_encoder),
            desk.pipeline.done.call_back(self._train_on_late_rows),
            desk.pipeline.done.call_back(self._compare_copies),
        )

    @property
    def head(self) -> Head | None:
        """The newest; version 0 is that of the class names alone."""
        return self._head

    @property
    def checkpoint(self) -> Path:
        """Where the newest head is saved; the file is there once a head was trained."""
        return self._saved.checkpoint

    def head_for(self, schema: LabelSchema) -> Head | None:
        """The newest head, where its columns are the classes of that schema."""
        return _fitting(self._head, schema)

    def ground_of(self, head: Head | None) -> Ground:
        """The vectors that a head is asked about; those of the encoder in use where there is none."""
        return self._grounds.of(head)

    def says(self, head: Head, rows: Rows) -> Probabilities:
        """What a head says of some rows, float32[n, classes]."""
        return self.ground_of(head).says(head, rows)

    @property
    def trained_rows(self) -> Rows | None:
        """What the newest head that was trained in this run was trained on, ascending; None where none was."""
        run = self._run
        return run.rows if run else None

    @property
    def training(self) -> Training:
        return self._trainer.training

    @property
    def settled(self) -> bool:
        """False while a head is trained, saved, measured or calibrated."""
        return self._trainer.settled

    @property
    def _labels_due(self) -> int:
        """So many unseen ones are worth a training."""
        learned = self._head.info.label_count if self._head else 0
        return labels_due(self._settings.train_every, self._ledger.held.holders, learned)

    @property
    def _serves_many(self) -> bool:
        return self._ledger.held.holders >= MANY_PEOPLE

    @property
    def unseen(self) -> int:
        """Labels that the newest head has not seen."""
        return self._ledger.changes - self._seen

    def request_if_due(self, changed: int) -> bool:
        """Asks for a training where one is due, now that so many labels changed; returns whether."""
        unseen = self.unseen if changed > 0 else 0
        is_due = unseen >= self._labels_due
        if is_due:
            self._trainer.request()
        elif unseen >= self._settings.train_every:
            self._trainer.request_within(LATEST_S)
        return is_due

    def request(self) -> None:
        """Asks for a training now and returns at once."""
        self._is_asked = True
        self._trainer.request()

    def take_shared(self) -> None:
        """Goes on with the head of another process, where there is a newer one that fits. Raises StoreError."""
        if self._grounds.now.maker and (found := self._saved.newer()):
            self._take(found)

    def scan_soon(self) -> None:
        """Asks for a scan of what the newest head has not looked at, in the background."""
        if self._head:
            self._trainer.follow_up()

    def bundle_again(self) -> None:
        """Has the newest head given to `keep_model` once more, in the background: more is known of its labels now."""
        self._bundler.ask_again()
        self._trainer.follow_up()

    def wait_for_bundle(self) -> None:
        """Waits, 5 s at most, until `keep_model` was given what `bundle_again` was called for."""
        self._bundler.wait(BUNDLE_WAIT_S)

    @property
    def is_bundled(self) -> bool:
        """Whether `keep_model` was given all that `bundle_again` was called for."""
        return self._bundler.wait(0)

    def wait_for_head(self) -> None:
        """Waits a moment for a head that is being trained: 0.4 s at most, 2 s for the first one; not where many label."""
        if not (self._head and self._serves_many):
            self._trainer.wait(HEAD_WAIT_S if self._head else FIRST_HEAD_WAIT_S)

    def paused(self) -> AbstractContextManager[None]:
        """While inside, measuring, calibrating and looking through a large pool wait; training does not."""
        return self._trainer.paused()

    def settle(self, timeout: float) -> bool:
        """Waits until `settled`; False where that takes longer than `timeout` seconds."""
        return self._trainer.settle(timeout)

    def facts(self, head: Head) -> HeadFacts:
        """What is known of a head now, for those who take it along."""
        return facts_of(head, self._ledger, self.ground_of(head), is_honest=self.measures.is_honest(head))

    def release_pages(self) -> None:
        """Of a large pool the windows would come to fill the memory; a small one is read again and again."""
        if len(self._store) > WINDOW_ROWS:
            self._store.release_pages()

    def close(self) -> None:
        """Ends the trainer's thread."""
        for take_back in self._wishes:
            take_back()
        self._wishes = ()  # they hold this learner
        self._saved.close()
        self._trainer.close()
        if self._head:
            self._bundle(self._head)  # where closing came in between
        self._keep_model = lambda facts: None

    # Private: in the trainer's thread, the pipeline's, or that of who noticed new classes

    def _use_schema(self) -> None:
        """Makes heads for the classes of now. Until then the newest one says what it can of them."""
        with self._lock:
            self._schema = schema = self._desk.schema
            if self._head and not self._head.fits(schema):
                # What it is worth with these classes is not measured, and it is not calibrated: the next one will be.
                self._head, self._is_measured = self._head.seen_through(schema), True
                self.measures.forget()
        self.request()

    def _resume(self) -> None:
        """Once the encoder is there: goes on with the saved head, or trains one from the labels that are there."""
        encoder, space = self._pipeline.encoder, self._store.space
        if encoder is None or space is None or space.name != encoder.space:
            return  # in the last case another encoder is taking over, and calls back
        schema = self._schema
        maker, self.notice = self._grounds.maker_for(encoder, schema, space)
        head = maker.first()
        try:
            head = self._saved.load(encoder.dim, lambda saved: check_head(saved.info, schema, encoder.space)) or head
        except CheckpointError as error:
            self.notice = str(error)
        self._ledger.catch_up(self._pipeline.progress)
        trained_on = head.info.label_count if head else 0
        if trained_on and not self._ledger.trainable_count:
            self.notice = (
                f"{self.checkpoint.name} learned {trained_on:,} labels, and now there is none. If they should be there, stop "
                "FastLabel and put back a copy of labels.sqlite."
            )
        self._seen = self._ledger.changes - abs(self._ledger.trainable_count - trained_on)
        with self._lock:
            self._grounds.begin(space, maker)  # from now on heads may be trained
            self._head = _fitting(head, self._schema)
            is_stale = maker.classes != self._schema.classes or (head is not None and not self.measures.is_honest(head))
        is_trained = head is not None and head.info.version > 0
        if head and is_trained:
            self._grounds.now.scan.load(head, self._grounds.now.embeddings)
            self.scan_soon()
        if found := self._shared():
            is_stale &= not self._take(found)
        if is_stale or self.unseen >= (self._settings.train_every if is_trained else 1):
            self.request()

    def _change_encoder(self) -> None:
        """Another encoder took over: until a head is trained on its vectors, the one before answers, on those of before.

        In the pipeline's thread, which stores no rows meanwhile: those of before have as many.
        """
        encoder, space = self._pipeline.encoder, self._store.space
        if self._grounds.now.maker is None:
            self._resume()
        if encoder is None or space is None or self._is_on(encoder):
            return
        maker, self.notice = self._grounds.maker_for(encoder, self._schema, space)
        with self._lock:
            self._grounds.take_over(space, maker)
            self._is_measured = True
            self.measures.forget()
        self._trainer.request()
        self._trainer.wait(CHANGE_WAIT_S)
        with self._lock:
            if self._head is None or self._head.info.encoder_fingerprint != maker.encoder_fingerprint:
                # Too few labels, or the training failed. Classes may have changed meanwhile, and the maker with them.
                first = self._grounds.now.maker.first() if self._grounds.now.maker else None
                self._head = _fitting(first, self._schema)

    def _is_on(self, encoder: Encoder) -> bool:
        return self._grounds.now.maker is not None and self._grounds.now.maker.encoder_fingerprint == encoder.space

    def _train_on_late_rows(self) -> None:
        """Labels whose items were embedded only after the last training: another encoder, or a changed file."""
        self._ledger.catch_up(self._pipeline.progress)
        late = self._ledger.trainable_count - (self._head.info.label_count if self._head else 0)
        if late > 0:
            self.request()
        elif self._head and self._head.info.version > 0:
            self.scan_soon()

    def _shared(self) -> StoredHead | None:
        """The head of another process; None where it cannot be asked for, which the screen says of the labels too."""
        try:
            return self._saved.newer()
        except StoreError as error:
            log.warning("The newest head of other processes is not available: %s", error)
            return None

    def _take(self, found: StoredHead) -> bool:
        """Goes on with a head of another process; False where it is for other classes, another encoder or audit."""
        head = self._saved.take(found, self._check_taken)
        if head is None:
            return False
        self._ledger.catch_up(self._pipeline.progress)
        is_up_to_date = self._ledger.position.submission <= found.event
        unseen = 0 if is_up_to_date else max(1, abs(self._ledger.trainable_count - head.info.label_count))
        with self._lock:
            self._head, self._run, self._is_measured = head, None, True
            self._seen = self._ledger.changes - unseen
            self._bundler.pass_over(head)  # whoever trained it keeps its model
            self.measures.forget()
        self.scan_soon()
        return True

    def _check_taken(self, head: Head) -> None:
        """Raises CheckpointError where a head of another process is of no use here."""
        assert self._grounds.now.maker
        check_head(head.info, self._schema, self._grounds.now.maker.encoder_fingerprint)
        if not self.measures.is_honest(head):
            raise CheckpointError("the head was trained on items that are kept to test it here.")

    def _train(self) -> None:
        """One training, unless another process trains or has just done so; runs in the trainer's thread.

        Who asked for one waits for that process, and gets another one where it did not know all labels.
        """
        is_asked, self._is_asked = self._is_asked, False
        before = self._saved.revision
        with self._saved.turn(waits=is_asked) as is_mine:
            self._desk.look()
            self.take_shared()
            if is_mine and self._is_worth_training(is_asked, was_taken=self._saved.revision != before):
                at_low_priority(self._train_here) if self._serves_many else self._train_here()
            elif self.unseen >= self._settings.train_every:
                self._trainer.request_within(LATEST_S)  # where the other process ends, somebody has to go on

    def _is_worth_training(self, is_asked: bool, was_taken: bool) -> bool:
        """Whether to train now, where the head of another process `was_taken` a moment ago or was not."""
        if is_asked:
            return not was_taken or self.unseen > 0
        return self.unseen >= (self._labels_due if was_taken else self._settings.train_every)

    def _train_here(self) -> None:
        """One training on the labels as they are now."""
        ground, maker = self._ground_of_now()
        self._ledger.catch_up(self._pipeline.progress)
        event = self._ledger.position.submission
        rows, targets, groups, schema, changes = self._ledger.training_set()
        if len(np.unique(targets)) < 2 and self._ledger.waits_for_rows:
            raise NotYet("The labeled items are still being embedded; the head is trained when they are.")
        if len(np.unique(targets)) < 2:
            raise NotYet("Label items of at least two classes, then the first head is trained.")
        if schema.classes != maker.classes:
            raise NotYet(CLASSES_CHANGED)
        before, last = self._head, self._run
        head = maker.train(ground.copied.of(ground.embeddings, rows), targets, before, self._desk.clock(), groups)
        if before and self.ground_of(before) is not ground:
            head, last = head.at_temperature(1.0), None  # what was measured on other vectors does not hold here
        if ground is not self._grounds.now:
            raise NotYet(ENCODER_CHANGED)
        self._saved.save(head, event)  # before anybody sees its suggestions: a kill does not take them back
        with self._lock:
            if ground is not self._grounds.now:
                raise NotYet(ENCODER_CHANGED)
            if not head.fits(self._schema):
                raise NotYet(CLASSES_CHANGED)
            self._run = TrainingRun(rows, targets, before, last, groups)
            self._head = head
            self._seen = changes
            self._is_measured = False

    def _ground_of_now(self) -> tuple[Ground, HeadMaker]:
        """The vectors of the encoder in use, and what makes heads of them for the schema of now.

        Raises NotYet while there is no encoder, and while another one takes over, which asks for a training of its own.
        """
        ground, encoder, schema = self._grounds.now, self._pipeline.encoder, self._schema
        if ground.maker is None or ground.space is None or encoder is None:
            raise NotYet("The encoder is still loading.")
        if ground.maker.classes == schema.classes:
            return ground, ground.maker
        if ground.maker.encoder_fingerprint != encoder.space:
            raise NotYet(ENCODER_CHANGED)
        maker, notice = self._grounds.maker_for(encoder, schema, ground.space)
        with self._lock:
            if self._grounds.now is not ground:
                raise NotYet(ENCODER_CHANGED)
            self._grounds.use_maker(maker)
            self.notice = notice
            if self._head is None or self._head.info.version == 0:
                self._head = _fitting(maker.first(), self._schema)  # new class names speak at once
            return self._grounds.now, maker

    def _after_training_gently(self, checkpoint: Checkpoint) -> None:
        """At a low priority: the new head is scoring the next batch meanwhile."""
        at_low_priority(lambda: self._after_training(checkpoint))

    def _after_training(self, checkpoint: Checkpoint) -> None:
        """Measures and calibrates the newest head, which is in use by then, and scans; runs in the trainer's thread."""
        ground, newest, run = self._grounds.now, self._head, None if self._is_measured else self._run
        if newest is None or self.ground_of(newest) is not ground:
            return  # another encoder has just taken over, or the classes were changed
        head = self._measured(ground, newest, run, checkpoint) if run else newest
        if head is None:
            return  # the same
        self.release_pages()
        checkpoint()  # its files are many milliseconds of work
        self._bundle(head)
        self._scan(ground, head, checkpoint)
        if run and run.is_new:
            checkpoint()
            self._compare_copies()  # last: who waits for a batch waits for none of this
        if run and self._saved.unsaved:
            raise StoreError(self._saved.unsaved)
        if ground.scan.trouble:
            raise FastLabelError(ground.scan.trouble)

    def _bundle(self, head: Head) -> None:
        """Has its files written, where there is something to take along."""
        if head.info.version > 0 and head.columns is None:
            self._bundler.write(head)
        else:
            self._bundler.pass_over(head)

    def _measured(self, ground: Ground, trained: Head, run: TrainingRun, checkpoint: Checkpoint) -> Head | None:
        """The newest head, calibrated, once it is on the learning curve; None where it is not the newest any more."""
        assert ground.maker
        self._is_measured = True
        rows, targets = run.rows, run.targets
        if run.is_new:
            self.measures.add(trained, run.before, self.says)
        vectors, ids = ground.copied.of(ground.embeddings, rows), trained.info.label_ids
        head = ground.maker.calibrate(
            trained,
            vectors,
            targets,
            checkpoint,
            run.groups,
            lambda logits, left_out: ground.out_of_fold.put(ids, rows[left_out], logits),
        )
        if head is not trained:
            with self._lock:
                if self._head is not trained:
                    return None
                self._head = head
            self._saved.save_again(head)
        elif run.is_new:
            self._saved.share()
        return head

    def _compare_copies(self) -> None:
        """Looks for items of one content that carry different labels."""
        self.contradiction = contradiction_of(self._desk)

    def _scan(self, ground: Ground, head: Head, checkpoint: Checkpoint) -> None:
        """What the head says of the whole pool; of a large one what it is least sure of, for the batch after the next.

        Raises Superseded where another head was taken meanwhile: that one is scanned with next (`_take`).
        """
        embeddings = ground.embeddings

        def still_newest() -> None:
            checkpoint()
            if self._head is not head:
                raise Superseded

        if len(embeddings) > WINDOW_ROWS:
            release = self._store.release_pages
            ground.shortlist.refresh(head, embeddings, self._free_rows, release, still_newest)
        else:
            ground.scan.refresh(head, embeddings, self.release_pages, still_newest)

    def _free_rows(self) -> Rows:
        self._ledger.catch_up(self._pipeline.progress)
        return self._ledger.free_rows(1)


def _fitting(head: Head | None, schema: LabelSchema) -> Head | None:
    """The head, where there is one and it fits."""
    return head if head and head.fits(schema) else None
