"""HEIC files for tests: one HEVC frame in the smallest container that readers take (ISO/IEC 23008-12)."""

import struct
from fractions import Fraction

import av
import numpy as np
from PIL import Image

CLOCKWISE_TURNS = {6: 3, 3: 2, 8: 1}  # EXIF orientation: turns of `irot`, which count the other way round


def heic(picture: Image.Image, orientation: int = 1, profile: bytes = b"") -> bytes:
    """The picture as HEIC; sides need an even number of pixels, at least 64.

    Args:
        orientation: 1, 3, 6 or 8 as in EXIF, written twice as telephones do: as the container's rotation and as EXIF.
        profile: an ICC profile.
    """
    units = _units(picture)
    frame = b"".join(struct.pack(">L", len(unit)) + unit for unit in units if _kind(unit) < 32)
    exif = Image.Exif()
    exif[0x0112] = orientation
    parts = [frame, bytes(4) + exif.tobytes().removeprefix(b"Exif\0\0")]
    properties = [_decoder_configuration(units), _full_box(b"ispe", struct.pack(">LL", *picture.size))]
    if orientation != 1:
        properties.append(_box(b"irot", bytes([CLOCKWISE_TURNS[orientation]])))
    if profile:
        properties.append(_box(b"colr", b"prof" + profile))
    head = _box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
    place = len(head) + len(_meta(properties, 0, parts)) + 8
    return head + _meta(properties, place, parts) + _box(b"mdat", b"".join(parts))


def _units(picture: Image.Image) -> list[bytes]:
    """The NAL units of one intra frame: parameter sets and a slice."""
    encoder = av.CodecContext.create("libx265", "w")
    encoder.width, encoder.height, encoder.pix_fmt = *picture.size, "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"x265-params": "log-level=none:crf=4"}
    frame = av.VideoFrame.from_ndarray(np.asarray(picture.convert("RGB")), "rgb24").reformat(format="yuv420p")
    stream = b"".join(bytes(packet) for part in (frame, None) for packet in encoder.encode(part))
    return [unit.rstrip(b"\0") for unit in stream.split(b"\0\0\1")[1:]]


def _kind(unit: bytes) -> int:
    return (unit[0] >> 1) & 0x3F


def _decoder_configuration(units: list[bytes]) -> bytes:
    sets = {kind: next(unit for unit in units if _kind(unit) == kind) for kind in (32, 33, 34)}
    profile_and_level = sets[33].replace(b"\0\0\3", b"\0\0")[3:15]
    arrays = b"".join(struct.pack(">BHH", 0x80 | kind, 1, len(unit)) + unit for kind, unit in sets.items())
    return _box(b"hvcC", b"\1" + profile_and_level + bytes.fromhex("f000fcfdf8f800000f") + b"\3" + arrays)


def _meta(properties: list[bytes], place: int, parts: list[bytes]) -> bytes:
    """Item 1 is the picture, item 2 its EXIF; both lie one after the other from `place` on."""
    handler = _full_box(b"hdlr", bytes(4) + b"pict" + bytes(13))
    entries = [
        _full_box(b"infe", struct.pack(">HH4s", number, 0, kind) + b"\0", version=2)
        for number, kind in ((1, b"hvc1"), (2, b"Exif"))
    ]
    places = (place, place + len(parts[0]))
    extents = b"".join(
        struct.pack(">HHHLL", number, 0, 1, start, len(part))
        for number, start, part in zip((1, 2), places, parts, strict=True)
    )
    indices = bytes([len(properties)]) + bytes(0x80 | index for index in range(1, len(properties) + 1))
    association = _full_box(b"ipma", struct.pack(">LH", 1, 1) + indices)
    return _full_box(
        b"meta",
        handler
        + _full_box(b"pitm", struct.pack(">H", 1))
        + _full_box(b"iloc", struct.pack(">BBH", 0x44, 0, 2) + extents)
        + _full_box(b"iinf", struct.pack(">H", 2) + b"".join(entries))
        + _full_box(b"iref", _box(b"cdsc", struct.pack(">HHH", 2, 1, 1)))
        + _box(b"iprp", _box(b"ipco", b"".join(properties)) + association),
    )


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">L", 8 + len(content)) + kind + content


def _full_box(kind: bytes, content: bytes, version: int = 0) -> bytes:
    return _box(kind, bytes([version, 0, 0, 0]) + content)
