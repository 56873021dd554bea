"""The file of an item, opened with care: whatever is wrong with it becomes one line for the list of unreadable items."""

import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from fastlabel_gradio.errors import UnreadableItemError

Stream: TypeAlias = io.BytesIO | io.BufferedReader


@contextmanager
def open_file(path: Path) -> Iterator[io.BufferedReader]:
    """An item's file opened for reading. Raises UnreadableItemError where it is missing, empty or not a plain file."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableItemError("not a plain file")
        if status.st_size == 0:
            raise UnreadableItemError("empty file (0 bytes)")
        stream = path.open("rb")
    except FileNotFoundError as error:
        raise UnreadableItemError(_why_missing(path)) from error
    except (OSError, ValueError) as error:
        raise UnreadableItemError(f"cannot be opened: {one_line(error)}") from error
    with stream:
        yield stream


def _why_missing(path: Path) -> str:
    if path.is_symlink():
        return f"broken link: it leads to {str(path.readlink())[-80:]!r}, which is not there"
    return "cannot be opened: No such file or directory"


def one_line(error: Exception) -> str:
    """What an error says, short enough for one line on screen."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:120] or type(error).__name__
