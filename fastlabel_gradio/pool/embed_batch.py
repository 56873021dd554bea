"""One batch of items: read, prepared, encoded. Pure functions for workers: they know neither threads nor the store.

What is embedded already is the driver's affair: it has a batch's contents keyed, takes out what it knows, and has the rest
embedded.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

from fastlabel_gradio.encoders.base import Encoder
from fastlabel_gradio.encoders.known_vectors import KnownVectors
from fastlabel_gradio.errors import UnavailableItemError, UnreadableItemError
from fastlabel_gradio.sources.base import Source
from fastlabel_gradio.types import EmbeddedItem, Embeddings, Item, Media

Embedding = Float32[np.ndarray, " dim"]
Read = Callable[[Item], Media]


@dataclass(frozen=True, slots=True)
class Keyed:
    """The items of a batch that can be read so far, with their contents' keys, and those that cannot, as in `Outcome`."""

    entries: list[EmbeddedItem]
    unreadable: list[tuple[Item, str]] = field(default_factory=list)
    unavailable: list[Item] = field(default_factory=list)

    def without(self, there: Mapping[str, Embedding]) -> "Keyed":
        """The same less the contents that have a vector already."""
        rest = [entry for entry in self.entries if entry.content_key not in there]
        return Keyed(rest, self.unreadable, self.unavailable)

    def known(self, there: Mapping[str, Embedding]) -> "tuple[list[EmbeddedItem], list[Embedding]]":
        """Those whose contents have a vector already, with it."""
        known = [entry for entry in self.entries if entry.content_key in there]
        return known, [there[entry.content_key] for entry in known]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: the items that have a vector, in its order, and (item, reason) of those that cannot be read.

    Attributes:
        unavailable: those of the unreadable ones that are to be tried again.
    """

    embedded: list[EmbeddedItem]
    vectors: Embeddings
    unreadable: list[tuple[Item, str]]
    unavailable: list[Item]

    def with_known(self, entries: list[EmbeddedItem], vectors: Sequence[Embedding]) -> "Outcome":
        """And items that had a vector already, behind the others."""
        if not entries:
            return self
        every = np.concatenate([self.vectors, np.stack(vectors)])
        return Outcome(self.embedded + entries, every, self.unreadable, self.unavailable)


def embed_batch(source: Source, encoder: Encoder, items: Sequence[Item], read: Read | None = None) -> Outcome:
    """Reads, prepares and encodes the items of a source.

    Args:
        read: the picture or sound of an item, by default as the source gives it. Raises UnreadableItemError.
    """
    keyed = keyed_batch(source, encoder, items)
    return embed_keyed(encoder, keyed, read or (lambda item: source.read(item, encoder.resolution)))


def keyed_batch(source: Source, encoder: Encoder, items: Sequence[Item]) -> Keyed:
    """The keys of the items' contents, of which nothing is decoded yet.

    Where the encoder knows vectors by item nothing is read: files of one content may have vectors that differ.
    """
    if isinstance(encoder, KnownVectors):
        return Keyed([EmbeddedItem(item, f"id {item.id}") for item in items])
    keyed = Keyed([])
    for item in items:
        try:
            keyed.entries.append(EmbeddedItem(item, source.content_key(item)))
        except UnreadableItemError as error:
            _leave_out(keyed, item, error)
    return keyed


def embed_keyed(encoder: Encoder, keyed: Keyed, read: Read) -> Outcome:
    """Reads, prepares and encodes; what could not be keyed is part of the outcome."""
    if isinstance(encoder, KnownVectors):
        items = {entry.item.id: entry.item for entry in keyed.entries}
        places, vectors, unknown = encoder.vectors_of(list(items))
        unreadable = [(items[item_id], why) for item_id, why in unknown]
        return Outcome([keyed.entries[place] for place in places], vectors, unreadable, [])
    found = Keyed([], list(keyed.unreadable), list(keyed.unavailable))
    arrays: list[np.ndarray] = []
    for entry in keyed.entries:
        try:
            arrays.append(encoder.prepare(read(entry.item)))
            found.entries.append(entry)
        except UnreadableItemError as error:
            _leave_out(found, entry.item, error)
    return _finite(found, encoder.encode(arrays))


def _leave_out(keyed: Keyed, item: Item, error: UnreadableItemError) -> None:
    keyed.unreadable.append((item, str(error)))
    if isinstance(error, UnavailableItemError):
        keyed.unavailable.append(item)


def _finite(keyed: Keyed, vectors: Embeddings) -> Outcome:
    """Lists entries with a vector that is not finite as unreadable: one NaN in the pool would make every prediction NaN."""
    finite = np.isfinite(vectors).all(axis=1)
    good = [entry for entry, is_good in zip(keyed.entries, finite, strict=True) if is_good]
    bad = [entry for entry, is_good in zip(keyed.entries, finite, strict=True) if not is_good]
    unreadable = [(entry.item, "the encoder gave no finite numbers for it") for entry in bad]
    return Outcome(good, vectors[finite], [*keyed.unreadable, *unreadable], keyed.unavailable)
