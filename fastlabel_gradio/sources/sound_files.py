"""Items that are sound files under one folder, or parts of them: `talk.wav` and `talk.wav#t=12.0,15.0`.

Shared by the sources that list sound files.
"""

import hashlib
import os
import threading
from functools import lru_cache
from pathlib import Path

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.channels import Channel
from fastlabel_gradio.media.item_file import open_file
from fastlabel_gradio.media.sounds import open_sound, sound_info
from fastlabel_gradio.sources.base import SourceOptions
from fastlabel_gradio.sources.files import locate, sampled_key, stamp_of
from fastlabel_gradio.types import Item, TimeSpan, Waveform

AUDIO_SUFFIXES = (
    *(
        ".wav",
        ".flac",
        ".mp3",
        ".ogg",
        ".oga",
        ".opus",
        ".m4a",
        ".aac",
        ".aif",
        ".aiff",
        ".aifc",
        ".caf",
        ".wma",
        ".webm",
    ),
    *(".wave", ".bwf", ".rf64", ".w64", ".au", ".snd", ".voc", ".sph", ".mp2", ".mp1", ".mpa", ".m4b", ".mka", ".spx"),
    *(".amr", ".awb", ".ape", ".wv", ".tta", ".tak", ".mpc", ".ac3", ".eac3", ".dts", ".dsf"),
)
VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".3gp", ".3gpp", ".3g2", ".mkv", ".avi", ".wmv", ".asf", ".flv", ".f4v", ".ogv", ".mpg"),
    *(".mpeg", ".vob", ".mts", ".m2ts"),
)
SUFFIXES = AUDIO_SUFFIXES + VIDEO_SUFFIXES
KEPT_KEYS = 65_536  # about 20 MB
_LOCKS = tuple(threading.Lock() for _ in range(64))


class SoundOptions(SourceOptions):
    """How the sounds of a source are read.

    Attributes:
        channel: of a sound with several: `auto`, their mean, or the loudest where they cancel each other; `mix`, always
            their mean; or the number of one, from 1.
    """

    channel: Channel = "auto"


def read_sound(root: Path, item: Item, rate_hz: int | None, channel: Channel) -> Waveform:
    """The file or the part of it, with no more samples a second than asked for. Raises UnreadableItemError."""
    file_id, span = TimeSpan.split(item.id)
    return open_sound(locate(root, file_id), span, rate_hz, channel)


def sound_key(root: Path, item: Item, channel: Channel) -> str:
    """Of a whole file its key, of a part that of the file and its place. Another channel is another sound.

    Raises:
        UnreadableItemError
    """
    file_id, span = TimeSpan.split(item.id)
    key = _file_key_once(locate(root, file_id))
    place = key if span is None else span.id_in(key)
    if span is None and channel == "auto":
        return key
    text = place if channel == "auto" else f"{place}#channel={channel}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def whole_file(root: Path, item: Item, channel: Channel) -> Path | None:
    """The path of an item that is a whole file and sounds as it is seen; None for another.

    Raises:
        UnreadableItemError: a path out of `root`, or a file whose sound cannot be read.
    """
    file_id, span = TimeSpan.split(item.id)
    path = locate(root, file_id)
    if span is not None:
        return None
    with open_file(path) as stream:
        stamp = stamp_of(os.fstat(stream.fileno()))
    return path if _sounds_as_seen(path, stamp, channel) else None


def sound_seconds(root: Path, item: Item) -> float | None:
    """How long an item is, without decoding it; None where its file cannot be read."""
    try:
        file_id, span = TimeSpan.split(item.id)
        return sound_info(locate(root, file_id)).seconds if span is None else round(span.end_s - span.start_s, 3)
    except UnreadableItemError:
        return None


@lru_cache(KEPT_KEYS)
def _sounds_as_seen(path: Path, stamp: str, channel: Channel) -> bool:
    """Whether a player makes of the file what is drawn of it: no channel is left out, nothing is scaled or repaired."""
    info = sound_info(path)
    if info.note or (info.channels > 1 and isinstance(channel, int)):
        return False
    if info.is_float or (info.channels > 1 and channel == "auto"):
        return not open_sound(path, channel=channel).note
    return True


def _file_key_once(path: Path) -> str:
    """The file's key, computed once for all of its parts, also where several threads ask for it at the same time."""
    with _LOCKS[hash(path) % len(_LOCKS)]:
        with open_file(path) as stream:
            stamp = stamp_of(os.fstat(stream.fileno()))
        return _kept_key(path, stamp)


@lru_cache(KEPT_KEYS)
def _kept_key(path: Path, stamp: str) -> str:
    return sampled_key(path)
