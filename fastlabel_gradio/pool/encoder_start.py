"""EncoderStart: makes an encoder ready for a pool. One that learns from the pool is fitted to a sample of it, once."""

import logging
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np

from fastlabel_gradio.encoders.base import Encoder, FittedEncoder
from fastlabel_gradio.encoders.known_vectors import KnownVectors
from fastlabel_gradio.errors import CheckpointError
from fastlabel_gradio.pool.filling import Filling
from fastlabel_gradio.pool.fitting import open_known, pool_sample
from fastlabel_gradio.pool.listing import LOOK_EVERY_S
from fastlabel_gradio.pool.retries import FIRST_PAUSE_S, LONGEST_SHORTAGE_PAUSE_S
from fastlabel_gradio.types import Item

log = logging.getLogger(__name__)

FIT_WAITS_FOR_SCAN_S = 5.0
FIT_SEED = 0
NOT_READABLE = "No item of the pool can be read. See the list of unreadable items for the reasons, then press Rescan."


class EncoderStart:
    """Makes the encoder of one pool ready.

    Args:
        workers: threads that prepare the sample which it learns from.
    """

    def __init__(self, filling: Filling, workers: int) -> None:
        self._filling = filling
        self._source, self._store = filling.source, filling.store
        self._stop, self._listed = filling.stop, filling.listed
        self._workers = workers
        self._unavailable: list[tuple[Item, str]] = []  # left out of the sample, with the reasons
        self._has_learned = False

    def make_ready(self, encoder: Encoder) -> None:
        """Returns once the encoder can embed, or after a stop. May be called again where it raised OSError."""
        encoder.attune(self._source.sound_view)
        if isinstance(encoder, FittedEncoder):
            with ThreadPoolExecutor(self._workers, "sample") as executor:
                self._fit_or_restore(encoder, executor)
        elif isinstance(encoder, KnownVectors):
            self._await_items()
            open_known(encoder, self._store.folder, self._store.in_order, self._filling.await_listed)

    def _fit_or_restore(self, encoder: FittedEncoder, workers: Executor) -> None:
        saved = self._store.folder / encoder.learned_file
        while not (saved.exists() or self._filling.takes_the_lead() or self._stop.wait(LOOK_EVERY_S)):
            pass  # another process is learning it
        if self._filling.parts and not saved.exists():
            self._filling.parts.give_learned(encoder, saved.write_bytes)
        if saved.exists() and not self._has_learned:
            try:
                encoder.load(saved)
                return
            except CheckpointError as error:
                log.warning("%s Fitting it again.", error)
        if not self._has_learned:
            self._learn(encoder, workers)
        if self._has_learned:
            encoder.save(saved)

    def _learn(self, encoder: FittedEncoder, workers: Executor) -> None:
        # A folder is listed in its own order, so an early sample would hold its first classes only.
        self._listed.wait(FIT_WAITS_FOR_SCAN_S)
        self._await_items()
        self._filling.tell(state="fitting", encoder=encoder.name)
        if sample := self._awaited_sample(encoder, workers):
            encoder.fit(sample, FIT_SEED)
            self._has_learned = True  # also where there is no room to keep it, and this is called again

    def _await_items(self) -> None:
        while not (self._store.total or self._stop.is_set() or self._listed.wait(0.1)):
            pass

    def _awaited_sample(self, encoder: FittedEncoder, workers: Executor) -> list[np.ndarray]:
        """A sample of at least one item, where none can be read once rescans found one; empty after a stop."""
        pause_s = FIRST_PAUSE_S
        while not self._stop.is_set():
            scanned = self._listed.is_set()
            self._unavailable.clear()
            if sample := self._sample(encoder, workers):
                self._filling.nothing_learned = ""
                return sample
            if scanned:
                self._store.mark_unreadable(self._unavailable)
                self._filling.nothing_learned = NOT_READABLE
                self._filling.news.take(pause_s)
                self._filling.news.finish()
                pause_s = min(2 * pause_s, LONGEST_SHORTAGE_PAUSE_S)
                self._store.retry([item.id for item, _ in self._unavailable])
            else:
                self._listed.wait(0.2)
        return []

    def _sample(self, encoder: FittedEncoder, workers: Executor) -> list[np.ndarray]:
        """What cannot be read is listed as unreadable, unless that may pass: then it comes again with its batch."""
        sample = pool_sample(self._source, encoder, self._store.in_order, workers, self._stop)
        self._store.mark_unreadable(sample.unreadable)
        self._unavailable += sample.unavailable
        return sample.prepared
