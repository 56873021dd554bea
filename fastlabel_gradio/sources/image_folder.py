"""Pictures in a folder and its sub-folders; folders of classes (the ImageNet layout) give reference labels."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.media import open_picture
from fastlabel_gradio.sources.base import SOURCES, Source, SourceOptions
from fastlabel_gradio.sources.files import file_key, id_of, locate, stamp_of
from fastlabel_gradio.types import Item

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
SPLITS = frozenset({"train", "val", "valid", "validation", "test"})

_log = logging.getLogger(__name__)


class ImageFolderOptions(SourceOptions):
    """`path`: the folder."""

    path: Path


@SOURCES.register("image_folder")
class ImageFolder(Source):
    """Every picture file under a folder, by its suffix in any case; hidden files and folders are skipped.

    An item's id is its path relative to the folder, with '/'. The folders below the root are the classes, or those
    below them where all of the root's folders are named like splits (train, val, test, …).
    """

    kind = "image"
    Options = ImageFolderOptions

    def __init__(self, options: ImageFolderOptions, base_dir: Path, cache_dir: Path) -> None:
        self.root = _checked_root(base_dir / options.path.expanduser())
        folders = _subfolders(self.root)
        self._splits = frozenset(folders) if folders and SPLITS.issuperset(map(str.lower, folders)) else frozenset()

    def scan(self) -> Iterator[Item]:
        """Folder by folder, sorted by name; holds the names of one folder at a time."""
        for relative in _walk(self.root, in_order=True):
            try:
                status = os.stat(os.path.join(self.root, relative))  # noqa: PTH116, PTH118  # a third of the scan's time
            except OSError:
                continue  # removed since it was listed
            yield Item(id_of(relative), stamp_of(status))

    def read(self, item: Item, enough_px: int | None = None) -> Image.Image:
        return open_picture(locate(self.root, item.id), enough_px)

    def content_key(self, item: Item) -> str:
        return file_key(locate(self.root, item.id))

    def classes(self) -> tuple[str, ...]:
        """The class folders that hold a picture, sorted; empty for fewer than two or with pictures beside them."""
        parents = [self.root / split for split in sorted(self._splits)] or [self.root]
        if any(_holds_picture(parent) for parent in parents):
            return ()
        names = {name for parent in parents for name in _subfolders(parent) if _picture_below(parent / name)}
        return tuple(sorted(map(id_of, names))) if len(names) > 1 else ()

    def reference_label(self, item: Item) -> str | None:
        """The item's class folder; None for a picture beside the class folders."""
        folders = item.id.split("/")[:-1]
        if folders and folders[0] in self._splits:
            folders = folders[1:]
        return folders[0] if folders else None


def _checked_root(root: Path) -> Path:
    if not root.exists():
        raise SourceError(f"{root} does not exist. Give the path of a folder with pictures.")
    if not root.is_dir():
        raise SourceError(f"{root} is a file, not a folder. Give the folder that holds it.")
    if not os.access(root, os.R_OK | os.X_OK):
        raise SourceError(f"{root} cannot be listed: no permission. Make it readable, or give another folder.")
    if not _picture_below(root):
        known = " ".join(suffix[1:] for suffix in SUFFIXES)
        raise SourceError(
            f"{root} holds no picture, in its sub-folders neither. Add some ({known}) or give another folder."
        )
    return root


def _walk(root: Path, in_order: bool) -> Iterator[str]:
    """Relative paths of the pictures below a folder; links to folders are followed, no folder is entered twice."""
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
            elif name.lower().endswith(SUFFIXES):
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


def _holds_picture(folder: Path) -> bool:
    return any(not is_folder and name.lower().endswith(SUFFIXES) for name, is_folder in _entries(folder))


def _picture_below(folder: Path) -> bool:
    return next(_walk(folder, in_order=False), None) is not None
