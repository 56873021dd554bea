"""The pictures and sounds in folders of exports: an item's own file where it has one, else what is seen or heard of it."""

import io
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from posixpath import splitext

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.exports.folders import Folder
from fastlabel_gradio.exports.rows import ExportRow
from fastlabel_gradio.media.pictures import is_read_by_pillow
from fastlabel_gradio.media.sounds import encode_flac, sound_info
from fastlabel_gradio.types import Item, Media, Medium, TimeSpan, Waveform

_RESERVED = frozenset({"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))})

_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]')
_CACHED_NAMES = 4_096  # folders come again and again


@dataclass(frozen=True, slots=True)
class ItemMedia:
    """What exports ask of a source, whose methods these are.

    Attributes:
        recording: the file that an item is, or is a part of; None where there is none. Raises UnreadableItemError.
        read: the item itself. Raises UnreadableItemError.
        only_names: nothing is added, names are given all the same.
        unreadable: items that could not be added, with the reason; filled while an export is written.
    """

    medium: Medium
    recording: Callable[[Item], Path | None]
    read: Callable[[Item], Media]
    only_names: bool = False
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    def add(self, folder: Folder, stem: str, row: ExportRow, suffixes: Collection[str] | None = None) -> str:
        """Adds an item's file under a name without its suffix, and returns that with it; "" where it cannot be read.

        Args:
            suffixes: of the files that are taken as they are; None for all. What has another is written anew, and so is
                what other programs may not read: a file of which the end is missing, or that had to be mended to be read.
        """
        name, content = self.content(stem, row, suffixes)
        if isinstance(content, Path):
            folder.add_file(name, content)
        elif content:
            folder.add_bytes(name, content)
        return name

    def content(self, stem: str, row: ExportRow, suffixes: Collection[str] | None = None) -> tuple[str, Path | bytes]:
        """As `add`, the name and what belongs under it: a file, or what is written anew; b"" where nothing does."""
        try:
            file = self.file(row)
            if file is not None and (suffixes is None or self._is_read_elsewhere(file, suffixes)):
                return stem + file.suffix.lower(), b"" if self.only_names else file
            if self.only_names:
                return f"{stem}.{'png' if self.medium == 'image' else 'flac'}", b""
            return _encoded(self.read(Item(row.item_id)), stem)
        except UnreadableItemError as error:
            self.unreadable.append((row.item_id, str(error)))
            return "", b""

    def file(self, row: ExportRow) -> Path | None:
        """The file that holds an item and nothing else; None for a part of a sound. Raises UnreadableItemError."""
        file = None if TimeSpan.split(row.item_id)[1] else self.recording(Item(row.item_id))
        if file is not None and not file.is_file():
            raise UnreadableItemError("its file is not there")
        return file

    def span(self, row: ExportRow) -> TimeSpan | None:
        """Which part of its recording a sound is; all of it where it is no part. None where it cannot be read."""
        part = TimeSpan.split(row.item_id)[1]
        if part is not None:
            return part
        try:
            seconds, _ = self._length(Item(row.item_id))
        except UnreadableItemError as error:
            self.unreadable.append((row.item_id, str(error)))
            return None
        return TimeSpan(0.0, round(seconds, 6))

    def rate_hz(self, row: ExportRow) -> int:
        """Samples a second of its recording. Raises UnreadableItemError."""
        return self._length(Item(row.item_id))[1]

    def _is_read_elsewhere(self, file: Path, suffixes: Collection[str]) -> bool:
        if file.suffix.lower() not in suffixes:
            return False
        return self.only_names or (is_read_by_pillow(file) if self.medium == "image" else not sound_info(file).note)

    def _length(self, item: Item) -> tuple[float, int]:
        """Seconds and samples a second of a recording, or of a sound that is in no file."""
        recording = self.recording(item)
        if recording is not None:
            info = sound_info(recording)
            return info.seconds, info.rate_hz
        sound = self.read(item)
        assert isinstance(sound, Waveform)
        return sound.seconds, sound.rate_hz


def plain_parts(row: ExportRow) -> list[str]:
    """Folders and name of an item's file, fit to stand below any folder: nothing leads out, is hidden or reserved."""
    path = row.path or TimeSpan.split(row.item_id)[0]
    return [plain_name(part) for part in path.replace("\\", "/").split("/") if part.strip(".")] or ["item"]


@lru_cache(_CACHED_NAMES)
def plain_name(text: str) -> str:
    """A text as the name of a file or folder on any system."""
    plain = _NOT_IN_NAMES.sub("_", text).strip().rstrip(".")[:120]
    return f"_{plain}" if not plain or plain[0] == "." or plain.split(".")[0].upper() in _RESERVED else plain


def stem_of(row: ExportRow) -> tuple[str, ...]:
    """Folders and name of an item's file without its suffix; of a part of a sound with its begin and end in seconds."""
    *folders, name = plain_parts(row)
    stem, _ = splitext(name)
    span = TimeSpan.split(row.item_id)[1]
    return (*folders, stem if span is None else f"{stem}_{span.start_s}_{span.end_s}")


def plain_names(names: Iterable[str]) -> dict[str, str]:
    """By class name the name of its folder; they differ, also where a system knows no capitals."""
    taken: dict[str, str] = {}
    for name in names:
        plain = plain_name(name)
        tries = (plain, *(f"{plain} ({number})" for number in range(2, len(taken) + 3)))
        free = next(each for each in tries if each.casefold() not in map(str.casefold, taken.values()))
        taken[name] = free
    return taken


def _encoded(media: Media, stem: str) -> tuple[str, bytes]:
    if isinstance(media, Waveform):
        return f"{stem}.flac", encode_flac(media)
    content = io.BytesIO()
    media.save(content, "PNG")
    return f"{stem}.png", content.getvalue()
