"""EmbeddingStore: the pool on disk. Which items there are, which cannot be read, and one embedding row per item and encoder.

A folder with `pool.sqlite` (the index) and one file of float32 numbers per encoder fingerprint, memory-mapped. Rows are
only ever appended, in the shuffled order in which items are embedded, so a contiguous run of rows is a random sample.
Vectors reach the disk before the transaction that names them, so a stop at any moment leaves at most unnamed bytes at the
end of the file, which the next append overwrites. Filling it is the business of `embedding_pipeline`.
"""

import json
import mmap
import os
import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.groups import AuditGroups, group_key
from fastlabel_gradio.types import Embeddings, Item, Rows

GROWTH_ROWS = 65_536
IDS_PER_QUERY = 500
EXPORT_BLOCK_ROWS = 10_000
END_OF_POOL = 2**63 - 1  # above every shuffle key
SCHEMA_VERSION = 1
SHARE_STEPS = 1_000  # a share of the items is counted in thousandths

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # no UTF-8, so no id

_TABLES = """
CREATE TABLE IF NOT EXISTS items (
    id TEXT PRIMARY KEY, stamp TEXT NOT NULL, shuffle_key INTEGER NOT NULL, scan INTEGER NOT NULL, reason TEXT,
    group_key INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS completed_scans (number INTEGER PRIMARY KEY);
CREATE INDEX IF NOT EXISTS items_in_order ON items (shuffle_key);
CREATE INDEX IF NOT EXISTS items_unreadable ON items (id) WHERE reason IS NOT NULL;
CREATE TABLE IF NOT EXISTS encoders (id INTEGER PRIMARY KEY, fingerprint TEXT UNIQUE NOT NULL, dim INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS rows (
    encoder INTEGER NOT NULL, row INTEGER NOT NULL, item_id TEXT, stamp TEXT NOT NULL, content_key TEXT NOT NULL,
    PRIMARY KEY (encoder, row)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS rows_of_items ON rows (encoder, item_id);
CREATE INDEX IF NOT EXISTS rows_of_content ON rows (encoder, content_key);
"""


@dataclass(frozen=True, slots=True)
class EmbeddedItem:
    """One item with the hash of its content, ready to be stored beside its vector."""

    item: Item
    content_key: str


class EmbeddingStore:
    """The items of one project and their embeddings. One writer thread at a time; readers in any number of threads.

    Attributes:
        groups: on which side of the audit each group is; an item's own group is a key in the index.

    Args:
        folder: made if missing. Raises StoreError where it cannot be written or was made by another version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._writer = self._connect()
            self._reader = self._connect()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"{folder}: the embedding store cannot be opened ({error}). Choose another --workdir."
            ) from error
        self._write_lock = threading.RLock()
        self._read_lock = threading.Lock()
        self.groups = AuditGroups(self._writer, self._write_lock)
        self._completed_scan = self._count("SELECT coalesce(max(number), 0) FROM completed_scans")
        self._scan = self._count("SELECT coalesce(max(scan), 0) FROM items")
        self._recount()
        self._encoder = 0
        self._rows = 0
        self._pages: mmap.mmap | None = None
        self._vectors: Embeddings = np.empty((0, 0), dtype=np.float32)

    # Items

    @property
    def total(self) -> int:
        """Items that the last scan found, or the running one so far where that is more; unreadable ones included."""
        return self._total

    @property
    def unreadable_count(self) -> int:
        return self._unreadable

    def group_by(self, rule: str) -> None:
        """Takes in how the items are grouped, "" for not at all. Where that is new, the next scan gives them their groups.

        To be called before a scan and before embeddings are used; a second call with the same rule changes nothing.
        """
        with self._write_lock, self._writer:
            if rule != self.groups.rule:
                self._writer.execute("UPDATE items SET group_key = NULL WHERE group_key IS NOT NULL")
                self.groups.regroup(rule)

    def begin_scan(self) -> None:
        """Starts a scan: items that it does not add again count as removed once it ends."""
        with self._write_lock:
            self._scan += 1
            self.groups.begin()

    def add_items(self, items: Sequence[Item], groups: Sequence[str | None] = ()) -> None:
        """Adds or confirms items of the running scan; an item whose stamp changed is embedded again.

        Args:
            groups: of each item; without groups, none.
        """
        keys = [None if group is None else group_key(group) for group in groups] or [None] * len(items)
        records = [
            (item.id, item.stamp, _shuffle_key(item.id), self._scan, key) for item, key in zip(items, keys, strict=True)
        ]
        self.groups.count(key for key in keys if key is not None)
        with self._write_lock, self._writer:
            before = self._writer.total_changes
            self._writer.executemany(
                "INSERT INTO items (id, stamp, shuffle_key, scan, group_key) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                records,
            )
            self._total += self._writer.total_changes - before
            self._writer.executemany(
                "UPDATE items SET reason = CASE WHEN stamp = ?2 THEN reason END, stamp = ?2, scan = ?4,"
                " group_key = ?5 WHERE id = ?1 AND scan < ?4",
                records,
            )

    def end_scan(self, audit_share: float = 0.0) -> None:
        """Ends a scan that ran to its end; what it did not find leaves the pool, its embeddings stay for a return.

        Args:
            audit_share: of the groups that are new, how many are for the audit.
        """
        with self._write_lock, self._writer:
            self._writer.execute("INSERT INTO completed_scans (number) VALUES (?)", (self._scan,))
            self._completed_scan = self._scan
            self._recount()
        self.groups.end(audit_share)

    def mark_unreadable(self, item_id: str, reason: str) -> None:
        """Lists an item as unreadable; it is tried again when its stamp changes."""
        with self._write_lock, self._writer:
            changed = self._writer.execute(
                "UPDATE items SET reason = ? WHERE id = ? AND reason IS NULL", (reason, item_id)
            ).rowcount
            self._unreadable += changed

    def unreadable(self, limit: int) -> list[tuple[str, str]]:
        """Up to `limit` unreadable items as (id, reason), by id."""
        return self._read(
            "SELECT id, reason FROM items WHERE reason IS NOT NULL AND scan >= ? ORDER BY id LIMIT ?",
            self._completed_scan,
            limit,
        )

    def known_ids(self, item_ids: Sequence[str]) -> set[str]:
        """Those of the ids that the pool has, embedded or not; unreadable and removed items do not count."""
        item_ids = [item_id for item_id in item_ids if item_id.isascii() or not _LONE_SURROGATE.search(item_id)]
        found = self._read_many(
            "SELECT id FROM items WHERE reason IS NULL AND scan >= ? AND id IN ({})", item_ids, self._completed_scan
        )
        return {item_id for (item_id,) in found}

    def in_order(self, after: int, limit: int) -> list[tuple[int, Item]]:
        """Readable items in shuffled order, as (shuffle key, item), from the first key above `after`."""
        found = self._read(
            "SELECT shuffle_key, id, stamp FROM items WHERE shuffle_key > ? AND reason IS NULL AND scan >= ?"
            " ORDER BY shuffle_key LIMIT ?",
            after,
            self._completed_scan,
            limit,
        )
        return [(key, Item(item_id, stamp)) for key, item_id, stamp in found]

    def pending(self, after: int, limit: int) -> tuple[int, list[Item]]:
        """Items still without an embedding among the next `limit` in shuffled order, and the key to go on from.

        The key is the largest integer when the pool is at its end.
        """
        block = self.in_order(after, limit)
        if not block:
            return END_OF_POOL, []
        ids = [item.id for _, item in block]
        # Left to itself SQLite walks all rows of the encoder, a third of a second at a million, for each block.
        stored = self._read_many(
            "SELECT item_id, stamp FROM rows INDEXED BY rows_of_items WHERE encoder = ? AND item_id IN ({})",
            ids,
            self._encoder,
        )
        have = set(stored)
        return block[-1][0], [item for _, item in block if (item.id, item.stamp) not in have]

    # Embeddings

    def use_encoder(self, fingerprint: str, dim: int) -> None:
        """Chooses whose embeddings the rows are; opens or starts its file. Raises StoreError."""
        with self._write_lock, self._writer:
            self._writer.execute(
                "INSERT INTO encoders (fingerprint, dim) VALUES (?, ?) ON CONFLICT DO NOTHING", (fingerprint, dim)
            )
            self._encoder, stored_dim = self._writer.execute(
                "SELECT id, dim FROM encoders WHERE fingerprint = ?", (fingerprint,)
            ).fetchone()
            if stored_dim != dim:
                raise StoreError(f"{self.folder}: encoder {fingerprint} had {stored_dim} dimensions, now {dim}.")
            self._file = self.folder / f"{fingerprint}.f32"
            rows = self._count("SELECT coalesce(max(row) + 1, 0) FROM rows WHERE encoder = ?", self._encoder)
            self._dim = dim
            self._file.touch()
            if self._file.stat().st_size < rows * dim * 4:
                raise StoreError(
                    f"{self._file} is shorter than its {rows} rows. Delete it and {self.folder / 'pool.sqlite'} to embed "
                    "again; keep labels.sqlite."
                )
            self._map(rows)
            self._rows = rows

    def __len__(self) -> int:
        """Rows embedded so far with the encoder in use."""
        return self._rows

    @property
    def embeddings(self) -> Embeddings:
        """float32[len(self), dim], L2-normalised, memory-mapped and read-only; a snapshot that stays valid."""
        rows = self._rows
        return self._vectors[:rows]

    def release_pages(self) -> None:
        """Lets the system take back the memory of everything that was read of the file; reading it again maps it again.

        Pages that were read count as resident memory of this process until then, although the system could have them any
        time. Costs a millisecond; embeddings handed out before stay valid.
        """
        if hasattr(mmap, "MADV_DONTNEED") and self._pages is not None:
            self._pages.madvise(mmap.MADV_DONTNEED)

    def append(self, embedded: Sequence[EmbeddedItem], vectors: Embeddings) -> None:
        """Stores one vector per item, durably, and makes the rows visible. Raises StoreError (full disk)."""
        if not embedded:
            return
        start = self._rows
        try:
            self._write_vectors(start, vectors)
            with self._write_lock, self._writer:
                self._writer.executemany(
                    "UPDATE rows SET item_id = NULL WHERE encoder = ? AND item_id = ?",
                    [(self._encoder, entry.item.id) for entry in embedded],
                )
                self._writer.executemany(
                    "INSERT INTO rows (encoder, row, item_id, stamp, content_key) VALUES (?, ?, ?, ?, ?)",
                    [
                        (self._encoder, start + offset, entry.item.id, entry.item.stamp, entry.content_key)
                        for offset, entry in enumerate(embedded)
                    ],
                )
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"{self._file}: embeddings cannot be written ({error}). Free some space, then restart."
            ) from error
        self._rows = start + len(embedded)

    def rows_of_content(self, content_keys: Sequence[str]) -> dict[str, int]:
        """The first row of each content that is embedded already; one, however often the pool repeats a content."""
        visible = self._rows  # a row is committed a moment before `embeddings` has it
        found = self._read(
            "SELECT value, (SELECT row FROM rows WHERE encoder = ? AND content_key = value ORDER BY row LIMIT 1) AS first"
            " FROM json_each(?) WHERE first < ?",
            self._encoder,
            json.dumps(list(content_keys)),
            visible,
        )
        return dict(found)

    def items_at(self, rows: Rows) -> dict[int, Item]:
        """The item of each row, in the order of `rows`; a row whose item has new content elsewhere is left out."""
        found = self._read_many(
            "SELECT row, item_id, stamp FROM rows WHERE encoder = ? AND item_id IS NOT NULL AND row IN ({})",
            [int(row) for row in rows],
            self._encoder,
        )
        items = {row: Item(item_id, stamp) for row, item_id, stamp in found}
        return {int(row): items[int(row)] for row in rows if int(row) in items}

    def rows_of(self, item_ids: Sequence[str]) -> dict[str, int]:
        """The row of each item that is embedded already."""
        found = self._read_many(
            "SELECT item_id, row FROM rows WHERE encoder = ? AND item_id IN ({})", item_ids, self._encoder
        )
        return dict(found)

    def retired_rows(self) -> Rows:
        """Rows whose item was replaced by new content, removed from the source, or found unreadable."""
        found = self._read(
            "SELECT row FROM rows LEFT JOIN items ON items.id = rows.item_id"
            " WHERE encoder = ? AND (item_id IS NULL OR items.scan < ? OR items.reason IS NOT NULL)",
            self._encoder,
            self._completed_scan,
        )
        return np.array([row for (row,) in found], dtype=np.int64)

    def items_between(self, start: int, stop: int) -> list[tuple[int, str]]:
        """(row, item id) of start <= row < stop, by row."""
        return self._read(
            "SELECT row, item_id FROM rows WHERE encoder = ? AND row >= ? AND row < ? AND item_id IS NOT NULL ORDER BY row",
            self._encoder,
            start,
            stop,
        )

    def reserved_rows(self, start: int, stop: int, share: float) -> Rows:
        """Rows start <= row < stop of a random share of the items, by row; an item's id alone decides whether it is of it."""
        found = self._read(
            "SELECT row FROM rows JOIN items ON items.id = rows.item_id WHERE encoder = ? AND row >= ? AND row < ?"
            " AND shuffle_key % ? < ? ORDER BY row",
            self._encoder,
            start,
            stop,
            SHARE_STEPS,
            round(share * SHARE_STEPS),
        )
        return np.array([row for (row,) in found], dtype=np.int64)

    def group_keys(self, start: int, stop: int) -> Rows:
        """The key of the group of each row start <= row < stop, by row; 0 where it is not known, or there is none."""
        keys = np.zeros(stop - start, dtype=np.int64)
        for first in range(start, stop, GROWTH_ROWS):
            found = self._read(
                "SELECT row, group_key FROM rows JOIN items ON items.id = rows.item_id"
                " WHERE encoder = ? AND row >= ? AND row < ? AND group_key IS NOT NULL",
                self._encoder,
                first,
                min(first + GROWTH_ROWS, stop),
            )
            if found:
                rows, of_rows = np.array(found, dtype=np.int64).T
                keys[rows - start] = of_rows
        return keys

    def item_blocks(self) -> Iterator[list[tuple[int, str]]]:
        """Every (row, item id) of the pool by row, in blocks, for exports."""
        for start in range(0, self._rows, EXPORT_BLOCK_ROWS):
            block = self.items_between(start, min(start + EXPORT_BLOCK_ROWS, self._rows))
            known = self.known_ids([item_id for _, item_id in block])
            yield [(row, item_id) for row, item_id in block if item_id in known]

    def close(self) -> None:
        with self._write_lock, self._read_lock:
            self._writer.close()
            self._reader.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.folder / "pool.sqlite", check_same_thread=False, timeout=30)
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, SCHEMA_VERSION):
            raise StoreError(
                f"{self.folder / 'pool.sqlite'} was made by another version of FastLabel. Delete it and the *.f32 files "
                "beside it to embed again; keep labels.sqlite."
            )
        connection.executescript(_TABLES)
        if not any(column[1] == "group_key" for column in connection.execute("PRAGMA table_info(items)")):
            connection.execute("ALTER TABLE items ADD COLUMN group_key INTEGER")  # since groups are known
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        return connection

    def _map(self, rows: int) -> None:
        """Maps the file with room for `rows` and some growth; the file is sparse, so room costs nothing on disk."""
        capacity = (rows // GROWTH_ROWS + 1) * GROWTH_ROWS
        if self._file.stat().st_size < capacity * self._dim * 4:
            os.truncate(self._file, capacity * self._dim * 4)
        with self._file.open("rb") as file:
            self._pages = mmap.mmap(file.fileno(), capacity * self._dim * 4, access=mmap.ACCESS_READ)
        self._vectors = np.frombuffer(self._pages, dtype=np.float32).reshape(capacity, self._dim)

    def _write_vectors(self, start: int, vectors: Embeddings) -> None:
        if start + len(vectors) > len(self._vectors):
            self._map(start + len(vectors))
        with self._file.open("r+b") as file:
            file.seek(start * self._dim * 4)
            file.write(np.ascontiguousarray(vectors, dtype="<f4").tobytes())
            file.flush()
            os.fdatasync(file.fileno()) if hasattr(os, "fdatasync") else os.fsync(file.fileno())

    def _recount(self) -> None:
        self._total = self._count("SELECT count(*) FROM items WHERE scan >= ?", self._completed_scan)
        self._unreadable = self._count(
            "SELECT count(*) FROM items WHERE reason IS NOT NULL AND scan >= ?", self._completed_scan
        )

    def _count(self, query: str, *arguments: object) -> int:
        return int(self._writer.execute(query, arguments).fetchone()[0])

    def _read(self, query: str, *arguments: object) -> list[tuple]:  # type: ignore[type-arg]
        with self._read_lock:
            return self._reader.execute(query, arguments).fetchall()

    def _read_many(self, query: str, values: Sequence[object], *arguments: object) -> list[tuple]:  # type: ignore[type-arg]
        """Runs `query`, whose {} takes placeholders, over `values` in blocks."""
        found = []
        for start in range(0, len(values), IDS_PER_QUERY):
            block = values[start : start + IDS_PER_QUERY]
            found += self._read(query.format(",".join("?" * len(block))), *arguments, *block)
        return found


def _shuffle_key(item_id: str) -> int:
    """A fixed pseudo-random place for an item, 0 to 2^62: the same order after every restart."""
    return int.from_bytes(blake2b(item_id.encode("utf-8", "surrogateescape"), digest_size=8).digest()) >> 2
