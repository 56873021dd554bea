"""Transparent pictures on the one ground that all of them get, for the eye and for the encoder alike."""

import numpy as np
from PIL import Image

SQUARES = 20  # along the longer side
GROUND = (0x70, 0x90)  # two middle greys: white, black and even grey shapes differ from one of them

WHOLLY = "wholly transparent"


def on_ground(layer: Image.Image) -> tuple[Image.Image, str]:
    """An RGBA picture as RGB, laid on squares of two middle greys; and a note where nothing of it is opaque."""
    low, high = layer.getchannel("A").getextrema()
    if low == 255:
        return layer.convert("RGB"), ""
    laid = Image.alpha_composite(_squares(layer.size).convert("RGBA"), layer).convert("RGB")
    return laid, WHOLLY if high == 0 else ""


def _squares(size: tuple[int, int]) -> Image.Image:
    side_px = max(1, round(max(size) / SQUARES))
    rows, columns = (np.arange(length) // side_px for length in (size[1], size[0]))
    dark, light = (np.uint8(grey) for grey in GROUND)
    return Image.fromarray(np.where((rows[:, None] + columns) % 2 == 0, dark, light))
