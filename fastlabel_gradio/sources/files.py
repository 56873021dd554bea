"""Items that are files under one folder: ids, paths, stamps and content keys. Shared by the sources that list files."""

import hashlib
import os
import re
from pathlib import Path, PurePath

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.item_file import one_line, open_file
from fastlabel_gradio.types import TimeSpan

LINK_OUT = "a link out of the source's folder; follow_links: true in the configuration follows it"

_MARK = "\N{REPLACEMENT CHARACTER}"


def id_of(relative_path: str) -> str:
    """The item id of a path relative to the source's folder; `path_of` is its inverse.

    Ids are stored and sent as UTF-8. A file name that is not valid Unicode reaches Python with lone surrogates, which
    UTF-8 cannot carry: each becomes the replacement character and its four hex digits, and a real replacement character
    is doubled, so that two names never share an id. A file whose name ends like a part of a sound (`x#t=1.0,2.0`) gets
    its '#' marked the same way.
    """
    marked = relative_path
    if not marked.isascii():
        marked = marked.replace(_MARK, _MARK * 2)
        marked = re.sub("[\ud800-\udfff]", lambda match: _marked(match[0]), marked)
    if "#t=" in marked:
        file, span = TimeSpan.split(marked)
        marked = marked if span is None else file + _marked("#") + marked[len(file) + 1 :]
    return marked


def path_of(item_id: str) -> str:
    """The relative path that `id_of` made the id from."""
    return re.sub(
        f"{_MARK}({_MARK}|[0-9A-F]{{4}})", lambda match: _MARK if match[1] == _MARK else chr(int(match[1], 16)), item_id
    )


def locate(root: Path, item_id: str, *, follow_links: bool = True) -> Path:
    """The file of an item. Raises UnreadableItemError for an id that leads out of `root`: absolute, or with '..'.

    Args:
        follow_links: whether a link on the way may lead out of `root`; `root` itself may be a link.
    """
    relative = PurePath(path_of(item_id))
    if relative.is_absolute() or relative.drive or ".." in relative.parts or not relative.parts:
        raise UnreadableItemError(f"lies outside of the source's folder: {item_id}")
    path = root / relative
    if not follow_links and leads_out(os.path.realpath(root), path):
        raise UnreadableItemError(LINK_OUT)
    return path


def leads_out(real_root: str, path: str | Path) -> bool:
    """Whether links lead from a path to a place that is not below `real_root`, which holds no link."""
    return not PurePath(os.path.realpath(path)).is_relative_to(real_root)


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


def _marked(character: str) -> str:
    return f"{_MARK}{ord(character):04X}"
