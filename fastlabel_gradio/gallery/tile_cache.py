"""TileCache: small pictures of items on disk, so that a contact sheet of large pictures or sounds is made in an instant.

Beside each tile lies what was found out when the item was read.
"""

import io
import logging
import sqlite3
import threading
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from PIL import Image

from fastlabel_gradio.media.pictures import encode_jpeg
from fastlabel_gradio.types import Item

LAYOUT = (
    "id TEXT PRIMARY KEY, stamp TEXT NOT NULL, jpeg BLOB NOT NULL, seconds REAL, note TEXT NOT NULL, peak_dbfs REAL"
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an item since it was read.

    Attributes:
        seconds: how long the sound is; None for a picture.
        note: what had to be done to read it, in one line; "" where nothing had.
        peak_dbfs: the sound's largest sample in decibels, 0 at full scale; None for silence and for pictures.
    """

    seconds: float | None = None
    note: str = ""
    peak_dbfs: float | None = None


class TileCache:
    """Tiles by item id and stamp. It is not synced to the disk: what a power cut takes is made again.

    Args:
        drawn_as: names the way in which tiles are drawn; tiles that were drawn in another way are made anew.
    """

    def __init__(self, path: Path, drawn_as: str = "") -> None:
        self._lock = threading.Lock()
        self._database = _open(path, crc32(f"{LAYOUT}{drawn_as}".encode()) & 0x7FFFFFFF)

    def get(self, item: Item) -> Image.Image | None:
        """The tile, grey or RGB as it was put."""
        found = self._find("jpeg", item)
        return None if found is None else Image.open(io.BytesIO(found[0]))

    def facts(self, item: Item) -> Facts | None:
        """What is known of the item; None while nothing is cached."""
        found = self._find("seconds, note, peak_dbfs", item)
        return None if found is None else Facts(*found)

    def put(self, item: Item, tile: Image.Image, facts: Facts) -> None:
        """Replaces the tile of that id; on a full disk the log says so and it is made again when it is shown."""
        jpeg = encode_jpeg(tile, max(tile.size))
        try:
            with self._lock, self._database:
                self._database.execute(
                    "INSERT OR REPLACE INTO tiles VALUES (?, ?, ?, ?, ?, ?)",
                    (item.id, item.stamp, jpeg, *astuple(facts)),
                )
        except sqlite3.Error as error:
            log.warning("the tile of %s is not kept: %s", item.id, error)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def _find(self, columns: str, item: Item) -> tuple[Any, ...] | None:
        with self._lock:
            found: tuple[Any, ...] | None = self._database.execute(
                f"SELECT {columns} FROM tiles WHERE id = ? AND stamp = ?", (item.id, item.stamp)
            ).fetchone()
        return found


def _open(path: Path, version: int) -> sqlite3.Connection:
    """The cache; a damaged one (it is not synced, so a power cut may do that) is made anew. Raises sqlite3.Error."""
    try:
        return _connect(path, version)
    except sqlite3.DatabaseError as error:
        log.warning("%s: %s. It is made anew.", path, error)
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
        return _connect(path, version)


def _connect(path: Path, version: int) -> sqlite3.Connection:
    """The cache, empty where it is new, of another layout, or holds tiles that were drawn in another way."""
    database = sqlite3.connect(path, check_same_thread=False)
    database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;")
    if database.execute("PRAGMA user_version").fetchone() != (version,):
        database.executescript(
            f"BEGIN; DROP TABLE IF EXISTS tiles; CREATE TABLE tiles ({LAYOUT}); PRAGMA user_version={version}; COMMIT;"
        )
    return database
