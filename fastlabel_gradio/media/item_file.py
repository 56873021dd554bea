"""The file of an item, opened with care: whatever is wrong with it becomes one line for the list of unreadable items."""

import errno
import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from fastlabel_gradio.errors import UnavailableItemError, UnreadableItemError

# Faults of the system while a file that was opened is read. Decoders raise other errors for what a file holds.
SYSTEM_FAULTS = frozenset(
    {errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ESTALE, errno.ENODEV, errno.ENXIO, errno.ETIMEDOUT}
)

Stream: TypeAlias = io.BytesIO | io.BufferedReader


@contextmanager
def open_file(path: Path) -> Iterator[io.BufferedReader]:
    """An item's file opened for reading.

    Raises:
        UnreadableItemError: it is empty or not a plain file.
        UnavailableItemError: it is missing, or the system refuses it.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableItemError("not a plain file")
        if status.st_size == 0:
            raise UnreadableItemError("empty file (0 bytes)")
        stream = path.open("rb")
    except FileNotFoundError as error:
        raise UnavailableItemError(_why_missing(path)) from error
    except OSError as error:
        raise UnavailableItemError(f"cannot be opened: {one_line(error)}") from error
    except ValueError as error:
        raise UnreadableItemError(f"cannot be opened: {one_line(error)}") from error
    with stream:
        yield stream


def _why_missing(path: Path) -> str:
    if path.is_symlink():
        return f"broken link: it leads to {str(path.readlink())[-80:]!r}, which is not there"
    return "cannot be opened: No such file or directory"


def check_system(error: BaseException) -> None:
    """Raises UnavailableItemError where a read failed for want of memory, or because of the disk, not of what it holds."""
    if isinstance(error, MemoryError):
        raise UnavailableItemError("needs more memory than there is") from error
    is_of_ffmpeg = type(error).__module__.startswith("av.")  # which says EIO of damaged files
    if isinstance(error, OSError) and error.errno in SYSTEM_FAULTS and not is_of_ffmpeg:
        raise UnavailableItemError(f"cannot be read: {one_line(error)}") from error


def one_line(error: Exception) -> str:
    """What an error says, short enough for one line on screen."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:120] or type(error).__name__
