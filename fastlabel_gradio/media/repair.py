"""Repair: how to read a sound file whose header claims a wrong length, and a stream that reads it so.

Nothing is written to the file: a decoder is given its bytes with some of them replaced. Who finds out what is wrong, and
the right bytes, is one file per kind: `pcm_lengths.py`, `flac_lengths.py`, `mp3_lengths.py`.
"""

import os
from dataclasses import dataclass
from typing import BinaryIO

from fastlabel_gradio.media.sized_stream import SizedStream

SAID_FROM_S = 0.1  # a header that is wrong by less is repaired without a word


@dataclass(frozen=True, slots=True)
class Repair:
    """What a decoder has to see instead of the file.

    Attributes:
        note: what was wrong, in one line; "" where nobody would notice.
        prefix: comes first. start: of the file, the first byte that follows it.
        end: the first byte that is left out; None for none.
        patch: replaces as many bytes of the file at `patch_at`.
    """

    note: str
    prefix: bytes = b""
    start: int = 0
    end: int | None = None
    patch: bytes = b""
    patch_at: int = 0


def length_note(claimed_s: float | None, true_s: float) -> str:
    """What is said of a wrong length: what the header claims (None: nothing) and what there is; "" for a hair's breadth."""
    if claimed_s is None:
        return "the header gives no length; read to the end of the file"
    if abs(claimed_s - true_s) < SAID_FROM_S:
        return ""
    return f"the header gives a length of {duration(claimed_s)}, the file holds {duration(true_s)}"


def duration(seconds: float) -> str:
    """A length for a sentence: "2.5 s", "12 min", "1.5 h"."""
    if seconds >= 3600:
        return f"{seconds / 3600:.1f} h" if seconds < 3600 * 24 * 365 else "years"
    return f"{seconds / 60:.0f} min" if seconds >= 600 else f"{seconds:.1f} s"


class RepairedStream(SizedStream):
    """A file as the repair has it, from a stream that it closes with itself."""

    def __init__(self, stream: BinaryIO, repair: Repair) -> None:
        self._stream = stream
        self._repair = repair
        self._end = os.fstat(stream.fileno()).st_size if repair.end is None else repair.end
        super().__init__(len(repair.prefix) + self._end - repair.start)

    def read_at(self, place: int, wanted: memoryview) -> int:
        """Prefix and file in one piece, as a decoder expects of a plain file."""
        prefix = self._repair.prefix[place : place + len(wanted)]
        wanted[: len(prefix)] = prefix
        return len(prefix) + self._read_file(place, wanted[len(prefix) :])

    def close(self) -> None:
        self._stream.close()
        super().close()

    def _read_file(self, place: int, wanted: memoryview) -> int:
        if not wanted:
            return 0
        at = max(place, len(self._repair.prefix)) - len(self._repair.prefix) + self._repair.start
        self._stream.seek(at)
        content = self._stream.read(max(0, min(len(wanted), self._end - at)))
        wanted[: len(content)] = content
        patch, begin = self._repair.patch, self._repair.patch_at - at
        first, end = max(0, begin), min(len(content), begin + len(patch))
        if first < end:
            wanted[first:end] = patch[first - begin : end - begin]
        return len(content)
