"""The log-mel spectrograms that CLAP hears, as transformers' feature extractor makes them, in less than half the time.

The extractor goes through numpy frame by frame, and cuts what is too long at a place drawn from numpy's global random
state. Here many frames go at once, and the cut is always the middle one, so that a sound has one embedding.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32

from fastlabel_gradio.media.sounds import resampled
from fastlabel_gradio.types import Waveform

if TYPE_CHECKING:
    import torch

POWER_FLOOR = 1e-10  # -100 dB, as in transformers' `spectrogram`
BLOCK_FRAMES = 1024  # bounds the memory that a sound of ten minutes takes

Views = Float32[np.ndarray, "views frames bands"]


@dataclass(frozen=True, slots=True)
class ClapMel:
    """The settings of a `ClapFeatureExtractor`.

    Attributes:
        samples: the length that the model hears. Shorter sounds are repeated as often as they fit and then padded
            (`repeatpad`), repeated to the end (`repeat`), or padded.
        fuses: a longer sound is seen as four views (`fusion`), not as its middle alone (`rand_trunc`).
        filters: float64[bins, bands].
    """

    rate_hz: int
    samples: int
    window: int
    hop: int
    padding: str
    fuses: bool
    filters: np.ndarray

    @classmethod
    def of(cls, extractor: Any) -> "ClapMel":
        fuses = extractor.truncation == "fusion"
        return cls(
            extractor.sampling_rate,
            extractor.nb_max_samples,
            extractor.fft_window_size,
            extractor.hop_length,
            extractor.padding,
            fuses,
            extractor.mel_filters if fuses else extractor.mel_filters_slaney,
        )

    def views(self, waveform: Waveform) -> Views:
        """Decibels, float32[views, frames, bands]: one view, or four of a sound that is longer than a fusing model hears.

        The four are the whole sound squeezed to that length, and pieces from the middle of its three thirds.
        """
        samples = resampled(waveform, self.rate_hz).samples
        if len(samples) > self.samples and self.fuses:
            return self._fused(self._decibels(samples))
        return self._decibels(self._fitted(samples))[None]

    def _fitted(self, samples: np.ndarray) -> np.ndarray:
        surplus = len(samples) - self.samples
        if surplus >= 0:
            return samples[surplus // 2 :][: self.samples]
        if self.padding in ("repeat", "repeatpad") and len(samples):
            samples = np.tile(samples, self.samples // len(samples) + (self.padding == "repeat"))[: self.samples]
        return np.pad(samples, (0, self.samples - len(samples)))

    def _decibels(self, samples: np.ndarray) -> "Float32[np.ndarray, 'frames bands']":
        import torch

        padded = np.pad(samples, self.window // 2, mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.window)[:: self.hop]
        filters = torch.from_numpy(self.filters.astype(np.float32))
        blocks = range(0, len(frames), BLOCK_FRAMES)
        with torch.inference_mode():
            power = torch.cat([self._power(frames[start : start + BLOCK_FRAMES]) @ filters for start in blocks])
            decibels: np.ndarray = power.clamp_(min=POWER_FLOOR).log10_().mul_(10).numpy()
            return decibels

    def _power(self, frames: np.ndarray) -> "torch.Tensor":
        """float32[frames, bins]. In float64 until then, or the rounding of loud bins would drown the quiet ones."""
        import torch

        bins = np.fft.rfft(frames * np.hanning(self.window + 1)[:-1])
        return torch.from_numpy((bins.real**2 + bins.imag**2).astype(np.float32))

    def _fused(self, mel: np.ndarray) -> Views:
        frames = self.samples // self.hop + 1
        if len(mel) == frames:
            return mel[None]
        thirds = np.array_split(np.arange(len(mel) - frames + 1), 3)
        starts = [third[len(third) // 2] if len(third) else 0 for third in thirds]
        return np.stack([_squeezed(mel, frames), *(mel[start : start + frames] for start in starts)])


def _squeezed(mel: np.ndarray, frames: int) -> np.ndarray:
    import torch
    from torch.nn.functional import interpolate

    picture = torch.from_numpy(mel)[None, None]
    squeezed: torch.Tensor = interpolate(picture, size=(frames, mel.shape[1]), mode="bilinear", align_corners=False)
    return squeezed[0, 0].numpy()
