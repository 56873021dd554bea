"""FLAC: whether the number of samples in the header is that of the file, and the right one where it is not.

Source: RFC 9639, Free Lossless Audio Codec, sections 8.2 (streaminfo) and 9.1 (frame header).
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from fastlabel_gradio.media.repair import Repair, length_note

_TAIL_BYTES = 1 << 18
_TOTAL_BITS = 36


def flac_repair(stream: BinaryIO) -> Repair | None:
    """How to read a FLAC file whose header claims no or a wrong length; None where it is right, or for other files.

    The header is believed where the last frame ends at the sample that it claims. Otherwise the frames are counted, at
    some hundred megabytes a second.
    """
    head = _head(stream)
    if head is None or not head.rate_hz or _is_right(stream, head):
        return None
    packed, rate_hz, claimed = head.packed, head.rate_hz, head.claimed
    true = _counted(stream)
    if not true or true == claimed:
        return None
    patch = (packed >> _TOTAL_BITS << _TOTAL_BITS | true).to_bytes(8, "big")
    note = length_note(claimed / rate_hz if claimed else None, true / rate_hz)
    return Repair(note, patch=patch, patch_at=head.at + 18)


def has_right_length(stream: BinaryIO) -> bool:
    """Whether it is a FLAC whose last frame ends at the sample that its header claims. Reads its head and its end."""
    head = _head(stream)
    return head is not None and bool(head.rate_hz) and _is_right(stream, head)


@dataclass(frozen=True, slots=True)
class _Head:
    """Streaminfo. at: of the mark. packed: rate, channels, bits and number of samples. claimed: the latter."""

    at: int
    block_samples: int
    packed: int

    @property
    def rate_hz(self) -> int:
        return self.packed >> 44

    @property
    def claimed(self) -> int:
        return self.packed & ((1 << _TOTAL_BITS) - 1)


def _head(stream: BinaryIO) -> _Head | None:
    at = _begin(stream)
    if at is None:
        return None
    stream.seek(at + 8)
    info = stream.read(34)
    if len(info) < 34:
        return None
    return _Head(at, int.from_bytes(info[:2], "big"), int.from_bytes(info[10:18], "big"))


def _is_right(stream: BinaryIO, head: _Head) -> bool:
    return bool(head.claimed) and head.claimed in _ends_in_tail(stream, head.block_samples)


def _begin(stream: BinaryIO) -> int | None:
    """Where the mark `fLaC` stands, behind an ID3 tag if there is one."""
    stream.seek(0)
    head = stream.read(10)
    at = 0
    if head.startswith(b"ID3") and len(head) == 10:
        at = 10 + sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    stream.seek(at)
    return at if stream.read(4) == b"fLaC" else None


def _ends_in_tail(stream: BinaryIO, block_samples: int) -> set[int]:
    """The samples at which frames in the last part of the file end; a chance likeness of a frame may be among them."""
    stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL_BYTES))
    tail = stream.read()
    ends: set[int] = set()
    at = tail.find(b"\xff")
    while at >= 0:
        if tail[at + 1 : at + 2] in (b"\xf8", b"\xf9"):
            ends |= _end_of_frame(tail[at : at + 16], block_samples)
        at = tail.find(b"\xff", at + 1)
    return ends


def _end_of_frame(head: bytes, block_samples: int) -> set[int]:
    """The sample behind a frame with that header; none where the checksum says that it is no header."""
    try:
        number, at = _number(head)
        code = head[2] >> 4
        extra = {6: 1, 7: 2}.get(code, 0)
        count = int.from_bytes(head[at : at + extra], "big") + 1 if extra else _block_samples(code)
        at += extra + {12: 1, 13: 2, 14: 2}.get(head[2] & 15, 0)
        if not count or _crc8(head[:at]) != head[at]:
            return set()
    except IndexError:
        return set()
    return {(number if head[1] & 1 else number * block_samples) + count}


def _number(head: bytes) -> tuple[int, int]:
    """The frame's or sample's number, written like a character of UTF-8 with up to 36 bits, and the place behind it."""
    ones = 8 - (head[4] ^ 0xFF).bit_length()
    if ones == 0:
        return head[4], 5
    number = head[4] & (0x7F >> ones)
    for byte in head[5 : 4 + ones]:
        number = number << 6 | byte & 0x3F
    return number, 4 + ones


def _block_samples(code: int) -> int:
    if code == 1:
        return 192
    if 2 <= code <= 5:
        return 576 << code - 2
    return 256 << code - 8 if code >= 8 else 0


def _crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (0x07 if crc & 0x80 else 0)) & 0xFF
    return crc


def _counted(stream: BinaryIO) -> int:
    """Samples up to the end of the last whole frame, by FFmpeg's reader of packets; only the last one is decoded."""
    import av

    stream.seek(0)
    last: Any = None
    with suppress(av.FFmpegError), av.open(stream, "r", format="flac", metadata_errors="ignore") as container:
        frames = container.streams.audio[0]
        with suppress(av.FFmpegError):
            for packet in container.demux(frames):
                last = packet if packet.size else last
        if last is None or last.pts is None:
            return 0
        try:
            whole = sum(frame.samples for frame in frames.codec_context.decode(last))
        except av.FFmpegError:
            whole = 0
        return int(last.pts) + whole
    return 0
