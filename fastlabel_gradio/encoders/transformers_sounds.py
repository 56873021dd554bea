"""Any sound model of transformers, through AutoModel and its own feature extractor; of Whisper and the like the encoder."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastlabel_gradio.devices import matmul_dtype, pick_device
from fastlabel_gradio.encoders.base import ENCODERS, Encoder
from fastlabel_gradio.encoders.bundles import bundle, unbundled
from fastlabel_gradio.encoders.loaded_weights import dim_of, loading, unit_vectors
from fastlabel_gradio.encoders.transformers_model import (
    NEEDED_FILES,
    TransformersOptions,
    by_shape,
    fingerprint,
    load_tower,
    pooled,
)
from fastlabel_gradio.media.sounds import resampled
from fastlabel_gradio.types import Embeddings, Waveform

if TYPE_CHECKING:
    import torch

BATCH_SIZES = {"cpu": 4, "cuda": 64, "mps": 16}
LONGEST_S = 30.0  # of a longer sound the middle is heard; cut it into windows to hear all
SHORTEST_S = 0.1  # silence is added to what is shorter: the first layers span more than a sample
FRAMES_A_SECOND = 100  # of the spectrograms of AST


@ENCODERS["audio"].register("transformers")
class TransformersSoundEncoder(Encoder):
    """A sound model with its own preprocessing and sampling rate, in the precision that the device is fastest at.

    Sounds of one length are embedded together and none is padded, except by extractors that make all of one length
    (Whisper); these tell what is padding, and the mean leaves it out.
    """

    name = "transformers"
    where_to_put_weights = "a folder that transformers' `save_pretrained` wrote in the encoder's option `model`"
    Options = TransformersOptions

    def __init__(self, options: TransformersOptions) -> None:
        self._device = pick_device()
        self._dtype = matmul_dtype(self._device)
        with loading(options.model):
            self._extractor = _extractor(options)
            self._longest_s = _longest_s(self._extractor)
            self.resolution = int(self._extractor.sampling_rate)
            tower = load_tower(options)
            probe = [self.prepare(Waveform(np.zeros(self.resolution, dtype=np.float32), self.resolution))]
            self._model = tower.module
            self._pooling = tower.pooling(self._output(probe, "cpu")[0], options.pooling)
            self.fingerprint = fingerprint("transformers-sound", options, tower, self._pooling)
            self.licence = options.licence
            self._model = tower.module.to(device=self._device, dtype=self._dtype)
            self.batch_size = options.batch_size or BATCH_SIZES[self._device]
            self.dim = dim_of(self._embed(probe), options.model)

    @classmethod
    def why_unavailable(cls, options: TransformersOptions) -> str | None:
        return options.why_missing(NEEDED_FILES)

    def prepare(self, media: Waveform) -> np.ndarray:
        """What the extractor makes of the sound; with its mask, where it has one, as a bundle of two."""
        samples = _middle(resampled(media, self.resolution).samples, self.resolution, self._longest_s)
        made = self._extractor(samples, sampling_rate=self.resolution, return_attention_mask=True, return_tensors="np")
        features = np.asarray(made[self._extractor.model_input_names[0]][0], dtype=np.float32)
        mask = made.get("attention_mask")
        return features if mask is None or np.all(mask) else bundle([features, np.asarray(mask[0], dtype=np.uint8)])

    def encode(self, batch: Sequence[np.ndarray]) -> Embeddings:
        return by_shape(batch, self._embed, self.dim)

    def _embed(self, batch: list[np.ndarray]) -> Embeddings:
        output, heard = self._output(batch, self._device)
        return unit_vectors(pooled(output, self._pooling, heard))

    def _output(self, batch: list[np.ndarray], device: str) -> "tuple[Any, torch.Tensor | None]":
        """What the model gives for prepared sounds of one shape, and which steps of them hold something."""
        import torch

        parts = [unbundled(item) if item.dtype.names else [item] for item in batch]
        dtype = next(self._model.parameters()).dtype
        features = torch.from_numpy(np.stack([part[0] for part in parts])).to(device, dtype)
        heard = torch.from_numpy(np.stack([part[1] for part in parts])).to(device) if len(parts[0]) > 1 else None
        with torch.inference_mode():
            return self._model(features), heard


def _extractor(options: TransformersOptions) -> Any:
    from transformers import AutoFeatureExtractor

    is_here = options.is_here(NEEDED_FILES)
    auto: Any = AutoFeatureExtractor
    return auto.from_pretrained(options.model, local_files_only=is_here, trust_remote_code=False)


def _longest_s(extractor: Any) -> float:
    """Seconds that the model takes: of Whisper its chunk, of AST its frames of 10 ms."""
    chunk_s = getattr(extractor, "chunk_length", None)
    frames = getattr(extractor, "max_length", None)
    return min(LONGEST_S, float(chunk_s or LONGEST_S), frames / FRAMES_A_SECOND if frames else LONGEST_S)


def _middle(samples: np.ndarray, rate_hz: int, longest_s: float) -> np.ndarray:
    """The middle of a longer sound; a shorter one than SHORTEST_S with silence behind it."""
    longest = int(longest_s * rate_hz)
    start = max(0, (len(samples) - longest) // 2)
    cut = samples[start : start + longest]
    return np.pad(cut, (0, max(0, int(SHORTEST_S * rate_hz) - len(cut))))
