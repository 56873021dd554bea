"""Project: one pool as it is served. Opens what a ProjectConfig names, holds it together, closes it in order."""

import functools
import logging
import secrets
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from fastlabel_gradio.classifier.facts import HeadFacts
from fastlabel_gradio.classifier.keeper import ModelKeeper
from fastlabel_gradio.comparison.report import EncoderReport, compare_encoders
from fastlabel_gradio.comparison.verdict import EncoderJudge
from fastlabel_gradio.config import ProjectConfig
from fastlabel_gradio.devices import use_one_thread_per_operation
from fastlabel_gradio.encoders import AUTO, Encoder, EncoderChoice, check_encoder
from fastlabel_gradio.errors import InvalidLabelsError, StoreError, shown
from fastlabel_gradio.explore.pool_map import PoolMap
from fastlabel_gradio.exports import ExportRow
from fastlabel_gradio.exports.row_stream import Choice
from fastlabel_gradio.gallery import open_gallery
from fastlabel_gradio.imports.given_labels import GivenLabels, ReferenceLabels
from fastlabel_gradio.inquiry import Inquiry
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.labels import LabelStore
from fastlabel_gradio.labels.classes import clean_class_name
from fastlabel_gradio.labels.contradictions import Contradiction, contradiction_among
from fastlabel_gradio.loop.head_exchange import HeadExchange
from fastlabel_gradio.parts.places import has_scheme, open_place
from fastlabel_gradio.pool.encoder_change import EncoderChange
from fastlabel_gradio.pool.encoder_in_use import EncoderPlan, keep_encoder_in_use, plan_encoder, recorded_models
from fastlabel_gradio.pool.lease import PoolLease
from fastlabel_gradio.pool.parts_taken import PartsTaken
from fastlabel_gradio.pool.pipeline import EmbeddingPipeline
from fastlabel_gradio.pool.source_identity import check_owner
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.server.bucket import Sealer, restore_sealed
from fastlabel_gradio.server.visitors import VisitorFolders
from fastlabel_gradio.sources import open_source
from fastlabel_gradio.sources.base import Source
from fastlabel_gradio.strategies import STRATEGIES
from fastlabel_gradio.types import Item, LabelSchema, Medium

MAX_PRIVATE_LABELERS = 100

log = logging.getLogger(__name__)


class Project:
    """One pool with its source, embeddings, labels and labelers.

    Args:
        base_dir: relative paths of the configuration are relative to this folder.
        workdir: the project keeps everything in `workdir/<name>`.
        embedding_workers: threads that embed; one per core by default.
        bucket: a folder into which labels are sealed and from which they are put back, where no `database` is named.

    Attributes:
        start_id: another one at each start; in addresses of pictures, which browsers keep.

    Raises:
        FastLabelError: something that the configuration names cannot be used; nothing is left open.
    """

    def __init__(
        self,
        config: ProjectConfig,
        base_dir: Path,
        workdir: Path,
        device: str = "cpu",
        embedding_workers: int | None = None,
        bucket: Path | None = None,
    ) -> None:
        use_one_thread_per_operation()
        STRATEGIES.get(config.strategy)
        self.config = config
        self.device = device
        self.folder = workdir / config.name
        self.start_id = secrets.token_hex(4)
        self._sealer = None if bucket is None or config.database else _unsealed(bucket, workdir, config.name)
        self.source = open_source(config.source.kind, config.source.options, base_dir, workdir / "downloads")
        encoder = check_encoder(
            config.encoder.kind, config.encoder.options, self.source.medium, base_dir, recorded_models(self.folder)
        )
        self.encoders_compared: Inquiry[EncoderReport] = Inquiry(
            lambda tell, stop: compare_encoders(config, base_dir, workdir, stop=stop, tell=tell)
        )
        self._lock = threading.Lock()
        self._labelers: OrderedDict[str, _Opened] = OrderedDict()
        self._visitors = VisitorFolders(self.folder / "private", config.visitors_gb * 1e9)
        self._opening: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        with _disk_errors_named(self.folder), ExitStack() as undo:
            self._lease = PoolLease(self.folder, may_follow=config.database is not None)
            undo.callback(self._lease.release)
            check_owner(self.folder, config.source.kind, config.source.options, base_dir)
            self._label_store = self._open_label_store(config.name)  # open to the end: its file cannot get lost unseen
            undo.callback(self._label_store.close)
            self._proposed = _proposed_classes(self.source)
            self.schema = self._label_store.ensure_labels(config.classes or self._proposed)
            self.store = EmbeddingStore(
                self.folder, follows=not self._lease.is_held, device=device, gpu_share=config.gpu_share
            )
            undo.callback(self.store.close)
            self.suggestions = GivenLabels(self.folder / "suggestions.parquet")
            self.references = GivenLabels(self.folder / "references.parquet")
            self.gallery = open_gallery(self.source, self.folder)
            plan = self._encoder_plan(encoder, base_dir)
            self.pipeline = self._new_pipeline(plan, base_dir, embedding_workers)
            self._known_labels = ReferenceLabels(self.references, self.pipeline.known_label)
            self.map = PoolMap(self.store, self.folder, lambda: self.pipeline.progress.state == "done")
            recipe, resolution = config.recipe, self.gallery.tile_resolution
            self.models = ModelKeeper(self.name, self.source, self.folder, self.pipeline, resolution, recipe)
            self.contradiction: Contradiction | None = None  # among the reference labels
            self.new_classes: tuple[str, ...] = ()  # that the source proposes since the start
            self.pipeline.ready.call_back(lambda: self._keep_encoder(self.pipeline.encoder, plan.begins_with))
            self.pipeline.done.call_back(self._compare_reference_labels)
            self.pipeline.done.call_back(self._look_for_classes)
            undo.pop_all()

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def medium(self) -> Medium:
        return self.source.medium

    @property
    def notice(self) -> str:
        """What its users should know of the source, in a line; "" where there is nothing to say."""
        return self.notice_with(self.contradiction)

    def notice_with(self, known: Contradiction | None) -> str:
        """The same for somebody who may see that much of what contradicts itself among the reference labels."""
        contradiction = known.text("The labels that the source knows") if known else ""
        change = self.pipeline.progress.change
        told = (self.source.notice, change.text if change else "", contradiction, _new_classes(self.new_classes))
        return " ".join(filter(None, told))

    def advice(self, schema: LabelSchema) -> str:
        """What to do where there are too few classes to tell apart, in a line; "" otherwise."""
        if len(schema) > 1:
            return ""
        why = "" if len(schema) else self.source.why_no_classes()
        known = "There is one class" if len(schema) else f"There are no classes yet{f' ({why})' if why else ''}"
        return f"{known}. Name classes on the page, under Classes; suggestions come with labels of two of them."

    def start(self) -> None:
        """Begins to embed; labelers come into being when somebody asks for one."""
        self.pipeline.start()
        if self._sealer:
            self._sealer.start()

    def labeler(self, annotator: str) -> Labeler:
        """The labeler that serves an annotator: one for all, or with `sharing: private` one each."""
        owner = annotator if self.config.sharing == "private" else ""
        with self._lock:
            opening = self._opening.setdefault(owner, threading.Lock())
        with opening:  # others need not wait for this one's label store
            if owner not in self._labelers:
                opened = self._new_labeler(owner)
                with self._lock:
                    self._labelers[owner] = opened
            with self._lock:
                self._labelers.move_to_end(owner)
                labeler, idle = self._labelers[owner].labeler, self._take_idle()
        for entry in idle:
            entry.close()  # outside of the lock: it waits for a training under way
        if owner:
            self._make_room(owner)
        return labeler

    def label_store(self, annotator: str) -> LabelStore:
        """The labels that the labeler of an annotator writes."""
        self.labeler(annotator)
        with self._lock:
            return self._labelers[annotator if self.config.sharing == "private" else ""].label_store

    def check_store(self) -> None:
        """Raises StoreError where labels cannot be stored now; changes nothing."""
        self._label_store.check_storing()
        if self._sealer:
            self._sealer.check()

    def reference_label(self, item: Item, schema: LabelSchema | None = None) -> str | None:
        """The class of an item that was imported as a reference, or else the one that the data itself gives.

        Args:
            schema: as which the class is called; None for the project's, as it is now.
        """
        return self._known_labels.of(item.id, self._label_store.schema() if schema is None else schema)

    def export_rows(
        self,
        annotator: str,
        choice: Choice | None = None,
        *,
        include_predictions: bool = False,
        include_states: bool = False,
        as_made: bool = False,
    ) -> Iterator[ExportRow]:
        """The rows of the annotator's labeler, each with the path of its item's file and how much slower it was played."""
        expand = self.source.sound_view.expand if self.source.sound_view.expand > 1 else None
        labeler = self.labeler(annotator)
        options = {"include_predictions": include_predictions, "include_states": include_states, "as_made": as_made}
        for row in labeler.export_rows(choice, **options):
            path = self.source.exported_path(Item(row.item_id))
            yield replace(row, path=path, expand=expand, medium=self.source.medium)

    def write_model(self, annotator: str, folder: Path) -> None:
        """Writes the bundle of the annotator's newest head. Raises StoreError where there is none yet, or no room."""
        labeler = self.labeler(annotator)
        facts = labeler.head_facts()
        if facts is None:
            raise StoreError("There is no trained head yet. Label items of at least two classes first.")
        with _disk_errors_named(folder):
            self.models.write(folder, facts, _promised(labeler))

    def take(self, name: str, content: bytes) -> str:
        """Adds a file to the source's folder and has it listed; returns the item's id. Raises SourceError."""
        item_id = self.source.take_file(name, content)
        self.pipeline.rescan()
        return item_id

    def batch_items(self, batch_id: str) -> tuple[Item, ...]:
        """The items of a batch of any labeler. Raises InvalidLabelsError for an unknown batch."""
        with self._lock:
            opened = list(self._labelers.values())
        for entry in opened:
            if (items := entry.labeler.batch_items(batch_id)) is not None:
                return items
        raise InvalidLabelsError(f"batch {shown(batch_id)} is not known any more. Load the next batch.")

    def close(self) -> None:
        """Ends the threads and closes the files. Nothing is lost without it: labels are durable when acknowledged."""
        self.encoders_compared.close()
        self.map.close()
        self.pipeline.stop()
        for opened in self._labelers.values():
            opened.close()
        self._label_store.close()
        if self._sealer:
            self._sealer.close()
        self.gallery.close()
        self.store.close()
        self._lease.release()

    def _encoder_plan(self, wanted: EncoderChoice, base_dir: Path) -> EncoderPlan:
        """Where labels are, the encoder that they were given with goes on until another one takes over."""
        config, is_auto = self.config, self.config.encoder.kind == AUTO
        has_labels = (
            (self.folder / "private").is_dir() if config.sharing == "private" else bool(self._label_store.current())
        )
        keeps_serving = has_labels and config.encoder_change != "at_once"
        return plan_encoder(self.folder, wanted, base_dir, is_auto=is_auto, keeps_serving=keeps_serving)

    def _new_pipeline(self, plan: EncoderPlan, base_dir: Path, workers: int | None) -> EmbeddingPipeline:
        return EmbeddingPipeline(
            self.source,
            self.store,
            plan.begins_with.open,
            self.gallery.keep,
            self.gallery.tile_resolution,
            workers,
            rescan_s=60 * self.config.rescan_minutes,
            audit_share=self.config.audit_share,
            change=self._change_to(plan.changes_to) if plan.changes_to else None,
            parts=self._parts(base_dir),
            lease=self._lease,
        )

    def _parts(self, base_dir: Path) -> PartsTaken | None:
        """Vectors that are computed elsewhere. Raises ConfigError."""
        given = self.config.embedded
        if given is None:
            return None
        place = open_place(given if has_scheme(given) else base_dir / Path(given).expanduser())
        return PartsTaken(place, self.source)

    def _change_to(self, choice: EncoderChoice) -> EncoderChange:
        forced = self.config.encoder_change == "always"
        judge = EncoderJudge(self.store, self.config, self._label_store.taught, forced, self.device)
        adopted = functools.partial(self._keep_encoder, choice=choice)
        return EncoderChange(choice.name, self.source, self.store, choice.open, judge, adopted)

    def _keep_encoder(self, encoder: Encoder | None, choice: EncoderChoice) -> None:
        """In the pipeline's thread. Raises StoreError: the next start would not know whose the embeddings are."""
        assert encoder is not None
        with _disk_errors_named(self.folder):
            keep_encoder_in_use(self.folder, encoder.name, choice)

    def _compare_reference_labels(self) -> None:
        """In the pipeline's thread, once all is embedded."""
        copies, schema = self.store.copies(), self._label_store.schema()
        known = ((key, item_id, self._known_labels.of(item_id, schema)) for key, item_id in copies)
        labeled = ((key, item_id, label) for key, item_id, label in known if label is not None)
        found = contradiction_among(labeled)
        if found and found != self.contradiction:  # each scan looks anew
            log.warning("%s: %s", self.name, found.text("The labels that the source knows"))
        self.contradiction = found

    def _look_for_classes(self) -> None:
        """In the pipeline's thread, once all is embedded: classes that came since the start have no key yet."""
        if not self.config.classes:
            self.new_classes = tuple(name for name in _proposed_classes(self.source) if name not in self._proposed)

    def _take_idle(self) -> "list[_Opened]":
        """Visitors of a public page come and go: the labelers that were used least lately, to be closed."""
        return [self._labelers.popitem(last=False)[1] for _ in range(len(self._labelers) - MAX_PRIVATE_LABELERS)]

    def _make_room(self, owner: str) -> None:
        """Where visitors left too much on the disk, what can be made again of their labels goes, but for one of them."""
        for visitor in self._visitors.surplus(spared=(owner,)):
            with self._lock:
                opening = self._opening.setdefault(visitor, threading.Lock())
            with opening:  # nobody opens the labeler again meanwhile
                with self._lock:
                    opened = self._labelers.pop(visitor, None)
                if opened:
                    opened.close()
                self._visitors.drop(visitor)
            log.info("%s: the head and the lists of visitor %s made room for others", self.name, visitor)

    def _new_labeler(self, owner: str) -> "_Opened":
        if not owner:
            return self._opened(self._label_store, self._label_store.schema(), self.folder)
        folder = self._visitors.of(owner)
        label_store = self._open_label_store(f"{self.name}/{owner}")
        return self._opened(label_store, label_store.ensure_labels(self.schema.names), folder)

    def _opened(self, label_store: LabelStore, schema: LabelSchema, folder: Path) -> "_Opened":
        ready = Future[Labeler]()  # a head may be kept before the labeler is made to its end

        def keep_model(facts: HeadFacts) -> None:
            self.models.keep(folder, facts, _promised(ready.result()))

        labeler = Labeler(
            schema,
            self.store,
            self.pipeline,
            label_store,
            folder,
            self.config,
            self.device,
            pool_map=self.map,
            keep_model=keep_model,
            exchange=HeadExchange(label_store) if self.config.database else None,
            name=self.name,
            suggestions=self.suggestions,
            references=ReferenceLabels(self.references, self.pipeline.known_label),  # classes are each labeler's own
        )
        ready.set_result(labeler)
        return _Opened(labeler, label_store, folder)

    def _open_label_store(self, project: str) -> LabelStore:
        url = self.config.database or f"sqlite:///{(self.folder / 'labels.sqlite').resolve()}"
        most_bytes = self.config.visitors_gb * 1e9 if self.config.sharing == "private" else None
        return LabelStore(url, project, most_bytes)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A labeler in use, with the label store that it writes to and the folder of its head."""

    labeler: Labeler
    label_store: LabelStore
    folder: Path

    def close(self) -> None:
        self.labeler.close()
        self.label_store.close()
        with suppress(OSError):  # only that of a visitor who trained no head is empty
            self.folder.rmdir()


def _unsealed(bucket: Path, workdir: Path, name: str) -> Sealer:
    """What seals a project's labels into a bucket, after what the disk lacks of them was put back from there."""
    sealer = Sealer(bucket, workdir, name)
    with _disk_errors_named(bucket):
        restore_sealed(bucket, workdir, name)
    return sealer


def _promised(labeler: Labeler) -> dict[str, Any] | None:
    """What was proven of labels that the program accepted, for whoever takes the classifier along; None without any."""
    found, brought = labeler.finisher.evidence(), labeler.finisher.brought()
    if not found and not brought:
        return None
    promises = [
        {
            "precision": one.promise.precision,
            "items": one.items,
            "checked": one.promise.checked,
            "wrong": one.promise.wrong,
            "accepted_at": one.accepted_at,
        }
        for one in found
    ]
    imported = [
        {
            "precision": one.promise.precision,
            "items": one.labels,
            "checked": one.promise.checked,
            "wrong": one.promise.wrong,
            "imported": True,
        }
        for one in brought
    ]
    words = " ".join([*(one.words for one in found), *(one.words for one in brought)])
    return {"words": words, "promises": [*promises, *imported]}


def _proposed_classes(source: Source) -> list[str]:
    """The classes of the data itself, as classes are called: names that differ in white space or in form only are one."""
    return list(dict.fromkeys(filter(None, map(clean_class_name, source.classes()))))


def _new_classes(names: tuple[str, ...]) -> str:
    """That the source proposes classes which have no key yet, in a sentence for the page; "" for none."""
    if not names:
        return ""
    shown_names = ", ".join(f"'{name}'" for name in names[:5]) + (f" and {len(names) - 5} more" if names[5:] else "")
    return f"New classes in the source: {shown_names}. Restart FastLabel to get keys for them; labels are kept."


@contextmanager
def _disk_errors_named(folder: Path) -> Iterator[None]:
    """Raises StoreError where the disk is full, the folder cannot be written, or a file stands where a folder should be."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"{folder} cannot be used: {error}. Make room on its disk and see that it can be written, or choose another "
            "--workdir. Labels that are there stay in its labels.sqlite."
        ) from error
