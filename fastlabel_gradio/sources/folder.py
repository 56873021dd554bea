"""Files of one kind in a folder and its sub-folders; folders of classes (the ImageNet layout) give reference labels."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.sources.base import Source, SourceOptions
from fastlabel_gradio.sources.files import id_of, stamp_of
from fastlabel_gradio.sources.grouped import GroupPattern, PatternGroups
from fastlabel_gradio.types import Item

SPLITS = frozenset({"train", "val", "valid", "validation", "test"})

_log = logging.getLogger(__name__)


class FolderOptions(SourceOptions):
    """`path`: the folder. `group_pattern`: what finds the group of an item in its id, see `PatternGroups`."""

    path: Path
    group_pattern: GroupPattern | None = None


class FolderSource(Source):
    """Every file of some suffixes under a folder; hidden files and folders are skipped.

    An item's id is its path relative to the folder, with '/'. The folders below the root are the classes, or those
    below them where all of the root's folders are named like splits (train, val, test, …).

    Attributes:
        noun: what an item is, for messages.
        suffixes: of the files that count, in small letters; a file's own may be in any case.
    """

    noun: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]

    def __init__(self, options: Any, base_dir: Path, cache_dir: Path) -> None:
        self.root = base_dir / options.path.expanduser()
        check_folder(self.root, self.noun)
        check_not_empty(self.root, self.noun, self.suffixes)
        folders = _subfolders(self.root)
        self._groups = None if options.group_pattern is None else PatternGroups(options.group_pattern)
        if self._groups:
            self._groups.check(map(id_of, walk(self.root, self.suffixes, in_order=False)), self.root)
            self.grouping = self._groups.grouping
        self._splits = frozenset(folders) if folders and SPLITS.issuperset(map(str.lower, folders)) else frozenset()

    def scan(self) -> Iterator[Item]:
        """Folder by folder, sorted by name; holds the names of one folder at a time."""
        for relative in walk(self.root, self.suffixes, in_order=True):
            try:
                status = os.stat(os.path.join(self.root, relative))  # noqa: PTH116, PTH118  # a third of the scan's time
            except OSError:
                continue  # removed since it was listed
            yield Item(id_of(relative), stamp_of(status))

    def classes(self) -> tuple[str, ...]:
        """The class folders that hold an item, sorted; empty for fewer than two or with items beside them."""
        parents = [self.root / split for split in sorted(self._splits)] or [self.root]
        if any(self._holds_item(parent) for parent in parents):
            return ()
        folders = {(parent, name) for parent in parents for name in _subfolders(parent)}
        names = {name for parent, name in folders if _is_file_below(parent / name, self.suffixes)}
        return tuple(sorted(map(id_of, names))) if len(names) > 1 else ()

    def reference_label(self, item: Item) -> str | None:
        """The item's class folder; None for an item beside the class folders."""
        folders = item.id.split("/")[:-1]
        if folders and folders[0] in self._splits:
            folders = folders[1:]
        return folders[0] if folders else None

    def group_of(self, item: Item) -> str | None:
        return self._groups.group_of(item) if self._groups else None

    def _holds_item(self, folder: Path) -> bool:
        return any(not is_folder and name.lower().endswith(self.suffixes) for name, is_folder in _entries(folder))


def check_folder(root: Path, noun: str) -> None:
    """Raises SourceError, with what to do, where `root` is no folder that can be listed."""
    if not root.exists():
        raise SourceError(f"{root} does not exist. Give the path of a folder with {noun}s.")
    if not root.is_dir():
        raise SourceError(f"{root} is a file, not a folder. Give the folder that holds it.")
    if not os.access(root, os.R_OK | os.X_OK):
        raise SourceError(f"{root} cannot be listed: no permission. Make it readable, or give another folder.")


def check_not_empty(root: Path, noun: str, suffixes: tuple[str, ...]) -> None:
    """Raises SourceError where no file below `root` has one of the suffixes."""
    if not _is_file_below(root, suffixes):
        known = " ".join(suffix[1:] for suffix in suffixes)
        raise SourceError(
            f"{root} holds no {noun}, in its sub-folders neither. Add some ({known}) or give another folder."
        )


def walk(root: Path, suffixes: tuple[str, ...], in_order: bool) -> Iterator[str]:
    """Relative paths of the files below a folder; links to folders are followed, no folder is entered twice."""
    pending = [""]
    entered: set[tuple[int, int]] = set()
    while pending:
        prefix = pending.pop()
        identity = _identity(root / prefix)
        if identity is None or identity in entered:
            continue
        entered.add(identity)
        entries = _entries(root / prefix)
        folders = []
        for name, is_folder in sorted(entries) if in_order else entries:
            if is_folder:
                folders.append(f"{prefix}{name}/")
            elif name.lower().endswith(suffixes):
                yield prefix + name
        pending.extend(reversed(folders))


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError as error:
        _log.warning("folder %r is left out: %s", str(folder), error.strerror)
        return None
    return status.st_dev, status.st_ino


def _entries(folder: Path) -> Iterator[tuple[str, bool]]:
    """Names in a folder with whether each is a folder; neither hidden ones nor what is no plain file or folder."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                is_folder = _is_folder(entry)
                if is_folder is not None and not entry.name.startswith("."):
                    yield entry.name, is_folder
    except OSError as error:
        _log.warning("folder %r is left out: %s", str(folder), error.strerror)


def _is_folder(entry: os.DirEntry[str]) -> bool | None:
    try:
        if entry.is_file():
            return False
        return True if entry.is_dir() else None
    except OSError:
        return None  # a link that leads round in a circle


def _subfolders(folder: Path) -> list[str]:
    return [name for name, is_folder in _entries(folder) if is_folder]


def _is_file_below(folder: Path, suffixes: tuple[str, ...]) -> bool:
    return next(walk(folder, suffixes, in_order=False), None) is not None
