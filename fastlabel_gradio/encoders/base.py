"""What an encoder is: frozen, it turns prepared items into vectors. One file per implementation beside this."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from fastlabel_gradio.encoders.pixel_graph import PixelGraph
from fastlabel_gradio.media.sound_view import SoundView
from fastlabel_gradio.registry import Registry
from fastlabel_gradio.types import Embeddings, Medium


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
        prompt: the text that describes a class best, with "{label}" in place of its name; for encoders with a text tower.
        logit_scale: what cosines of items and texts are multiplied with before the softmax; None without a text tower.
        where_to_put_weights: what to write where for weights that are on this machine, for messages.
        dim: numbers in an embedding.
        fingerprint: changes whenever the same item could get another embedding (model, weights, preprocessing; not the
            device's precision). Hex or letters, digits, '-' and '_' only: it names a file.
        batch_size: items that `encode` is fastest with on this device.
        resolution: pixels on the shorter side, or samples a second, that are enough; an item may be read with fewer than
            its original has, down to this.
        heard_as: how the pool's sounds are taken, as far as that changes its vectors; "" for the default, and for pictures.
        licence: of its weights, as the model names it ("apache-2.0"); "" where there are none, or none is named.
        follows_view: whether it hears with spectrograms of the pool's range, not with one of its own.
    """

    name: ClassVar[str]
    prompt: str = "{label}"
    where_to_put_weights: ClassVar[str] = "the path of a checkpoint file in the encoder's option `pretrained`"
    Options: ClassVar[type[EncoderOptions]]
    logit_scale: float | None = None
    dim: int
    fingerprint: str
    batch_size: int
    resolution: int
    heard_as: str = ""
    licence: str = ""
    follows_view: bool = False

    def pixel_graph(self) -> PixelGraph | None:
        """Its way from prepared pixels to embeddings, on the CPU; None where that is no network of pictures."""
        return None

    @property
    def notes(self) -> str:
        """What it found amiss in the pool, for the screen once all is embedded; "" for nothing."""
        return ""

    @property
    def space(self) -> str:
        """Names the space of its vectors of a pool: only those of one space are compared. Names a file as `fingerprint`."""
        return self.fingerprint + self.heard_as

    @property
    def top_hz(self) -> float:
        """What lies above in a sound, as it is heard, does not change its vector."""
        return self.resolution / 2

    def attune(self, view: SoundView) -> None:
        """Tells it, before anything else, how the pool's sounds are taken. One that draws them draws them so."""
        self.heard_as = view.sound_tag

    @abstractmethod
    def __init__(self, options: Any) -> None:
        """Builds the model, which may take long and may download. Raises EncoderUnavailableError with the reason."""

    @classmethod
    def why_unavailable(cls, options: Any) -> str | None:
        """Why the weights are not available, in a few words; None where they are here or can be fetched.

        Answers within seconds and builds nothing. Raises ConfigError where the options name something unknown.
        """
        return None

    @abstractmethod
    def prepare(self, media: Any) -> np.ndarray:
        """One item, a picture or a Waveform, as the array that `encode` takes. Runs in worker threads."""

    @abstractmethod
    def encode(self, batch: Sequence[np.ndarray]) -> Embeddings:
        """L2-normalised embeddings, float32[n, dim], of n prepared items. n may be 0."""

    def encode_text(self, prompts: Sequence[str]) -> Embeddings:
        """L2-normalised embeddings of texts in the same space. Raises EncoderUnavailableError without a text tower."""
        from fastlabel_gradio.errors import EncoderUnavailableError

        raise EncoderUnavailableError(f"encoder '{self.name}' has no text tower. Use 'clip' or 'clap' for prompts.")


class FittedEncoder(Encoder):
    """An encoder that learns from the project's own pool once, before the first item is encoded.

    `fingerprint` and `dim` hold after `fit` or `load`.
    """

    sample_size: int

    @property
    def learned_file(self) -> str:
        """Name of the file that keeps what it learned of a pool, one for each way of hearing."""
        return f"{self.name}{self.heard_as}.safetensors"

    @abstractmethod
    def fit(self, sample: Sequence[np.ndarray], seed: int) -> None:
        """Learns from up to `sample_size` random items of the pool, prepared.

        The same sample and seed give the same encoder.
        """

    @abstractmethod
    def save(self, path: Path) -> None:
        """Writes what `fit` learned to a safetensors file, atomically."""

    @abstractmethod
    def load(self, path: Path) -> None:
        """Reads what `save` wrote. Raises CheckpointError where it is damaged or of another recipe."""


# A name may mean one encoder for pictures and another for sounds: "offline" does.
ENCODERS: dict[Medium, Registry[type[Encoder]]] = {
    "image": Registry("image encoder", "fastlabel.image_encoders"),
    "audio": Registry("audio encoder", "fastlabel.audio_encoders"),
}
