"""How a table file is written, found out from the file: its encoding, what separates its cells, whether it has a header.

What the rows say is the business of `table_rows`, which column means what that of `table_columns`.
"""

import codecs
import csv
import io
import logging
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.sources import image_folder, sound_files
from fastlabel_gradio.sources.table_columns import LABEL, PATH, is_known, is_own_export

DELIMITERS = (",", ";", "\t", "|")
HEAD_CHARS = 65_536
HEAD_ROWS = 50
BLOCK_BYTES = 1 << 20

_NO_DELIMITER = "\x1f"  # in no text, so that a line is one cell
_SAME_WIDTH_SHARE = 0.8
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_FILES = (
    (b"PK\x03\x04", "a spreadsheet or an archive"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "a SQLite database"),
    (b"\x1f\x8b", "compressed"),
    (b"%PDF", "a PDF"),
)
_HIGH_BYTES = re.compile(rb"[\x80-\xff]+")
_WESTERN_LETTERS = re.compile(
    rb"[\xc0-\xd6\xd8-\xf6\xf8-\xff\x92]{1,2}"
)  # À to ÿ, and the apostrophe of word processors
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[ ,;\t]*(?:\r\n|\r|\n|$)')  # the first line of what some spreadsheets write
_PART = re.compile(r"#t=[^#]*$")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Layout:
    """What separates the cells of a CSV, and the names of its columns.

    Attributes:
        has_header: whether the first row names the columns; otherwise the names are given here.
        has_separator_line: whether a line `sep=;` stands above all.
    """

    delimiter: str
    columns: tuple[str, ...]
    has_header: bool
    has_separator_line: bool = False

    @property
    def skips_blanks(self) -> bool:
        """Whether blanks after a delimiter mean nothing; in what FastLabel wrote they are part of a name."""
        return not is_own_export(self.columns)


def encoding_of(table: Path, named: str | None = None) -> str:
    """The encoding of a text file, for `open`: by its byte order mark, UTF-16 or UTF-8 as it is written, or Windows-1252.

    Windows-1252 is believed only where every odd byte is one of its letters beside plain ones, as in "Grün" and "café".

    Args:
        named: what its user calls it; taken where Python knows it.

    Raises:
        SourceError: another kind of file, an encoding that cannot be told or is not known.
    """
    with table.open("rb") as file:
        start = file.read(4096)
    _refuse_other_files(table, start)
    if named is not None:
        return _known_encoding(table, named)
    marked = next((encoding for mark, encoding in _BYTE_ORDER_MARKS if start.startswith(mark)), None)
    found = marked or _utf16_without_mark(start)
    if found:
        return found
    fault = _first_fault(table)
    if fault is None:
        return "utf-8"
    if not _is_western(table):
        raise SourceError(
            f"{table} is not UTF-8 (byte {fault}), and what else it is cannot be told. Save it as UTF-8, or name its "
            "encoding: --set encoding=cp1251 on the command line, `encoding: cp1251` in the configuration."
        )
    _log.warning("%s is not UTF-8: read as Windows-1252. If names look wrong, say --set encoding=…", table)
    return "cp1252"


def layout_of(head: str, is_whole: bool) -> Layout:
    """The layout of a CSV whose text begins with `head`.

    The delimiter is the one by which the first rows have the most even number of cells, and a name that is known among
    the columns. A table whose first row names a picture or a sound has no header.

    Args:
        is_whole: the head is all of the text, so that its last row is complete.
    """
    separator = _SEPARATOR_LINE.match(head)
    if separator:
        head = head[separator.end() :]
        delimiter = separator[1]
    else:
        delimiter = _delimiter_of(head, is_whole)
    rows = _rows(head, delimiter, is_whole)
    first = [_name(cell) for cell in rows[0]] if rows else []
    if not any(looks_like_a_file(cell) for cell in first):
        return Layout(delimiter, _distinct(first), True, separator is not None)
    return Layout(delimiter, _without_header(first), False, separator is not None)


def looks_like_a_file(cell: object) -> bool:
    """Whether a cell ends like the name of a picture or a sound, or of a part of one."""
    text = _PART.sub("", str(cell).strip().strip("'\"").rstrip()).lower()
    return text.endswith(image_folder.SUFFIXES + sound_files.SUFFIXES)


def _refuse_other_files(table: Path, start: bytes) -> None:
    for mark, what in _OTHER_FILES:
        if start.startswith(mark):
            raise SourceError(f"{table} is {what}, not a text. Save it as CSV, or unpack it, and give that file.")


def _known_encoding(table: Path, named: str) -> str:
    try:
        return codecs.lookup(named).name
    except LookupError as error:
        raise SourceError(f"{table}: encoding '{named}' is not known. Some that are: utf-8, utf-16, cp1252.") from error


def _utf16_without_mark(start: bytes) -> str | None:
    """Of plain text every second byte is zero."""
    even, odd = start[0::2], start[1::2]
    if odd and odd.count(0) > 0.4 * len(odd) and not even.count(0):
        return "utf-16-le"
    return "utf-16-be" if odd and even.count(0) > 0.4 * len(even) and not odd.count(0) else None


def _first_fault(table: Path) -> int | None:
    """The first byte that is no UTF-8; None where all are."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    done = 0
    with table.open("rb") as file:
        while True:
            block = file.read(BLOCK_BYTES)
            waiting = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return done - waiting + error.start
            if not block:
                return None
            done += len(block)


def _is_western(table: Path) -> bool:
    data = table.read_bytes()
    for run in _HIGH_BYTES.finditer(data):
        beside = data[max(run.start() - 1, 0) : run.start()] + data[run.end() : run.end() + 1]
        if not (_WESTERN_LETTERS.fullmatch(run[0]) and re.search(rb"[A-Za-z]", beside)):
            return False
    return True


def _delimiter_of(head: str, is_whole: bool) -> str:
    lines = [row[0] for row in _rows(head, _NO_DELIMITER, is_whole)]
    if all(looks_like_a_file(line) for line in lines):
        return next(
            (each for each in DELIMITERS if _are_labels_before_files(_rows(head, each, is_whole))), _NO_DELIMITER
        )
    best = max(DELIMITERS, key=lambda delimiter: _fit(_rows(head, delimiter, is_whole)))
    known, even, _, width = _fit(_rows(head, best, is_whole))
    if width > 1 and (known or even):
        return best
    return " " if _is_split_by_blanks(_rows(head, " ", is_whole)) else _NO_DELIMITER


def _fit(rows: list[list[str]]) -> tuple[bool, bool, float, int]:
    """How well a delimiter fits: a column that is known, rows as wide as the first, how many of them, how wide."""
    width = len(rows[0]) if rows else 0
    if width < 2:
        return False, False, 0.0, width
    share = sum(len(row) == width for row in rows) / len(rows)
    return any(map(is_known, rows[0])), share >= _SAME_WIDTH_SHARE, share, width


def _are_labels_before_files(rows: list[list[str]]) -> bool:
    """Whether rows are a label and a file: names that hold a delimiter look so as well, but their beginnings differ."""
    labels = {row[0] for row in rows if not looks_like_a_file(row[0])}
    return all(len(row) == 2 for row in rows) and 0 < len(labels) < len(rows)


def _is_split_by_blanks(rows: list[list[str]]) -> bool:
    """Whether every line is a path, a blank and a label, as lists of training pictures often are."""
    pairs = [row for row in rows if len(row) == 2]
    named = pairs[1:] if pairs and is_known(pairs[0][0]) else pairs
    return bool(named) and len(pairs) == len(rows) and all(looks_like_a_file(path) for path, _ in named)


def _rows(head: str, delimiter: str, is_whole: bool) -> list[list[str]]:
    """The first rows that are not empty, without one that the end of the head may have cut."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, skipinitialspace=True):
            if any(cell.strip() for cell in row):
                rows.append(row)
            if len(rows) > HEAD_ROWS:
                break
    except csv.Error:
        pass  # what could be read tells the layout; reading the rows tells what is wrong
    return rows if is_whole or len(rows) < 2 else rows[:-1]


def _name(cell: str) -> str:
    return cell.strip().strip("\ufeff")


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Names of columns; the second of two with one name gets a number."""
    distinct: list[str] = []
    for name in names:
        count = names[: len(distinct)].count(name)
        distinct.append(f"{name} ({count + 1})" if count else name)
    return tuple(distinct)


def _without_header(first: list[str]) -> tuple[str, ...]:
    """Names for the columns of a table that gives none: of two the one that names a file is the path."""
    if len(first) == 1:
        return (PATH,)
    if len(first) == 2:
        return (PATH, LABEL) if looks_like_a_file(first[0]) else (LABEL, PATH)
    shown = ", ".join(first)[:80]
    raise SourceError(
        f"no line names the columns: the first is '{shown}'. Put one above it, for example path,label with a name for "
        f"each of the {len(first)} columns."
    )


def open_text(table: Path, encoding: str) -> Iterator[str]:
    """The lines of a text file as they are written; raises SourceError where the encoding does not fit or it is gone."""
    return _pieces(table, encoding, iter)


def text_blocks(table: Path, encoding: str) -> Iterator[str]:
    """As `open_text`, in pieces that are short where a line is not."""
    return _pieces(table, encoding, lambda file: iter(lambda: file.read(BLOCK_BYTES), ""))


def _pieces(table: Path, encoding: str, split: Callable[[TextIO], Iterator[str]]) -> Iterator[str]:
    try:
        with table.open(encoding=encoding, newline="") as file:
            yield from split(file)
    except UnicodeError as error:
        raise SourceError(
            f"{table} is not {encoding} ({error}). Save it as UTF-8, or name another `encoding`."
        ) from error
    except OSError as error:
        raise SourceError(f"{table} cannot be read: {os.strerror(error.errno or 0)}.") from error
