"""EmbeddingPipeline: fills an EmbeddingStore in the background while people label what is there.

Scan, load the encoder (fit it, if it learns from the pool), then embed in shuffled order: each worker thread reads, prepares
and encodes a batch of its own, one thread writes. A stop at any moment costs the batches in the workers' hands, no more.
Every few minutes the source is listed again; what is new or changed is embedded, what is gone leaves the pool. Knows nothing
of labels.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial

import numpy as np

from fastlabel_gradio.devices import lower_priority
from fastlabel_gradio.encoders.base import Encoder
from fastlabel_gradio.encoders.known_vectors import KnownVectors
from fastlabel_gradio.encoders.licences import restriction
from fastlabel_gradio.errors import FastLabelError, StoreError
from fastlabel_gradio.labels.classes import clean_class_name
from fastlabel_gradio.pool.embed_batch import Keyed, Outcome, embed_keyed, keyed_batch
from fastlabel_gradio.pool.encoder_change import EncoderChange
from fastlabel_gradio.pool.encoder_in_use import recorded_encoder
from fastlabel_gradio.pool.encoder_start import EncoderStart
from fastlabel_gradio.pool.filling import Filling
from fastlabel_gradio.pool.item_index import END_OF_POOL
from fastlabel_gradio.pool.lease import PoolLease
from fastlabel_gradio.pool.listing import LOOK_EVERY_S, Listing, blocks_of
from fastlabel_gradio.pool.milestones import Milestone
from fastlabel_gradio.pool.pace import Pace
from fastlabel_gradio.pool.parts_taken import PartsTaken
from fastlabel_gradio.pool.progress import EmbeddingProgress
from fastlabel_gradio.pool.retries import Retries
from fastlabel_gradio.pool.shortages import despite_shortage
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.pool.unheard import LISTENED_TO, unheard_notice
from fastlabel_gradio.pool.workers import Workers, thread_workers
from fastlabel_gradio.sources.base import Source
from fastlabel_gradio.sources.groups import Grouping
from fastlabel_gradio.types import Item, Media

log = logging.getLogger(__name__)

MOST_OF_POOL = 0.9


class EmbeddingPipeline:
    """Runs in threads of its own from `start` to `stop`.

    Attributes:
        encoder: that of the rows in the store; None until it is loaded.
        ready: reached once the encoder is loaded and its stored embeddings are open.
        changed: reached once another encoder has taken over, before it embeds another item: the rows of the store are of
            the same items as before. While it is called back for nothing is stored.
        done: reached each time that every item is embedded, after rescans too.

    Args:
        open_encoder: builds the encoder and tells what to say of the choice on screen, a line and below it why; runs in the
            background.
        keep: given every item that is read, for whoever wants to cache a thumbnail of it.
        tile_resolution: what `keep` needs at least, as `resolution` of `Source.read`.
        workers: threads, each of which reads, prepares and encodes a batch at a time; one per core by default.
        audit_share: of the source's groups, how many are kept for the audit.
        rescan_s: after how many seconds the source is listed again; 0 for only when asked to.
        change: another encoder that embeds the pool behind this one and may take over.
        parts: vectors that are computed elsewhere; what is in them is not embedded here.
        lease: on the store's folder. While another process has it this one only shows what that one stores.
    """

    def __init__(
        self,
        source: Source,
        store: EmbeddingStore,
        open_encoder: Callable[[], tuple[Encoder, str]],
        keep: Callable[[Item, Media], None] | None = None,
        tile_resolution: int = 0,
        workers: int | None = None,
        *,
        audit_share: float,
        rescan_s: float = 0.0,
        change: EncoderChange | None = None,
        parts: PartsTaken | None = None,
        lease: PoolLease | None = None,
    ) -> None:
        self._filling = Filling(source, store, lease, parts)
        self._source, self._store, self._stop, self._news = source, store, self._filling.stop, self._filling.news
        self._change = change
        self._open_encoder = open_encoder
        self._keep = keep or _keep_nothing
        self._tile_resolution = tile_resolution
        self._workers = workers or max(2, os.cpu_count() or 2)
        self._listing = Listing(self._filling, rescan_s, audit_share)
        self._start = EncoderStart(self._filling, self._workers)
        self._retries = Retries()
        self._pace = Pace()
        self._waiting = 0  # news that are not embedded yet
        self._passed = -1  # the last place in the pool that a walk passed while the source was still being listed
        self._listening = False
        self._is_changing = False  # until the encoder that took over has embedded what the other one had not
        self.ready, self.changed, self.done = Milestone(), Milestone(), Milestone()
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), name=name, daemon=True)
            for name, work in (("scan", self._listing.run), ("embed", self._embed))
        ]
        self.encoder: Encoder | None = None

    @property
    def progress(self) -> EmbeddingProgress:
        told = self._filling.progress
        total = max(self._store.total - self._store.unreadable_count, len(self._store))
        done = min(len(self._store), total - self._waiting)
        change = self._change.progress if self._change else None
        progress = replace(told, done=done, total=total, scanning=not self._filling.listed.is_set(), change=change)
        if reason := self._filling.problem:
            return replace(progress, state="failed", error=reason)
        is_taking_over = self._is_changing and change is not None and change.state == "taken"
        if progress.state == "done" and (self._news.is_waiting or is_taking_over):
            return replace(progress, state="embedding")
        return progress

    @property
    def grouping(self) -> Grouping | None:
        """What the source's items are grouped by."""
        return self._source.grouping

    @property
    def follows(self) -> bool:
        """Whether another process fills the store."""
        return not self._filling.leads.is_set()

    def start(self) -> None:
        if not self.follows:
            self._store.retry_all()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Asks the threads to end and waits for the batch under way."""
        self._stop.set()
        self._listing.ask()
        self._news.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=30)

    def rescan(self) -> bool:
        """Asks for the source to be listed again and returns at once; False where the pipeline was stopped or broke.

        While a rescan is under way one more follows it: it may be past what is new. Unreadable items are tried again.
        """
        if self.follows and self._filling.lease:
            self._filling.lease.ask_for_rescan()
        else:
            self._listing.ask()
        return all(thread.is_alive() for thread in self._threads)

    def is_held_out(self, item_id: str) -> bool:
        """Whether the source keeps an item out of the pool as a test part."""
        return self._source.is_held_out(item_id)

    def known_label(self, item_id: str) -> str | None:
        """The label that the source knows of an item, as classes are called; None where it knows none."""
        return clean_class_name(self._source.reference_label(Item(item_id)) or "") or None

    def _guarded(self, work: Callable[[], None]) -> None:
        """Runs a thread's work; an expected failure is shown on screen, a bug is also logged with its traceback."""
        try:
            work()
        except FastLabelError as error:
            self._filling.fail(str(error))
        except Exception as error:
            log.exception("the embedding pipeline failed")
            self._filling.fail(f"{type(error).__name__}: {error}")

    def _embed(self) -> None:
        encoder, notice = self._load()  # at full priority: the first batch waits for it
        if self._stop.is_set():
            self._filling.tell(state="stopped")
            return
        lower_priority()
        workers = thread_workers(self._workers)
        with workers.executor:
            if not self.follows:
                self._filling.group()
            self._store.use_encoder(encoder.space, encoder.dim)
            self._filling.tell(state="embedding")
            self._show(encoder, notice)
            self._announce(encoder)
            self._follow(encoder)
            self._take_parts(encoder)
            if self._is_mostly_left:
                encoder = self._changed_encoder(encoder, workers)
            self._embed_pool(encoder, workers)
            encoder = self._changed_encoder(encoder, workers)
            if self._stop.is_set():
                self._filling.tell(state="stopped", eta_s=None)
                return
            while not self._stop.is_set():
                self._embed_news(encoder, workers)

    def _follow(self, encoder: Encoder) -> None:
        """Shows what another process stores, until that one is gone or this one is stopped."""
        begun = recorded_encoder(self._store.folder)
        while not (self._filling.takes_the_lead() or self._stop.is_set()):
            self._store.follow()
            used = recorded_encoder(self._store.folder)
            if begun and used and used != begun:
                self._say_left_behind(encoder.name, used[0])
            begun = begun or used
            is_done = 0 < self._store.total <= len(self._store) + self._store.unreadable_count
            if is_done and self._filling.progress.state != "done":
                self._filling.tell(state="done", eta_s=None)
                self.done.reach()
            elif not is_done and self._filling.progress.state == "done":
                self.done.leave()
                self._filling.tell(state="embedding")
            self._stop.wait(LOOK_EVERY_S)
        self._filling.tell(state="embedding")

    def _say_left_behind(self, name: str, used: str) -> None:
        said = (
            f"Another process changed the encoder to '{used}'. This one goes on with '{name}', without the items that are "
            f"new since then: restart it to take '{used}' over."
        )
        if said not in self._filling.progress.notice:
            log.warning("%s", said)
            self._filling.note(said)

    def _take_parts(self, encoder: Encoder) -> None:
        """Stores the vectors that are computed elsewhere, for as long as more of them come."""
        parts = self._filling.parts
        if parts is None:
            return
        try:
            if said := parts.why_not(encoder):
                self._filling.note(said)
                return
            for outcome in parts.outcomes(self._store, self._filling.listed.is_set, self._stop):
                self._keep_outcome(outcome)
        except FastLabelError as error:  # the bucket is away: what is left is embedded here
            log.warning("%s", error)
            self._filling.note(str(error))

    def _take_late_parts(self, encoder: Encoder) -> None:
        """Stores what came of elsewhere since this process embeds by itself."""
        parts = self._filling.parts
        try:
            for outcome in parts.late(encoder, self._store, self._filling.listed.is_set()) if parts else ():
                self._keep_outcome(outcome)
        except FastLabelError as error:  # the bucket is away: it is embedded here
            log.warning("%s", error)

    def _embed_pool(self, encoder: Encoder, workers: Workers) -> None:
        """Embeds what is left of the pool, and then what was listed behind the walk through it meanwhile."""
        until, walked_for = END_OF_POOL, -1
        while not self._stop.is_set():
            is_listed, arrivals = self._filling.listed.is_set(), self._store.arrivals
            if arrivals != walked_for:
                self._embed_all(encoder, workers, partial(self._pending_batches, encoder, until))
                until, walked_for = self._passed, arrivals
            if is_listed and not self._stop.is_set():
                self._filling.note(encoder.notes)
                self._filling.tell(state="done", eta_s=None)
                self.done.reach()
                return
            self._filling.listed.wait(0.2)

    @property
    def _is_mostly_left(self) -> bool:
        """Whether the encoder in use has embedded less than most of the pool: another one then goes first."""
        return len(self._store) < MOST_OF_POOL * (self._store.total - self._store.unreadable_count)

    def _changed_encoder(self, in_use: Encoder, workers: Workers) -> Encoder:
        """Has the change done that is asked for, and embeds what is left to the encoder that takes over."""
        if self._change is None or self._change.progress.state != "waiting" or self._stop.is_set():
            return in_use
        self._is_changing = True
        encoder = self._change.run(
            in_use, workers, self._stop, lambda: self._embed_due_news(in_use, workers), self._filling.await_listed
        )
        if encoder is not in_use:
            self.encoder = encoder
            self._show(encoder, "")
            self.changed.reach()
            self.done.leave()
            self._store.retry_all()  # what one encoder has no vector of another one may embed
            self._embed_pool(encoder, workers)
        self._is_changing = False
        return encoder

    def _embed_due_news(self, encoder: Encoder, workers: Workers) -> None:
        """What rescans found, while the encoder is being changed."""
        if self._news.is_waiting and self._filling.progress.state == "done":
            self._embed_news(encoder, workers)

    def _embed_news(self, encoder: Encoder, workers: Workers) -> None:
        """Waits for what rescans find, or for what is to be tried again, and embeds it."""
        news = self._news.take(self._retries.due_in_s)
        again = self._retries.take()
        if news == again == []:
            self._news.finish()
            return
        self._store.retry([item.id for item in again])
        pending = None if news is None else self._store.pending_of([*news, *again])
        if pending != [] and not self._stop.is_set():
            self.done.leave()
            self._pace.restart()
            self._waiting = len(pending or ())

            def batches() -> Iterator[list[Item]]:
                if pending is None:
                    return self._pending_batches(encoder)
                return blocks_of(iter(self._store.pending_of(pending)), encoder.batch_size)

            self._embed_all(encoder, workers, batches)
            self._waiting = 0
            self._filling.tell(rate_per_s=0.0, eta_s=None)
        if not self._stop.is_set():
            self.done.reach()
        self._news.finish()

    def _load(self) -> tuple[Encoder, str]:
        self._filling.tell(state="loading")
        encoder, notice = self._open_encoder()
        self._despite_shortage(lambda: self._start.make_ready(encoder))
        return encoder, notice

    def _show(self, encoder: Encoder, notice: str) -> None:
        """Which encoder embeds from now on, and what to say of it on screen: a line, and below it why."""
        licence = f", licence of its weights: {encoder.licence}" if encoder.licence else ""
        log.info("encoder '%s'%s", encoder.name, licence)
        line, _, why = notice.partition("\n")
        told = [line, restriction(encoder.name, encoder.licence), self._source.sound_view.notice]
        self._filling.tell(
            encoder=encoder.name, licence=encoder.licence, notice=" ".join(filter(None, told)), notice_why=why
        )

    def _announce(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.ready.reach()

    def _embed_all(self, encoder: Encoder, workers: Workers, batches: Callable[[], Iterator[list[Item]]]) -> None:
        """Embeds batches of pending items, whatever runs short meanwhile.

        Args:
            batches: asked again after each wait.
        """
        self._despite_shortage(lambda: self._embed_each(encoder, workers, batches()), (StoreError,))

    def _despite_shortage(self, work: Callable[[], None], also: tuple[type[Exception], ...] = ()) -> None:
        despite_shortage(work, self._stop, self._tell_shortage, also)

    def _tell_shortage(self, shortage: str) -> None:
        if shortage:
            self._filling.tell(rate_per_s=0.0, eta_s=None)
        self._filling.tell(shortage=shortage)

    def _embed_each(self, encoder: Encoder, workers: Workers, batches: Iterator[list[Item]]) -> None:
        """Each worker embeds one batch at a time; each is stored as it is ready, in the order of the pool with one worker."""

        def keyed(batch: list[Item]) -> Keyed:
            return keyed_batch(self._source, encoder, batch)

        def embedded(rest: Keyed) -> Outcome:
            return embed_keyed(encoder, rest, lambda item: self._read(item, encoder))

        is_stopped = self._stop.is_set
        with (
            closing(workers.done(keyed, batches, is_stopped)) as every,
            closing(workers.done(embedded, (self._unknown(one, encoder) for one in every), is_stopped)) as outcomes,
        ):
            for outcome in outcomes:
                self._keep_outcome(outcome)
                self._listen(encoder, workers)
        self._listen(encoder, workers)

    def _unknown(self, keyed: Keyed, encoder: Encoder) -> Keyed:
        """What of a batch is to be embedded; items whose content is embedded already get its vector now."""
        if isinstance(encoder, KnownVectors):
            return keyed
        there = self._store.vectors_of_content([entry.content_key for entry in keyed.entries])
        known, vectors = keyed.known(there)
        if known:
            self._keep_outcome(Outcome(known, np.stack(vectors), [], []))
        return keyed.without(there)

    def _listen(self, encoder: Encoder, workers: Workers) -> None:
        """Once, behind the first batch, which must not wait: has a worker find out what the encoder does not hear."""
        if self._listening or self._stop.is_set():
            return
        if items := [item for _, item in self._store.in_order(-1, LISTENED_TO)]:
            self._listening = True
            workers.executor.submit(
                self._guarded, lambda: self._filling.note(unheard_notice(self._source, encoder, items))
            )

    def _pending_batches(self, encoder: Encoder, until: int = END_OF_POOL) -> Iterator[list[Item]]:
        """What is to be embedded up to a place in the pool, in its order."""
        size = encoder.batch_size
        waiting: list[Item] = []
        after = self._passed = -1
        is_listed = self._filling.listed.is_set()
        if until == END_OF_POOL and self._store.is_embedded(self._stop.is_set):
            self._passed = after if is_listed else END_OF_POOL
            return
        while after < until:
            self._take_late_parts(encoder)
            is_listed = self._filling.listed.is_set()
            after, items = self._store.pending(after, max(size, 1_000))
            self._passed = self._passed if is_listed else after
            waiting += items
            while len(waiting) >= size or (waiting and after >= until):
                yield waiting[:size]
                waiting = waiting[size:]

    def _read(self, item: Item, encoder: Encoder) -> Media:
        media = self._source.read(item, max(encoder.resolution, self._tile_resolution))
        self._keep(item, media)
        return media

    def _keep_outcome(self, outcome: Outcome) -> None:
        if outcome.unreadable:
            self._store.mark_unreadable(outcome.unreadable)
        for item in outcome.unavailable:
            self._retries.add(item)
        self._store.append(outcome.embedded, outcome.vectors)
        self._waiting = max(0, self._waiting - len(outcome.embedded) - len(outcome.unreadable))
        self._measure(len(outcome.embedded))

    def _measure(self, items: int) -> None:
        rate = self._pace.after(items)
        left = self._waiting or self._store.total - self._store.unreadable_count - len(self._store)
        self._filling.tell(rate_per_s=rate, eta_s=max(left, 0) / rate if rate else None)


def _keep_nothing(item: Item, media: Media) -> None:
    """Where nobody wants to cache anything of what is read."""
