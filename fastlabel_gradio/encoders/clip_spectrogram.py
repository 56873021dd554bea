"""CLIP on pictures of sounds, so that one set of weights serves pictures and sounds. It hears less than CLAP does."""

from typing import Any

import numpy as np

from fastlabel_gradio.encoders.base import ENCODERS
from fastlabel_gradio.encoders.clip import ClipEncoder, ClipOptions
from fastlabel_gradio.media.sound_view import SoundView
from fastlabel_gradio.media.spectrograms import PICTURE_VERSION, spectrogram_picture


@ENCODERS["audio"].register("clip_spectrogram")
class ClipSpectrogramEncoder(ClipEncoder):
    """CLIP's embedding of the whole sound's log-mel spectrogram, in colour, squeezed to the size that the model sees."""

    name = "clip_spectrogram"
    prompt = "a spectrogram of the sound of {label}."
    follows_view = True

    def __init__(self, options: ClipOptions) -> None:
        super().__init__(options)
        self.fingerprint = f"clip_spectrogram-{PICTURE_VERSION}-{self.fingerprint.removeprefix('clip-')}"
        self.attune(SoundView())

    def attune(self, view: SoundView) -> None:
        self._view = view
        self.heard_as = view.tag
        self.resolution = view.enough_rate_hz

    def prepare(self, media: Any) -> np.ndarray:
        """uint8[height, width, 3] of a Waveform."""
        height, width = self._size
        return np.asarray(spectrogram_picture(media, (width, height), self._view))
