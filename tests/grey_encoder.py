"""Two instant encoders, one of which sees no colours; both count what they encode and may be held in the middle."""

import threading
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from fastlabel_gradio.encoders.base import ENCODERS
from fastlabel_gradio.types import Embeddings
from tests.pools import PixelEncoder


@ENCODERS["image"].register("grey")
class GreyEncoder(PixelEncoder):
    """Sees no colours, which are all that tells the classes apart; may be held before it encodes, and counts."""

    name = "grey"
    fingerprint = "grey-1"
    go_on: ClassVar[threading.Event] = threading.Event()
    holds_after: ClassVar[int] = 10**9
    encoded: ClassVar[int] = 0

    def prepare(self, media: Image.Image) -> np.ndarray:
        return super().prepare(media.convert("L").convert("RGB"))

    def encode(self, batch: np.ndarray) -> Embeddings:
        if type(self).encoded >= type(self).holds_after:
            type(self).go_on.wait(30)
        type(self).encoded += len(batch)
        return super().encode(batch)


@ENCODERS["image"].register("full_colour")
class ColourEncoder(GreyEncoder):
    """As `pixels`, and may be held."""

    name = "full_colour"
    fingerprint = "colours-1"
    go_on: ClassVar[threading.Event] = threading.Event()
    holds_after: ClassVar[int] = 10**9
    encoded: ClassVar[int] = 0

    def prepare(self, media: Image.Image) -> np.ndarray:
        return PixelEncoder.prepare(self, media)


def only_these_encoders(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Of the encoders of pictures only these are known: fewer are compared, whatever other tests registered."""
    parts = ENCODERS["image"]._parts
    monkeypatch.setattr(ENCODERS["image"], "_parts", {name: parts[name] for name in names})
