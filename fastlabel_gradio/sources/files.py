"""Items that are files under one folder: ids, paths, stamps and content keys. Shared by the sources that list files."""

import hashlib
import os
import re
from pathlib import Path, PurePath

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media import one_line, open_file

_MARK = "\N{REPLACEMENT CHARACTER}"


def id_of(relative_path: str) -> str:
    """The item id of a path relative to the source's folder; `path_of` is its inverse.

    Ids are stored and sent as UTF-8. A file name that is not valid Unicode reaches Python with lone surrogates, which
    UTF-8 cannot carry: each becomes the replacement character and its four hex digits, and a real replacement character
    is doubled, so that two names never share an id.
    """
    if relative_path.isascii():
        return relative_path
    marked = relative_path.replace(_MARK, _MARK * 2)
    return re.sub("[\ud800-\udfff]", lambda match: f"{_MARK}{ord(match[0]):04X}", marked)


def path_of(item_id: str) -> str:
    """The relative path that `id_of` made the id from."""
    return re.sub(
        f"{_MARK}({_MARK}|[0-9A-F]{{4}})", lambda match: _MARK if match[1] == _MARK else chr(int(match[1], 16)), item_id
    )


def locate(root: Path, item_id: str) -> Path:
    """The file of an item. Raises UnreadableItemError for an id that leads out of `root`: absolute, or with '..'."""
    relative = PurePath(path_of(item_id))
    if relative.is_absolute() or relative.drive or ".." in relative.parts or not relative.parts:
        raise UnreadableItemError(f"lies outside of the source's folder: {item_id}")
    return root / relative


def stamp_of(status: os.stat_result) -> str:
    """Size in bytes and time of change in nanoseconds."""
    return f"{status.st_size}:{status.st_mtime_ns}"


def file_key(path: Path) -> str:
    """BLAKE2b of the file's bytes, 32 hex digits, read in blocks. Raises UnreadableItemError."""
    with open_file(path) as stream:
        try:
            return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
        except OSError as error:
            raise UnreadableItemError(f"cannot be read: {one_line(error)}") from error
