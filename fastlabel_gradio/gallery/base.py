"""Gallery: the items of a project as the screen shows them. Contact sheets, large views, and a cache of thumbnails on disk.

Small pictures are read afresh; of large ones a thumbnail is kept, made when the embedding pipeline reads them anyway.
"""

import io
import logging
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media import contact_sheet, encode_jpeg, thumbnail
from fastlabel_gradio.sources import Source
from fastlabel_gradio.types import Item

log = logging.getLogger(__name__)

THUMBNAIL_PX = 160
LARGE_VIEW_PX = 1280
WORTH_KEEPING_PX = 2 * THUMBNAIL_PX
SHEET_COLUMNS = 10
READERS = 4


class Gallery:
    """Pictures of items, ready to be sent. Safe from several threads.

    Args:
        folder: thumbnails are cached there in `thumbnails.sqlite`, which may be deleted while the app is not running.
    """

    def __init__(self, source: Source, folder: Path) -> None:
        self._source = source
        self._readers = ThreadPoolExecutor(READERS, "gallery")
        self._lock = threading.Lock()
        self._cache = _open_cache(folder / "thumbnails.sqlite")

    def contact_sheet(self, items: Sequence[Item]) -> bytes:
        """One JPEG of SHEET_COLUMNS square tiles a row, in the order of `items`; unreadable items leave a tile empty."""
        return contact_sheet(list(self._readers.map(self._thumbnail, items)), SHEET_COLUMNS, THUMBNAIL_PX)

    def large_view(self, item: Item) -> bytes:
        """A JPEG of one item, at most 1,280 pixels a side. Raises UnreadableItemError."""
        return encode_jpeg(self._source.read(item, LARGE_VIEW_PX), LARGE_VIEW_PX)

    def keep(self, item: Item, picture: Image.Image) -> None:
        """Caches the thumbnail of a picture that was read for another purpose, if reading it again would take long."""
        if max(picture.size) >= WORTH_KEEPING_PX:
            jpeg = encode_jpeg(picture, THUMBNAIL_PX)
            try:
                with self._lock, self._cache:
                    self._cache.execute(
                        "INSERT OR REPLACE INTO thumbnails VALUES (?, ?, ?)", (item.id, item.stamp, jpeg)
                    )
            except sqlite3.Error as error:  # a full disk: the picture is read again when it is shown
                log.warning("the thumbnail of %s is not kept: %s", item.id, error)

    def close(self) -> None:
        self._readers.shutdown()
        with self._lock:
            self._cache.close()

    def _thumbnail(self, item: Item) -> Image.Image | None:
        with self._lock:
            found = self._cache.execute(
                "SELECT jpeg FROM thumbnails WHERE id = ? AND stamp = ?", (item.id, item.stamp)
            ).fetchone()
        if found:
            return Image.open(io.BytesIO(found[0])).convert("RGB")
        try:
            return thumbnail(self._source.read(item, THUMBNAIL_PX), THUMBNAIL_PX)
        except UnreadableItemError:
            return None


def _open_cache(path: Path) -> sqlite3.Connection:
    """The cache; a damaged one (it is not synced, so a power cut may do that) is made anew. Raises sqlite3.Error."""
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        log.warning("%s: %s. It is made anew.", path, error)
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    cache = sqlite3.connect(path, check_same_thread=False)
    cache.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
        "CREATE TABLE IF NOT EXISTS thumbnails (id TEXT PRIMARY KEY, stamp TEXT NOT NULL, jpeg BLOB NOT NULL)"
    )
    return cache
