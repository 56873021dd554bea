"""Chained Ogg: several sounds one after the other in a file, as radio recordings and `cat` make them, read as one.

libsndfile knows the first only, and FFmpeg finds no place in such a file. Source: RFC 3533, The Ogg Encapsulation Format
Version 0, sections 4 and 6.
"""

import mmap
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import soundfile

from fastlabel_gradio.media.item_file import open_file
from fastlabel_gradio.media.repair import Repair, RepairedStream, duration

_PAGE = b"OggS"
_HEAD_BYTES, _FIRST_FLAG = 27, 2
_TAIL_BYTES = 1 << 17  # a page has 65,307 bytes at most
_KEPT = 65_536


@dataclass(frozen=True, slots=True)
class Chain:
    """The sounds of a chained file: where each lies, and its samples. `note` says that it is one."""

    links: tuple[Repair, ...]
    frames: tuple[int, ...]
    note: str


def chain_of(path: Path) -> Chain | None:
    """The sounds of a chained Ogg file; None for any other. Raises UnreadableItemError, LibsndfileError."""
    with open_file(path) as stream:
        if stream.read(4) != _PAGE:
            return None
        status = os.fstat(stream.fileno())
    return _cached_chain(path, status.st_size, status.st_mtime_ns)


class ChainedSound:
    """The sounds of a chain as one file, with that part of `soundfile.SoundFile` that is used of one."""

    def __init__(self, path: Path, chain: Chain) -> None:
        self._path = path
        self._chain = chain
        self._link = 0
        self._file = self._opened(0)
        self.frames = sum(chain.frames)
        self.samplerate, self.channels = self._file.samplerate, self._file.channels
        self.format, self.subtype = self._file.format, self._file.subtype

    def __enter__(self) -> "ChainedSound":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()

    def seek(self, frame: int) -> None:
        link = 0
        while link < len(self._chain.links) - 1 and frame >= self._chain.frames[link]:
            frame -= self._chain.frames[link]
            link += 1
        self._turn_to(link)
        self._file.seek(frame)

    def read(self, count: int, **options: Any) -> np.ndarray:
        """Up to that many frames; fewer at the end only."""
        blocks = [self._file.read(count, **options)]
        while (left := count - sum(map(len, blocks))) > 0 and self._link < len(self._chain.links) - 1:
            self._turn_to(self._link + 1)
            blocks.append(self._file.read(left, **options))
        return np.concatenate(blocks)

    def _turn_to(self, link: int) -> None:
        if link != self._link:
            self._file.close()
            self._link, self._file = link, self._opened(link)

    def _opened(self, link: int) -> soundfile.SoundFile:
        return soundfile.SoundFile(RepairedStream(self._path.open("rb"), self._chain.links[link]))


@lru_cache(_KEPT)
def _cached_chain(path: Path, size: int, mtime_ns: int) -> Chain | None:
    with open_file(path) as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if _last_serial(content) in _first_serials(content):
            return None
        starts = _starts(content)
    if len(starts) < 2:
        return None
    ends = [*starts[1:], size]
    return _alike(path, [Repair("", start=start, end=end) for start, end in zip(starts, ends, strict=True)])


def _alike(path: Path, links: list[Repair]) -> Chain | None:
    """The sounds up to the first of another kind than the first."""
    frames: list[int] = []
    kind = None
    for link in links:
        try:
            with soundfile.SoundFile(RepairedStream(path.open("rb"), link)) as file:
                kind = kind or (file.samplerate, file.channels)
                if kind != (file.samplerate, file.channels):
                    break
                frames.append(file.frames)
        except soundfile.LibsndfileError:
            break
    if kind is None:
        return None
    note = f"{len(frames)} sounds in one file, read one after the other"
    if len(frames) < len(links):
        note = f"what follows in the file after {duration(sum(frames) / kind[0])} is of another kind and left out"
    return Chain(tuple(links[: len(frames)]), tuple(frames), note)


def _last_serial(content: mmap.mmap) -> bytes:
    at = content.rfind(_PAGE, max(0, len(content) - _TAIL_BYTES))
    return content[at + 14 : at + 18] if at >= 0 else content[14:18]


def _first_serials(content: mmap.mmap) -> set[bytes]:
    """Of the streams that begin at the beginning: a film has one for its pictures as well."""
    serials = set()
    at = 0
    while content[at : at + 4] == _PAGE and content[at + 5] & _FIRST_FLAG:
        serials.add(content[at + 14 : at + 18])
        at = _behind_page(content, at)
    return serials


def _starts(content: mmap.mmap) -> list[int]:
    """Where pages begin streams behind pages that do not."""
    starts: list[int] = []
    was_first = False
    at = 0
    while at >= 0 and at + _HEAD_BYTES <= len(content):
        if content[at : at + 4] != _PAGE:
            at = content.find(_PAGE, at + 1)
            continue
        is_first = bool(content[at + 5] & _FIRST_FLAG)
        if is_first and not was_first:
            starts.append(at)
        was_first = is_first
        at = _behind_page(content, at)
    return starts


def _behind_page(content: mmap.mmap, at: int) -> int:
    if at + _HEAD_BYTES > len(content):
        return len(content)
    segments = content[at + 26]
    return at + _HEAD_BYTES + segments + sum(content[at + _HEAD_BYTES : at + _HEAD_BYTES + segments])
