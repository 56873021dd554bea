"""What an encoder is: frozen, it turns prepared items into vectors. One file per implementation beside this."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict

from fastlabel_gradio.registry import Registry
from fastlabel_gradio.types import Embeddings, Kind


class EncoderOptions(BaseModel):
    """Base of an encoder's options, the keys beside `kind` in the configuration. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def located(self, base_dir: Path) -> "EncoderOptions":
        """The same options with their relative paths taken from that folder."""
        return self


class Encoder(ABC):
    """A frozen encoder.

    Attributes:
        name: its registered name.
        dim: numbers in an embedding.
        fingerprint: changes whenever the same item could get another embedding (model, weights, preprocessing; not the
            device's precision). Hex or letters, digits, '-' and '_' only: it names a file.
        batch_size: items that `encode` is fastest with on this device.
        input_px: pixels on the shorter side that are enough; a larger picture may be shrunk to it while it is read.
    """

    name: ClassVar[str]
    kinds: ClassVar[tuple[Kind, ...]]
    Options: ClassVar[type[EncoderOptions]]
    dim: int
    fingerprint: str
    batch_size: int
    input_px: int

    @abstractmethod
    def __init__(self, options: Any) -> None:
        """Builds the model, which may take long and may download. Raises EncoderUnavailableError with the reason."""

    @classmethod
    def why_unavailable(cls, options: Any) -> str | None:
        """Why the weights cannot be had, in a few words; None where they are here or can be fetched.

        Answers within seconds and builds nothing. Raises ConfigError where the options name something unknown.
        """
        return None

    @abstractmethod
    def prepare(self, media: Image.Image) -> np.ndarray:
        """One item as the array that `encode` takes. Runs in worker threads; equal shapes for all items."""

    @abstractmethod
    def encode(self, batch: np.ndarray) -> Embeddings:
        """L2-normalised embeddings, float32[n, dim], of n prepared items stacked. n may be 0."""

    def encode_text(self, prompts: Sequence[str]) -> Embeddings:
        """L2-normalised embeddings of texts in the same space. Raises EncoderUnavailableError without a text tower."""
        from fastlabel_gradio.errors import EncoderUnavailableError

        raise EncoderUnavailableError(f"encoder '{self.name}' has no text tower. Use 'clip' for prompts.")


class FittedEncoder(Encoder):
    """An encoder that learns from the project's own pool once, before the first item is encoded.

    `fingerprint` and `dim` hold after `fit` or `load`.
    """

    sample_size: ClassVar[int]

    @abstractmethod
    def fit(self, sample: np.ndarray, seed: int) -> None:
        """Learns from up to `sample_size` random items of the pool, prepared and stacked.

        The same sample and seed give the same encoder.
        """

    @abstractmethod
    def save(self, path: Path) -> None:
        """Writes what `fit` learned to a safetensors file, atomically."""

    @abstractmethod
    def load(self, path: Path) -> None:
        """Reads what `save` wrote. Raises CheckpointError where it is damaged or of another recipe."""


ENCODERS: Registry[type[Encoder]] = Registry("encoder", "fastlabel.encoders")
