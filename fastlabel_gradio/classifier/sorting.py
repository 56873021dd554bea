"""Files sorted by their class into folders, copied or linked."""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from fastlabel_gradio.classifier.journal import Entry
from fastlabel_gradio.errors import StoreError

_NO_FOLDER_NAME = re.compile(r'[/\\:*?"<>|\x00-\x1f]|^\.+|[. ]+$')  # on one system or another


def sort_into(entries: Iterable[Entry], folder: Path, least: float, *, link: bool) -> tuple[int, int]:
    """Puts each file into a folder that is called as its class. Whatever is there already stays.

    Args:
        least: files of less confidence are left where they are. link: symbolic links in place of copies.

    Returns:
        How many files are there now, and how many are left where they were.

    Raises:
        StoreError: a folder cannot be written.
    """
    placed = left = 0
    try:
        for entry in entries:
            if not entry.best or entry.best[0][1] < least:
                left += 1
                continue
            of_class = folder / class_folder(entry.best[0][0])
            of_class.mkdir(parents=True, exist_ok=True)
            _place(Path(entry.name), of_class, link=link)
            placed += 1
    except OSError as error:
        raise StoreError(f"{folder} cannot be filled: {error}. Make room, or choose another --sort-into.") from error
    return placed, left


def class_folder(name: str) -> str:
    """A folder's name for a class, the class's own where that can be one."""
    return _NO_FOLDER_NAME.sub("_", name) or "_"


def _place(file: Path, folder: Path, *, link: bool) -> None:
    """Under its own name, or one with a number where another file has that; nothing where it is there."""
    number, target = 1, folder / file.name
    while target.exists() or target.is_symlink():
        if _is_same(file, target):
            return
        number += 1
        target = folder / f"{file.stem}-{number}{file.suffix}"
    if link:
        target.symlink_to(file.absolute())
    else:
        partial = target.with_name(f".{target.name}.partial")
        shutil.copy2(file, partial)
        partial.replace(target)


def _is_same(file: Path, target: Path) -> bool:
    if target.is_symlink():
        return target.readlink() == file.absolute()
    here, there = file.stat(), target.stat()
    return (here.st_size, here.st_mtime_ns) == (there.st_size, there.st_mtime_ns)
