"""Sent media: the vector of a picture or sound that somebody pasted, as the pool's encoder has it. Nothing is kept."""

import io
import os
import tempfile
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from fastlabel_gradio.encoders.base import Encoder
from fastlabel_gradio.encoders.known_vectors import KnownVectors
from fastlabel_gradio.errors import EncoderUnavailableError, UnreadableItemError
from fastlabel_gradio.media.pictures import open_picture, picture_size
from fastlabel_gradio.media.sound_view import SoundView, as_heard
from fastlabel_gradio.media.sounds import at_most, open_sound
from fastlabel_gradio.types import Media, Medium

MAX_PIXELS = 50_000_000


def embed_sent(content: bytes, medium: Medium, view: SoundView, encoder: Encoder) -> Float32[np.ndarray, " dim"]:
    """The vector of a file's content, of the kind of the pool's items.

    Args:
        view: how the pool's sounds are taken.

    Raises:
        UnreadableItemError: it is no picture, or no sound, that can be read. EncoderUnavailableError: there is no encoder.
    """
    if isinstance(encoder, KnownVectors):
        raise EncoderUnavailableError(
            "the vectors of this project came with it: there is no encoder that could look at a new picture or sound. "
            "Search by an item of the pool."
        )
    media = _picture(content, encoder) if medium == "image" else _sound(content, view, encoder)
    vector = encoder.encode([encoder.prepare(media)])[0]
    if not np.isfinite(vector).all():
        raise UnreadableItemError("the encoder gave no finite numbers for it")
    return np.asarray(vector, dtype=np.float32)


def _picture(content: bytes, encoder: Encoder) -> Media:
    width, height = picture_size(io.BytesIO(content))
    if width * height > MAX_PIXELS:
        raise UnreadableItemError(f"too large: {width} x {height} px, at most {MAX_PIXELS:,} pixels in all")
    return open_picture(io.BytesIO(content), enough_px=encoder.resolution)


def _sound(content: bytes, view: SoundView, encoder: Encoder) -> Media:
    """Decoders of sounds take files: there is one for as long as it is decoded, which only this account can read."""
    descriptor, name = tempfile.mkstemp(prefix="fastlabel-", suffix=".sound")
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        return at_most(as_heard(open_sound(path, channel=view.channel), view), encoder.resolution)
    finally:
        path.unlink(missing_ok=True)
