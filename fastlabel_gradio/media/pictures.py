"""Pictures in and out: a file becomes an upright 8-bit RGB picture, pictures become thumbnails, sheets and JPEGs.

Files are hostile until they are decoded: whatever Pillow says of a bad one leaves here as UnreadableItemError with one
line. Nothing here knows where a picture comes from. Imports errors and the files beside this one only.
"""

import io
import logging
import math
import os
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageFile, UnidentifiedImageError, features

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.colour_profiles import in_srgb
from fastlabel_gradio.media.cut_off_pictures import as_far_as_it_goes
from fastlabel_gradio.media.deep_pictures import Samples, drawn
from fastlabel_gradio.media.full_depth import deep_samples
from fastlabel_gradio.media.item_file import Stream, check_system, one_line, open_file
from fastlabel_gradio.media.jpeg_xl import is_jpeg_xl, jpeg_xl_size, read_jpeg_xl
from fastlabel_gradio.media.orientation import orientation_of, upright
from fastlabel_gradio.media.picture_reasons import HEAD_BYTES, reason_of
from fastlabel_gradio.media.tiff_samples import read_samples, tiff_layout
from fastlabel_gradio.media.transparency import on_ground

MATTE = "#20242c"
MIN_SIDE_PX = 2
MAX_SIDE_PX = 16_384
MAX_PIXELS = 178_000_000
JPEG_QUALITY = 85
MAX_JPEG_SIDE_PX = 65_500
MIN_SHARE = 0.05

# Named, because Pillow knows formats that run other programs (EPS starts Ghostscript).
FORMATS: tuple[str, ...] = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "JPEG2000", "PPM", "ICO")
if features.check("avif"):
    FORMATS = (*FORMATS, "AVIF")
if find_spec("pillow_heif"):
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    FORMATS = (*FORMATS, "HEIF")

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
)

# Sizes are checked here, before decoding; catch_warnings is not safe in threads.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
logging.getLogger("PIL.TiffImagePlugin").setLevel(logging.CRITICAL)  # what it does not know `tiff_samples.py` may


@dataclass(frozen=True, slots=True)
class _Decoded:
    """A picture as it is stored: not turned, in its own colours, perhaps transparent."""

    picture: Image.Image
    orientation: int
    profile: bytes | None
    note: str


def open_picture(
    file: Path | Stream, enough_px: int | None = None, side_limit_px: int = MAX_SIDE_PX, whole: bool = False
) -> Image.Image:
    """The file as an upright 8-bit RGB picture, fully decoded; of an animation or a document the first page.

    The content decides the format, not the name. EXIF or XMP orientation is applied, the embedded colour profile too,
    transparency is laid on the ground of `transparency.py`, deep samples are shown as `deep_pictures.py` says.
    `info["note"]` is what its user should know of how it was read, in one line; there is nothing else in `info`.

    Args:
        file: a path, or a stream of bytes, read from its start.
        enough_px: the caller needs no more than this on the shorter side: JPEGs are then decoded at 1/2, 1/4 or 1/8 of
            their size, the shorter side still at least this long. Other formats come in full.
        side_limit_px: longest side accepted; sprite sheets raise it.
        whole: a picture whose end is missing is refused, not shown as far as it goes.

    Raises:
        UnreadableItemError: empty, cut off, not a picture, a side below MIN_SIDE_PX or above `side_limit_px`, above
            MAX_PIXELS in all, a file that cannot be opened. Nothing else is raised for bad content.
    """
    with _stream(file) as stream, _one_line_reasons():
        return _shown(_decoded(stream, enough_px, side_limit_px, whole))


def shown_picture(picture: Image.Image) -> Image.Image:
    """A picture that somebody opened, as `open_picture` gives one. Raises UnreadableItemError."""
    with _one_line_reasons():
        _check_size(picture.size, MAX_SIDE_PX)
        picture.load()
        return _shown(_Decoded(picture, orientation_of(picture), picture.info.get("icc_profile"), ""))


def picture_size(file: Path | Stream, side_limit_px: int = MAX_SIDE_PX) -> tuple[int, int]:
    """Width and height in pixels from the file's header, nothing decoded. Raises as `open_picture`."""
    with _stream(file) as stream, _one_line_reasons():
        size = _size(stream)
        _check_size(size, side_limit_px)
        return size


def is_read_by_pillow(file: Path) -> bool:
    """Whether Pillow alone reads a file to its end: nothing is missing, and nothing has to be mended or read otherwise."""
    try:
        with open_file(file) as stream, Image.open(stream, formats=FORMATS) as picture:
            picture.draft(None, (1, 1))  # a JPEG is read to its end, at an eighth of its size
            picture.load()
            picture.getexif()
    except (MemoryError, *_DECODER_ERRORS):
        return False
    return True


def thumbnail(picture: Image.Image, side_px: int) -> Image.Image:
    """The picture fitted within side_px x side_px, its aspect kept, never enlarged, at least 1 px on each side."""
    scale = min(1.0, side_px / max(picture.size))
    if scale == 1.0:
        return picture
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def contact_sheet(
    pictures: Sequence[Image.Image | None], columns: int, max_tile_px: int, *, fill: bool = False
) -> bytes:
    """All pictures on one JPEG, row by row in square tiles, each centred on MATTE.

    A tile's side is the longest side of the thumbnails, at most `max_tile_px`, and each picture fills its tile: smaller
    ones are enlarged to it. Where all are small, so are the tiles: the page enlarges them. A picture more than
    1 / MIN_SHARE times as long as wide is drawn wider, so that it can be seen. With `fill` its middle square fills the tile
    instead. None leaves its tile empty. The last row
    is filled up with empty tiles, so the sheet is always `columns` tiles wide and ceil(n / columns) high.

    Raises:
        ValueError: no pictures, fewer than one column or pixel, or a sheet larger than a JPEG can be.
    """
    if not pictures or columns < 1 or max_tile_px < 1:
        raise ValueError(
            f"A contact sheet of {len(pictures)} pictures, {columns} columns, {max_tile_px} px: all need 1."
        )
    cut = [picture and middle_square(picture) for picture in pictures] if fill else pictures
    tiles = [None if picture is None else thumbnail(picture, max_tile_px) for picture in cut]
    tile_px = max((max(tile.size) for tile in tiles if tile is not None), default=max_tile_px)
    rows = math.ceil(len(tiles) / columns)
    if max(columns, rows) * tile_px > MAX_JPEG_SIDE_PX:
        raise ValueError(f"{columns} x {rows} tiles of {tile_px} px exceed {MAX_JPEG_SIDE_PX} px: take smaller tiles.")
    sheet = Image.new("RGB", (columns * tile_px, rows * tile_px), MATTE)
    for position, small in enumerate(tiles):
        if small is not None:
            tile = _filling(small, tile_px)
            row, column = divmod(position, columns)
            left = column * tile_px + (tile_px - tile.width) // 2
            top = row * tile_px + (tile_px - tile.height) // 2
            sheet.paste(tile, (left, top))
    return _jpeg(sheet)


def middle_square(picture: Image.Image) -> Image.Image:
    """As much of the picture as a square in its middle holds."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def _filling(tile: Image.Image, tile_px: int) -> Image.Image:
    scale, least = tile_px / max(tile.size), max(1, round(tile_px * MIN_SHARE))
    size = (max(least, round(tile.width * scale)), max(least, round(tile.height * scale)))
    return tile if size == tile.size else tile.resize(size, Image.Resampling.BICUBIC)


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
    except Image.DecompressionBombError as error:
        raise UnreadableItemError(f"too large: at most {MAX_PIXELS:,} pixels in all") from error
    except (MemoryError, *_DECODER_ERRORS) as error:
        check_system(error)
        raise UnreadableItemError(f"damaged or cut off: {one_line(error)}") from error


def _shown(decoded: _Decoded) -> Image.Image:
    turned = upright(decoded.picture, decoded.orientation)
    colours, colour_note = in_srgb(turned, decoded.profile)
    picture, ground_note = on_ground(colours) if colours.mode == "RGBA" else (colours.convert("RGB"), "")
    note = "; ".join(filter(None, (decoded.note, colour_note, ground_note)))
    picture.info = {"note": note} if note else {}
    return picture


def _decoded(stream: Stream, enough_px: int | None, side_limit_px: int, whole: bool) -> _Decoded:
    try:
        opened = Image.open(stream, formats=FORMATS)
    except UnidentifiedImageError:
        return _unknown_to_pillow(stream, side_limit_px)
    with opened as picture:
        _check_size(picture.size, side_limit_px)
        if enough_px is not None:
            picture.draft(None, (enough_px, enough_px))
        samples = deep_samples(picture, stream, whole)
        pixels, note = _drawn(samples) if samples else _loaded(picture, stream, whole)
        return _Decoded(pixels, orientation_of(picture), picture.info.get("icc_profile"), note)


def _unknown_to_pillow(stream: Stream, side_limit_px: int) -> _Decoded:
    _check_size(_size_unknown_to_pillow(stream), side_limit_px)
    layout = tiff_layout(stream)
    if layout is None:
        return _Decoded(drawn(read_jpeg_xl(stream)), orientation=1, profile=None, note="")
    pixels, note = _drawn(read_samples(stream, layout))
    return _Decoded(pixels, layout.orientation, layout.profile, note)


def _size(stream: Stream) -> tuple[int, int]:
    try:
        with Image.open(stream, formats=FORMATS) as picture:
            return picture.size
    except UnidentifiedImageError:
        return _size_unknown_to_pillow(stream)


def _size_unknown_to_pillow(stream: Stream) -> tuple[int, int]:
    """Raises UnreadableItemError, with what the file is, for all but TIFF and JPEG XL."""
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    if is_jpeg_xl(head):
        return jpeg_xl_size(stream)
    layout = tiff_layout(stream)
    if layout is None:
        raise UnreadableItemError(reason_of(head, FORMATS))
    return layout.width, layout.height


def _drawn(samples: Samples) -> tuple[Image.Image, str]:
    return drawn(samples), samples.note


def _loaded(picture: ImageFile.ImageFile, stream: Stream, whole: bool) -> tuple[Image.Image, str]:
    try:
        picture.load()
    except OSError as error:
        if whole:
            raise
        return as_far_as_it_goes(picture, stream, error)
    return picture, ""


def _check_size(size: tuple[int, int], side_limit_px: int) -> None:
    width, height = size
    if min(size) < MIN_SIDE_PX:
        raise UnreadableItemError(f"too small: {width} x {height} px, a side needs {MIN_SIDE_PX} px")
    if max(size) > side_limit_px:
        raise UnreadableItemError(f"too long: {width} x {height} px, a side has at most {side_limit_px:,} px")
    if width * height > MAX_PIXELS:
        raise UnreadableItemError(f"too large: {width} x {height} px, at most {MAX_PIXELS:,} pixels in all")
