"""What an encoder that learns from the pool learns from: a random sample of the items that can be read."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

import numpy as np

from fastlabel_gradio.encoders.base import Encoder, FittedEncoder
from fastlabel_gradio.errors import UnavailableItemError, UnreadableItemError
from fastlabel_gradio.sources.base import Source
from fastlabel_gradio.types import Item

InOrder = Callable[[int, int], list[tuple[int, Item]]]  # as `EmbeddingStore.in_order`


@dataclass(frozen=True, slots=True)
class PoolSample:
    """Prepared items in shuffled order, and (id, reason) of those that cannot be read, and of those that may be later."""

    prepared: list[np.ndarray] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    unavailable: list[tuple[str, str]] = field(default_factory=list)


def pool_sample(
    source: Source, encoder: FittedEncoder, in_order: InOrder, workers: ThreadPoolExecutor, stop: Event
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


def _prepared_or_none(item: Item, source: Source, encoder: Encoder, sample: PoolSample) -> np.ndarray | None:
    try:
        return encoder.prepare(source.read(item, encoder.resolution))  # read again, and kept, when embedded
    except UnreadableItemError as error:
        is_passing = isinstance(error, UnavailableItemError)
        (sample.unavailable if is_passing else sample.unreadable).append((item.id, str(error)))
        return None
