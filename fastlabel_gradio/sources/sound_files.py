"""Items that are sound files under one folder, or parts of them: `talk.wav` and `talk.wav#t=12.0,15.0`.

Shared by the sources that list sound files.
"""

import hashlib
import itertools
import os
import threading
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from statistics import median_high
from typing import Annotated

from pydantic import Field, model_validator

from fastlabel_gradio.errors import SourceError, UnreadableItemError
from fastlabel_gradio.media.channels import Channel
from fastlabel_gradio.media.item_file import open_file
from fastlabel_gradio.media.sound_view import Contrast, SoundView, as_heard, default_top_hz
from fastlabel_gradio.media.sounds import MAX_RATE_HZ, MAX_SECONDS, at_most, open_sound, sound_info
from fastlabel_gradio.sources.base import SourceOptions
from fastlabel_gradio.sources.file_tree import Files
from fastlabel_gradio.sources.files import stamp_of
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
    *(".m4r", ".f4a", ".3ga", ".weba", ".adts", ".ec3", ".gsm", ".mpga", ".nist", ".ircam", ".sf", ".8svx", ".svx"),
    *(".avr", ".htk", ".paf", ".pvf", ".sds", ".wve"),
)
VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".3gp", ".3gpp", ".3g2", ".mkv", ".avi", ".wmv", ".asf", ".flv", ".f4v", ".ogv", ".mpg"),
    *(".mpeg", ".vob", ".mts", ".m2ts", ".qt"),
)
SUFFIXES = AUDIO_SUFFIXES + VIDEO_SUFFIXES
CACHED_KEYS = 65_536  # about 20 MB
LOOKED_AT = 12  # files whose headers tell what the recordings are
_LOCKS = tuple(threading.Lock() for _ in range(64))


class SoundOptions(SourceOptions):
    """How the sounds of a source are read, seen, heard and embedded. Frequencies are those of the recordings.

    Attributes:
        channel: of a sound with several: `auto`, their mean, or the loudest where they cancel each other; `mix`, always
            their mean; or the number of one, from 1.
        top_hz: upper end of the spectrograms; 11,025 by default, or half of the recordings' rate where that is above 96,000
            or `low_hz` leaves little.
        low_hz: what lies below is filtered out of what is heard, seen and embedded.
        expand: sounds are played and embedded that many times slower, so that ultrasound is heard.
        contrast: `pcen` darkens what goes on all the time, such as wind or hum.
    """

    beside_identity = SourceOptions.beside_identity | {"channel", "top_hz", "low_hz", "expand", "contrast"}

    channel: Channel = "auto"
    top_hz: Annotated[int | None, Field(ge=20, le=MAX_RATE_HZ // 2)] = None
    low_hz: Annotated[int, Field(ge=0, le=MAX_RATE_HZ // 2)] = 0
    expand: Annotated[int, Field(ge=1, le=100)] = 1
    contrast: Contrast = "decibels"

    @model_validator(mode="after")
    def _low_is_below_top(self) -> "SoundOptions":
        if self.top_hz is not None and self.low_hz >= self.top_hz:
            raise ValueError(f"low_hz {self.low_hz} is not below top_hz {self.top_hz}")
        return self


def sound_view(options: SoundOptions, found_hz: Iterable[int]) -> SoundView:
    """How the sounds are taken, by the rates of some of them. Raises SourceError where nothing is left of them."""
    rates = list(itertools.islice(found_hz, LOOKED_AT))
    rate_hz = median_high(rates) if rates else 0
    top_hz = options.top_hz or default_top_hz(rate_hz, options.low_hz)
    if options.low_hz >= top_hz:
        held_hz = rate_hz // 2 or top_hz
        raise SourceError(
            f"low_hz {options.low_hz} leaves nothing: the recordings hold up to {held_hz} Hz. Choose a lower low_hz."
        )
    return SoundView(top_hz, options.low_hz, options.expand, options.contrast, options.channel, rate_hz)


def rates_hz(tree: Files, file_ids: Iterable[str]) -> Iterator[int]:
    """Of the first files, those whose headers say it."""
    for file_id in itertools.islice(file_ids, LOOKED_AT):
        try:
            yield tree.sound_info(file_id).rate_hz
        except UnreadableItemError:
            continue  # it is listed with the reason when it is read


def read_sound(tree: Files, item: Item, rate_hz: int | None, view: SoundView) -> Waveform:
    """The file or the part of it as it is heard, with no more samples a second than asked for. Raises UnreadableItemError."""
    path, span = tree.sound(*TimeSpan.split(item.id), item.stamp)
    return heard_sound(open_sound(path, span, channel=view.channel), rate_hz, view)


def heard_sound(recorded: Waveform, rate_hz: int | None, view: SoundView) -> Waveform:
    """A recorded sound as it is heard, with no more samples a second than asked for. Raises UnreadableItemError: too long."""
    sound = as_heard(recorded, view)
    if sound.seconds > MAX_SECONDS * (1 + 1e-4):  # a rate in whole numbers is not quite so much slower
        raise UnreadableItemError(
            f"{sound.seconds / 60:.0f} min when it is {view.expand} times slower, at most {MAX_SECONDS / 60:.0f}: "
            "cut it into shorter windows (`window_s`)"
        )
    return at_most(sound, rate_hz)


def sound_key(tree: Files, item: Item) -> str:
    """Of a whole file its key, of a part the hash of that and of its place. Raises UnreadableItemError."""
    file_id, span = TimeSpan.split(item.id)
    key = _file_key_once(tree, file_id, item.stamp)
    return key if span is None else hashlib.blake2b(span.id_in(key).encode(), digest_size=16).hexdigest()


def whole_file(tree: Files, item: Item, view: SoundView) -> Path | None:
    """The path of an item that is a whole file and sounds as it is heard and seen; None for another.

    Raises:
        UnreadableItemError: a path out of the tree, or a file whose sound cannot be read.
    """
    file_id, span = TimeSpan.split(item.id)
    tree.name_of(file_id)  # raises for one outside
    if span is not None or view.changes_sound:
        return None
    path = tree.path(file_id, item.stamp)
    with open_file(path) as stream:
        stamp = stamp_of(os.fstat(stream.fileno()))
    return path if _sounds_as_seen(path, stamp, view.channel) else None


@lru_cache(CACHED_KEYS)
def _sounds_as_seen(path: Path, stamp: str, channel: Channel) -> bool:
    """Whether a player makes of the file what is drawn of it: no channel is left out, nothing is scaled or repaired."""
    info = sound_info(path)
    if info.note or (info.channels > 1 and isinstance(channel, int)):
        return False
    if info.is_float or (info.channels > 1 and channel == "auto"):
        return not open_sound(path, channel=channel).note
    return True


def _file_key_once(tree: Files, file_id: str, stamp: str) -> str:
    """The file's key, computed once for all of its parts, also where several threads ask for it at the same time."""
    name = tree.name_of(file_id)
    with _LOCKS[hash(name) % len(_LOCKS)]:
        return _cached_key(tree, file_id, tree.version(file_id, stamp))


@lru_cache(CACHED_KEYS)
def _cached_key(tree: Files, file_id: str, stamp: str) -> str:
    return tree.sound_key(file_id, stamp)
