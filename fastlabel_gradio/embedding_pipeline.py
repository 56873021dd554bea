"""EmbeddingPipeline: fills an EmbeddingStore in the background while people label what is there.

Scan, load the encoder (fit it, if it learns from the pool), then decode in worker threads, encode, write; in shuffled
order, with a bounded number of items in flight. Knows nothing of labels.
"""

import itertools
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from PIL import Image

from fastlabel_gradio.embedding_store import END_OF_POOL, EmbeddedItem, EmbeddingStore
from fastlabel_gradio.encoders.base import Encoder, FittedEncoder
from fastlabel_gradio.errors import CheckpointError, FastLabelError, SourceError, UnreadableItemError
from fastlabel_gradio.sources.base import Source
from fastlabel_gradio.types import Embeddings, Item

log = logging.getLogger(__name__)

SCAN_BLOCK = 5_000
BATCHES_IN_FLIGHT = 3
FIT_WAITS_FOR_SCAN_S = 5.0
RATE_WINDOW_S = 20.0
FIT_SEED = 0
NICENESS = 10

State = Literal["starting", "loading", "fitting", "embedding", "done", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class EmbeddingProgress:
    """How far the pipeline is.

    Attributes:
        done: items embedded. total: items of the pool that can be read, as far as scanned.
        scanning: the source is still being listed, so total grows.
        rate_per_s: items a second over the last 20 s. eta_s: seconds left at that rate, None while unknown.
        encoder: its name, "" until loaded. notice: why another encoder stands in. error: why it failed.
    """

    state: State = "starting"
    done: int = 0
    total: int = 0
    scanning: bool = True
    rate_per_s: float = 0.0
    eta_s: float | None = None
    encoder: str = ""
    notice: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Prepared:
    item: Item
    content_key: str = ""
    array: np.ndarray | None = None  # None: the content is embedded already, or the item cannot be read
    reason: str = ""


class EmbeddingPipeline:
    """Runs in threads of its own from `start` to `stop`.

    Args:
        open_encoder: builds the encoder and tells what to say of the choice on screen; runs in the background.
        keep: given every picture that is read, for whoever wants to cache a thumbnail of it.
        workers: threads that read and prepare items.
    """

    def __init__(
        self,
        source: Source,
        store: EmbeddingStore,
        open_encoder: Callable[[], tuple[Encoder, str]],
        keep: Callable[[Item, Image.Image], None] | None = None,
        workers: int | None = None,
    ) -> None:
        self._source = source
        self._store = store
        self._open_encoder = open_encoder
        self._keep = keep or (lambda item, picture: None)
        self._workers = workers or max(2, os.cpu_count() or 2)
        self._stop = threading.Event()
        self._scanned = threading.Event()
        self._ready_lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self._progress = EmbeddingProgress()
        self._recent: deque[tuple[float, int]] = deque()
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), name=name, daemon=True)
            for name, work in (("scan", self._scan), ("embed", self._embed))
        ]
        self.encoder: Encoder | None = None

    @property
    def progress(self) -> EmbeddingProgress:
        return replace(
            self._progress,
            done=len(self._store),
            total=max(self._store.total - self._store.unreadable_count, len(self._store)),
            scanning=not self._scanned.is_set(),
        )

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Asks the threads to end and waits for the batch under way."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=30)

    def when_ready(self, callback: Callable[[], None]) -> None:
        """Calls back once the encoder is loaded and its stored embeddings are open; at once where that is so already."""
        with self._ready_lock:
            if self.encoder is None:
                self._callbacks.append(callback)
                return
        callback()

    def _guarded(self, work: Callable[[], None]) -> None:
        """Runs a thread's work; an expected failure is shown on screen, a bug is also logged with its traceback."""
        try:
            work()
        except FastLabelError as error:
            self._fail(str(error))
        except Exception as error:
            log.exception("the embedding pipeline failed")
            self._fail(f"{type(error).__name__}: {error}")

    def _fail(self, message: str) -> None:
        self._progress = replace(self._progress, state="failed", error=message)
        self._scanned.set()

    def _scan(self) -> None:
        self._store.begin_scan()
        for block in _blocks(self._source.scan(), SCAN_BLOCK):
            self._store.add_items(block)
            if self._stop.is_set():
                return
        self._store.end_scan()
        if self._store.total == 0:
            raise SourceError("The source has no items. Add some, then restart.")
        self._scanned.set()

    def _embed(self) -> None:
        # A thread of its own at full priority, since the first batch waits for this. Torch's helper threads keep the
        # priority of the thread that first needed them, so the embedding below has to come from another one.
        with ThreadPoolExecutor(1, "load") as loader:
            encoder, notice = loader.submit(self._load).result()
        _lower_priority()
        with ThreadPoolExecutor(self._workers, "prepare", _lower_priority) as workers:
            self._store.use_encoder(encoder.fingerprint, encoder.dim)
            self._progress = replace(self._progress, state="embedding", encoder=encoder.name, notice=notice)
            self._announce(encoder)
            while not self._stop.is_set():
                scanned = self._scanned.is_set()
                self._embed_pending(encoder, workers)
                if scanned and not self._stop.is_set():
                    break
                self._scanned.wait(0.2)
        self._progress = replace(self._progress, state="stopped" if self._stop.is_set() else "done", eta_s=None)

    def _load(self) -> tuple[Encoder, str]:
        self._progress = replace(self._progress, state="loading")
        encoder, notice = self._open_encoder()
        if isinstance(encoder, FittedEncoder):
            with ThreadPoolExecutor(self._workers, "sample") as workers:
                self._fit_or_restore(encoder, workers)
        return encoder, notice

    def _announce(self, encoder: Encoder) -> None:
        with self._ready_lock:
            self.encoder = encoder
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def _fit_or_restore(self, encoder: FittedEncoder, workers: ThreadPoolExecutor) -> None:
        saved = self._store.folder / f"{encoder.name}.safetensors"
        if saved.exists():
            try:
                encoder.load(saved)
                return
            except CheckpointError as error:
                log.warning("%s Fitting it again.", error)
        # A folder is listed in its own order, so an early sample would hold its first classes only.
        self._scanned.wait(FIT_WAITS_FOR_SCAN_S)
        while not self._store.total and not self._scanned.wait(0.1):
            pass
        self._progress = replace(self._progress, state="fitting", encoder=encoder.name)
        encoder.fit(self._sample(encoder.sample_size, workers), FIT_SEED)
        encoder.save(saved)

    def _sample(self, size: int, workers: ThreadPoolExecutor) -> list[Image.Image]:
        """Up to `size` readable items, in shuffled order."""
        sample: list[Image.Image] = []
        after = -1
        while len(sample) < size and not self._stop.is_set():
            block = self._store.in_order(after, size - len(sample))
            if not block:
                break
            after = block[-1][0]
            pictures = workers.map(self._read_or_none, [item for _, item in block])
            sample += [picture for picture in pictures if picture is not None]
        if not sample:
            raise SourceError("No item of the pool can be read. See the list of unreadable items for the reasons.")
        return sample

    def _read_or_none(self, item: Item) -> Image.Image | None:
        try:
            return self._source.read(item)
        except UnreadableItemError as error:
            self._store.mark_unreadable(item.id, str(error))
            return None

    def _embed_pending(self, encoder: Encoder, workers: ThreadPoolExecutor) -> None:
        """Embeds everything that is pending as of now, keeping a few batches in flight."""
        flights: deque[list[Future[_Prepared]]] = deque()
        for batch in self._pending_batches(encoder.batch_size):
            flights.append([workers.submit(self._prepare, encoder, item) for item in batch])
            if len(flights) >= BATCHES_IN_FLIGHT:
                self._encode_and_store(encoder, [flight.result() for flight in flights.popleft()])
            if self._stop.is_set():
                break
        for flight in flights:
            if self._stop.is_set():
                for future in flight:
                    future.cancel()
            else:
                self._encode_and_store(encoder, [future.result() for future in flight])

    def _pending_batches(self, size: int) -> Iterator[list[Item]]:
        waiting: list[Item] = []
        after = -1
        while after != END_OF_POOL:
            after, items = self._store.pending(after, max(size, 1_000))
            waiting += items
            while len(waiting) >= size or (waiting and after == END_OF_POOL):
                yield waiting[:size]
                waiting = waiting[size:]

    def _prepare(self, encoder: Encoder, item: Item) -> _Prepared:
        """Reads and prepares one item, unless its content is embedded already; runs in a worker thread."""
        try:
            content_key = self._source.content_key(item)
            if self._store.rows_of_content([content_key]):
                return _Prepared(item, content_key)
            picture = self._source.read(item, encoder.input_px)
            self._keep(item, picture)
            return _Prepared(item, content_key, encoder.prepare(picture))
        except UnreadableItemError as error:
            return _Prepared(item, reason=str(error))

    def _encode_and_store(self, encoder: Encoder, prepared: Sequence[_Prepared]) -> None:
        for entry in prepared:
            if entry.reason:
                self._store.mark_unreadable(entry.item.id, entry.reason)
        fresh = [entry for entry in prepared if entry.array is not None]
        copied = [entry for entry in prepared if entry.array is None and not entry.reason]
        vectors = [_encoded(encoder, fresh), self._copies(copied, encoder.dim)]
        embedded = [EmbeddedItem(entry.item, entry.content_key) for entry in (*fresh, *copied)]
        self._store.append(embedded, np.concatenate(vectors))
        self._measure(len(embedded))

    def _copies(self, entries: Sequence[_Prepared], dim: int) -> Embeddings:
        """Vectors of items whose content is in the store already."""
        rows = self._store.rows_of_content([entry.content_key for entry in entries])
        picked = np.array([rows[entry.content_key] for entry in entries], dtype=np.int64)
        return np.asarray(self._store.embeddings[picked]) if entries else np.empty((0, dim), dtype=np.float32)

    def _measure(self, items: int) -> None:
        now = time.monotonic()
        self._recent.append((now, items))
        while now - self._recent[0][0] > RATE_WINDOW_S:
            self._recent.popleft()
        elapsed = now - self._recent[0][0]
        counted = sum(count for _, count in itertools.islice(self._recent, 1, None))
        rate = counted / elapsed if elapsed > 0 else 0.0
        left = self._store.total - self._store.unreadable_count - len(self._store)
        self._progress = replace(self._progress, rate_per_s=rate, eta_s=max(left, 0) / rate if rate else None)


def _encoded(encoder: Encoder, prepared: Sequence[_Prepared]) -> Embeddings:
    if not prepared:
        return np.empty((0, encoder.dim), dtype=np.float32)
    return encoder.encode(np.stack([entry.array for entry in prepared if entry.array is not None]))


def _blocks(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while block := list(itertools.islice(items, size)):
        yield block


def _lower_priority() -> None:
    """Lets the page go first. Linux gives every thread its own niceness, inherited by the threads torch starts from it."""
    if hasattr(os, "setpriority") and os.uname().sysname == "Linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
