"""TarIndex: where each item of a set of tars lies and what its label is, on disk, so that a tar is gone through only once."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from fastlabel_gradio.sources.files import id_of
from fastlabel_gradio.sources.folder_walk import Tally
from fastlabel_gradio.sources.table_cells import Refused, label_of
from fastlabel_gradio.sources.table_columns import named_label
from fastlabel_gradio.sources.tar_members import CutOffTar, Member, tar_members

LABEL_BYTES = 1 << 16  # of a .cls or .json that is read
PAGE_ROWS = 10_000
_LABELS = ("cls", "json")
_BESIDE = {"txt": "the text of a sample", "cls": "the label of a sample", "json": "what is known of a sample"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item's bytes are, and its label, None where nothing says one."""

    start: int
    size: int
    label: str | None


class TarIndex:
    """May be used from several threads at once. Nothing in it is missed when it is deleted."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._path = path
        self._database = self._connected()
        self._database.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
            "CREATE TABLE IF NOT EXISTS tars_1 (id INTEGER PRIMARY KEY, tar TEXT UNIQUE, stamp TEXT, left_out TEXT);"
            "CREATE TABLE IF NOT EXISTS members_1 (tar INTEGER, name TEXT, start INTEGER, size INTEGER, label TEXT,"
            " PRIMARY KEY (tar, name)) WITHOUT ROWID;"
            "CREATE TABLE IF NOT EXISTS labels_1 (tar INTEGER, label TEXT, PRIMARY KEY (tar, label)) WITHOUT ROWID;"
        )

    def holds(self, tar: str, stamp: str) -> bool:
        """Whether this tar is indexed as it is now."""
        return self._one("SELECT 1 FROM tars_1 WHERE tar = ? AND stamp = ?", tar, stamp) is not None

    def add(self, tar: str, stamp: str, path: Path, suffixes: tuple[str, ...], noun: str) -> None:
        """Goes through a tar; what was known of it before is replaced.

        Raises:
            OSError: it cannot be read; nothing was changed then.
        """
        tally = Tally(noun)
        # A connection of its own: items are read while a tar of a million is gone through.
        with path.open("rb", buffering=1 << 20) as stream, closing(self._connected()) as database, database:
            known = database.execute("SELECT id FROM tars_1 WHERE tar = ?", (tar,)).fetchone()
            if known:
                for table in ("members_1", "labels_1"):
                    database.execute(f"DELETE FROM {table} WHERE tar = ?", known)
                database.execute("DELETE FROM tars_1 WHERE id = ?", known)
            number = database.execute("INSERT INTO tars_1 (tar, stamp) VALUES (?, ?)", (tar, stamp)).lastrowid
            rows = ((number, *row) for row in _rows(stream, suffixes, tally))
            held = database.executemany("INSERT OR REPLACE INTO members_1 VALUES (?, ?, ?, ?, ?)", rows).rowcount
            [names] = database.execute("SELECT count(*) FROM members_1 WHERE tar = ?", (number,)).fetchone()
            if held > names:
                tally.add("earlier file of a name", "the last of that name in the tar counts", held - names)
            database.execute(
                "INSERT INTO labels_1 SELECT DISTINCT tar, label FROM members_1 WHERE tar = ? AND label IS NOT NULL",
                (number,),
            )
            left_out = json.dumps([(one.what, one.why, one.count) for one in tally.left_out()])
            database.execute("UPDATE tars_1 SET left_out = ? WHERE id = ?", (left_out, number))

    def names(self, tar: str) -> Iterator[str]:
        """The items of a tar by their names as `id_of` writes them, sorted; a page of them is held at a time."""
        last = ""
        of_tar = "tar = (SELECT id FROM tars_1 WHERE tar = ?)"
        query = f"SELECT name FROM members_1 WHERE {of_tar} AND name > ? ORDER BY name LIMIT {PAGE_ROWS}"
        while True:
            with self._lock:
                page = [name for (name,) in self._database.execute(query, (tar, last))]
            yield from page
            if len(page) < PAGE_ROWS:
                return
            last = page[-1]

    def place(self, tar: str, name: str) -> Place | None:
        query = (
            "SELECT start, size, label FROM members_1 WHERE tar = (SELECT id FROM tars_1 WHERE tar = ?) AND name = ?"
        )
        found = self._one(query, tar, name)
        return Place(*found) if found else None

    def labels(self, tars: Iterable[str]) -> set[str]:
        """The different labels of some tars, as far as they are indexed."""
        query = "SELECT label FROM labels_1 WHERE tar = (SELECT id FROM tars_1 WHERE tar = ?)"
        with self._lock:
            return {label for tar in tars for (label,) in self._database.execute(query, (tar,))}

    def left_out(self, tar: str, tally: Tally) -> None:
        """Counts what of a tar is no item."""
        found = self._one("SELECT left_out FROM tars_1 WHERE tar = ?", tar)
        for what, why, count in json.loads(found[0]) if found else ():
            tally.add(what, why, count)

    def _connected(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, check_same_thread=False, timeout=60)

    def _one(self, query: str, *values: str) -> tuple[Any, ...] | None:
        with self._lock:
            found: tuple[Any, ...] | None = self._database.execute(query, values).fetchone()
        return found


Row = tuple[str, int, int, str | None]


def _rows(stream: BinaryIO, suffixes: tuple[str, ...], tally: Tally) -> Iterator[Row]:
    """Sample by sample: its files stand one after the other and have one name up to the first dot."""
    members = tar_members(stream)

    def whole() -> Iterator[Member]:
        try:
            for member in members:
                if member.is_file:
                    yield member
                else:
                    tally.add("link in a tar", "only files are read there: pack what it leads to")
        except CutOffTar as error:
            tally.add("rest of a tar", str(error))

    for _, sample in groupby(whole(), key=lambda member: _split(member.name)[0]):
        files = list(sample)
        items = _items(files, suffixes, tally)
        if items:
            label = _label(stream, files) or id_of(PurePosixPath(files[0].name).parent.name) or None
            yield from ((id_of(one.name), one.start, one.size, label) for one in items)


def _items(files: list[Member], suffixes: tuple[str, ...], tally: Tally) -> list[Member]:
    """Of several pictures of one sample (a.jpg, a.mask.png) those whose name has one dot."""
    items = []
    for file in files:
        extension = _split(file.name)[1].lower()
        name = file.name.rpartition("/")[2]
        if name.lower().endswith(suffixes) and not name.startswith("."):
            items.append(file)
        elif extension in _BESIDE:
            tally.add(f".{extension}", _BESIDE[extension])
        else:
            tally.add_file(name)
    plain = [item for item in items if "." not in _split(item.name)[1]]
    if plain and len(plain) < len(items):
        tally.add("second file of a sample", "its name has more than one dot", len(items) - len(plain))
    return plain or items


def _split(name: str) -> tuple[str, str]:
    """The key of the sample, and the extension behind the first dot (the convention of WebDataset)."""
    folder, slash, file = name.rpartition("/")
    stem, _, extension = file.partition(".")
    return f"{folder}{slash}{stem}", extension


def _label(stream: BinaryIO, files: list[Member]) -> str | None:
    by_extension = {_split(file.name)[1].lower(): file for file in files}
    for extension in _LABELS:
        file = by_extension.get(extension)
        if file is not None and file.size <= LABEL_BYTES:
            stream.seek(file.start)
            if label := _said(stream.read(file.size), extension):
                return label
    return None


def _said(content: bytes, extension: str) -> str | None:
    try:
        text = content.decode()
        value = text if extension == "cls" else named_label(json.loads(text))
        return label_of(value)
    except (UnicodeDecodeError, ValueError, RecursionError, Refused):
        return None
