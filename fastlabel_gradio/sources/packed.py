"""PackedSource: pictures or sounds that lie as bytes in larger files, and are read from there one by one."""

import io
import os
import tempfile
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.pictures import open_picture
from fastlabel_gradio.media.sounds import open_sound, sound_info
from fastlabel_gradio.sources.base import Source
from fastlabel_gradio.sources.files import exported_path
from fastlabel_gradio.sources.grouped import PatternGroups
from fastlabel_gradio.sources.sound_files import LOOKED_AT, SoundOptions, heard_sound
from fastlabel_gradio.types import Item, Media, Medium


class PackedOptions(SoundOptions):
    """What the packed files hold.

    Attributes:
        media: pictures or sounds.
    """

    media: Medium = "image"


class PackedSource(Source):
    """Gives an item by its bytes. None has a file of its own: exports and players get one that is made of it."""

    _pattern_groups: PatternGroups | None = None

    def read(self, item: Item, resolution: int | None = None) -> Media:
        content, suffix = self.content(item)
        if self.medium == "image":
            return open_picture(io.BytesIO(content), resolution)
        with _as_file(content, suffix) as path:
            return heard_sound(open_sound(path, channel=self.sound_view.channel), resolution, self.sound_view)

    def content_key(self, item: Item) -> str:
        """As that of a file of these bytes."""
        return blake2b(self.content(item)[0], digest_size=16).hexdigest()

    def exported_path(self, item: Item) -> str:
        return exported_path(item.id)

    def group_of(self, item: Item) -> str | None:
        return self._pattern_groups.group_of(item) if self._pattern_groups else None

    def group_by_pattern(self, pattern: str, items: Iterable[Item], where: object) -> None:
        """Groups by what a regular expression finds in the ids. Raises SourceError where it matches none of these items."""
        groups = PatternGroups(pattern)
        groups.check((item.id for item in items), where)
        self._pattern_groups, self.grouping = groups, groups.grouping

    def why_takes_none(self) -> str:
        return "Its items lie in packed files, into which nothing is written."

    @abstractmethod
    def content(self, item: Item) -> tuple[bytes, str]:
        """The bytes of an item, and the suffix that a file of them would have. Raises UnreadableItemError."""

    def rates_hz(self, items: Iterable[Item]) -> Iterator[int]:
        """Samples a second of the first sounds that can be read."""
        for item, _ in zip(items, range(LOOKED_AT), strict=False):
            try:
                with _as_file(*self.content(item)) as path:
                    yield sound_info(path).rate_hz
            except UnreadableItemError:
                continue  # it is listed with the reason when it is read


@contextmanager
def _as_file(content: bytes, suffix: str) -> Iterator[Path]:
    """A file of these bytes for as long as it is read: decoders of sounds need one."""
    handle, name = tempfile.mkstemp(suffix=suffix)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
