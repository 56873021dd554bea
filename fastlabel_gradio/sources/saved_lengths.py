"""SavedLengths: how long sound files are, on disk, so that a card of recordings is gone through only once."""

import logging
import os
import sqlite3
import threading
from pathlib import Path

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.sources.file_tree import Files
from fastlabel_gradio.types import Item

_TABLE = "lengths_1"  # the number counts up when lengths are found in another way
_log = logging.getLogger(__name__)


class SavedLengths:
    """Lengths by path and stamp. May be used from several threads and by several projects at once.

    Args:
        folder: they are kept in `sound_lengths.sqlite` there, which may be deleted while the app is not running.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "sound_lengths.sqlite"
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None

    def seconds(self, tree: Files, file: Item) -> float:
        """The length of a file, found now unless it is known for this stamp; 0 where the file cannot be read.

        Raises:
            UnreadableItemError: it lies outside of the tree.
        """
        key = os.fsencode(tree.name_of(file.id))
        saved = self._find(key, file.stamp)
        if saved is not None:
            return saved
        try:
            seconds = found_seconds(tree, file)
        except UnreadableItemError:
            return 0.0
        self._keep(key, file.stamp, seconds)
        return seconds

    def _find(self, key: bytes, stamp: str) -> float | None:
        try:
            with self._lock:
                query = f"SELECT seconds FROM {_TABLE} WHERE path = ? AND stamp = ?"
                found = self._opened().execute(query, (key, stamp)).fetchone()
        except sqlite3.Error as error:
            _log.warning("%s cannot be read: %s. Lengths are found again.", self._path, error)
            return None
        return float(found[0]) if found else None

    def _keep(self, key: bytes, stamp: str, seconds: float) -> None:
        try:
            with self._lock, self._opened() as database:
                database.execute(f"INSERT OR REPLACE INTO {_TABLE} VALUES (?, ?, ?)", (key, stamp, seconds))
        except sqlite3.Error as error:
            _log.warning("the length of %s is not kept: %s", os.fsdecode(key), error)

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(self._path, check_same_thread=False)
            self._database.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
                f"CREATE TABLE IF NOT EXISTS {_TABLE} (path BLOB PRIMARY KEY, stamp TEXT NOT NULL, seconds REAL NOT NULL)"
            )
        return self._database


def found_seconds(tree: Files, file: Item) -> float:
    """The length of a file, from its header where that says it. Raises UnreadableItemError."""
    return tree.sound_info(file.id, file.stamp).seconds
