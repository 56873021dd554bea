"""Files: what a source of files needs of a place, wherever that is: a local path for an id. FileTree lists them, too.

One implementation is of folders of this machine (`local_tree`), one of buckets and web servers (`remote_tree`).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from fastlabel_gradio.media.item_file import open_file
from fastlabel_gradio.media.sounds import SoundInfo, sound_info
from fastlabel_gradio.sources.files import file_key, sampled_key
from fastlabel_gradio.sources.folder_walk import Tally
from fastlabel_gradio.types import Item, TimeSpan


class Files(ABC):
    """The files of items by their ids, see `files.id_of`.

    All methods may be called from several threads at once. All but `stamp` raise UnreadableItemError, also for an id that
    leads out of the place.
    """

    @abstractmethod
    def __str__(self) -> str:
        """What messages call it."""

    @abstractmethod
    def stamp(self, file_id: str) -> str:
        """Changes when the file may have changed; "missing" where there is none."""

    @abstractmethod
    def version(self, file_id: str, stamp: str) -> str:
        """The stamp of a file as it is now, or the given one where asking takes long."""

    @abstractmethod
    def path(self, file_id: str, stamp: str = "") -> Path:
        """The file on this machine; it may go after a while.

        Args:
            stamp: as `items` gave it; "" for the newest.
        """

    def read(self, file_id: str, start: int, end: int, stamp: str = "") -> bytes:
        """The bytes from `start` to before `end`."""
        with open_file(self.path(file_id, stamp)) as stream:
            stream.seek(start)
            return stream.read(end - start)

    def recording(self, file_id: str) -> Path:
        """As `path`; of a file of this machine also where it is not there any more."""
        return self.path(file_id)

    def name_of(self, file_id: str) -> str:
        """What no other file of any tree is called."""
        return f"{self}/{file_id}"

    def sound(self, file_id: str, span: TimeSpan | None, stamp: str = "") -> tuple[Path, TimeSpan | None]:
        """A file of this machine that holds a part of a sound, and which part of it that is."""
        return self.path(file_id, stamp), span

    def sound_info(self, file_id: str, stamp: str = "") -> SoundInfo:
        """Length and rate of a sound."""
        return sound_info(self.path(file_id, stamp))

    def key(self, file_id: str, stamp: str = "") -> str:
        """A hash of the file's content."""
        return file_key(self.path(file_id, stamp))

    def sound_key(self, file_id: str, stamp: str = "") -> str:
        """A hash of the content of a file that may be large, see `sampled_key`."""
        return sampled_key(self.path(file_id, stamp))


class FileTree(Files):
    """All files below one folder. Names are relative, with '/'; `below` is the relative path of a folder, "" for all."""

    @abstractmethod
    def check(self, noun: str) -> None:
        """Raises SourceError, with what to do, where it is no folder that can be listed now."""

    @abstractmethod
    def identity(self) -> object:
        """Differs where the folder was replaced by another one."""

    @abstractmethod
    def names(self, suffixes: tuple[str, ...], tally: Tally | None = None, below: str = "") -> Iterator[str]:
        """Relative paths of the files that have one of the suffixes, in any order; others are counted in `tally`."""

    @abstractmethod
    def items(
        self, suffixes: tuple[str, ...], tally: Tally | None = None, unlisted: list[str] | None = None, below: str = ""
    ) -> Iterator[Item]:
        """The files as items with their stamps, folder by folder, sorted by name. `unlisted`: see `folder_walk.walk`."""

    @abstractmethod
    def files_in(self, suffixes: tuple[str, ...], below: str = "") -> Iterator[str]:
        """The names of files with one of the suffixes in the folder itself; none of one that cannot be listed."""

    @abstractmethod
    def subfolders(self, below: str = "") -> list[str]:
        """The names of the folders that are entered, sorted; [] where the folder cannot be listed."""

    def why_not_writable(self) -> str:
        """Why no file can be added, as a sentence; "" where one can."""
        return "Its folder cannot be written."

    def holds_file(self, suffixes: tuple[str, ...], below: str = "") -> bool:
        """Whether a file with one of the suffixes lies in the folder itself."""
        return next(self.files_in(suffixes, below), None) is not None

    def is_file_below(self, suffixes: tuple[str, ...], tally: Tally | None = None, below: str = "") -> bool:
        """Whether any file has one of the suffixes. Where none has, all that was met is counted in `tally`."""
        return next(self.names(suffixes, tally, below), None) is not None
