"""What an encoder is that has the vectors already, by item: nothing of an item is read, decoded or compared by content."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastlabel_gradio.encoders.base import Encoder
from fastlabel_gradio.errors import EncoderUnavailableError
from fastlabel_gradio.types import Embeddings


class KnownVectors(Encoder):
    """An encoder of items by their ids. `fingerprint` and `dim` hold after `open_in`.

    Attributes:
        resolution: 1: media are not read for it.
    """

    resolution = 1

    @abstractmethod
    def open_in(self, folder: Path) -> None:
        """Checks the vectors, which may take a minute for millions. Raises FastLabelError.

        Args:
            folder: on a disk with room for a copy of them, should it need one.
        """

    @abstractmethod
    def goes_by_name(self, item_ids: Sequence[str]) -> bool:
        """Whether some of the ids are known by their file's name alone, which may be that of several items."""

    @abstractmethod
    def take_names(self, item_ids: Iterable[str]) -> None:
        """Tells it all items of the pool, where it goes by name."""

    @abstractmethod
    def vectors_of(self, item_ids: Sequence[str]) -> tuple[list[int], Embeddings, list[tuple[str, str]]]:
        """What is known of some items; may be called from several threads.

        Returns:
            Which of them have a vector, their L2-normalised vectors, and (id, reason) of the others.
        """

    def every_vector_of(self, item_ids: Sequence[str]) -> Embeddings:
        """The L2-normalised vectors of those items, in their order. Raises EncoderUnavailableError where one has none."""
        _, vectors, missing = self.vectors_of(item_ids)
        if missing:
            raise EncoderUnavailableError(
                f"{len(missing)} of {len(item_ids)} items have no vector: {missing[0][0]} ({missing[0][1]})."
            )
        return vectors

    @property
    def top_hz(self) -> float:
        return float("inf")

    def prepare(self, media: Any) -> np.ndarray:
        raise EncoderUnavailableError(f"encoder '{self.name}' embeds nothing: it knows vectors by item.")

    def encode(self, batch: Sequence[np.ndarray]) -> Embeddings:
        raise EncoderUnavailableError(f"encoder '{self.name}' embeds nothing: it knows vectors by item.")
