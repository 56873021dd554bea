"""A whole source embedded into a place: listed in windows, each in the pool's shuffled order, and done in tasks of one part.

Items whose part is there are not done again. Runs in threads, or on a Ray cluster with the same Embedder.
"""

import tempfile
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from fastlabel_gradio.bulk.embedder import Embedded, Embedder, EmbedJob, check_same, load_learned
from fastlabel_gradio.config import ProjectConfig
from fastlabel_gradio.devices import compute_alone, use_one_thread_per_operation
from fastlabel_gradio.encoders import AUTO, Encoder, EncoderChoice, FittedEncoder, check_encoder
from fastlabel_gradio.encoders.known_vectors import KnownVectors
from fastlabel_gradio.errors import CheckpointError, ConfigError, SourceError
from fastlabel_gradio.parts.part_files import DoneItems, Facts, begin, complete, read_facts, write_facts
from fastlabel_gradio.parts.places import open_place
from fastlabel_gradio.pool.encoder_in_use import plan_encoder, recorded_models
from fastlabel_gradio.pool.encoder_start import FIT_SEED
from fastlabel_gradio.pool.fitting import pool_sample
from fastlabel_gradio.pool.item_index import shuffle_key
from fastlabel_gradio.ray_cluster import Cluster
from fastlabel_gradio.sources import open_source
from fastlabel_gradio.types import Item

PART_ITEMS = 1_024
WINDOW_ITEMS = 1_000_000  # that are shuffled together
FIRST_WINDOW_S = 10.0  # of listing, after which work begins with what was found

Items = list[Item]
Tell = Callable[["Tally"], None]


@dataclass(slots=True)
class Tally:
    """How far it is.

    Attributes:
        listed: items of the source so far. before: of them, those that were in parts already.
        vectors: that were written. unreadable, unavailable: (id, reason), see `Embedded`.
    """

    listed: int = 0
    before: int = 0
    vectors: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    unavailable: list[tuple[str, str]] = field(default_factory=list)

    @property
    def done(self) -> int:
        return self.before + self.vectors + len(self.unreadable) + len(self.unavailable)


class Embedding:
    """One run over the source of a project.

    Args:
        workdir: of the app: what an encoder learned of the pool there is used, so that the vectors are the app's own.
        address: of the place for the parts. part_items: items of a part, the work that a dying worker costs.

    Raises:
        FastLabelError: the source, the encoder or the place cannot be used, or the place is of another encoder.
    """

    def __init__(
        self, config: ProjectConfig, base_dir: Path, workdir: Path, address: str, part_items: int = PART_ITEMS
    ) -> None:
        use_one_thread_per_operation()
        self._base_dir, self._cache_dir, self._folder = (
            base_dir.resolve(),
            workdir.resolve() / "downloads",
            workdir / config.name,
        )
        self._config, self._address, self._part_items = config, address, part_items
        self._place = open_place(address)
        self._source = open_source(config.source.kind, config.source.options, self._base_dir, self._cache_dir)
        self._choice = self._chosen()
        self._encoder, self.notice = self._choice.open()
        if isinstance(self._encoder, KnownVectors):
            raise ConfigError(
                f"encoder '{self._encoder.name}' embeds nothing: it has the vectors. Choose another --encoder."
            )
        self._encoder.attune(self._source.sound_view)

    @property
    def encoder(self) -> Encoder:
        return self._encoder

    def run(self, cluster: Cluster | None, threads: int, tell: Tell = lambda tally: None) -> Tally:
        """Embeds what is missing.

        Args:
            cluster: that does it; None for threads of this process. threads: how many.
            tell: called after each part.

        Raises:
            FastLabelError: nothing to embed, or no room for the parts; what was written stays, and is not done again.
        """
        begin(self._place)
        tally, windows = Tally(), _windows(self._source.scan())
        facts: Facts | None = None
        done = DoneItems(self._place)
        for window in windows:
            facts = facts or self._facts(window, threads)
            tally.listed += len(window)
            left = [item for item, is_done in zip(window, done.holds(window), strict=True) if not is_done]
            tally.before += len(window) - len(left)
            tell(tally)
            for embedded in self._embedded(left, facts, cluster, threads):
                _count(tally, embedded)
                tell(tally)
        if facts is None:
            raise SourceError("The source has no items: there is nothing to embed.")
        if not tally.unavailable:
            complete(self._place, tally.listed)
        return tally

    def _embedded(self, items: Items, facts: Facts, cluster: Cluster | None, threads: int) -> Iterator[Embedded]:
        tasks = [items[start : start + self._part_items] for start in range(0, len(items), self._part_items)]
        if cluster is None:
            return _in_threads(Embedder(self._source, self._encoder, self._place), tasks, threads)
        source = self._config.source
        job = EmbedJob(source.kind, source.options, self._base_dir, self._cache_dir, self._choice, self._address, facts)
        return cluster.results(replace(job, threads=cluster.workers.cpus).embedder, tasks)

    def _chosen(self) -> EncoderChoice:
        """The encoder that the app would begin with."""
        wanted, medium = self._config.encoder, self._source.medium
        choice = check_encoder(wanted.kind, wanted.options, medium, self._base_dir, recorded_models(self._folder))
        plan = plan_encoder(self._folder, choice, self._base_dir, is_auto=wanted.kind == AUTO, keeps_serving=False)
        return plan.begins_with

    def _facts(self, window: Items, threads: int) -> Facts:
        """Those of the place, or its first ones. An encoder that learns from the pool has learned then."""
        facts, encoder = read_facts(self._place), self._encoder
        if isinstance(encoder, FittedEncoder):
            if facts is not None and facts.learned_file == encoder.learned_file:
                load_learned(encoder, self._place, facts)
            elif not self._load_learned_by_app(encoder):
                self._fit(encoder, window, threads)
        if facts is None:
            facts = Facts(encoder.name, encoder.space, encoder.dim, getattr(encoder, "learned_file", ""))
            write_facts(self._place, facts, _learned(encoder))
        check_same(encoder, facts)
        return facts

    def _load_learned_by_app(self, encoder: FittedEncoder) -> bool:
        saved = self._folder / encoder.learned_file
        try:
            encoder.load(saved)
            return True
        except (CheckpointError, OSError):
            return False  # the app would fit it again, too

    def _fit(self, encoder: FittedEncoder, window: Items, threads: int) -> None:
        """On the sample that the app takes of these items. Raises SourceError where none can be read."""
        keys = [shuffle_key(item.id) for item in window]

        def in_order(after: int, limit: int) -> list[tuple[int, Item]]:
            start = bisect_right(keys, after)
            return list(zip(keys, window, strict=True))[start : start + limit]

        with ThreadPoolExecutor(threads, "sample", compute_alone) as workers:
            sample = pool_sample(self._source, encoder, in_order, workers, threading.Event())
        if not sample.prepared:
            reasons = [*sample.unreadable, *sample.unavailable]
            raise SourceError(f"No item can be read: {reasons[0][0].id}: {reasons[0][1]}")
        encoder.fit(sample.prepared, FIT_SEED)


def _windows(items: Iterable[Item]) -> Iterator[Items]:
    """Each in the order of the pool's shuffle keys; the first is what is listed within seconds, for work to begin."""
    window: Items = []
    ends_at = time.monotonic() + FIRST_WINDOW_S
    for item in items:
        window.append(item)
        if len(window) >= WINDOW_ITEMS or time.monotonic() > ends_at:
            yield _shuffled(window)
            window, ends_at = [], float("inf")
    if window:
        yield _shuffled(window)


def _shuffled(items: Items) -> Items:
    return sorted(items, key=lambda item: shuffle_key(item.id))


def _in_threads(work: Callable[[Sequence[Item]], Embedded], tasks: Sequence[Items], threads: int) -> Iterator[Embedded]:
    """What comes of each task, as it is ready."""
    waiting, running = iter(tasks), set[Future[Embedded]]()
    with ThreadPoolExecutor(threads, "embed", compute_alone) as workers:
        try:
            running = {workers.submit(work, task) for task in _first(waiting, threads)}
            while running:
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                running |= {workers.submit(work, task) for task in _first(waiting, len(finished))}
                yield from (future.result() for future in finished)
        finally:
            for future in running:
                future.cancel()


def _first(tasks: Iterator[Items], count: int) -> list[Items]:
    return list(islice(tasks, count))


def _count(tally: Tally, embedded: Embedded) -> None:
    tally.vectors += embedded.vectors
    tally.unreadable += embedded.unreadable
    tally.unavailable += embedded.unavailable


def _learned(encoder: Encoder) -> bytes:
    if not isinstance(encoder, FittedEncoder):
        return b""
    with tempfile.TemporaryDirectory(prefix="fastlabel-learned-") as folder:
        file = Path(folder) / encoder.learned_file
        encoder.save(file)
        return file.read_bytes()
