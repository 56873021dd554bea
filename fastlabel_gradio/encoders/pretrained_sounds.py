"""The encoder of sounds in the box: EfficientNet-Lite0 on log-mel spectrograms, joined with `offline`.

Photos taught the network edges and textures, and a spectrogram has those too. A photo's top and bottom are much alike, low
and high pitches are not: so the seven rows of the last map are kept apart, and only time is averaged over.
"""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastlabel_gradio.encoders import lite0, offline_sound
from fastlabel_gradio.encoders.base import ENCODERS, EncoderOptions
from fastlabel_gradio.encoders.learned_file import Recipe
from fastlabel_gradio.encoders.lite0 import as_tensor
from fastlabel_gradio.encoders.offline_sound import OfflineSoundEncoder
from fastlabel_gradio.encoders.pretrained import PretrainedEncoder, pair
from fastlabel_gradio.media.sound_view import SoundView
from fastlabel_gradio.media.spectrograms import Drawing, spectrogram_levels
from fastlabel_gradio.types import Waveform

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class SoundRecipe:
    """How sounds are shown to Lite0 and joined; another one makes another fingerprint.

    Attributes:
        height_px: of the picture, over the pool's range of pitches.
        column_s: time that a column stands for. most_px: width of the longest picture; longer sounds are squeezed into it.
        least_px: width of the shortest picture; shorter sounds, such as words, are stretched to it.
        own_weight: length of the pool's own features beside Lite0's of length 1.
    """

    version: int = 1
    height_px: int = 224
    least_px: int = 224
    most_px: int = 448
    column_s: float = 0.0112
    bands: int = 128
    window_s: float = 0.032
    range_db: float = 80.0
    own_weight: float = 0.8


RECIPE = SoundRecipe()
DRAWING = Drawing(window_s=RECIPE.window_s, bands=RECIPE.bands, range_db=RECIPE.range_db)


def shown_px(seconds: float) -> int:
    """Width of the picture of a sound of that length, a multiple of what a place of the last map stands for."""
    places = round(seconds / RECIPE.column_s / lite0.STRIDE_PX)
    return min(max(places * lite0.STRIDE_PX, RECIPE.least_px), RECIPE.most_px)


@ENCODERS["audio"].register("pretrained")
class PretrainedSoundEncoder(PretrainedEncoder):
    """Lite0's last map of the log-mel spectrogram, averaged over time in each of its seven rows, joined with `offline`."""

    own: OfflineSoundEncoder
    own_weight = RECIPE.own_weight
    rows = RECIPE.height_px // lite0.STRIDE_PX
    features = rows * lite0.CHANNELS
    sample_size = 400
    prefix = "pretrained-sound"
    follows_view = True

    def __init__(self, options: EncoderOptions) -> None:
        super().__init__(options)
        self.own = OfflineSoundEncoder(options)
        self.attune(SoundView())

    def attune(self, view: SoundView) -> None:
        self.own.attune(view)
        self._view = view
        self.heard_as = view.tag
        self.resolution = view.enough_rate_hz

    @property
    def recipe(self) -> Recipe:
        return {**asdict(RECIPE), **{f"own_{key}": value for key, value in asdict(offline_sound.RECIPE).items()}}

    def prepare(self, media: Waveform) -> np.ndarray:
        """A `pair`: decibels for the pool's own features and a grey picture, uint8[224, width], for Lite0."""
        size = shown_px(media.seconds * self._view.expand / self._view.stretch), RECIPE.height_px
        return pair(self.own.prepare(media), np.asarray(spectrogram_levels(media, size, self._view, DRAWING)))

    def _pretrained_features(self, pictures: list[np.ndarray]) -> "torch.Tensor":
        return self._network.last_map(as_tensor(pictures)).mean(3).flatten(1)
