"""A file that somebody sent, taken into a source's folder: under a name of its own, and only once it can be read."""

import os
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from uuid import uuid4

from fastlabel_gradio.errors import SourceError

ADDED = "added"  # the sub-folder of what was sent
MOST_FILES = 100_000  # in it
_PLAIN = re.compile(r"[^\w.-]+")


def take_file(root: Path, suffixes: tuple[str, ...], name: str, content: bytes, check: Callable[[Path], object]) -> str:
    """Writes the file into `added/` below the folder; returns its path relative to the folder, with '/'.

    Args:
        name: what it was called; its suffix counts, the rest is made plain.
        check: opens a file of that content. Raises UnreadableItemError.

    Raises:
        SourceError: a suffix that the source does not list, a folder that is full or cannot be written.
        UnreadableItemError: it cannot be read; nothing was added then.
    """
    given = PurePosixPath(name.replace("\\", "/"))
    suffix = given.suffix.lower()
    if suffix not in suffixes:
        raise SourceError(f"'{suffix or name[:40]}' is no suffix of its files: give a name such as x{suffixes[0]}.")
    folder = root / ADDED
    partial = folder / f".{uuid4().hex}{suffix}"
    try:
        folder.mkdir(exist_ok=True)
        if sum(1 for _ in os.scandir(folder)) >= MOST_FILES:
            raise SourceError(f"{folder} holds {MOST_FILES:,} files already. Move some away.")
        partial.write_bytes(content)
        check(partial)
        target = _free_name(folder, _PLAIN.sub("_", given.stem).strip("._-")[:60] or "item", suffix)
        os.link(partial, target) if hasattr(os, "link") else partial.replace(target)
    except OSError as error:
        raise SourceError(
            f"{folder} cannot be written: {error.strerror or error}. Make it writable, or make room."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return f"{ADDED}/{target.name}"


def _free_name(folder: Path, stem: str, suffix: str) -> Path:
    """One that no file has; a name that appears at the same moment is refused by the link."""
    target, number = folder / f"{stem}{suffix}", 1
    while target.exists() or target.is_symlink():
        number += 1
        target = folder / f"{stem}-{number}{suffix}"
    return target
