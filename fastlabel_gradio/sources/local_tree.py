"""LocalTree: a folder of this machine as sources of files see it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.media.item_file import open_file
from fastlabel_gradio.sources.file_tree import FileTree
from fastlabel_gradio.sources.files import file_stamp, id_of, locate, path_of, stamp_of
from fastlabel_gradio.sources.folder_walk import Tally, files_in, subfolders, walk
from fastlabel_gradio.types import Item


class LocalTree(FileTree):
    """`follow_links`: whether links may lead out of the folder; the folder itself may be a link."""

    def __init__(self, root: Path, follow_links: bool = False) -> None:
        self.root = root
        self._follow_links = follow_links
        self._within = None if follow_links else root

    def __str__(self) -> str:
        return str(self.root)

    def check(self, noun: str) -> None:
        check_folder(self.root, noun)

    def identity(self) -> tuple[int, int] | None:
        try:
            status = self.root.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def names(self, suffixes: tuple[str, ...], tally: Tally | None = None, below: str = "") -> Iterator[str]:
        return walk(self.root / below, suffixes, in_order=False, tally=tally, within=self._within)

    def items(
        self, suffixes: tuple[str, ...], tally: Tally | None = None, unlisted: list[str] | None = None, below: str = ""
    ) -> Iterator[Item]:
        """One that cannot be looked at gives its reason when it is read."""
        prefix = f"{below}/" if below else ""
        for name in walk(self.root / below, suffixes, True, tally=tally, unlisted=unlisted, within=self._within):
            if (item := self._item(prefix + name)) is not None:
                yield item

    def files_in(self, suffixes: tuple[str, ...], below: str = "") -> Iterator[str]:
        return files_in(self.root / below, suffixes, self._within)

    def subfolders(self, below: str = "") -> list[str]:
        return subfolders(self.root / below, self._within)

    def stamp(self, file_id: str) -> str:
        return file_stamp(os.path.join(self.root, path_of(file_id)))  # noqa: PTH118

    def version(self, file_id: str, stamp: str) -> str:
        with open_file(self.path(file_id)) as stream:
            return stamp_of(os.fstat(stream.fileno()))

    def path(self, file_id: str, stamp: str = "") -> Path:
        return locate(self.root, file_id, follow_links=self._follow_links)

    def name_of(self, file_id: str) -> str:
        return str(self.path(file_id).absolute())

    def why_not_writable(self) -> str:
        return "" if os.access(self.root, os.W_OK) else super().why_not_writable()

    def _item(self, relative: str) -> Item | None:
        """None for a file that was removed since it was listed."""
        path = os.path.join(self.root, relative)  # noqa: PTH118  # a third of the scan's time
        try:
            return Item(id_of(relative), stamp_of(os.stat(path)))  # noqa: PTH116
        except OSError:
            return Item(id_of(relative), "cannot be opened") if os.path.lexists(path) else None


def check_folder(root: Path, noun: str) -> None:
    """Raises SourceError, with what to do, where `root` is no folder that can be listed."""
    try:
        status = root.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceError(f"{root} does not exist. Give the path of a folder with {noun}s.") from error
    except OSError as error:
        raise SourceError(f"{root} cannot be listed: {error.strerror}. Is its disk there?") from error
    if not stat.S_ISDIR(status.st_mode):
        raise SourceError(f"{root} is a file, not a folder. Give the folder that holds it.")
    if not os.access(root, os.R_OK | os.X_OK):
        raise SourceError(f"{root} cannot be listed: no permission. Make it readable, or give another folder.")
