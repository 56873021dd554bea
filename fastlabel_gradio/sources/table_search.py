"""Whether the files that a table names are where it says, and if none is, where they may be."""

import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from fastlabel_gradio.sources.files import path_of
from fastlabel_gradio.types import TimeSpan

LOOKED_AT = 100
FOLDERS_TRIED = 100  # beside the table


def where_files_are(table: Path, root: Path, item_ids: Sequence[str]) -> str:
    """That none of the files is there, what was tried and what to do, as one line; "" where one is.

    Args:
        item_ids: the first ones of the table, `LOOKED_AT` are enough.
    """
    paths = [path_of(TimeSpan.split(item_id)[0]) for item_id in item_ids]
    if not paths or any(_is_file(root, path) and not path.startswith("../") for path in paths):
        return ""
    tried = os.path.normpath(os.path.join(root, paths[0]))  # noqa: PTH118
    seen = f"{table}: none of its first {len(paths)} paths is a file below {root}, '{tried}' is not."
    outside = [os.path.normpath(os.path.join(root, path)) for path in paths if path.startswith("../")]  # noqa: PTH118
    if outside and all(map(os.path.isfile, outside)):
        shared = os.path.commonpath([os.path.dirname(path) for path in outside])  # noqa: PTH120
        return f"{seen} They lie elsewhere: {_set(shared)}"
    folder = next((folder for folder in _places(table, root) if _is_file(folder, paths[0])), None)
    if folder is not None:
        return f"{seen} They are in another folder: {_set(folder)}"
    tail = _tail(root, paths[0])
    if tail:
        return f"{seen} But {tail} is there: take what stands before it out of the paths."
    return f"{seen} Name the folder that the paths begin in: {_set('FOLDER')}"


def _set(folder: Path | str) -> str:
    return f"--set {shlex.quote(f'root={folder}')} on the command line, `root: {folder}` in the configuration."


def _places(table: Path, root: Path) -> Iterator[Path]:
    """Folders that paths often are relative to: those around the table and the root, and those in them."""
    near = dict.fromkeys((table.parent, table.parent.parent, root.parent, Path.cwd()))
    yield from near
    for parent in (table.parent, root):
        try:
            folders = sorted(folder for folder in parent.iterdir() if folder.is_dir())
        except OSError:
            continue
        yield from folders[:FOLDERS_TRIED]


def _tail(root: Path, path: str) -> str:
    """The longest end of a path that is a file below the root; "" for none."""
    parts = path.split("/")
    tails = ("/".join(parts[start:]) for start in range(1, len(parts)))
    return next((tail for tail in tails if _is_file(root, tail)), "")


def _is_file(root: Path, path: str) -> bool:
    try:
        return os.path.isfile(os.path.join(root, path))  # noqa: PTH113, PTH118
    except ValueError:
        return False
