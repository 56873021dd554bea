"""The files of some suffixes below a folder, and what is left out on the way: by which rule, and how many.

Nothing here opens a file. What a folder of items is, with its classes and its test part, is the business of `folder`.
"""

import errno
import logging
import os
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from fastlabel_gradio.sources.files import LINK_OUT, id_of, leads_out
from fastlabel_gradio.types import LeftOut

# By their names in small letters: what a system or a program keeps beside people's files. These folders are not entered.
FOLDER_RULES = {
    "__macosx": "what macOS adds to a zip",
    "@eadir": "previews that a Synology NAS makes",
    "@tmp": "temporary files of a NAS",
    ".@__thumb": "previews that a QNAP NAS makes",
    "@recycle": "deleted files of a NAS",
    "#recycle": "deleted files of a NAS",
    "#snapshot": "earlier states that a NAS keeps",
    "$recycle.bin": "deleted files of Windows",
    "recycler": "deleted files of Windows",
    "system volume information": "what Windows keeps on a disk",
    "lost+found": "what a repair of the disk found",
    ".ipynb_checkpoints": "copies that Jupyter makes",
}
FILE_RULES = {
    ".ds_store": "what macOS keeps of a folder",
    "thumbs.db": "previews that Windows makes",
    "ehthumbs.db": "previews that Windows makes",
    "desktop.ini": "what Windows keeps of a folder",
}
MAX_KINDS = 200  # of what is left out that are told apart, so that odd names cannot fill the memory
MAX_SUFFIX = 12
MAX_NAME = 120

_LASTING = frozenset({errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP})  # not there again a moment later
_OTHERS = ("other things", "more kinds than are told apart")

_log = logging.getLogger(__name__)

Role = Literal["file", "folder", "linked folder"]


class Tally:
    """Counts what is left out, by kind and rule; small however much that is.

    Args:
        noun: what an item is, for the reasons.
        reasons: of suffixes that people take for items and that are none, in small letters.
    """

    def __init__(self, noun: str, reasons: Mapping[str, str] = MappingProxyType({})) -> None:
        self._noun = noun
        self._reasons = reasons
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, what: str, why: str, count: int = 1) -> None:
        known = (what, why) in self._counts or len(self._counts) < MAX_KINDS
        self._counts[(what, why) if known else _OTHERS] += count

    def add_file(self, name: str) -> None:
        """A file whose suffix is not one of an item."""
        lower = name.lower()
        if lower in FILE_RULES:
            self.add(name, FILE_RULES[lower])
        elif name.startswith("._"):
            self.add("AppleDouble", "what macOS keeps beside a file: its name begins with ._")
        elif name.startswith("."):
            self.add("hidden file", "its name begins with a dot")
        else:
            suffix = suffix_of(lower)
            self.add(suffix, self._reasons.get(suffix, f"not a {self._noun}, by the suffix"))

    def add_folder(self, name: str) -> None:
        """A folder that is not entered because of its name."""
        lower = name.lower()
        if lower in FOLDER_RULES:
            self.add(name, f"{FOLDER_RULES[lower]}; the folder is not entered")
        else:
            self.add("hidden folder", "its name begins with a dot; it is not entered")

    def left_out(self) -> tuple[LeftOut, ...]:
        """What was counted so far, most frequent first."""
        counted = list(self._counts.items())  # in one step: a scan may be adding to it
        return tuple(
            LeftOut(what, why, count) for (what, why), count in sorted(counted, key=lambda pair: (-pair[1], pair[0]))
        )


def left_out_line(left_out: Sequence[LeftOut], nouns: tuple[str, str] = ("file", "files"), shown: int = 8) -> str:
    """`14 files left out: 9 .txt, 5 .xml`; "" for none. The first `shown` kinds are named."""
    if not left_out:
        return ""
    total = sum(entry.count for entry in left_out)
    kinds = [f"{entry.count:,} {entry.what}" for entry in left_out[:shown]]
    rest = [f"and {len(left_out) - shown} more kinds"] if len(left_out) > shown else []
    return f"{total:,} {nouns[total != 1]} left out: {', '.join(kinds + rest)}"


def suffix_of(name: str) -> str:
    """The suffix of a file name to count it by, for example ".txt"; words where it has none or an odd one."""
    suffix = os.path.splitext(name)[1]  # noqa: PTH122  # of every file that is left out
    if not suffix.strip("."):
        return "no suffix"
    return suffix if suffix.isprintable() and len(suffix) <= MAX_SUFFIX else "odd suffix"


def walk(
    root: Path,
    suffixes: tuple[str, ...],
    in_order: bool,
    tally: Tally | None = None,
    unlisted: list[str] | None = None,
    within: Path | None = None,
) -> Iterator[str]:
    """Relative paths of the files below a folder that have one of the suffixes; a broken link that has one is among them.

    Links to folders are followed, after all folders that are none, so that a link does not take a folder's own path; no
    folder is entered twice. Holds the names of one folder at a time.

    Args:
        in_order: folder by folder, sorted by name.
        tally: where to count what is left out.
        unlisted: where to put the folders that could not be listed for a reason that may pass, with it: what was not found
            below them may be there all the same.
        within: links out of this folder are left out; by default all are followed.
    """
    tally = tally or Tally("item")
    pending, linked = [""], deque[str]()
    entered: set[tuple[int, int]] = set()
    inside = _real(within)
    while pending or linked:
        prefix = pending.pop() if pending else linked.popleft()
        folders: list[str] = []
        try:
            if not _is_new(root / prefix, entered):
                tally.add("folder again", "a link leads to a folder that is listed already")
                continue
            for name, role in _entries(root / prefix, suffixes, in_order, tally, inside):
                if role == "file":
                    yield prefix + name
                else:
                    (folders if role == "folder" else linked).append(f"{prefix}{name}/")
        except OSError as error:
            _log.warning("folder %r is left out: %s", str(root / prefix), error.strerror)
            tally.add(f"folder {_shown(prefix)}", f"cannot be entered: {error.strerror}")
            if unlisted is not None and error.errno not in _LASTING:
                unlisted.append(f"{root / prefix}: {error.strerror}")
        pending.extend(reversed(folders))


def role_of(name: str, is_folder: bool, suffixes: tuple[str, ...], tally: Tally) -> Role | None:
    """What a file or a folder is by its name; None for one that is left out, which is counted."""
    if is_folder:
        if not name.startswith(".") and name.lower() not in FOLDER_RULES:
            return "folder"
        tally.add_folder(name)
    else:
        if name.lower().endswith(suffixes) and not name.startswith("."):
            return "file"
        tally.add_file(name)
    return None


def subfolders(folder: Path, within: Path | None = None) -> list[str]:
    """The names of the folders that `walk` would enter, links among them, sorted; [] where the folder cannot be listed."""
    try:
        return [name for name, role in _entries(folder, (), True, Tally("item"), _real(within)) if role != "file"]
    except OSError:
        return []


def files_in(folder: Path, suffixes: tuple[str, ...], within: Path | None = None) -> Iterator[str]:
    """The names of files with one of the suffixes, and of links to such, in the folder itself; none of one not listed."""
    with suppress(OSError):
        for name, role in _entries(folder, suffixes, False, Tally("item"), _real(within)):
            if role == "file" and (folder / name).exists():
                yield name


def _real(folder: Path | None) -> str | None:
    return None if folder is None else os.path.realpath(folder)


def _is_new(folder: Path, entered: set[tuple[int, int]]) -> bool:
    status = folder.stat()
    identity = status.st_dev, status.st_ino
    if identity in entered:
        return False
    entered.add(identity)
    return True


def _entries(
    folder: Path, suffixes: tuple[str, ...], in_order: bool, tally: Tally, inside: str | None
) -> Iterator[tuple[str, Role]]:
    """Names that `walk` takes or enters, each with its role; the others are counted. Raises OSError."""
    with os.scandir(folder) as found:
        for entry in sorted(found, key=_name) if in_order else found:
            role = _role(entry, suffixes, tally)
            if role and inside and entry.is_symlink() and leads_out(inside, entry.path):
                tally.add("link", LINK_OUT)
            elif role is not None:
                yield entry.name, role


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _role(entry: os.DirEntry[str], suffixes: tuple[str, ...], tally: Tally) -> Role | None:
    name = entry.name
    has_suffix = name.lower().endswith(suffixes) and not name.startswith(".")
    try:
        if entry.is_file():
            return role_of(name, False, suffixes, tally)
        if entry.is_dir():
            role = role_of(name, True, suffixes, tally)
            return "linked folder" if role and entry.is_symlink() else role
        if entry.is_symlink():
            if has_suffix:
                return "file"  # reading it gives the reason
            tally.add("broken link", "it leads nowhere")
        else:
            tally.add("special file", "neither a file nor a folder: a socket, a pipe or a device")
    except OSError as error:
        if error.errno == errno.ELOOP:
            tally.add("link in a circle", "it leads back to itself")
        elif has_suffix:
            return "file"
        else:
            tally.add("link", f"what it leads to cannot be seen: {error.strerror}")
    return None


def _shown(prefix: str) -> str:
    """A folder's path as it is named on screen: the end of a long one."""
    text = id_of(prefix.rstrip("/")) or "."
    return text if len(text) <= MAX_NAME else f"…{text[-MAX_NAME:]}"
