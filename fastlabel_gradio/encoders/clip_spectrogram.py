"""CLIP on pictures of sounds, so that one set of weights serves pictures and sounds. It hears less than CLAP does."""

from typing import Any

import numpy as np

from fastlabel_gradio.encoders.base import ENCODERS
from fastlabel_gradio.encoders.clip import ClipEncoder, ClipOptions
from fastlabel_gradio.media.spectrograms import TOP_HZ, spectrogram_picture

PICTURE_VERSION = 1  # part of the fingerprint; changes with anything that changes the picture of a sound


@ENCODERS["audio"].register("clip_spectrogram")
class ClipSpectrogramEncoder(ClipEncoder):
    """CLIP's embedding of the whole sound's log-mel spectrogram, in colour, squeezed to the size that the model sees."""

    name = "clip_spectrogram"
    prompt = "a spectrogram of the sound of {label}."

    def __init__(self, options: ClipOptions) -> None:
        super().__init__(options)
        self.fingerprint = f"clip_spectrogram-{PICTURE_VERSION}-{self.fingerprint.removeprefix('clip-')}"
        self.resolution = round(2 * TOP_HZ)

    def prepare(self, media: Any) -> np.ndarray:
        """uint8[height, width, 3] of a Waveform."""
        height, width = self._size
        return np.asarray(spectrogram_picture(media, (width, height)))
