"""TileCache: small pictures of items on disk, so that a contact sheet of large pictures or sounds is made in an instant."""

import io
import logging
import sqlite3
import threading
from pathlib import Path
from typing import Any

from PIL import Image

from fastlabel_gradio.media.pictures import encode_jpeg
from fastlabel_gradio.types import Item

log = logging.getLogger(__name__)


class TileCache:
    """Tiles by item id and stamp. It is not synced to the disk: what a power cut takes is made again."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._database = _open(path)

    def get(self, item: Item) -> Image.Image | None:
        """The tile, grey or RGB as it was put."""
        found = self._find("jpeg", item)
        return None if found is None else Image.open(io.BytesIO(found))

    def seconds(self, item: Item) -> float | None:
        """How long the sound is; None for a picture, or while nothing is cached."""
        found: float | None = self._find("seconds", item)
        return found

    def put(self, item: Item, tile: Image.Image, seconds: float | None) -> None:
        """Replaces the tile of that id; on a full disk the log says so and it is made again when it is shown."""
        jpeg = encode_jpeg(tile, max(tile.size))
        try:
            with self._lock, self._database:
                self._database.execute(
                    "INSERT OR REPLACE INTO tiles VALUES (?, ?, ?, ?)", (item.id, item.stamp, jpeg, seconds)
                )
        except sqlite3.Error as error:
            log.warning("the tile of %s is not kept: %s", item.id, error)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def _find(self, column: str, item: Item) -> Any:
        with self._lock:
            found = self._database.execute(
                f"SELECT {column} FROM tiles WHERE id = ? AND stamp = ?", (item.id, item.stamp)
            ).fetchone()
        return found[0] if found else None


def _open(path: Path) -> sqlite3.Connection:
    """The cache; a damaged one (it is not synced, so a power cut may do that) is made anew. Raises sqlite3.Error."""
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        log.warning("%s: %s. It is made anew.", path, error)
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, check_same_thread=False)
    database.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
        "CREATE TABLE IF NOT EXISTS tiles"
        " (id TEXT PRIMARY KEY, stamp TEXT NOT NULL, jpeg BLOB NOT NULL, seconds REAL)"
    )
    return database
