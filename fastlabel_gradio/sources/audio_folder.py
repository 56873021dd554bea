"""Sounds in a folder and its sub-folders, whole or cut into windows."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.sounds import MAX_SECONDS, open_sound, sound_info
from fastlabel_gradio.sources.base import SOURCES
from fastlabel_gradio.sources.files import id_of
from fastlabel_gradio.sources.folder import FolderOptions, FolderSource
from fastlabel_gradio.sources.grouped import file_id_of
from fastlabel_gradio.sources.groups import Grouping
from fastlabel_gradio.sources.saved_lengths import SavedLengths
from fastlabel_gradio.sources.sound_files import (
    SUFFIXES,
    SoundOptions,
    rates_hz,
    read_sound,
    sound_key,
    sound_view,
    whole_file,
)
from fastlabel_gradio.sources.windows import windows_of
from fastlabel_gradio.types import Item, Waveform


class AudioFolderOptions(SoundOptions, FolderOptions):
    """Which folder, and how its files are cut.

    Attributes:
        path: the folder.
        take_test: whether `test` beside other splits belongs to the pool; otherwise it is kept out as a test part.
        follow_links: whether links may lead out of the folder.
        group_pattern: what finds the group of an item in its id; by default the file of a window.
        window_s: length of an item in seconds; without it an item is a whole file.
        hop_s: seconds from the beginning of one window to that of the next; `window_s` by default.
    """

    beside_identity = SoundOptions.beside_identity | FolderOptions.beside_identity

    window_s: Annotated[float | None, Field(ge=0.001, le=MAX_SECONDS)] = None
    hop_s: Annotated[float | None, Field(ge=0.001)] = None

    @model_validator(mode="after")
    def _hop_needs_window(self) -> "AudioFolderOptions":
        if self.hop_s is not None and self.window_s is None:
            raise ValueError(f"hop_s {self.hop_s} needs window_s: a file is cut into windows of that many seconds")
        return self

    @model_validator(mode="after")
    def _window_can_be_heard(self) -> "AudioFolderOptions":
        if self.window_s is not None and self.window_s * self.expand > MAX_SECONDS:
            heard = f"window_s {self.window_s} is {self.window_s * self.expand:g} s with expand {self.expand}"
            raise ValueError(f"{heard}; at most {MAX_SECONDS:g} s can be played")
        return self


@SOURCES.register("audio_folder")
class AudioFolder(FolderSource):
    """Every sound file under a folder, or every window of every one."""

    medium = "audio"
    noun = "sound"
    suffixes = SUFFIXES
    Options = AudioFolderOptions

    def __init__(self, options: AudioFolderOptions, base_dir: Path, cache_dir: Path) -> None:
        super().__init__(options, base_dir, cache_dir)
        self._lengths = SavedLengths(cache_dir)
        self._window_s = options.window_s
        self._hop_s = options.hop_s or options.window_s
        self.window = self._window_s, self._hop_s
        if self._window_s is not None and self.grouping is None:
            self.grouping = Grouping("recordings")
        self.sound_view = sound_view(options, rates_hz(self.tree, map(id_of, self.tree.names(SUFFIXES))))

    def scan(self) -> Iterator[Item]:
        """Folder by folder, sorted by name; with windows, the length of each file is found, or known from before."""
        for item in super().scan():
            yield from self._windows(item)

    def held_out(self) -> Iterator[Item]:
        """The test part, cut as the pool is."""
        for item in super().held_out():
            yield from self._windows(item)

    def _windows(self, file: Item) -> Iterator[Item]:
        if self._window_s is None or self._hop_s is None:
            yield file
        else:
            with suppress(UnreadableItemError):  # it became a link out of the folder since it was listed
                seconds = self._lengths.seconds(self.tree, file)
                yield from windows_of(file, seconds, self._window_s, self._hop_s)

    def group_of(self, item: Item) -> str | None:
        """What `group_pattern` finds; without one, the file of a window."""
        return file_id_of(item) if self._groups is None and self.grouping else super().group_of(item)

    def read(self, item: Item, resolution: int | None = None) -> Waveform:
        return read_sound(self.tree, item, resolution, self.sound_view)

    def check_file(self, path: Path) -> None:
        if self._window_s is None:
            open_sound(path)
        else:
            sound_info(path)

    def content_key(self, item: Item) -> str:
        return sound_key(self.tree, item)

    def file(self, item: Item) -> Path | None:
        return whole_file(self.tree, item, self.sound_view)
