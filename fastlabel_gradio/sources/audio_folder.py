"""Sounds in a folder and its sub-folders, whole or cut into windows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from fastlabel_gradio.groups import Grouping
from fastlabel_gradio.media.sounds import MAX_SECONDS
from fastlabel_gradio.sources.base import SOURCES
from fastlabel_gradio.sources.files import locate
from fastlabel_gradio.sources.folder import FolderOptions, FolderSource
from fastlabel_gradio.sources.grouped import file_of
from fastlabel_gradio.sources.sound_files import read_sound, sound_key, whole_file
from fastlabel_gradio.sources.windows import windows_of
from fastlabel_gradio.types import Item, Waveform

SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".aif", ".aiff"),
    *(".wma", ".webm"),
)


class AudioFolderOptions(FolderOptions):
    """Which folder, and how its files are cut.

    Attributes:
        path, group_pattern: of `FolderOptions`.
        window_s: length of an item in seconds; without it an item is a whole file.
        hop_s: seconds from the beginning of one window to that of the next; `window_s` by default.
    """

    window_s: Annotated[float | None, Field(ge=0.001, le=MAX_SECONDS)] = None
    hop_s: Annotated[float | None, Field(ge=0.001)] = None

    @model_validator(mode="after")
    def _hop_needs_window(self) -> "AudioFolderOptions":
        if self.hop_s is not None and self.window_s is None:
            raise ValueError(f"hop_s {self.hop_s} needs window_s: a file is cut into windows of that many seconds")
        return self


@SOURCES.register("audio_folder")
class AudioFolder(FolderSource):
    """Every sound file under a folder, or every window of every one."""

    kind = "audio"
    noun = "sound"
    suffixes = SUFFIXES
    Options = AudioFolderOptions

    def __init__(self, options: AudioFolderOptions, base_dir: Path, cache_dir: Path) -> None:
        super().__init__(options, base_dir, cache_dir)
        self._window_s = options.window_s
        self._hop_s = options.hop_s or options.window_s
        if self._window_s is not None and self.grouping is None:
            self.grouping = Grouping("recordings")

    def scan(self) -> Iterator[Item]:
        """Folder by folder, sorted by name; with windows, the header of each file is read and nothing decoded."""
        for item in super().scan():
            if self._window_s is None or self._hop_s is None:
                yield item
            else:
                yield from windows_of(item, locate(self.root, item.id), self._window_s, self._hop_s)

    def group_of(self, item: Item) -> str | None:
        """What `group_pattern` finds; without one, the file of a window."""
        return file_of(item) if self._groups is None and self.grouping else super().group_of(item)

    def read(self, item: Item, resolution: int | None = None) -> Waveform:
        return read_sound(self.root, item, resolution)

    def content_key(self, item: Item) -> str:
        return sound_key(self.root, item)

    def file(self, item: Item) -> Path | None:
        return whole_file(self.root, item)
