"""EncoderChange: embeds a pool again with another encoder while people go on with the one in use; the better one takes over.

Runs in the thread and the workers of the embedding pipeline, which stores no row of its own meanwhile. A stop at any moment
costs the batches in the workers' hands; the next start goes on behind them. Who is better is decided by a function that is
given, for nothing here knows of labels.
"""

import logging
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32

from fastlabel_gradio.encoders.base import Encoder, FittedEncoder
from fastlabel_gradio.encoders.known_vectors import KnownVectors
from fastlabel_gradio.errors import CheckpointError, FastLabelError, StoreError
from fastlabel_gradio.pool.embed_batch import Keyed, Outcome, embed_keyed, keyed_batch
from fastlabel_gradio.pool.fitting import open_known, pool_sample
from fastlabel_gradio.pool.retries import FIRST_PAUSE_S
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.pool.successor import RowInUse, Successor
from fastlabel_gradio.pool.workers import Workers
from fastlabel_gradio.sources.base import Source

log = logging.getLogger(__name__)

BATCHES_AT_ONCE = 16  # a worker
FREE_BYTES = 64_000_000  # that are left on the disk
LONGEST_PAUSE_S = 300.0
FIT_SEED = 0
FEW_UNAVAILABLE = 10  # of a block; more than half of it, and its disk may be away

ChangeState = Literal["waiting", "loading", "fitting", "embedding", "comparing", "taken", "stays", "failed"]


@dataclass(frozen=True, slots=True)
class ChangeProgress:
    """How far a change of the encoder is.

    Attributes:
        encoder: the one that may take over. state: "taken" once it has, "stays" where the one in use is better.
        done: items that it embedded, of `total`. rate_per_s: items a second. eta_s: seconds left; None while unknown.
        text: what there is to say of it, in a sentence.
    """

    encoder: str
    state: ChangeState = "waiting"
    done: int = 0
    total: int = 0
    rate_per_s: float = 0.0
    eta_s: float | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether another encoder takes over, and why, in words that follow its name and count."""

    takes_over: bool
    why: str


Judge = Callable[[Encoder, Encoder, Successor, Callable[[], bool]], Verdict]


class EncoderChange:
    """One change, run once.

    Args:
        name: of the encoder that may take over.
        open_encoder: builds it; runs in the background. Raises EncoderUnavailableError.
        judge: says of the encoder in use and the other one whether that takes over, with the vectors of both; given what
            tells whether to stop.
        adopted: called when it takes over, before anybody sees its vectors: from then on a start begins with it.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        store: EmbeddingStore,
        open_encoder: Callable[[], tuple[Encoder, str]],
        judge: Judge,
        adopted: Callable[[Encoder], None],
    ) -> None:
        self._source, self._store = source, store
        self._open_encoder, self._judge, self._adopted = open_encoder, judge, adopted
        self.progress = ChangeProgress(name)

    def run(
        self,
        in_use: Encoder,
        workers: Workers,
        stop: Event,
        between: Callable[[], None],
        await_scan: Callable[[], None],
    ) -> Encoder:
        """The encoder that the rows of the store are of afterwards: the other one, or still the one in use.

        Args:
            between: called now and then, for what must not wait until the end.
            await_scan: returns once all items are listed, or after a stop.
        """
        try:
            return self._change(in_use, workers, stop, between, await_scan)
        except FastLabelError as error:
            self._say("failed", f"It stays with {in_use.name}: {error}")
        return in_use

    def _change(
        self,
        in_use: Encoder,
        workers: Workers,
        stop: Event,
        between: Callable[[], None],
        await_scan: Callable[[], None],
    ) -> Encoder:
        self._update(state="loading", text=f"{self.progress.encoder} is being loaded.")
        encoder, _ = self._open_encoder()
        encoder.attune(self._source.sound_view)
        if isinstance(encoder, FittedEncoder):
            self._fit_or_restore(encoder, self._learned(in_use, encoder), workers.executor, stop)
        elif isinstance(encoder, KnownVectors):
            open_known(encoder, self._store.folder, self._store.in_order, await_scan)
        if stop.is_set():
            return in_use
        if encoder.space == in_use.space:
            self._adopted(encoder)  # options that change no vector
            self.progress = replace(self.progress, state="taken", text="")
            return in_use
        successor = self._store.successor(encoder.space, encoder.dim)
        self._embed(encoder, in_use, successor, workers, stop, between)
        return in_use if stop.is_set() else self._decide(in_use, encoder, successor, stop)

    def _decide(self, in_use: Encoder, encoder: Encoder, successor: Successor, stop: Event) -> Encoder:
        self._update(state="comparing", done=len(successor.space), total=len(successor.in_use))
        verdict = self._judge(in_use, encoder, successor, stop.is_set)
        if stop.is_set():
            return in_use
        count = f"{encoder.name} embedded all {len(successor.space):,} items"
        if not verdict.takes_over:
            self._say("stays", f"{count}: {verdict.why}; it stays with {in_use.name}.")
            return in_use
        self._adopted(encoder)
        if isinstance(encoder, FittedEncoder):
            self._learned(in_use, encoder).replace(self._store.folder / encoder.learned_file)
        self._store.adopt(successor)
        self._say("taken", f"{count}: {verdict.why}; it is used from now on.")
        return encoder

    def _learned(self, in_use: Encoder, encoder: FittedEncoder) -> Path:
        """Where what it learned is kept meanwhile: not in the file of the encoder in use, which may have the same name."""
        usual = self._store.folder / encoder.learned_file
        is_taken = isinstance(in_use, FittedEncoder) and in_use.learned_file == encoder.learned_file
        return usual.with_suffix(".next.safetensors") if is_taken else usual

    def _fit_or_restore(self, encoder: FittedEncoder, learned: Path, workers: Executor, stop: Event) -> None:
        if learned.exists():
            try:
                encoder.load(learned)
                return
            except CheckpointError as error:
                log.warning("%s Fitting it again.", error)
        self._update(state="fitting", text=f"{encoder.name} learns from a sample of the pool.")
        sample = pool_sample(self._source, encoder, self._store.in_order, workers, stop).prepared
        if sample and not stop.is_set():
            encoder.fit(sample, FIT_SEED)
            encoder.save(learned)

    def _embed(
        self,
        encoder: Encoder,
        in_use: Encoder,
        successor: Successor,
        workers: Workers,
        stop: Event,
        between: Callable[[], None],
    ) -> None:
        """To the end, or a stop. Where disk or memory run short, or the source is away, it waits and goes on by itself."""
        pause_s = FIRST_PAUSE_S
        began, at_first = time.monotonic(), len(successor.space)
        while successor.left and not stop.is_set():
            try:
                self._check_room(successor)
                self._embed_block(encoder, successor, workers, stop)
                pause_s = FIRST_PAUSE_S
                self._tell(in_use, successor, (len(successor.space) - at_first) / (time.monotonic() - began))
                between()
            except (StoreError, OSError, MemoryError) as error:
                log.warning("the change of the encoder waits %.0f s: %s", pause_s, error)
                self._update(
                    text=f"{error or type(error).__name__} It goes on by itself; {in_use.name} is used meanwhile."
                )
                stop.wait(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _check_room(self, successor: Successor) -> None:
        free, needed = shutil.disk_usage(self._store.folder).free, successor.bytes_left + FREE_BYTES
        if free < needed:
            raise StoreError(
                f"{self._store.folder}: the embeddings of {self.progress.encoder} take {needed / 1e6:,.0f} MB more, "
                f"{free / 1e6:,.0f} MB are free. Make room."
            )

    def _embed_block(self, encoder: Encoder, successor: Successor, workers: Workers, stop: Event) -> None:
        size = encoder.batch_size
        rows = successor.next_rows(BATCHES_AT_ONCE * size)
        batches = [rows[start : start + size] for start in range(0, len(rows), size)]
        unavailable = 0
        for batch, outcome in zip(batches, self._outcomes(encoder, successor, workers, batches), strict=True):
            unavailable += len(outcome.unavailable)
            if unavailable > max(FEW_UNAVAILABLE, len(rows) // 2):
                raise StoreError(f"{outcome.unreadable[0][1]}: {unavailable} of {len(rows)} items cannot be read now.")
            if stop.is_set():
                return
            successor.append(batch, _by_item(outcome))

    def _outcomes(
        self, encoder: Encoder, successor: Successor, workers: Workers, batches: Sequence[Sequence[RowInUse]]
    ) -> Iterator[Outcome]:
        """Of each batch; content that the other encoder has embedded already is not even decoded."""
        items = [[row.item for row in batch if row.item is not None] for batch in batches]
        keyed = list(workers.executor.map(lambda some: keyed_batch(self._source, encoder, some), items))
        keys = [entry.content_key for one in keyed for entry in one.entries]
        there = {} if isinstance(encoder, KnownVectors) else successor.vectors_of_content(keys)

        def embedded(one: Keyed) -> Outcome:
            rest = embed_keyed(encoder, one.without(there), lambda item: self._source.read(item, encoder.resolution))
            return rest.with_known(*one.known(there))

        outcomes: Iterator[Outcome] = workers.executor.map(embedded, keyed)
        return outcomes

    def _tell(self, in_use: Encoder, successor: Successor, rate_per_s: float) -> None:
        done, total = len(successor.space), len(successor.in_use)
        eta_s = (total - done) / rate_per_s if rate_per_s else None
        text = f"{self.progress.encoder} has embedded {done:,} of {total:,} items; {in_use.name} is used meanwhile."
        self._update(state="embedding", done=done, total=total, rate_per_s=rate_per_s, eta_s=eta_s, text=text)

    def _update(self, **changes: Any) -> None:
        self.progress = replace(self.progress, **changes)

    def _say(self, state: ChangeState, text: str) -> None:
        log.warning("%s", text)
        self._update(state=state, text=text, rate_per_s=0.0, eta_s=None)


def _by_item(outcome: Outcome) -> dict[str, tuple[str, Float32[np.ndarray, " dim"]]]:
    return {
        entry.item.id: (entry.content_key, vector)
        for entry, vector in zip(outcome.embedded, outcome.vectors, strict=True)
    }
