"""Embedder: what each worker is. Some items in, one part written. `EmbedJob` makes one in another process."""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastlabel_gradio.devices import compute_alone, use_one_thread_per_operation
from fastlabel_gradio.encoders import Encoder, EncoderChoice, FittedEncoder
from fastlabel_gradio.errors import EncoderUnavailableError
from fastlabel_gradio.parts.part_files import Facts, Part, part_name, read_part, write_part
from fastlabel_gradio.parts.places import Place, open_place
from fastlabel_gradio.pool.embed_batch import Outcome, embed_batch
from fastlabel_gradio.sources import Source, open_source
from fastlabel_gradio.types import Item, Media


@dataclass(frozen=True, slots=True)
class Embedded:
    """What became of some items.

    Attributes:
        vectors: how many have one. unreadable: (id, reason) of those in the part that cannot be read.
        unavailable: (id, reason) of those that may be readable later: they are in no part.
    """

    vectors: int
    unreadable: Sequence[tuple[str, str]] = ()
    unavailable: Sequence[tuple[str, str]] = ()

    @property
    def items(self) -> int:
        return self.vectors + len(self.unreadable) + len(self.unavailable)


class Embedder:
    """Embeds items as the app's threads do and writes a part of them. May be called from several threads.

    Args:
        threads: that share the batches of a part.
    """

    def __init__(self, source: Source, encoder: Encoder, place: Place, threads: int = 1) -> None:
        self._source, self._encoder, self._place = source, encoder, place
        self._resolution = resolution_read(source, encoder)
        self._threads = ThreadPoolExecutor(threads, "embed", compute_alone) if threads > 1 else None

    def __call__(self, items: Sequence[Item]) -> Embedded:
        """Raises StoreError: the part cannot be written."""
        name = part_name(items, self._encoder.space)
        if self._place.names(name):  # a worker died behind the writing
            part = read_part(self._place, name)
            return Embedded(len(part.embedded), [(item.id, why) for item, why in part.unreadable])
        size = self._encoder.batch_size
        batches = [items[start : start + size] for start in range(0, len(items), size)]
        outcomes = list((self._threads.map if self._threads else map)(self._batch, batches))
        return self._written(name, outcomes)

    def _batch(self, batch: Sequence[Item]) -> Outcome:
        return embed_batch(self._source, self._encoder, batch, self._read)

    def _read(self, item: Item) -> Media:
        return self._source.read(item, self._resolution)

    def _written(self, name: str, outcomes: Sequence[Outcome]) -> Embedded:
        embedded = [entry for outcome in outcomes for entry in outcome.embedded]
        later = {item.id for outcome in outcomes for item in outcome.unavailable}
        reasons = [one for outcome in outcomes for one in outcome.unreadable]
        bad = [(item, why) for item, why in reasons if item.id not in later]
        if embedded or bad:
            groups = [self._source.group_of(entry.item) for entry in embedded]
            vectors = np.concatenate([outcome.vectors for outcome in outcomes])
            part = Part(embedded, groups, vectors, bad)
            write_part(self._place, name, part, self._encoder.space)
        unavailable = [(item.id, why) for item, why in reasons if item.id in later]
        return Embedded(len(embedded), [(item.id, why) for item, why in bad], unavailable)


@dataclass(frozen=True, slots=True)
class EmbedJob:
    """All that another process needs to be an Embedder. What the encoder learned lies in the place.

    Attributes:
        base_dir: absolute. address: of the place.
    """

    source_kind: str
    source_options: dict[str, object]
    base_dir: Path
    cache_dir: Path
    choice: EncoderChoice
    address: str
    facts: Facts
    threads: int = 1

    def embedder(self) -> Embedder:
        """Raises EncoderUnavailableError: the encoder gives other vectors there."""
        use_one_thread_per_operation()
        place = open_place(self.address)
        source = open_source(self.source_kind, self.source_options, self.base_dir, self.cache_dir)
        encoder, _ = self.choice.open()
        encoder.attune(source.sound_view)
        if isinstance(encoder, FittedEncoder):
            load_learned(encoder, place, self.facts)
        check_same(encoder, self.facts)
        return Embedder(source, encoder, place, self.threads)


def resolution_read(source: Source, encoder: Encoder) -> int:
    """Pixels or samples a second that an item is read with: those of the app, whose tiles of sounds may need more."""
    return max(encoder.resolution, source.sound_view.enough_rate_hz if source.medium == "audio" else 0)


def load_learned(encoder: FittedEncoder, place: Place, facts: Facts) -> None:
    """Gives an encoder what it learned of the pool. Raises CheckpointError, EncoderUnavailableError."""
    content = place.read(facts.learned_file)
    if content is None:
        raise EncoderUnavailableError(
            f"{place.address}: {facts.learned_file} is gone: what the encoder learned of the pool."
        )
    with tempfile.TemporaryDirectory(prefix="fastlabel-learned-") as folder:
        file = Path(folder) / facts.learned_file
        file.write_bytes(content)
        encoder.load(file)


def check_same(encoder: Any, facts: Facts) -> None:
    """Raises EncoderUnavailableError where an encoder's vectors are not those of the place."""
    if encoder.space != facts.fingerprint:
        raise EncoderUnavailableError(
            f"encoder '{encoder.name}' gives vectors {encoder.space} here, and {facts.fingerprint} are asked for: its "
            "weights or a library differ. Choose another -o, or install the same versions on every machine."
        )
