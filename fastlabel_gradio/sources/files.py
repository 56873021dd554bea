"""Items that are files under one folder: ids, paths, stamps and content keys. Shared by the sources that list files."""

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path, PurePath

from fastlabel_gradio.errors import UnavailableItemError, UnreadableItemError
from fastlabel_gradio.media.item_file import one_line, open_file
from fastlabel_gradio.types import TimeSpan

WHOLE_BYTES = 16 << 20
SAMPLED_BLOCKS, BLOCK_BYTES = 64, 1 << 15
LINK_OUT = "a link out of the source's folder; --set follow_links=true follows it"

_MARK = "\N{REPLACEMENT CHARACTER}"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


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
        marked = _LONE_SURROGATE.sub(lambda match: _marked(match[0]), marked)
    if "#t=" in marked:
        file, span = TimeSpan.split(marked)
        marked = marked if span is None else file + _marked("#") + marked[len(file) + 1 :]
    return marked


def path_of(item_id: str) -> str:
    """The relative path that `id_of` made the id from."""
    if _MARK not in item_id:
        return item_id
    return re.sub(
        f"{_MARK}({_MARK}|[0-9A-F]{{4}})", lambda match: _MARK if match[1] == _MARK else chr(int(match[1], 16)), item_id
    )


def exported_path(item_id: str) -> str:
    r"""The path of an item's file as exports write it: as it is, without the part of a sound, and always UTF-8.

    A name that is not valid UTF-8 has `\xHH` for each byte that is none, and a backslash in it is doubled; so has one that
    holds the characters `\x` itself, which makes it reversible: without `\x` a path is written as it is.
    """
    path = path_of(TimeSpan.split(item_id)[0])
    if not (_LONE_SURROGATE.search(path) or r"\x" in path):
        return path
    return _LONE_SURROGATE.sub(lambda match: _escaped(match[0]), path.replace("\\", r"\\"))


def locate(root: Path, item_id: str, *, follow_links: bool = True) -> Path:
    """The file of an item.

    Args:
        follow_links: whether a link on the way may lead out of `root`; `root` itself may be a link.

    Raises:
        UnreadableItemError: an id that leads out of `root`: absolute, or with '..'.
        UnavailableItemError: a link leads out of it; another start may follow it.
    """
    relative = PurePath(path_of(item_id))
    if relative.is_absolute() or relative.drive or ".." in relative.parts or not relative.parts:
        raise UnreadableItemError(f"lies outside of the source's folder: {item_id}")
    path = root / relative
    if not follow_links and _has_link(root, relative) and leads_out(os.path.realpath(root), path):
        raise UnavailableItemError(LINK_OUT)
    return path


def leads_out(real_root: str, path: str | Path) -> bool:
    """Whether links lead from a path to a place that is not below `real_root`, which holds no link."""
    try:
        return not PurePath(os.path.realpath(path)).is_relative_to(real_root)
    except ValueError:  # a null byte: it leads nowhere, and reading it says so
        return False


def stamp_of(status: os.stat_result) -> str:
    """Size in bytes and time of change in nanoseconds."""
    return f"{status.st_size}:{status.st_mtime_ns}"


def file_stamp(path: str | Path) -> str:
    """`stamp_of` a file; "missing" where there is none, or it cannot be looked at."""
    try:
        return stamp_of(os.stat(path))  # noqa: PTH116  # of each row of a table
    except (OSError, ValueError):
        return "missing"


def file_key(path: Path) -> str:
    """BLAKE2b of the file's bytes, 32 hex digits, read in blocks. Raises UnreadableItemError."""
    with open_file(path) as stream:
        try:
            return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
        except OSError as error:
            raise UnavailableItemError(f"cannot be read: {one_line(error)}") from error


def sampled_key(path: Path) -> str:
    """A key of a file that may be large, 32 hex digits: up to WHOLE_BYTES it is `file_key`. Raises UnreadableItemError.

    Of a larger file the size and SAMPLED_BLOCKS blocks count, from the first to the last at even distances: two files of
    one size that differ between those blocks only have the same key. A card of recordings is not read twice for it.
    """
    with open_file(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size <= WHOLE_BYTES:
            return file_key(path)

        def read(start: int, end: int) -> bytes:
            stream.seek(start)
            return stream.read(end - start)

        try:
            return key_of_samples(size, read)
        except OSError as error:
            raise UnavailableItemError(f"cannot be read: {one_line(error)}") from error


def key_of_samples(size: int, read: Callable[[int, int], bytes]) -> str:
    """As `sampled_key` of a file above WHOLE_BYTES: of its size, and what it holds from one place to before another."""
    digest = hashlib.blake2b(f"{size}\n".encode(), digest_size=16)
    for number in range(SAMPLED_BLOCKS):
        start = number * (size - BLOCK_BYTES) // (SAMPLED_BLOCKS - 1)
        digest.update(read(start, start + BLOCK_BYTES))
    return digest.hexdigest()


def _has_link(root: Path, relative: PurePath) -> bool:
    """Whether a link may be on the way from a folder down to a path: two looks at the disk, where resolving takes a dozen."""
    if os.name == "nt":  # which knows more than one kind of link
        return True
    place = str(root)
    for part in relative.parts:
        place = f"{place}/{part}"
        if os.path.islink(place):  # noqa: PTH114  # of each item of an export
            return True
    return False


def _escaped(surrogate: str) -> str:
    """The bytes that a lone surrogate stands for (PEP 383), or would have in UTF-8."""
    code = ord(surrogate)
    stands_for = bytes([code - 0xDC00]) if 0xDC80 <= code <= 0xDCFF else surrogate.encode("utf-8", "surrogatepass")
    return "".join(rf"\x{byte:02x}" for byte in stands_for)


def _marked(character: str) -> str:
    return f"{_MARK}{ord(character):04X}"
