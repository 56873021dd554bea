"""One batch of items: read, prepared, encoded. Knows neither threads nor the store; the pipeline calls it in its workers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from fastlabel_gradio.encoders.base import Encoder
from fastlabel_gradio.encoders.known_vectors import KnownVectors
from fastlabel_gradio.errors import UnavailableItemError, UnreadableItemError
from fastlabel_gradio.sources.base import Source
from fastlabel_gradio.types import EmbeddedItem, Embeddings, Item, Media

Embedding = Float32[np.ndarray, " dim"]


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What became of a batch: the items that have a vector, in its order, and (id, reason) of those that cannot be read.

    Attributes:
        unavailable: those of the unreadable ones that are to be tried again.
    """

    embedded: list[EmbeddedItem]
    vectors: Embeddings
    unreadable: list[tuple[str, str]]
    unavailable: list[Item]


def embed_batch(
    source: Source,
    encoder: Encoder,
    batch: Sequence[Item],
    read: Callable[[Item], Media],
    vectors_of_content: Callable[[Sequence[str]], Mapping[str, Embedding]],
) -> BatchOutcome:
    """Reads, prepares and encodes; content that is embedded already is not even decoded.

    Args:
        read: the picture or sound of an item. Raises UnreadableItemError.
        vectors_of_content: by content key the vectors that are there already.
    """
    if isinstance(encoder, KnownVectors):
        return _known(encoder, batch)
    fresh: list[EmbeddedItem] = []
    arrays: list[np.ndarray] = []
    unreadable: list[tuple[str, str]] = []
    unavailable: list[Item] = []
    keyed = _keyed(source, batch, unreadable, unavailable)
    there = vectors_of_content([entry.content_key for entry in keyed])
    for entry in keyed:
        if entry.content_key not in there:
            try:
                arrays.append(encoder.prepare(read(entry.item)))
                fresh.append(entry)
            except UnreadableItemError as error:
                _leave_out(entry.item, error, unreadable, unavailable)
    known = [entry for entry in keyed if entry.content_key in there]
    vectors = encoder.encode(arrays)
    fresh, vectors = _finite(fresh, vectors, unreadable)
    if known:
        vectors = np.concatenate([vectors, np.stack([there[entry.content_key] for entry in known])])
    return BatchOutcome(fresh + known, vectors, unreadable, unavailable)


def _known(encoder: KnownVectors, batch: Sequence[Item]) -> BatchOutcome:
    """By item, not by content: files of one content may have vectors that differ."""
    places, vectors, unknown = encoder.vectors_of([item.id for item in batch])
    return BatchOutcome([EmbeddedItem(batch[place], f"id {batch[place].id}") for place in places], vectors, unknown, [])


def _keyed(
    source: Source, batch: Sequence[Item], unreadable: list[tuple[str, str]], unavailable: list[Item]
) -> list[EmbeddedItem]:
    keyed = []
    for item in batch:
        try:
            keyed.append(EmbeddedItem(item, source.content_key(item)))
        except UnreadableItemError as error:
            _leave_out(item, error, unreadable, unavailable)
    return keyed


def _leave_out(
    item: Item, error: UnreadableItemError, unreadable: list[tuple[str, str]], unavailable: list[Item]
) -> None:
    unreadable.append((item.id, str(error)))
    if isinstance(error, UnavailableItemError):
        unavailable.append(item)


def _finite(
    entries: list[EmbeddedItem], vectors: Embeddings, unreadable: list[tuple[str, str]]
) -> tuple[list[EmbeddedItem], Float32[np.ndarray, "finite dim"]]:
    """Lists entries with a vector that is not finite as unreadable: one NaN in the pool would make every prediction NaN."""
    finite: list[bool] = np.isfinite(vectors).all(axis=1).tolist()
    bad = [entry for entry, good in zip(entries, finite, strict=True) if not good]
    unreadable += [(entry.item.id, "the encoder gave no finite numbers for it") for entry in bad]
    return [entry for entry, good in zip(entries, finite, strict=True) if good], vectors[finite]
