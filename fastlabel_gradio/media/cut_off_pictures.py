"""Pictures whose end is missing: JPEGs and PNGs that were cut off are shown as far as they go."""

import io

import numpy as np
from PIL import Image, ImageFile

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.item_file import Stream

LEAST_SHARE = 0.25
MAX_FILE_BYTES = 1 << 29

_END_OF_JPEG = b"\xff\xd9"
_UNDECODED = {"JPEG": 128, "MPO": 128, "PNG": 0}  # what the decoders leave where no data came


def as_far_as_it_goes(picture: ImageFile.ImageFile, stream: Stream, error: Exception) -> tuple[Image.Image, str]:
    """What can be decoded of an opened picture whose `load` failed, and a note that says how much that is.

    Args:
        error: what `load` raised; raised again for other formats, where Pillow gives nothing or no order of rows.

    Raises:
        UnreadableItemError: less than LEAST_SHARE of the rows are there.
    """
    if picture.format not in _UNDECODED or picture.info.get("interlace") or not picture.tile:
        raise error
    partial = _partial_png(picture) if picture.format == "PNG" else _ended_jpeg(picture, stream)
    return partial, note_of_rows(np.asarray(partial), _UNDECODED[picture.format])


def note_of_rows(values: np.ndarray, undecoded: int = 0) -> str:
    """How much of a picture that was cut off is there, in one line.

    Args:
        values: its numbers, row by row, `undecoded` where no data came.

    Raises:
        UnreadableItemError: less than LEAST_SHARE of the rows are there.
    """
    filled = np.flatnonzero((values.reshape(len(values), -1) != undecoded).any(axis=1))
    share = (int(filled[-1]) + 1) / len(values) if filled.size else 0.0
    if share < LEAST_SHARE:
        raise UnreadableItemError(f"cut off: only {share:.0%} of its rows are there")
    if share == 1.0:
        return "the end marker is missing, shown as far as it goes"
    return f"the end is missing, shown as far as it goes: {share:.0%} of its rows"


def _partial_png(picture: ImageFile.ImageFile) -> Image.Image:
    picture.tile = []  # decoded as far as the data went; without this, Pillow begins again
    picture.load()
    return picture


def _ended_jpeg(picture: ImageFile.ImageFile, stream: Stream) -> Image.Image:
    """Decoded again with an end marker, so that a progressive one comes whole, only less sharp."""
    stream.seek(0)
    content = stream.read(MAX_FILE_BYTES)
    again = Image.open(io.BytesIO(content + _END_OF_JPEG), formats=("JPEG",))
    again.draft(None, picture.size)
    again.load()
    return again
