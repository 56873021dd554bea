"""What one cell of a table says: a path below the root, a label, a number of seconds."""

import ast
import math
import os
import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache
from urllib.parse import unquote

from fastlabel_gradio.sources.table_rows import text_of

# What pandas takes for no value when it reads a table.
NO_LABEL = frozenset(
    {
        *("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"),
        *("NULL", "NaN", "None", "n/a", "nan", "null"),
    }
)
MOST_FRACTIONS = 50  # more different numbers with a fraction are a measurement

_ADDRESS = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+://|data:", re.IGNORECASE)
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\[^\\]")
_WHOLE = re.compile(r"([+-]?\d+)\.0+")
_FRACTION = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?|[+-]?\d+(\.\d*)?[eE][+-]?\d+")


class Refused(ValueError):
    """A cell that is not what its column holds. `what` it is, and `why` it cannot be used, with what to do."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(what)
        self.what = what
        self.why = why


def path_below(root: str, cell: str) -> str:
    """The path that a cell names, relative to the root, plain and with '/'. It may lead out by '..', which `locate` refuses.

    Understood are absolute paths and `file://` addresses, `~`, backslashes, quotes and blanks around it; a file that is
    really called so is that file.

    Raises:
        Refused: an address, a path of another system, or of no file.
    """
    path = _named(root, cell)
    plain = os.path.normpath(path)
    if os.path.isabs(plain):  # noqa: PTH117  # strings throughout: a million rows take seconds, not half a minute
        plain = _relative(plain, root)
    plain = plain.replace(os.sep, "/")
    if not plain.strip("./"):
        raise Refused("not the path of a file", "write one path a row")
    return plain


def label_of(value: object) -> str | None:
    """The class name that a cell says; None for an empty one, null, NaN and what pandas takes for these.

    A whole number that a program wrote with a fraction ("3.0") is the number alone.

    Raises:
        Refused: a list or an object.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    text = text_of(value)
    if text is None or text in NO_LABEL:
        return None
    if isinstance(value, list | dict) or _is_written_list(text):
        raise Refused("label that is a list", "a class is one text: write one label a row")
    whole = _WHOLE.fullmatch(text)
    return _storable(whole[1] if whole else text)


def group_in(value: object) -> str | None:
    """The group that a cell says; None where a label would be none. A number that a program wrote as 3.0 is 3."""
    text = text_of(value)
    if text is None or text in NO_LABEL:
        return None
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def are_measurements(labels: Collection[str]) -> bool:
    """Whether labels are many different numbers with fractions, which are no classes."""
    return sum(_FRACTION.fullmatch(label) is not None for label in labels) > max(MOST_FRACTIONS, len(labels) / 2)


def seconds_of(value: object) -> float:
    """A time of 0 or more. Raises Refused."""
    try:
        seconds = float((text_of(value) or "").replace(",", "."))
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise Refused("part without a time", "its begin or end is no number of seconds")
    return seconds


def _named(root: str, cell: str) -> str:
    """What the cell names, as this system writes paths."""
    text = cell.strip()
    if text != cell and _is_there(root, cell):
        return cell
    text = _unquoted(root, text)
    if text[:5].lower() == "file:":
        text = _of_file_address(text)
    elif _ADDRESS.match(text):
        raise Refused("address", "FastLabel reads files: download them first, then name them by path")
    if os.sep == "/" and _WINDOWS.match(text) and not _is_there(root, text):
        raise Refused(
            "path of Windows", "this system has no drives: write paths relative to a folder and name it as `root`"
        )
    if os.sep == "/" and "\\" in text and not _is_there(root, text):
        text = text.replace("\\", "/")
    return os.path.expanduser(text) if text[:1] == "~" and not _is_there(root, text) else text  # noqa: PTH111


def _unquoted(root: str, text: str) -> str:
    if len(text) > 2 and text[0] in "'\"" and text[0] == text[-1] and not _is_there(root, text):
        return text[1:-1].strip()
    return text


def _of_file_address(text: str) -> str:
    """The path of a `file:` address (RFC 8089)."""
    path = unquote(text[5:], errors="surrogateescape")
    if path.startswith("//"):
        host, slash, rest = path[2:].partition("/")
        if host.lower() not in ("", "localhost"):
            raise Refused("address", "it names a file of another machine: copy it first, then name it by path")
        path = slash + rest
    return path[1:] if re.match(r"/[A-Za-z]:/", path) else path


def _relative(plain: str, root: str) -> str:
    """An absolute path relative to the root, also where one of them leads through a link."""
    relative = os.path.relpath(plain, root)
    if not relative.startswith(".."):
        return relative
    folder, name = os.path.split(plain)
    real = os.path.relpath(os.path.join(_real(folder), name), _real(root))  # noqa: PTH118
    return relative if real.startswith("..") else real


@lru_cache(4096)
def _real(folder: str) -> str:
    try:
        return os.path.realpath(folder)
    except ValueError:  # no text that the system takes for a path
        return folder


def _is_there(root: str, path: str) -> bool:
    try:
        return os.path.lexists(os.path.join(root, path))  # noqa: PTH118
    except ValueError:
        return False


def _is_written_list(text: str) -> bool:
    """Whether a text is a list or an object as Python or JSON writes them; "[noise]" is none."""
    if text[0] + text[-1] not in ("[]", "{}", "()"):
        return False
    try:
        return isinstance(ast.literal_eval(text), list | dict | tuple | set)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False


def _storable(text: str) -> str:
    """A text as labels are stored: composed, and with escapes for what is no Unicode."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", text).encode("utf-8", "backslashreplace").decode("utf-8")
