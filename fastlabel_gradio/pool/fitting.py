"""What an encoder takes from the pool before it embeds: a random sample to learn from, or the names of all items."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import numpy as np

from fastlabel_gradio.encoders.base import Encoder, FittedEncoder
from fastlabel_gradio.encoders.known_vectors import KnownVectors
from fastlabel_gradio.errors import UnavailableItemError, UnreadableItemError
from fastlabel_gradio.sources.base import Source
from fastlabel_gradio.types import Item

InOrder = Callable[[int, int], list[tuple[int, Item]]]  # as `EmbeddingStore.in_order`

BLOCK_ITEMS = 10_000


@dataclass(frozen=True, slots=True)
class PoolSample:
    """Prepared items in shuffled order, and (item, reason) of those that cannot be read, and of those that may be later."""

    prepared: list[np.ndarray] = field(default_factory=list)
    unreadable: list[tuple[Item, str]] = field(default_factory=list)
    unavailable: list[tuple[Item, str]] = field(default_factory=list)


def pool_sample(
    source: Source, encoder: FittedEncoder, in_order: InOrder, workers: Executor, stop: Event
) -> PoolSample:
    """Up to `sample_size` items; fewer after a stop."""
    sample = PoolSample()
    after = -1
    while len(sample.prepared) < encoder.sample_size and not stop.is_set():
        block = in_order(after, encoder.sample_size - len(sample.prepared))
        if not block:
            break
        after = block[-1][0]
        prepared = workers.map(
            lambda item: _prepared_or_none(item, source, encoder, sample), [item for _, item in block]
        )
        sample.prepared.extend(array for array in prepared if array is not None)
    return sample


def open_known(encoder: KnownVectors, folder: Path, in_order: InOrder, await_scan: Callable[[], None]) -> None:
    """Checks the vectors, and tells the encoder the names of all items where it goes by them.

    A file's name is whose it is only once all items are listed; ids need no waiting.

    Args:
        folder: as of `KnownVectors.open_in`. await_scan: returns once all items are listed.
    """
    encoder.open_in(folder)
    if encoder.goes_by_name([item.id for _, item in in_order(-1, BLOCK_ITEMS)]):
        await_scan()
        encoder.take_names(_every_id(in_order))


def _every_id(in_order: InOrder) -> Iterator[str]:
    after = -1
    while block := in_order(after, BLOCK_ITEMS):
        after = block[-1][0]
        yield from (item.id for _, item in block)


def _prepared_or_none(item: Item, source: Source, encoder: Encoder, sample: PoolSample) -> np.ndarray | None:
    try:
        return encoder.prepare(source.read(item, encoder.resolution))  # read again, and kept, when embedded
    except UnreadableItemError as error:
        is_passing = isinstance(error, UnavailableItemError)
        (sample.unavailable if is_passing else sample.unreadable).append((item, str(error)))
        return None
