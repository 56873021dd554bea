"""Items that a caller names or holds: files, pictures, arrays, waveforms. Read as a project reads those of its source."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from fastlabel_gradio.classifier.remote_files import RemoteFile, remote_file
from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.pictures import open_picture, shown_picture
from fastlabel_gradio.media.sound_view import SoundView
from fastlabel_gradio.media.sounds import given_sound, open_sound
from fastlabel_gradio.sources.address import is_address, without_secrets
from fastlabel_gradio.sources.base import Source, SourceOptions
from fastlabel_gradio.sources.sound_files import heard_sound
from fastlabel_gradio.types import Item, Media, Medium, TimeSpan, Waveform

Given: TypeAlias = Any  # str, Path, RemoteFile, Image, ndarray, Waveform, or (samples, rate in Hz)
DEEP_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")


class GivenOptions(SourceOptions):
    """None: the items are given in memory."""


class GivenItems(Source):
    """Some items by their place, "0", "1" …; nothing is said of their content, so equal ones are embedded twice.

    Args:
        given: the items. medium, view: of the classifier.
    """

    Options = GivenOptions

    def __init__(self, given: Sequence[Given], medium: Medium, view: SoundView) -> None:
        self.medium = medium
        self.sound_view = view
        self._given = given

    def scan(self) -> Iterator[Item]:
        return (Item(str(place)) for place in range(len(self._given)))

    def read(self, item: Item, resolution: int | None = None) -> Media:
        given = self._given[int(item.id)]
        return _picture(given, resolution) if self.medium == "image" else _sound(given, resolution, self.sound_view)

    def content_key(self, item: Item) -> str:
        return item.id


@dataclass(frozen=True, slots=True)
class NamedPart:
    """A file, and the part of it that is meant; None for all of it."""

    path: Path
    span: TimeSpan | None = None


def elsewhere(given: Given) -> RemoteFile | None:
    """The file of a bucket or a web server that is meant; None where it is another item. Raises UnreadableItemError."""
    if isinstance(given, str):
        return remote_file(given)
    return given if isinstance(given, RemoteFile) else None


def named_part(name: str | Path) -> NamedPart:
    """What a path names: `talk.wav#t=12.0,15.0` is a part of `talk.wav`, unless a file is called that."""
    file, span = TimeSpan.split(str(name))
    if span is None or Path(name).exists():
        return NamedPart(Path(name))
    return NamedPart(Path(file), span)


def shown_name(given: Given) -> str:
    """What messages call an item."""
    if isinstance(given, str) and is_address(given):
        return without_secrets(given)
    if isinstance(given, str | Path | RemoteFile):
        return str(given)
    if isinstance(given, tuple):
        return "a sound"
    return getattr(given, "filename", "") or f"an item of type {type(given).__name__}"


def _picture(given: Given, resolution: int | None) -> Image.Image:
    if file := elsewhere(given):
        return open_picture(file.picture(), resolution)
    if isinstance(given, str | Path):
        return open_picture(Path(given), resolution)
    if isinstance(given, np.ndarray):
        return _picture_of_array(given)
    if isinstance(given, Image.Image):
        if given.mode in DEEP_MODES:
            raise UnreadableItemError(f"a picture of mode {given.mode}: give its path, or one of 8 bits a channel")
        return shown_picture(given)
    raise UnreadableItemError(f"{type(given).__name__} is no picture: give a path, a PIL image or a uint8 array")


def _picture_of_array(array: np.ndarray) -> Image.Image:
    shape = array.shape[:2] if array.ndim == 3 and array.shape[2] == 1 else array.shape
    is_picture = len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))
    if array.dtype != np.uint8 or not is_picture or 0 in shape:
        raise UnreadableItemError(
            f"an array of shape {array.shape} and type {array.dtype}: give uint8, 0 to 255, [height, width] or "
            "[height, width, 3 or 4]"
        )
    return shown_picture(Image.fromarray(array.reshape(shape)))


def _sound(given: Given, resolution: int | None, view: SoundView) -> Waveform:
    if file := elsewhere(given):
        path, span = file.sound()
        return heard_sound(open_sound(path, span, channel=view.channel), resolution, view)
    if isinstance(given, str | Path):
        part = named_part(given)
        return heard_sound(open_sound(part.path, part.span, channel=view.channel), resolution, view)
    if isinstance(given, Waveform):
        return heard_sound(given_sound(given.samples, given.rate_hz, view.channel), resolution, view)
    if isinstance(given, tuple) and len(given) == 2:
        return heard_sound(_of_pair(*given, view), resolution, view)
    what = f"an array of shape {given.shape}" if isinstance(given, np.ndarray) else type(given).__name__
    raise UnreadableItemError(f"{what} is no sound: give a path, or (samples, samples a second)")


def _of_pair(first: Any, second: Any, view: SoundView) -> Waveform:
    """(samples, rate) as soundfile gives it, or (rate, samples) as SciPy and Gradio do."""
    samples, rate_hz = (second, first) if isinstance(second, np.ndarray) else (first, second)
    if not isinstance(samples, np.ndarray) or not isinstance(rate_hz, int | np.integer | float):
        raise UnreadableItemError("a pair is no sound: give (samples, samples a second), the samples as an array")
    return given_sound(samples, round(rate_hz), view.channel)
