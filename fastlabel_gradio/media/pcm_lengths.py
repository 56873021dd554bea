"""Files of plain samples: how many there really are. WAV, RF64, BW64, W64, AIFF, AIFC, CAF and AU.

Recorders write the length last, so one that lost power leaves 0, 0xFFFFFFFF or that of the minute before; above 4 GiB the
32 bits of WAV wrap around. The file's size is the witness.
"""

import os
import struct
from dataclasses import dataclass, replace
from typing import BinaryIO

from fastlabel_gradio.media.repair import Repair, length_note

_GIB4 = 1 << 32
_SAID_TO_BE_UNKNOWN = frozenset({0, _GIB4 - 1, (1 << 64) - 1})
_W64_TAIL = bytes.fromhex("F3ACD3118CD100C04F8EDB8A")  # of the names of all chunks but the first
_W64_RIFF = b"riff" + bytes.fromhex("2E91CF11A5D628DB04C10000")
_KNOWN_CHUNKS = frozenset(
    name.encode()
    for name in (
        *(
            "LIST",
            "id3 ",
            "ID3 ",
            "bext",
            "iXML",
            "JUNK",
            "junk",
            "FLLR",
            "cue ",
            "smpl",
            "inst",
            "fact",
            "PEAK",
            "_PMX",
        ),
        *(
            "axml",
            "chna",
            "afsp",
            "AFAn",
            "ANNO",
            "NAME",
            "AUTH",
            "(c) ",
            "COMT",
            "MARK",
            "INST",
            "guan",
            "info",
            "strg",
        ),
        *("mark", "regn", "uuid", "free", "peak", "ovvw", "levl", "PAD ", "DISP", "wamd", "RIFF"),
    )
)
_TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICS")
_MAX_CHUNKS = 1_000
_HARMLESS_REST_BYTES = 1 << 26
_AIFF_PART = 8  # offset and block size stand before the samples, and count as samples do
_CAF_PART = 4


@dataclass(frozen=True, slots=True)
class _Samples:
    """Where a container has its samples and what it claims of them.

    Attributes:
        at: first byte. claimed: bytes. bytes_per_s: 0 where the header does not tell.
        size_at: of the field with the length, whose value is `claimed + more`, written as `size_format`.
        chunk: how the head of a chunk that may follow is written, "" where none may.
        fmt: body of the chunk `fmt ` of a RIFF file.
    """

    at: int
    claimed: int
    size_at: int
    size_format: str
    more: int = 0
    chunk: str = ""
    bytes_per_s: float = 0.0
    fmt: bytes = b""


def pcm_repair(stream: BinaryIO) -> Repair | None:
    """How to read a file of samples whose length is not what its header claims; None where it is, or for other files."""
    size = stream.seek(0, os.SEEK_END)
    found = _samples(stream)
    if found is None or found.at >= size:
        return None
    true = _true_bytes(stream, found, size)
    if found.chunk == "w64" and true == found.claimed and found.at + true < size:
        return Repair("", end=found.at + true)  # libsndfile goes to the end of the file, whatever the header says
    is_bw64 = _read(stream, 0, 4) == b"BW64"
    if true == found.claimed and not is_bw64:
        return None
    return _repair(found, true, _note(found, true), is_bw64)


def _repair(found: _Samples, true: int, note: str, is_bw64: bool) -> Repair:
    most = (1 << 8 * struct.calcsize(found.size_format)) - 1
    if is_bw64 or (found.fmt and found.size_format == "<I" and true >= most):
        return Repair(note, prefix=_rf64_header(found.fmt, true), start=found.at)
    if true + found.more > most:
        note = "longer than its format allows; what lies behind 4 GiB is left out"
    value = min(true + found.more, most)
    return Repair(note, patch=struct.pack(found.size_format, value), patch_at=found.size_at)


def _note(found: _Samples, true: int) -> str:
    if found.claimed in _SAID_TO_BE_UNKNOWN or not found.bytes_per_s:
        return length_note(None, 0)
    return length_note(found.claimed / found.bytes_per_s, true / found.bytes_per_s)


def _true_bytes(stream: BinaryIO, found: _Samples, size: int) -> int:
    """The claim, where it ends at the end of the file or where something else follows; otherwise all there is."""
    available = size - found.at
    if found.claimed == 0:
        return 0 if _has_chunks(stream, found, found.at, size) else available
    if found.claimed >= available:
        return available
    turns = (available - found.claimed) // _GIB4 if found.size_format[1] == "I" else 0
    for turn in range(turns, -1, -1):
        end = found.claimed + turn * _GIB4
        if _is_end(stream, found, found.at + end, size):
            return end
    return available


def _is_end(stream: BinaryIO, found: _Samples, at: int, size: int) -> bool:
    """Whether what lies from there on is no sound: nothing, chunks, tags, or zeros that fill a file up."""
    if size - at <= max(1, found.bytes_per_s / 100):
        return True
    return (
        any(_has_chunks(stream, found, start, size) for start in (at, at + at % 2))
        or _read(stream, at, 8).startswith(_TAGS)
        or (size - at <= _HARMLESS_REST_BYTES and not _read(stream, at, size - at).strip(b"\0"))
    )


def _has_chunks(stream: BinaryIO, found: _Samples, at: int, size: int) -> bool:
    """Whether chunks fill the rest of the file; one with a known name is believed."""
    if not found.chunk:
        return False
    if found.chunk == "w64":
        return _read(stream, at + 4, 12) == _W64_TAIL
    head_bytes = struct.calcsize(found.chunk)
    for number in range(_MAX_CHUNKS):
        head = _read(stream, at, head_bytes)
        if len(head) < head_bytes:
            return number > 0 and size - at <= 1
        name, length = struct.unpack(found.chunk, head)
        if name in _KNOWN_CHUNKS:
            return True
        if not all(32 <= letter < 127 for letter in name) or length > size - at - head_bytes:
            return False
        at += head_bytes + length + length % 2
    return False


def _samples(stream: BinaryIO) -> _Samples | None:
    head = _read(stream, 0, 40)
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return _in_riff(stream, ">" if head[:4] == b"RIFX" else "<")
    if head[:16] == _W64_RIFF:
        return _in_w64(stream)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _in_aiff(stream)
    if head[:4] == b"caff":
        return _in_caf(stream)
    if head[:4] in (b".snd", b"dns."):
        return _in_au(head)
    return None


def _in_riff(stream: BinaryIO, order: str) -> _Samples | None:
    fmt, long_size_at = b"", 0
    for name, at, length in _chunks(stream, 12, f"{order}4sI", pad=2):
        if name == b"fmt ":
            fmt = _read(stream, at, min(length, 4096))
        elif name == b"ds64":
            long_size_at = at + 8
        elif name == b"data":
            rate = struct.unpack(f"{order}I", fmt[8:12])[0] if len(fmt) >= 16 else 0
            found = _Samples(at, length, at - 4, f"{order}I", 0, f"{order}4sI", rate, fmt)
            if not long_size_at or length not in (0, _GIB4 - 1):
                return found
            claimed = struct.unpack("<Q", _read(stream, long_size_at, 8))[0]
            return replace(found, claimed=claimed, size_at=long_size_at, size_format="<Q")
    return None


def _in_w64(stream: BinaryIO) -> _Samples | None:
    at, fmt = 40, b""
    for _ in range(_MAX_CHUNKS):
        head = _read(stream, at, 24)
        if len(head) < 24:
            return None
        length = struct.unpack("<Q", head[16:])[0]
        if head[:4] == b"fmt ":
            fmt = _read(stream, at + 24, 40)
        if head[:4] == b"data":
            rate = struct.unpack("<I", fmt[8:12])[0] if len(fmt) >= 16 else 0
            claimed = (1 << 64) - 1 if length == (1 << 64) - 1 else max(0, length - 24)
            return _Samples(at + 24, claimed, at + 16, "<Q", 24, "w64", rate, fmt)
        at += max(24, length + -length % 8)
    return None


def _in_aiff(stream: BinaryIO) -> _Samples | None:
    """The samples of the chunk SSND. COMM, which may follow it, counts them too, but no reader goes by that."""
    for name, at, length in _chunks(stream, 12, ">4sI", pad=2):
        if name == b"SSND":
            is_unknown = length in (0, _GIB4 - 1)
            claimed = length if is_unknown else max(0, length - _AIFF_PART)
            return _Samples(at + _AIFF_PART, claimed, at - 4, ">I", _AIFF_PART, ">4sI", _aiff_rate(stream))
    return None


def _aiff_rate(stream: BinaryIO) -> float:
    """Bytes a second by COMM, 0 where it does not stand before the samples."""
    for name, at, _ in _chunks(stream, 12, ">4sI", pad=2):
        if name == b"COMM":
            channels, _, bits, exponent, mantissa = struct.unpack(">HIHHQ", _read(stream, at, 18))
            rate_hz = mantissa * 2.0 ** (exponent - 16_383 - 63) if exponent < 16_500 else 0.0
            return float(channels * ((bits + 7) // 8) * rate_hz)
        if name == b"SSND":
            break
    return 0.0


def _in_caf(stream: BinaryIO) -> _Samples | None:
    rate = 0.0
    for name, at, length in _chunks(stream, 8, ">4sQ", pad=1):
        if name == b"desc":
            rate_hz, _, _, packet_bytes, packet_frames = struct.unpack(">d4sIII", _read(stream, at, 24))
            if not packet_bytes:
                return None  # packets of any length: FFmpeg goes by their table
            rate = rate_hz * packet_bytes / max(1, packet_frames)
        elif name == b"data":
            claimed = length if length in _SAID_TO_BE_UNKNOWN else max(0, length - _CAF_PART)
            return _Samples(at + _CAF_PART, claimed, at - 8, ">Q", _CAF_PART, ">4sQ", rate)
    return None


def _in_au(head: bytes) -> _Samples | None:
    order = ">" if head[:4] == b".snd" else "<"
    at, claimed, encoding, rate_hz, channels = struct.unpack(f"{order}IIIII", head[4:24])
    width = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}.get(encoding, 0)
    return _Samples(at, claimed, 8, f"{order}I", bytes_per_s=rate_hz * channels * width)


def _chunks(stream: BinaryIO, at: int, head: str, pad: int) -> "list[tuple[bytes, int, int]]":
    """Name, place of the body and claimed length of each chunk up to the first that reaches behind the end of the file."""
    size = stream.seek(0, os.SEEK_END)
    head_bytes = struct.calcsize(head)
    found: list[tuple[bytes, int, int]] = []
    while at + head_bytes <= size and len(found) < _MAX_CHUNKS:
        name, length = struct.unpack(head, _read(stream, at, head_bytes))
        at += head_bytes
        found.append((name, at, length))
        at += length + length % pad
    return found


def _rf64_header(fmt: bytes, data_bytes: int) -> bytes:
    """Up to the samples. Source: EBU Tech 3306, MBWF / RF64."""
    ds64 = struct.pack("<4sIQQQI", b"ds64", 28, data_bytes + 60 + len(fmt), data_bytes, 0, 0)
    return b"RF64\xff\xff\xff\xffWAVE" + ds64 + struct.pack("<4sI", b"fmt ", len(fmt)) + fmt + b"data\xff\xff\xff\xff"


def _read(stream: BinaryIO, at: int, count: int) -> bytes:
    stream.seek(at)
    return stream.read(count)
