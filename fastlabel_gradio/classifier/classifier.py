"""Classifier: what a bundle is good for. Says of pictures or sounds what the app says of them, with scikit-learn's habits."""

import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float32

from fastlabel_gradio.classifier.bundle_config import BundleConfig
from fastlabel_gradio.classifier.given_items import Given, GivenItems, elsewhere, named_part, shown_name
from fastlabel_gradio.classifier.remote_files import RemoteFile
from fastlabel_gradio.devices import compute_alone, one_thread_per_operation
from fastlabel_gradio.encoders.base import Encoder
from fastlabel_gradio.errors import ConfigError, UnreadableItemError
from fastlabel_gradio.media.sound_view import SoundView
from fastlabel_gradio.media.sounds import sound_info
from fastlabel_gradio.pool.embed_batch import embed_batch
from fastlabel_gradio.sources.windows import windows
from fastlabel_gradio.types import Embeddings, Media, Medium, Probabilities

if TYPE_CHECKING:
    from fastlabel_gradio.head import Head

PROBLEMS_TOLD = 5

Unreadable = Literal["raise", "blank"]
Vector = Float32[np.ndarray, " dim"]


@dataclass(frozen=True, slots=True, eq=False)
class Classified:
    """What a classifier says of one item.

    Attributes:
        item: as it was given.
        label: the most probable class; "" for an item that cannot be read.
        confidence: its probability, 0 to 1; NaN for such an item.
        probabilities: float32[classes], in the order of `Classifier.classes`.
        embedding: float32[dim].
        unreadable: why it cannot be read; "" where it was.
        may_come: whether that may pass, as where a disk or a store is away.
    """

    item: Given
    label: str
    confidence: float
    probabilities: Float32[np.ndarray, " classes"]
    embedding: Vector
    unreadable: str = ""
    may_come: bool = False

    def best(self, count: int, classes: Sequence[str]) -> list[tuple[str, float]]:
        """The most probable classes with their probabilities, the first one first; none for an unreadable item."""
        if self.unreadable:
            return []
        order = np.argsort(-self.probabilities, kind="stable")[:count]
        return [(classes[place], float(self.probabilities[place])) for place in order]


class Classifier:
    """A head on an encoder. May be used from one thread at a time; it uses all cores by itself.

    Items are paths, addresses (`s3://bucket/a.png`), PIL images, uint8 arrays [height, width, 3], and of sounds paths,
    addresses, `Waveform`s, or pairs of samples and samples a second. `talk.wav#t=12.0,15.0` names a part of a recording.

    Args:
        encoder: None where there were vectors of the pool's items only: nothing else can be embedded then.
        batch_size: items that are embedded at once; by default what the encoder is fastest with on its device.
        workers: threads that read and embed; one a core by default.
    """

    def __init__(
        self,
        config: BundleConfig,
        head: "Head",
        encoder: Encoder | None,
        batch_size: int | None = None,
        workers: int | None = None,
    ) -> None:
        self.config = config
        self.encoder = encoder
        self.head = head
        self.batch_size = batch_size or (encoder.batch_size if encoder else 1)
        self._workers = workers or os.cpu_count() or 2
        self._view = config.sound.view if config.sound else SoundView()

    def __repr__(self) -> str:
        return (
            f"<classifier '{self.config.project}' of {len(self.classes)} classes, encoder {self.config.encoder.kind}>"
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes in the order of the columns of `predict_proba`."""
        return tuple(self.config.classes)

    @property
    def classes_(self) -> np.ndarray:
        """The same as an array, as scikit-learn has it."""
        return np.array(self.classes)

    @property
    def kind(self) -> Medium:
        """What it takes: pictures ("image") or sounds ("audio")."""
        return self.config.kind

    @property
    def window_s(self) -> float | None:
        """How long the parts of recordings are that it was trained on, in seconds; None for whole files."""
        return self.config.sound.window_s if self.config.sound else None

    def predict(self, items: Iterable[Given] | Given, unreadable: Unreadable = "raise") -> np.ndarray:
        """The most probable class of each item, str[n]; "" for one that cannot be read, with `unreadable="blank"`.

        Raises:
            UnreadableItemError: items cannot be read; each is named with the reason, up to five.
        """
        return np.array([said.label for said in self._all(items, unreadable)], dtype=str)

    def predict_proba(self, items: Iterable[Given] | Given, unreadable: Unreadable = "raise") -> Probabilities:
        """Probabilities, float32[n, classes]; NaN for an item that cannot be read. Raises as `predict`."""
        said = [one.probabilities for one in self._all(items, unreadable)]
        return np.stack(said) if said else np.empty((0, len(self.classes)), dtype=np.float32)

    def embed(self, items: Iterable[Given] | Given, unreadable: Unreadable = "raise") -> Embeddings:
        """L2-normalised embeddings, float32[n, dim]; NaN for an item that cannot be read. Raises as `predict`."""
        said = [one.embedding for one in self._all(items, unreadable)]
        return np.stack(said) if said else np.empty((0, self.config.encoder.dim), dtype=np.float32)

    def score(self, items: Iterable[Given], labels: Sequence[str]) -> float:
        """The share of items whose most probable class is the given one, 0 to 1."""
        return float((self.predict(items) == np.asarray(labels, dtype=str)).mean())

    def stream(self, items: Iterable[Given] | Given) -> Iterator[Classified]:
        """What it says of each of any number of items, in their order, while they come; unreadable ones say why.

        A few batches are read ahead.
        """
        encoder = self._encoder_of_items()
        batches = _batches(iter(_several(items)), self.batch_size)
        with one_thread_per_operation(), ThreadPoolExecutor(self._workers, "classify", compute_alone) as workers:
            running: deque[Future[list[Classified]]] = deque()
            try:
                for batch in batches:
                    running.append(workers.submit(self._classified, encoder, batch))
                    if len(running) > self._workers:
                        yield from running.popleft().result()
                while running:
                    yield from running.popleft().result()
            finally:
                for future in running:
                    future.cancel()

    def windows(
        self,
        files: Iterable[str | Path | RemoteFile] | str | Path | RemoteFile,
        window_s: float | None = None,
        hop_s: float | None = None,
    ) -> list[str | RemoteFile]:
        """The parts of recordings, by name (`talk.wav#t=0.0,3.0`) or of a file elsewhere, which the other methods take.

        Args:
            window_s: length of a part in seconds; by default as it was trained. hop_s: from one to the next.

        Raises:
            ConfigError: it was trained on whole files and no length is given; it takes pictures.
            UnreadableItemError: the length of a file cannot be found.
        """
        if self.config.sound is None:
            raise ConfigError("A classifier of pictures has no windows: give it the files as they are.")
        length = window_s or self.config.sound.window_s
        if length is None:
            raise ConfigError("It was trained on whole files: give window_s, the length of a window in seconds.")
        usual = self.config.sound.hop_s if window_s is None else None
        return [part for file in _several(files) for part in _windows(file, length, hop_s or usual or length)]

    def _all(self, items: Iterable[Given] | Given, unreadable: Unreadable) -> list[Classified]:
        if unreadable not in ("raise", "blank"):
            raise ConfigError(f"unreadable={unreadable!r}: choose 'raise' or 'blank'.")
        said = list(self.stream(items))
        bad = [one for one in said if one.unreadable]
        if bad and unreadable == "raise":
            told = "; ".join(f"{shown_name(one.item)}: {one.unreadable}" for one in bad[:PROBLEMS_TOLD])
            more = f"; and {len(bad) - PROBLEMS_TOLD} more" if len(bad) > PROBLEMS_TOLD else ""
            raise UnreadableItemError(f"{told}{more}. unreadable='blank' leaves them blank.")
        return said

    def _encoder_of_items(self) -> Encoder:
        if self.encoder is None:
            raise ConfigError(
                f"Encoder '{self.config.encoder.kind}' knows vectors of the pool's items only, it embeds no "
                "others. Give vectors "
                "by the same model to `classifier.head.predict_proba`."
            )
        return self.encoder

    def _classified(self, encoder: Encoder, batch: Sequence[Given]) -> list[Classified]:
        """In a worker thread."""
        source = GivenItems(batch, self.kind, self._view)

        def read(item: Any) -> Media:
            return source.read(item, self.config.encoder.resolution)

        outcome = embed_batch(source, encoder, list(source.scan()), read)
        probabilities = self.head.predict_proba(outcome.vectors)
        later = {item.id for item in outcome.unavailable}
        said = {
            int(item.id): self._unreadable(batch[int(item.id)], why, may_come=item.id in later)
            for item, why in outcome.unreadable
        }
        for row, entry in enumerate(outcome.embedded):
            place, best = int(entry.item.id), int(probabilities[row].argmax())
            confidence = float(probabilities[row, best])
            said[place] = Classified(
                batch[place], self.classes[best], confidence, probabilities[row], outcome.vectors[row]
            )
        return [said[place] for place in range(len(batch))]

    def _unreadable(self, item: Given, why: str, *, may_come: bool) -> Classified:
        blank, no_vector = (np.full(size, np.nan, np.float32) for size in (len(self.classes), self.config.encoder.dim))
        return Classified(item, "", float("nan"), blank, no_vector, why, may_come)


def _several(items: Iterable[Given] | Given) -> Iterable[Given]:
    """Items, of which one may be given alone. An array [n, height, width, 3] is n pictures."""
    if isinstance(items, str | Path | RemoteFile) or hasattr(items, "convert") or hasattr(items, "rate_hz"):
        return [items]
    if (
        isinstance(items, tuple)
        and len(items) == 2
        and any(isinstance(part, int | float | np.integer) for part in items)
    ):
        return [items]
    if isinstance(items, np.ndarray) and items.dtype == np.uint8 and items.ndim <= 3:
        return [items]
    if not isinstance(items, Iterable):
        raise ConfigError(f"{type(items).__name__} is no list of items: give paths, pictures or sounds.")
    return items


def _batches(items: Iterator[Given], size: int) -> Iterator[list[Given]]:
    while batch := list(itertools.islice(items, size)):
        yield batch


def _windows(file: str | Path | RemoteFile, window_s: float, hop_s: float) -> Iterator[str | RemoteFile]:
    far = elsewhere(file)
    part = far or named_part(str(file))
    if part.span is not None:
        yield far or str(file)
        return
    seconds = far.sound_info().seconds if far else sound_info(Path(str(file))).seconds
    for span in windows(seconds, window_s, hop_s):
        yield far.part(span) if far else span.id_in(str(file))
