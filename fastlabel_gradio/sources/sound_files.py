"""Items that are sound files under one folder, or parts of them: `talk.wav` and `talk.wav#t=12.0,15.0`.

Shared by the sources that list sound files.
"""

import hashlib
import os
import threading
from functools import lru_cache
from pathlib import Path

from fastlabel_gradio.media.item_file import open_file
from fastlabel_gradio.media.sounds import open_sound
from fastlabel_gradio.sources.files import file_key, locate, stamp_of
from fastlabel_gradio.types import Item, TimeSpan, Waveform

KEPT_KEYS = 65_536  # about 20 MB
_LOCKS = tuple(threading.Lock() for _ in range(64))


def read_sound(root: Path, item: Item, rate_hz: int | None, *, follow_links: bool = True) -> Waveform:
    """The file or the part of it, with no more samples a second than asked for. Raises UnreadableItemError."""
    file_id, span = TimeSpan.split(item.id)
    return open_sound(locate(root, file_id, follow_links=follow_links), span, rate_hz)


def sound_key(root: Path, item: Item, *, follow_links: bool = True) -> str:
    """Of a whole file the hash of its bytes, of a part the hash of those and of its place. Raises UnreadableItemError."""
    file_id, span = TimeSpan.split(item.id)
    path = locate(root, file_id, follow_links=follow_links)
    if span is None:
        return file_key(path)
    part = span.id_in(_file_key_once(path))
    return hashlib.blake2b(part.encode(), digest_size=16).hexdigest()


def whole_file(root: Path, item: Item, *, follow_links: bool = True) -> Path | None:
    """The path of an item that is a whole file, None for a part. Raises UnreadableItemError for a path out of `root`."""
    file_id, span = TimeSpan.split(item.id)
    return locate(root, file_id, follow_links=follow_links) if span is None else None


def _file_key_once(path: Path) -> str:
    """The file's key, computed once for all of its parts, also where several threads ask for it at the same time."""
    with _LOCKS[hash(path) % len(_LOCKS)]:
        with open_file(path) as stream:
            stamp = stamp_of(os.fstat(stream.fileno()))
        return _kept_key(path, stamp)


@lru_cache(KEPT_KEYS)
def _kept_key(path: Path, stamp: str) -> str:
    return file_key(path)
