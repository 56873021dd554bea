"""Opened pictures in full depth: what Pillow would give in 8 bits with the high bits only, or slowly, is read here.

16-bit colour in PNG, PPM and PGM with any largest value; TIFF goes on to `tiff_samples.py`. Other pictures have no samples
here and are decoded by Pillow.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageFile

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.cut_off_pictures import note_of_rows
from fastlabel_gradio.media.deep_pictures import DEEP_MODES, Samples
from fastlabel_gradio.media.item_file import Stream
from fastlabel_gradio.media.tiff_samples import read_samples, tiff_layout

_Reader: TypeAlias = Callable[[ImageFile.ImageFile], np.ndarray]


def deep_samples(picture: ImageFile.ImageFile, stream: Stream, whole: bool = False) -> Samples | None:
    """The numbers of an opened picture, not decoded yet; None where 8 bits hold all of it.

    Args:
        whole: a PNG whose end is missing is refused, not read as far as it goes.

    Raises:
        UnreadableItemError, and whatever Pillow raises for damaged data.
    """
    if picture.format == "TIFF":
        return _of_tiff(stream)
    if picture.format == "PNG" and _raw_mode(picture).endswith(";16B"):
        return _of_png(picture, stream, whole)
    if picture.format == "PPM" and picture.tile[0].codec_name == "ppm":
        return _of_ppm(picture, stream)
    if picture.mode in DEEP_MODES:
        return Samples(_numbers(picture)[..., None])
    return None


def _of_tiff(stream: Stream) -> Samples | None:
    layout = tiff_layout(stream)
    assert layout is not None
    return None if layout.is_plain else read_samples(stream, layout)


def _of_png(picture: ImageFile.ImageFile, stream: Stream, whole: bool) -> Samples:
    try:
        return _png_samples(picture, stream, _numbers)
    except OSError:
        if whole or picture.info.get("interlace"):
            raise
        samples = _png_samples(picture, stream, _numbers_so_far)
        return replace(samples, note=note_of_rows(samples.colours))


def _png_samples(picture: ImageFile.ImageFile, stream: Stream, numbers: _Reader) -> Samples:
    """Pillow keeps the high byte of each colour; read a second time with the bytes swapped it gives the low ones."""
    key = picture.info.get("transparency")
    if _raw_mode(picture) == "I;16B":
        grey = numbers(picture)
        return Samples(grey[..., None], None if key is None else _opaque(grey != key))
    if _raw_mode(picture) == "LA;16B":
        pairs = _png_bytes(stream, "RGBA", numbers).view(">u2").astype(np.uint16)
        return Samples(pairs[..., :1], pairs[..., 1])
    colour = _raw_mode(picture).removesuffix("B")
    high, low = _png_bytes(stream, f"{colour}B", numbers), _png_bytes(stream, f"{colour}L", numbers)
    values = high.astype(np.uint16) << 8 | low
    if values.shape[2] == 4:
        return Samples(values[..., :3], values[..., 3])
    return Samples(values, None if key is None else _opaque((values != key).any(axis=2)))


def _png_bytes(stream: Stream, raw_mode: str, numbers: _Reader) -> np.ndarray:
    stream.seek(0)
    with Image.open(stream, formats=("PNG",)) as picture:
        assert isinstance(picture, ImageFile.ImageFile)
        picture.tile = [picture.tile[0]._replace(args=raw_mode)]
        return numbers(picture)


def _of_ppm(picture: ImageFile.ImageFile, stream: Stream) -> Samples:
    """As parts of 65,535, so that its largest possible value is white where it uses half of its range."""
    largest = int(picture.tile[0].args[1])  # type: ignore[index]  # its decoder's are (raw mode, largest value)
    channels = len(picture.getbands())
    count = picture.width * picture.height * channels
    stored = np.dtype("u1" if largest < 256 else ">u2")
    stream.seek(picture.tile[0].offset)
    content = stream.read(count * stored.itemsize)
    if len(content) < count * stored.itemsize:
        raise UnreadableItemError("damaged or cut off: the end of the file is missing")
    values = np.frombuffer(content, stored).reshape(picture.height, picture.width, channels)
    if largest < 256:
        return Samples(np.rint(np.minimum(values, largest) * (255.0 / largest)).astype(np.uint8))
    return Samples(np.rint(np.minimum(values, largest) * (65_535.0 / largest)).astype(np.uint16))


def _raw_mode(picture: ImageFile.ImageFile) -> str:
    return str(picture.tile[0].args) if picture.tile else ""


def _numbers(picture: ImageFile.ImageFile) -> np.ndarray:
    picture.load()
    return np.asarray(picture)


def _numbers_so_far(picture: ImageFile.ImageFile) -> np.ndarray:
    """Of a PNG that was cut off; zeros where no data came."""
    with suppress(OSError):
        picture.load()
    picture.tile = []  # without this, Pillow begins again
    return _numbers(picture)


def _opaque(shown: np.ndarray) -> np.ndarray:
    return np.where(shown, np.uint8(255), np.uint8(0))
