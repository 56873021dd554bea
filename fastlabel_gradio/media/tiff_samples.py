"""TIFF files by their numbers: any count of channels, integers and floats of any usual depth, as [height, width, channels].

Pillow opens the usual 8-bit layouts itself and drops the low bits of 16-bit colour. Here its libtiff only undoes the
compression: each strip or tile is handed to it as 8-bit grey of the same bytes, and the numbers are made of these bytes.
"""

import io
import operator
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.deep_pictures import Samples
from fastlabel_gradio.media.item_file import Stream

_BIG_ENDIAN_BIG = b"MM\0+"  # Pillow takes it for a small one
MAGIC = (b"II*\0", b"MM\0*", b"II+\0", _BIG_ENDIAN_BIG)
MAX_SAMPLE_BYTES = 3_000_000_000
MAX_CELL_BYTES = 178_000_000  # Pillow takes more pixels for a bomb
CELLS_BYTES = 1 << 25

# Tags, and codes of theirs (TIFF 6.0; BigTIFF; Adobe's TIFF technical notes; GDAL).
_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 254, 256, 257, 258, 259, 262, 266
_STRIP_OFFSETS, _CHANNELS, _STRIP_ROWS, _STRIP_BYTES, _PLANAR, _PREDICTOR = 273, 277, 278, 279, 284, 317
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES, _EXTRA, _FORMAT, _NODATA = 322, 323, 324, 325, 338, 339, 42_113
_ORIENTATION, _PROFILE = 274, 34_675
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_COMPRESSIONS = frozenset({1, 5, 8, 32_773, 32_946, 34_925, 50_000})  # none, LZW, deflate, PackBits, LZMA, Zstandard
_NAMES = {6: "JPEG", 7: "JPEG", 34_712: "JPEG 2000", 34_887: "LERC", 50_001: "WebP", 50_002: "JPEG XL"}
_KINDS = {1: "u", 2: "i", 3: "f", 4: "u"}
_PACKED_BITS = frozenset({10, 12, 14})


@dataclass(frozen=True, slots=True)
class TiffLayout:
    """How the first page of a TIFF lies in its file. `cell` is a strip or a tile; a cell has all channels or one plane."""

    width: int
    height: int
    channels: int
    bits: int
    kind: str
    little: bool
    photometric: int
    extra: tuple[int, ...]
    compression: int
    predictor: int
    fill_order: int
    planes: int
    tiled: bool
    cell_width: int
    cell_height: int
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    nodata: float | None
    more_pages: bool
    orientation: int
    profile: bytes | None

    @property
    def is_plain(self) -> bool:
        """Whether Pillow shows all of it: samples of 8 bits or less, no channel beyond colour and alpha."""
        return (self.kind == "u" and self.bits <= 8 and self.channels <= 4) or self.photometric > _RGB

    @property
    def across(self) -> int:
        return -(-self.width // self.cell_width)

    @property
    def down(self) -> int:
        return -(-self.height // self.cell_height)

    @property
    def cell_channels(self) -> int:
        return 1 if self.planes > 1 else self.channels

    @property
    def cell_row_bytes(self) -> int:
        return -(-self.cell_width * self.cell_channels * self.bits // 8)


def tiff_layout(stream: Stream) -> TiffLayout | None:
    """The layout of the first page; None for what is no TIFF, or one without a picture.

    Raises:
        UnreadableItemError: sizes that contradict one another, or samples of different depths.
    """
    stream.seek(0)
    header = stream.read(16)
    if header[:4] not in MAGIC:
        return None
    if header[:4] == _BIG_ENDIAN_BIG:
        raise UnreadableItemError("big-endian BigTIFF is not read: save it as little-endian or as plain TIFF")
    header = header[: 16 if header[2:3] == b"+" else 8]
    tags = ImageFileDirectory_v2(header)
    stream.seek(tags.next)
    tags.load(stream)
    if _WIDTH not in tags:
        return None
    return _layout(tags, header[:1] == b"I", _has_more_pages(stream, header, tags.next))


def read_samples(stream: Stream, layout: TiffLayout) -> Samples:
    """The numbers of the first page: grey, or the first three channels as red, green and blue, with a note of the others.

    Raises:
        UnreadableItemError: a colour space, a compression or a depth that is not read, sizes that contradict one another.
            Whatever Pillow raises for damaged data.
    """
    _check(layout)
    colour_channels = 1 if layout.channels < 3 else 3
    has_alpha = _has_alpha(layout, colour_channels)
    wanted = range(colour_channels + has_alpha)
    if layout.planes > 1:
        values = np.concatenate([_plane(stream, layout, plane, 1) for plane in wanted], axis=2)
    else:
        values = _plane(stream, layout, 0, len(wanted))
    colours = values[..., :colour_channels]
    alpha = values[..., colour_channels] if has_alpha else None
    return Samples(
        _unmultiplied(colours, alpha) if alpha is not None and layout.extra[:1] == (1,) else colours,
        alpha,
        layout.nodata,
        white_is_zero=layout.photometric == _WHITE_IS_ZERO,
        separate=layout.photometric != _RGB,
        note=_note(layout, colour_channels, len(wanted)),
    )


def _layout(tags: ImageFileDirectory_v2, little: bool, more_pages: bool) -> TiffLayout:
    bits, kinds = _numbers(tags, _BITS, (1,)), _numbers(tags, _FORMAT, (1,))
    if len(set(bits)) > 1 or len(set(kinds)) > 1:
        raise UnreadableItemError(
            f"channels of different depths are not read: {' and '.join(map(str, sorted(set(bits))[:3]))} bits"
        )
    width, height, channels = (_numbers(tags, tag, (1,))[0] for tag in (_WIDTH, _HEIGHT, _CHANNELS))
    tiled = _TILE_WIDTH in tags
    strip_rows = _numbers(tags, _STRIP_ROWS, (height,))[0]
    profile = tags.get(_PROFILE)
    return TiffLayout(
        width=width,
        height=height,
        channels=channels,
        bits=bits[0],
        kind=_KINDS.get(kinds[0], "complex or undefined"),
        little=little,
        photometric=_numbers(tags, _PHOTOMETRIC, (_BLACK_IS_ZERO,))[0],
        extra=_numbers(tags, _EXTRA, ()),
        compression=_numbers(tags, _COMPRESSION, (1,))[0],
        predictor=_numbers(tags, _PREDICTOR, (1,))[0],
        fill_order=_numbers(tags, _FILL_ORDER, (1,))[0],
        planes=channels if _numbers(tags, _PLANAR, (1,))[0] == 2 else 1,
        tiled=tiled,
        cell_width=max(1, _numbers(tags, _TILE_WIDTH, (width,))[0]),
        cell_height=max(1, _numbers(tags, _TILE_HEIGHT, (height,))[0] if tiled else min(height, strip_rows)),
        offsets=_numbers(tags, _TILE_OFFSETS if tiled else _STRIP_OFFSETS, ()),
        counts=_numbers(tags, _TILE_BYTES if tiled else _STRIP_BYTES, ()),
        nodata=_nodata(tags),
        more_pages=more_pages,
        orientation=_numbers(tags, _ORIENTATION, (1,))[0],
        profile=profile if isinstance(profile, bytes) else None,
    )


def _numbers(tags: ImageFileDirectory_v2, tag: int, missing: tuple[int, ...]) -> tuple[int, ...]:
    found = tags.get(tag, missing)
    found = found if isinstance(found, tuple) else (found,)
    if not all(isinstance(number, int) and number >= 0 for number in found) or not (found or not missing):
        raise UnreadableItemError(f"damaged or cut off: TIFF tag {tag} is no number")
    return found


def _nodata(tags: ImageFileDirectory_v2) -> float | None:
    text = tags.get(_NODATA)
    try:
        return float(str(text).strip("\0 ")) if text is not None else None
    except ValueError:
        return None


def _has_more_pages(stream: Stream, header: bytes, offset: int) -> bool:
    """Whether a second page follows that is no smaller copy of the first."""
    if not offset:
        return False
    stream.seek(offset)
    second = ImageFileDirectory_v2(header)
    second.load(stream)
    return _WIDTH in second and not _numbers(second, _SUBFILE, (0,))[0] & 5  # neither a preview nor a mask


def _check(layout: TiffLayout) -> None:
    deep = f"{layout.channels} channels of {layout.bits} bits"
    if layout.photometric > _RGB:
        raise UnreadableItemError(
            f"TIFF with {deep} in colour space {layout.photometric} is not read: save it as RGB or grey"
        )
    if layout.compression not in _COMPRESSIONS:
        name = _NAMES.get(layout.compression, f"number {layout.compression}")
        raise UnreadableItemError(f"{deep}, compressed as {name}: not read, save it with LZW or deflate")
    depths = (16, 32, 64) if layout.kind == "f" else (8, 16, 32, 64)
    if len(layout.kind) > 1 or not (layout.bits in depths or _is_packed(layout)):
        raise UnreadableItemError(f"{deep}, {layout.kind}: not read, save it with 8, 16 or 32 bits")
    cells = layout.across * layout.down * layout.planes
    if not len(layout.offsets) == len(layout.counts) == cells or layout.channels < 1:
        raise UnreadableItemError(f"damaged or cut off: {len(layout.offsets)} parts where {cells} belong")
    cell_bytes = layout.cell_row_bytes * layout.cell_height
    if cell_bytes * cells > MAX_SAMPLE_BYTES:
        raise UnreadableItemError(f"too large: {cell_bytes * cells:,} bytes of samples, at most {MAX_SAMPLE_BYTES:,}")
    if cell_bytes > MAX_CELL_BYTES and layout.compression != 1:
        raise UnreadableItemError(f"compressed in parts of {cell_bytes:,} bytes: save it in smaller strips or tiles")


def _is_packed(layout: TiffLayout) -> bool:
    return layout.bits in _PACKED_BITS and layout.kind == "u" and layout.predictor == 1


def _has_alpha(layout: TiffLayout, colour_channels: int) -> bool:
    """Whether the channel after the colours is alpha: said by its tag, or the fourth of RGB where none says otherwise."""
    unsaid = layout.photometric == _RGB and layout.channels == 4 and not layout.extra
    return layout.channels > colour_channels and (unsaid or layout.extra[:1] in ((1,), (2,)))


def _note(layout: TiffLayout, colour_channels: int, used: int) -> str:
    notes = []
    if layout.channels > used:
        shown = "the first is shown" if colour_channels == 1 else "the first 3 are shown as red, green and blue"
        notes.append(f"{layout.channels} channels: {shown}")
    if layout.more_pages:
        notes.append("several pages: the first is shown")
    return "; ".join(notes)


def _unmultiplied(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    full = 1.0 if alpha.dtype.kind == "f" else float(np.iinfo(alpha.dtype).max)
    share = np.maximum(alpha.astype(np.float32) / full, 1e-6)[..., None]
    plain: np.ndarray = np.clip(colours / share, 0, full).astype(colours.dtype)
    return plain


def _plane(stream: Stream, layout: TiffLayout, plane: int, channels: int) -> np.ndarray:
    """Numbers[height, width, channels] of one plane, its first channels. A few cells are decoded at a time."""
    cells = layout.across * layout.down
    at_once = max(1, CELLS_BYTES // (layout.cell_row_bytes * layout.cell_height))
    numbers = np.empty((layout.height, layout.width, channels), dtype=_native(layout))
    for first in range(0, cells, at_once):
        group = range(first, min(first + at_once, cells))
        decoded = _numbers_of(_rows(stream, layout, plane * cells, group), layout)
        for place, cell in enumerate(group):
            top, left = (cell // layout.across) * layout.cell_height, (cell % layout.across) * layout.cell_width
            target = numbers[top : top + layout.cell_height, left : left + layout.cell_width]
            start = place * layout.cell_height
            target[:] = decoded[start : start + len(target), : target.shape[1], :channels]
    return numbers


def _native(layout: TiffLayout) -> np.dtype[Any]:
    return np.dtype("u2") if _is_packed(layout) else np.dtype(f"{layout.kind}{layout.bits // 8}")


def _rows(stream: Stream, layout: TiffLayout, plane_start: int, group: range) -> np.ndarray:
    """Decompressed bytes[rows of all cells of the group, bytes of a cell's row]."""
    last = layout.height - (layout.down - 1) * layout.cell_height
    heights = [
        last if not layout.tiled and cell == layout.across * layout.down - 1 else layout.cell_height for cell in group
    ]
    offsets = [layout.offsets[plane_start + cell] for cell in group]
    if layout.compression == 1 and layout.fill_order == 1:
        lengths = [height * layout.cell_row_bytes for height in heights]
        body = b"".join(_cells(stream, offsets, lengths))
        return np.frombuffer(body, np.uint8).reshape(sum(heights), layout.cell_row_bytes)
    cells = _cells(stream, offsets, [layout.counts[plane_start + cell] for cell in group])
    file = _byte_tiff(layout, sum(heights), cells)
    with TiffImageFile(file) as decoded:  # not Image.open: there is no need to look for its format
        decoded.load()
        return np.asarray(decoded)


def _cells(stream: Stream, offsets: Sequence[int], lengths: Sequence[int]) -> list[bytes]:
    end = stream.seek(0, io.SEEK_END)
    if max(map(operator.add, offsets, lengths)) > end:
        raise UnreadableItemError("damaged or cut off: the end of the file is missing")
    if sum(lengths) > end:
        raise UnreadableItemError("damaged or cut off: its parts are longer than the file")
    cells = []
    for offset, length in zip(offsets, lengths, strict=True):
        stream.seek(offset)
        cells.append(stream.read(length))
    return cells


def _byte_tiff(layout: TiffLayout, height: int, cells: Sequence[bytes]) -> io.BytesIO:
    """A little-endian TIFF of 8-bit grey, a pixel a byte, whose strips are these cells; all its tags are of type LONG."""
    places = np.cumsum([0, *map(len, cells[:-1])]).tolist()
    tags: dict[int, Sequence[int]] = {
        _WIDTH: [layout.cell_row_bytes],
        _HEIGHT: [height],
        _BITS: [8],
        _COMPRESSION: [layout.compression],
        _PHOTOMETRIC: [_BLACK_IS_ZERO],
        _FILL_ORDER: [layout.fill_order],
        _STRIP_OFFSETS: places,
        _CHANNELS: [1],
        _STRIP_ROWS: [layout.cell_height],
        _STRIP_BYTES: [len(cell) for cell in cells],
    }
    directory_bytes = 8 + 2 + 12 * len(tags) + 4
    lists_bytes = sum(4 * len(values) for values in tags.values() if len(values) > 1)
    tags[_STRIP_OFFSETS] = [place + directory_bytes + lists_bytes for place in places]
    entries, lists = b"", b""
    for tag, values in tags.items():
        packed = struct.pack(f"<{len(values)}L", *values)
        place = packed if len(values) == 1 else struct.pack("<L", directory_bytes + len(lists))
        entries += struct.pack("<HHL", tag, 4, len(values)) + place
        lists += packed if len(values) > 1 else b""
    header = struct.pack("<2sHLH", b"II", 42, 8, len(tags))
    return io.BytesIO(b"".join([header, entries, bytes(4), lists, *cells]))


def _numbers_of(rows: np.ndarray, layout: TiffLayout) -> np.ndarray:
    """Numbers[rows, columns, channels] of cells made of their bytes; predictors are undone."""
    shape = (len(rows), layout.cell_width, layout.cell_channels)
    if _is_packed(layout):
        return _unpacked(rows, layout).reshape(shape)
    size = layout.bits // 8
    if layout.predictor == 3:
        return _float_predicted(rows, layout, size).reshape(shape)
    stored = np.dtype(f"{'<' if layout.little else '>'}{layout.kind}{size}")
    numbers = np.ascontiguousarray(rows).view(stored).astype(_native(layout), copy=False).reshape(shape)
    if layout.predictor == 2:
        numbers = np.cumsum(numbers.view(f"u{size}"), axis=1, dtype=f"u{size}").view(numbers.dtype)
    return numbers


def _float_predicted(rows: np.ndarray, layout: TiffLayout, size: int) -> np.ndarray:
    """Adobe's floating point predictor: byte planes from the most significant on, as differences (TIFF technical note 3)."""
    differences = rows.reshape(len(rows), layout.cell_width * size, layout.cell_channels)
    planes = np.cumsum(differences, axis=1, dtype=np.uint8).reshape(len(rows), size, -1)
    return np.ascontiguousarray(planes.swapaxes(1, 2)).view(f">f{size}").astype(f"=f{size}")


def _unpacked(rows: np.ndarray, layout: TiffLayout) -> np.ndarray:
    per_row = layout.cell_width * layout.cell_channels
    weights = (1 << np.arange(layout.bits - 1, -1, -1)).astype(np.uint16)
    numbers = np.empty((len(rows), per_row), dtype=np.uint16)
    for row, packed in enumerate(rows):
        numbers[row] = np.unpackbits(packed)[: per_row * layout.bits].reshape(per_row, layout.bits) @ weights
    return numbers
