"""JPEG XL by imagecodecs where that is installed; without it, a reason that names it."""

import importlib.util

import numpy as np

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.deep_pictures import Samples
from fastlabel_gradio.media.item_file import Stream

INSTALL = "JPEG XL: install its reader by `pip install imagecodecs`, then restart"

_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_MAX_FILE_BYTES = 1 << 29
_HEADER_BYTES = 16
_SEARCHED_BYTES = 1 << 20
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def is_jpeg_xl(head: bytes) -> bool:
    return head.startswith((_CODESTREAM, _CONTAINER))


def jpeg_xl_size(stream: Stream) -> tuple[int, int]:
    """Width and height from the size header (ISO/IEC 18181-1, annex D), nothing decoded.

    Raises:
        UnreadableItemError: the header is not at the file's start.
    """
    stream.seek(0)
    head = stream.read(_SEARCHED_BYTES)
    start = 2 if head.startswith(_CODESTREAM) else _start_in_container(head)
    bits = _Bits(head[start : start + _HEADER_BYTES])
    small = bits.take(1)
    height = _side(bits, small)
    ratio = bits.take(3)
    if ratio == 0:
        return _side(bits, small), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


def read_jpeg_xl(stream: Stream) -> Samples:
    """The first frame, in the depth that it is stored in.

    Raises:
        UnreadableItemError: imagecodecs is not installed, or it cannot decode the file.
    """
    if importlib.util.find_spec("imagecodecs") is None:
        raise UnreadableItemError(INSTALL)
    import imagecodecs

    stream.seek(0)
    try:
        values = np.asarray(imagecodecs.jpegxl_decode(stream.read(_MAX_FILE_BYTES), index=0))
    except imagecodecs.JpegxlError as error:
        raise UnreadableItemError("damaged or cut off: JPEG XL that cannot be decoded") from error
    values = values[..., None] if values.ndim == 2 else values
    colours = 1 if values.shape[2] < 3 else 3
    return Samples(values[..., :colours], values[..., colours] if values.shape[2] > colours else None)


class _Bits:
    """Bits of bytes from the lowest on."""

    def __init__(self, content: bytes) -> None:
        self._value = int.from_bytes(content, "little")

    def take(self, count: int) -> int:
        taken = self._value & ((1 << count) - 1)
        self._value >>= count
        return taken


def _side(bits: _Bits, small: int) -> int:
    if small:
        return (bits.take(5) + 1) * 8
    return bits.take((9, 13, 18, 30)[bits.take(2)]) + 1


def _start_in_container(head: bytes) -> int:
    """Where the codestream's size header begins: past the header of box `jxlc`, or of the first `jxlp` and its number."""
    place = 0
    while place + 8 <= len(head):
        length, box = int.from_bytes(head[place : place + 4], "big"), head[place + 4 : place + 8]
        start = place + (16 if length == 1 else 8)
        length = int.from_bytes(head[place + 8 : place + 16], "big") if length == 1 else length
        if box in (b"jxlc", b"jxlp"):
            return start + (4 if box == b"jxlp" else 0) + len(_CODESTREAM)
        if length < 8:
            break
        place += length
    raise UnreadableItemError("damaged or cut off: JPEG XL without a size")
