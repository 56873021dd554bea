"""PartsTaken: vectors that `fastlabel embed` computes elsewhere, taken into the pool's store while they are being written."""

import time
from collections.abc import Callable, Iterator, Sequence
from threading import Event

import numpy as np

from fastlabel_gradio.encoders.base import Encoder, FittedEncoder
from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.parts.part_files import Part, is_complete, read_facts, read_part
from fastlabel_gradio.parts.places import Place
from fastlabel_gradio.pool.embed_batch import Outcome
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.sources.base import Source
from fastlabel_gradio.types import EmbeddedItem, Item

LOOK_EVERY_S = 1.0
LATE_LOOK_EVERY_S = 5.0
SILENT_AFTER_S = 600.0  # without a new part: whoever wrote them has stopped, and the app embeds the rest


class PartsTaken:
    """The parts of one place. For one thread.

    Args:
        silent_after_s: without a new part the app waits no longer for one.
    """

    def __init__(self, place: Place, source: Source, silent_after_s: float = SILENT_AFTER_S) -> None:
        self._place, self._source, self._silent_after_s = place, source, silent_after_s
        self._taken: set[str] = set()
        self._look_at_s = 0.0  # for late parts

    def give_learned(self, encoder: FittedEncoder, write: Callable[[bytes], object]) -> None:
        """Hands on what the encoder learned for the parts, so that the app's vectors are of the same space."""
        facts = read_facts(self._place)
        if facts and facts.learned_file == encoder.learned_file and (content := self._place.read(facts.learned_file)):
            write(content)

    def why_not(self, encoder: Encoder) -> str:
        """Why the vectors are of no use for an encoder, in a sentence; "" where they are, or none are there yet."""
        facts = read_facts(self._place)
        if facts is None or facts.fingerprint == encoder.space:
            return ""
        return (
            f"The vectors in {self._place.address} are by encoder '{facts.encoder}' ({facts.fingerprint}) and are not taken: "
            f"this project uses '{encoder.name}' ({encoder.space})."
        )

    def outcomes(self, store: EmbeddingStore, is_scanned: Callable[[], bool], stop: Event) -> Iterator[Outcome]:
        """What the parts say of items that are pending, part by part; waits for more until their writer is done or silent.

        Raises StoreError: the place cannot be read.
        """
        while not stop.is_set():
            was_complete, was_scanned = is_complete(self._place), is_scanned()
            changed = self._place.names(".parquet")
            for outcome in self._of_fresh(list(changed), store, was_scanned):
                yield outcome
                if stop.is_set():
                    return
            silent_s = time.time() - max(changed.values(), default=0.0)
            if was_scanned and (was_complete or silent_s > self._silent_after_s):
                return
            stop.wait(LOOK_EVERY_S)

    def late(self, encoder: Encoder, store: EmbeddingStore, is_scanned: bool) -> Iterator[Outcome]:
        """What parts say that came since the app embeds by itself; looks now and then and waits for none.

        Raises StoreError: the place cannot be read.
        """
        if time.monotonic() >= self._look_at_s:
            self._look_at_s = time.monotonic() + LATE_LOOK_EVERY_S
            if not self.why_not(encoder):
                yield from self._of_fresh(list(self._place.names(".parquet")), store, is_scanned)

    def _of_fresh(self, names: Sequence[str], store: EmbeddingStore, is_scanned: bool) -> Iterator[Outcome]:
        for name in names:
            if name not in self._taken:
                outcome = self._outcome(read_part(self._place, name), store, is_scanned)
                if outcome is not None:
                    self._taken.add(name)
                    yield outcome

    def _outcome(self, part: Part, store: EmbeddingStore, is_scanned: bool) -> Outcome | None:
        """None for a part whose items are not all listed yet."""
        items = [entry.item for entry in part.embedded] + [item for item, _ in part.unreadable]
        listed = {item.id: item for item in store.items_of([item.id for item in items])}
        if len(listed) < len(items) and not is_scanned:
            return None
        pending = {item.id for item in store.pending_of(list(listed.values()))}
        rows = [
            row
            for row, entry in enumerate(part.embedded)
            if entry.item.id in pending and self._is_same(entry, listed[entry.item.id])
        ]
        embedded = [
            EmbeddedItem(listed[entry.item.id], entry.content_key) for entry in map(part.embedded.__getitem__, rows)
        ]
        vectors = part.vectors[np.array(rows, dtype=np.int64)]
        return Outcome(embedded, vectors, _unreadable(part.unreadable, listed, pending), [])

    def _is_same(self, entry: EmbeddedItem, listed: Item) -> bool:
        """By its stamp, or by its content: a copy of the files on another disk has stamps of its own."""
        if entry.item.stamp == listed.stamp:
            return True
        try:
            return self._source.content_key(listed) == entry.content_key
        except UnreadableItemError:
            return False


def _unreadable(
    found: Sequence[tuple[Item, str]], listed: dict[str, Item], pending: set[str]
) -> list[tuple[Item, str]]:
    return [(item, why) for item, why in found if item.id in pending and listed[item.id].stamp == item.stamp]
