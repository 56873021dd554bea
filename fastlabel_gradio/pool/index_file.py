"""IndexFile: the database of one pool, `pool.sqlite`: its tables, its connections, and reads and writes of many values.

What the tables mean is the affair of `item_index` and `store`.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64

from fastlabel_gradio.errors import StoreError

SCHEMA_VERSION = 1
VALUES_PER_STATEMENT = 25_000  # SQLite takes 32,766
WRITER_CACHE_KIB = 65_536
READER_CACHE_KIB = 16_384
PAGES_PER_CHECKPOINT = 16_000  # 64 MB: a page that many transactions change is copied to the database once

_TABLES = """
CREATE TABLE IF NOT EXISTS items (
    id TEXT PRIMARY KEY, stamp TEXT NOT NULL, shuffle_key INTEGER NOT NULL, scan INTEGER NOT NULL, reason TEXT,
    group_key INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS completed_scans (number INTEGER PRIMARY KEY);
CREATE INDEX IF NOT EXISTS items_in_order ON items (shuffle_key);
CREATE INDEX IF NOT EXISTS items_unreadable ON items (id) WHERE reason IS NOT NULL;
CREATE INDEX IF NOT EXISTS items_not_in_pool ON items (id) WHERE scan < 0 OR reason IS NOT NULL;
CREATE TABLE IF NOT EXISTS encoders (id INTEGER PRIMARY KEY, fingerprint TEXT UNIQUE NOT NULL, dim INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS rows (
    encoder INTEGER NOT NULL, row INTEGER NOT NULL, item_id TEXT, stamp TEXT NOT NULL, content_key TEXT NOT NULL,
    PRIMARY KEY (encoder, row)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS rows_of_items ON rows (encoder, item_id);
CREATE INDEX IF NOT EXISTS rows_of_content ON rows (encoder, content_key);
"""

Row = tuple[Any, ...]


class IndexFile:
    """The database of one pool. One writer thread at a time; readers in any number of threads.

    Attributes:
        writer: the connection that writes, under `lock`.

    Args:
        folder: made if missing. Raises StoreError where it cannot be written or was made by another version.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.writer = self.connect(WRITER_CACHE_KIB)
            self._reader = self.connect(READER_CACHE_KIB)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"{folder}: the embedding store cannot be opened ({error}). If pool.sqlite there is damaged, delete it and "
                "the *.f32 files beside it to embed again and keep labels.sqlite; if not, choose another --workdir."
            ) from error
        self.lock = threading.RLock()
        self._read_lock = threading.Lock()

    def connect(self, cache_kib: int = 2_048) -> sqlite3.Connection:
        """A connection of one's own, to be closed: for a read that takes long, so that nobody waits for it."""
        file = self._folder / "pool.sqlite"
        connection = sqlite3.connect(file, check_same_thread=False, timeout=30)
        connection.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            f"PRAGMA cache_size=-{cache_kib}; PRAGMA wal_autocheckpoint={PAGES_PER_CHECKPOINT};"
        )
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, SCHEMA_VERSION):
            raise StoreError(
                f"{file} was made by another version of FastLabel. Delete it and the *.f32 files "
                "beside it to embed again; keep labels.sqlite."
            )
        connection.executescript(_TABLES)
        if not any(column[1] == "group_key" for column in connection.execute("PRAGMA table_info(items)")):
            connection.execute("ALTER TABLE items ADD COLUMN group_key INTEGER")  # since groups are known
        if version != SCHEMA_VERSION:  # to set it anew would wait for whoever writes
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        return connection

    @contextmanager
    def writing(self, what: str = "the items") -> Iterator[None]:
        """One transaction. Raises StoreError (full disk), which says what could not be written."""
        try:
            with self.lock, self.writer:
                yield
        except sqlite3.Error as error:
            raise StoreError(f"{self._folder}: {what} cannot be written ({error}). Free some space.") from error

    def write_many(self, query: str, values: Sequence[object], *arguments: object) -> None:
        """Runs `query`, whose {} takes placeholders, over `values` in blocks, within a transaction of the caller's.

        One statement a block: SQLite lets other threads run between two statements, and has to wait for them.
        """
        for block in _blocks(values, VALUES_PER_STATEMENT):
            self.writer.execute(query.format(_places(len(block))), [*arguments, *block])

    def insert(self, query: str, rows: Sequence[Row]) -> None:
        """Runs `query`, whose {} takes the rows, as `write_many` does. The rows are of one length."""
        if not rows:
            return
        one = f"({_places(len(rows[0]))})"
        for block in _blocks(rows, VALUES_PER_STATEMENT // len(rows[0])):
            self.writer.execute(query.format(",".join([one] * len(block))), [value for row in block for value in row])

    def count(self, query: str, *arguments: object) -> int:
        """The number that `query` answers, as the writer sees it."""
        return int(self.writer.execute(query, arguments).fetchone()[0])

    def read(self, query: str, *arguments: object) -> list[Row]:
        with self._read_lock:
            return self._reader.execute(query, arguments).fetchall()

    def numbers(self, query: str, *arguments: object) -> Int64[np.ndarray, " found"]:
        """The first column, int64[n], eight bytes each; on a connection of its own: nobody waits for it."""
        with closing(self.connect()) as connection:
            return np.fromiter((number for (number,) in connection.execute(query, arguments)), np.int64)

    def read_many(self, query: str, values: Sequence[object], *arguments: object) -> list[Row]:
        """Runs `query`, whose {} takes placeholders, over `values` in blocks."""
        found: list[Row] = []
        for block in _blocks(values, VALUES_PER_STATEMENT):
            found += self.read(query.format(_places(len(block))), *arguments, *block)
        return found

    def close(self) -> None:
        with self.lock, self._read_lock:
            self.writer.close()
            self._reader.close()


def _places(count: int) -> str:
    return ",".join("?" * count)


def _blocks(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (values[start : start + size] for start in range(0, len(values), size))
