"""Pictures in and out: a file becomes an upright 8-bit RGB picture, pictures become thumbnails, sheets and JPEGs.

Files are hostile until they are decoded: whatever Pillow says of a bad one leaves here as UnreadableItemError with one
line. Nothing here knows where a picture comes from. Imports errors only.
"""

import io
import math
import os
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image, UnidentifiedImageError, features

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.item_file import one_line, open_file

MATTE = "#20242c"
MIN_SIDE_PX = 2
MAX_SIDE_PX = 16_384
MAX_PIXELS = 178_000_000
JPEG_QUALITY = 85
MAX_JPEG_SIDE_PX = 65_500

# Named, because Pillow knows formats that run other programs (EPS starts Ghostscript).
FORMATS: tuple[str, ...] = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "JPEG2000", "PPM")
if features.check("avif"):
    FORMATS = (*FORMATS, "AVIF")

# What Pillow's decoders raise on damaged files: seen while fuzzing them, or raised somewhere in their source.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

Stream: TypeAlias = io.BytesIO | io.BufferedReader

_EXIF_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Sizes are checked here, before decoding; catch_warnings is not safe in threads.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def open_picture(file: Path | Stream, enough_px: int | None = None, side_limit_px: int = MAX_SIDE_PX) -> Image.Image:
    """The file as an upright 8-bit RGB picture, fully decoded; of an animation the first frame.

    The content decides the format, not the name. EXIF rotation is applied, transparency is laid on white, 16-bit values
    are scaled to 8 bits, CMYK is converted without its ICC profile.

    Args:
        file: a path, or a stream of bytes, read from its start.
        enough_px: the caller needs no more than this on the shorter side: JPEGs are then decoded at 1/2, 1/4 or 1/8 of
            their size, the shorter side still at least this long. Other formats come in full.
        side_limit_px: longest side accepted; sprite sheets raise it.

    Raises:
        UnreadableItemError: empty, cut off, not a picture, a side below MIN_SIDE_PX or above `side_limit_px`, above
            MAX_PIXELS in all, a file that cannot be opened. Nothing else is raised for bad content.
    """
    with _stream(file) as stream, _one_line_reasons(), Image.open(stream, formats=FORMATS) as picture:
        _check_size(picture.size, side_limit_px)
        if enough_px is not None:
            picture.draft(None, (enough_px, enough_px))
        picture.load()
        upright = _to_rgb(_turned(picture))
        upright.info = {}
        return upright


def picture_size(file: Path | Stream, side_limit_px: int = MAX_SIDE_PX) -> tuple[int, int]:
    """Width and height in pixels from the file's header, nothing decoded. Raises as `open_picture`."""
    with _stream(file) as stream, _one_line_reasons(), Image.open(stream, formats=FORMATS) as picture:
        _check_size(picture.size, side_limit_px)
        return picture.size


def thumbnail(picture: Image.Image, side_px: int) -> Image.Image:
    """The picture fitted within side_px x side_px, its aspect kept, never enlarged, at least 1 px on each side."""
    scale = min(1.0, side_px / max(picture.size))
    if scale == 1.0:
        return picture
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def contact_sheet(pictures: Sequence[Image.Image | None], columns: int, max_tile_px: int) -> bytes:
    """All pictures on one JPEG, row by row in square tiles, each centred on MATTE.

    A tile's side is the longest side of the thumbnails, at most `max_tile_px`: small pictures are not enlarged here,
    the page does that. None leaves its tile empty. The last row is filled up with empty tiles, so the sheet is
    always `columns` tiles wide and ceil(n / columns) high.

    Raises:
        ValueError: no pictures, fewer than one column or pixel, or a sheet larger than a JPEG can be.
    """
    if not pictures or columns < 1 or max_tile_px < 1:
        raise ValueError(
            f"A contact sheet of {len(pictures)} pictures, {columns} columns, {max_tile_px} px: all need 1."
        )
    tiles = [None if picture is None else thumbnail(picture, max_tile_px) for picture in pictures]
    tile_px = max((max(tile.size) for tile in tiles if tile is not None), default=max_tile_px)
    rows = math.ceil(len(tiles) / columns)
    if max(columns, rows) * tile_px > MAX_JPEG_SIDE_PX:
        raise ValueError(f"{columns} x {rows} tiles of {tile_px} px exceed {MAX_JPEG_SIDE_PX} px: take smaller tiles.")
    sheet = Image.new("RGB", (columns * tile_px, rows * tile_px), MATTE)
    for position, tile in enumerate(tiles):
        if tile is not None:
            row, column = divmod(position, columns)
            left = column * tile_px + (tile_px - tile.width) // 2
            top = row * tile_px + (tile_px - tile.height) // 2
            sheet.paste(tile, (left, top))
    return _jpeg(sheet)


def encode_jpeg(picture: Image.Image, max_side_px: int) -> bytes:
    """The picture as a JPEG without metadata, fitted within max_side_px x max_side_px, never enlarged."""
    return _jpeg(thumbnail(picture, max_side_px))


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def _stream(file: Path | Stream) -> AbstractContextManager[Stream]:
    if isinstance(file, Path):
        return open_file(file)
    if file.seek(0, os.SEEK_END) == 0:
        raise UnreadableItemError("empty file (0 bytes)")
    file.seek(0)
    return nullcontext(file)


@contextmanager
def _one_line_reasons() -> Iterator[None]:
    try:
        yield
    except UnidentifiedImageError as error:
        raise UnreadableItemError("not a picture, or damaged at its start") from error
    except MemoryError as error:
        raise UnreadableItemError("needs more memory than there is") from error
    except _DECODER_ERRORS as error:
        raise UnreadableItemError(f"damaged or cut off: {one_line(error)}") from error


def _check_size(size: tuple[int, int], side_limit_px: int) -> None:
    width, height = size
    if min(size) < MIN_SIDE_PX:
        raise UnreadableItemError(f"too small: {width} x {height} px, a side needs {MIN_SIDE_PX} px")
    if max(size) > side_limit_px:
        raise UnreadableItemError(f"too long: {width} x {height} px, a side has at most {side_limit_px:,} px")
    if width * height > MAX_PIXELS:
        raise UnreadableItemError(f"too large: {width} x {height} px, at most {MAX_PIXELS:,} pixels in all")


def _turned(picture: Image.Image) -> Image.Image:
    try:
        orientation = picture.getexif().get(_EXIF_ORIENTATION, 1)
    except _DECODER_ERRORS:
        return picture  # damaged metadata says nothing of pixels that decoded well
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return picture if turn is None else picture.transpose(turn)


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        return _scaled_to_8_bits(picture).convert("RGB")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        ground = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(ground, layer).convert("RGB")
    return picture.convert("RGB")


def _scaled_to_8_bits(picture: Image.Image) -> Image.Image:
    """A deep gray picture in 8 bits. Integers are taken as 0 to 65,535, floats as 0 to 1, 255 or 65,535, the first that
    holds all of the picture; where none does, its own range counts.
    """
    values = np.nan_to_num(np.asarray(picture, dtype=np.float32))
    low, high = float(values.min()), float(values.max())
    usual = (1.0, 255.0, 65_535.0) if picture.mode == "F" else (65_535.0,)
    top = next((top for top in usual if high <= top), None)
    if low >= 0 and top is not None:
        low, high = 0.0, top
    scaled = (values - low) * (255.0 / max(high - low, 1e-12))
    return Image.fromarray(np.rint(scaled).astype(np.uint8))
