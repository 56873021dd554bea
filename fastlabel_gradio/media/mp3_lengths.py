"""MPEG audio (mp3, mp2, mp1): how many frames a file holds, by stepping from header to header.

The frames say nothing of the whole. A first frame of the name Xing, Info or VBRI may, but programs cut and join files
without it; without one, decoders multiply the first frame's bit rate, which a variable rate makes nonsense of.
Sources: ISO/IEC 11172-3 section 2.4.2.3; G. Bouvigne, VBR headers (the Xing header).
"""

import mmap
import struct
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO

from fastlabel_gradio.media.repair import Repair, length_note

_KBIT = {  # by version 1 or 2, and layer
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = (44_100, 48_000, 32_000)
_TRIMMED_FRAMES = 4  # what an encoder's delay and padding take off at most, and an estimate may err by
_NAMES = (b"Xing", b"Info")
_HAS_FRAMES, _HAS_BYTES = 1, 2
_TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICS")
_HARMLESS_BYTES = 1 << 12


@dataclass(frozen=True, slots=True)
class _Frame:
    """What four bytes say: `kind` is equal for frames of one sound."""

    size: int
    samples: int
    rate_hz: int
    kind: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Frames:
    """The frames of a file: their number, the place and bytes of the first that is sound, of the one that counts them, and
    the end of the last.
    """

    count: int
    first_at: int
    first: bytes
    counter_at: int | None
    end: int


def mp3_repair(stream: BinaryIO, claimed_samples: int) -> Repair | None:
    """How to read an MPEG audio file that a decoder takes for longer or shorter than it is; None where it does not.

    Args:
        claimed_samples: what the decoder says, by the header or by its estimate.
    """
    with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        found = _frames(content)
        frame = _frame(found.first) if found else None
        if found is None or frame is None:
            return None
        true = found.count * frame.samples
        if 0 <= true - claimed_samples + frame.samples <= (_TRIMMED_FRAMES + 1) * frame.samples:
            return (
                Repair("rubbish behind the sound is left out", end=found.end) if _has_rubbish(content, found) else None
            )
        claimed_s = None if found.counter_at is None else claimed_samples / frame.rate_hz
        note = length_note(claimed_s, true / frame.rate_hz) or length_note(None, 0)
        return _repair(content, found, frame, note)


def _repair(content: mmap.mmap, found: _Frames, frame: _Frame, note: str) -> Repair:
    """A right number in the frame that counts the others, or such a frame before the first.

    Layers 1 and 2 have no such frame: decoders go by the size of the file, so what is no frame is left out at both ends.
    """
    if frame.kind[1] != 3:
        return Repair(note, start=found.first_at, end=found.end)
    at = found.counter_at
    if at is not None and content[at : at + 4] in _NAMES and content[at + 7] & _HAS_FRAMES:
        patch = struct.pack(">I", found.count)
        if content[at + 7] & _HAS_BYTES:
            patch += struct.pack(">I", found.end - found.first_at + frame.size)
        return Repair(note, end=found.end, patch=patch, patch_at=at + 8)
    return Repair(note, prefix=_counter(found.first, frame, found.count), start=found.first_at, end=found.end)


def _has_rubbish(content: mmap.mmap, found: _Frames) -> bool:
    """Whether a player may stumble over what follows the last frame; not over tags and zeros."""
    rest = content[found.end : found.end + 4 * _HARMLESS_BYTES]
    return len(rest) > _HARMLESS_BYTES and not rest.startswith(_TAGS) and bool(rest.strip(b"\0"))


def _counter(first: bytes, frame: _Frame, count: int) -> bytes:
    """A frame like the first one, of silence, that says how many follow."""
    at = _counter_offset(first)
    tag = b"Xing" + struct.pack(">II", _HAS_FRAMES, count)
    head = bytes((first[0], first[1] | 1, first[2], first[3]))  # | 1: without a checksum
    size = frame.size
    if at + len(tag) > size:  # the frame is too small for it: the same at the highest bit rate
        head = bytes((head[0], head[1], head[2] & 0x0F | 0xE0, head[3]))
        larger = _frame(head)
        size = larger.size if larger else size
    return (head + bytes(at - 4) + tag).ljust(size, b"\0")


def _counter_offset(head: bytes) -> int:
    """Where Xing stands in a frame: behind the side information."""
    is_mono = head[3] >> 6 == 3
    if head[1] >> 3 & 3 == 3:
        return 4 + (17 if is_mono else 32)
    return 4 + (9 if is_mono else 17)


def _frames(content: mmap.mmap) -> _Frames | None:
    """All whole frames like the first; between them may lie tags and rubbish, of which two frames in a row are the end."""
    at = _next(content, _behind_tag(content, 0), None)
    if at is None:
        return None
    first = _frame(content[at : at + 4])
    assert first is not None
    counter_at = _counter_at(content, at)
    if counter_at is not None:
        behind = at + first.size
        at = behind if (frame := _frame(content[behind : behind + 4])) and frame.kind == first.kind else None
        at = _next(content, behind, first.kind) if at is None else at
        if at is None:
            return None
    count, first_at, first_bytes, last_end, end = 0, at, content[at : at + 4], at, len(content)
    while at is not None:
        frame = _frame(content[at : at + 4])
        if frame is not None and frame.kind == first.kind and at + frame.size <= end:
            count += 1
            at += frame.size
            last_end = at
        else:
            at = _next(content, _behind_tag(content, at), first.kind) if at < end - 4 else None
    return _Frames(count, first_at, first_bytes, counter_at, last_end)


def _next(content: mmap.mmap, at: int, kind: tuple[int, int, int] | None) -> int | None:
    """The next place where two frames of a kind stand in a row, or one up to the end of the file."""
    while (at := content.find(b"\xff", at)) >= 0:
        frame = _frame(content[at : at + 4])
        if frame is not None and kind in (None, frame.kind):
            behind = at + frame.size
            after = _frame(content[behind : behind + 4])
            if behind == len(content) or (after is not None and after.kind == frame.kind):
                return at
        at += 1
    return None


def _behind_tag(content: mmap.mmap, at: int) -> int:
    """Behind an ID3 tag, which may hold pictures of megabytes; `at` where there is none."""
    if content[at : at + 3] != b"ID3" or at + 10 > len(content):
        return at
    return at + 10 + sum(byte << shift for byte, shift in zip(content[at + 6 : at + 10], (21, 14, 7, 0), strict=True))


def _counter_at(content: mmap.mmap, at: int) -> int | None:
    """Where the name of a frame that counts the others stands, if this one does."""
    place = at + _counter_offset(content[at : at + 4])
    if content[place : place + 4] in _NAMES:
        return place
    return at + 36 if content[at + 36 : at + 40] == b"VBRI" else None


def _frame(head: bytes) -> _Frame | None:
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    return _frame_of(head[1], head[2])


@cache
def _frame_of(second: int, third: int) -> _Frame | None:
    """By the second and third byte of a header; None where they are none, or of free format."""
    version, layer = second >> 3 & 3, 4 - (second >> 1 & 3)
    kbit_code, rate_code = third >> 4, third >> 2 & 3
    if version == 1 or layer == 4 or kbit_code in (0, 15) or rate_code == 3:
        return None
    rate_hz = _RATES_HZ[rate_code] >> {3: 0, 2: 1, 0: 2}[version]
    bits = 1000 * _KBIT[(1 if version == 3 else 2, layer)][kbit_code]
    padding = third >> 1 & 1
    if layer == 1:
        return _Frame((12 * bits // rate_hz + padding) * 4, 384, rate_hz, (version, layer, rate_hz))
    samples = 576 if layer == 3 and version != 3 else 1152
    return _Frame(samples // 8 * bits // rate_hz + padding, samples, rate_hz, (version, layer, rate_hz))
