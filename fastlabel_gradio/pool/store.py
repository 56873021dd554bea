"""EmbeddingStore: the pool on disk. Which items there are, which cannot be read, and one embedding row per item and encoder.

A folder with `pool.sqlite` (the index) and one file of float32 numbers per encoder fingerprint, memory-mapped. Rows are
only ever appended, in the shuffled order in which items are embedded, so a contiguous run of rows is a random sample.
Vectors reach the disk before the transaction that names them, so a stop at any moment leaves at most unnamed bytes at the
end of the file, which the next append overwrites. Filling it is the business of `embedding_pipeline`.
"""

import json
import re
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.pool.device_rows import device_rows
from fastlabel_gradio.pool.space import NO_EMBEDDINGS, EmbeddingSpace
from fastlabel_gradio.pool.successor import NewRow, Successor, is_of_same_rows
from fastlabel_gradio.sources.groups import AuditGroups, group_key
from fastlabel_gradio.types import EmbeddedItem, Embeddings, Item, Rows

IDS_PER_QUERY = 500
KEYS_AT_ONCE = 65_536
BLOCK_ROWS = 10_000
END_OF_POOL = 2**63 - 1  # above every shuffle key
SCHEMA_VERSION = 1
SHARE_STEPS = 1_000  # a share of the items is counted in thousandths

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # no UTF-8, so no id

GONE = -1  # as an item's `scan`: the source has it no more

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


Embedding = Float32[np.ndarray, " dim"]


@dataclass(frozen=True, slots=True)
class ScanChanges:
    """What a scan found: items that are new or back, items with other content, items that are gone."""

    new: int = 0
    changed: int = 0
    gone: int = 0

    @property
    def text(self) -> str:
        """`12 new items, 1 changed, 2 gone`; "" for none."""
        new = f"{self.new:,} new item{'' if self.new == 1 else 's'}" if self.new else ""
        others = [f"{count:,} {what}" for count, what in ((self.changed, "changed"), (self.gone, "gone")) if count]
        return ", ".join([new, *others] if new else others)


class EmbeddingStore:
    """The items of one project and their embeddings. One writer thread at a time; readers in any number of threads.

    Attributes:
        groups: on which side of the audit each group is; an item's own group is a key in the index.

    Args:
        folder: made if missing. Raises StoreError where it cannot be written or was made by another version.
        follows: another process fills it: this one only reads, and sees what is new at each `follow`, until it `leads`.
        device: where heads score; a GPU may hold a copy of the embeddings.
        gpu_share: of the GPU's free memory, what that copy may take.
    """

    def __init__(self, folder: Path, *, follows: bool = False, device: str = "cpu", gpu_share: float = 0.0) -> None:
        self.folder = folder
        self._device, self._gpu_share = device, gpu_share
        self._follows = follows
        self._index_state: tuple[int, ...] = ()  # what told a follower last that something changed
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
        self._forget_scan_numbers()
        self._seen: list[np.ndarray] = []  # shuffle keys of the items of the running scan
        self._found = ScanChanges()
        self._has_new_groups = False  # whether the running scan found groups of items
        self._revision = 0
        self._recount()
        self._space: EmbeddingSpace | None = None

    # Beside another process

    def follow(self) -> None:
        """Takes in what another process stored. Costs nothing where that is nothing."""
        with self._write_lock:
            [(version,)] = self._read("PRAGMA data_version")
            if self._index_state[:1] == (version,):
                return
            self._recount()
            self.groups.read_again()
            if self._space is not None:
                self._space.show_up_to(self._rows_named(self._space.number))
            away = self._count("SELECT count(*) FROM items WHERE scan < 0 OR reason IS NOT NULL")
            replaced = self._count("SELECT count(*) FROM rows WHERE encoder = ? AND item_id IS NULL", self._encoder)
            state = (version, self._total, away, replaced)
            self._revision += state[1:] != self._index_state[1:]
            self._index_state = state

    def lead(self) -> None:
        """From now on this process fills it, and no other does."""
        self.follow()
        self._follows = False
        if self._space is not None:
            self._space.grows = True

    # Items

    @property
    def total(self) -> int:
        """Items that the last scan found, or the running one so far where that is more; unreadable ones included."""
        return self._total

    @property
    def unreadable_count(self) -> int:
        return self._unreadable

    @property
    def revision(self) -> int:
        """Another number once items left the pool or came back."""
        return self._revision

    def group_by(self, rule: str) -> None:
        """Takes in how the items are grouped, "" for not at all. Where that is new, the next scan gives them their groups.

        To be called before a scan and before embeddings are used; a second call with the same rule changes nothing.
        """
        with self._write_lock:
            if rule != self.groups.rule:
                with self._writing():
                    self._writer.execute("UPDATE items SET group_key = NULL WHERE group_key IS NOT NULL")
                    self.groups.regroup(rule)

    def begin_scan(self) -> None:
        """Starts a scan: items that it does not add again count as gone once it ends."""
        with self._write_lock:
            self._seen = []
            self._found = ScanChanges()
            self._has_new_groups = False
            self.groups.begin()

    def add_items(self, items: Sequence[Item], group_of: Callable[[Item], str | None] | None = None) -> list[Item]:
        """Adds items of the running scan. What is known and unchanged is only read, so a scan without news writes nothing.

        Args:
            group_of: the group of an item; asked for those that are new or changed, or whose group is not known yet.

        Raises:
            StoreError: they cannot be written.

        Returns:
            Those that are new, have another stamp, or are back; each is pending unless it was embedded with that stamp.
        """
        keys = np.array([shuffle_key(item.id) for item in items], dtype=np.int64)
        rows = self._read_many(
            "SELECT id, stamp, scan, group_key FROM items WHERE id IN ({})", [item.id for item in items]
        )
        known = {item_id: stamp for item_id, stamp, scan, _ in rows if scan != GONE}
        gone = {item_id for item_id, _, scan, _ in rows if scan == GONE}
        added = [
            (item, int(key))
            for item, key in zip(items, keys, strict=True)
            if item.id not in known and item.id not in gone
        ]
        back = [item for item in items if item.id in gone]
        changed = [item for item in items if known.get(item.id, item.stamp) != item.stamp]
        groups = {item_id: group for item_id, _, _, group in rows if group is not None}
        asked = [item for item in items if item.id not in groups] + changed
        found = _group_keys_of(asked, group_of) if group_of else {}
        with self._writing():
            self._seen.append(keys)
            before = self._writer.total_changes
            self._writer.executemany(
                "INSERT INTO items (id, stamp, shuffle_key, scan, group_key) VALUES (?, ?, ?, 0, ?)"
                " ON CONFLICT (id) DO NOTHING",
                [(item.id, item.stamp, key, found.get(item.id)) for item, key in added],
            )
            new = self._writer.total_changes - before + len(back)
            self._writer.executemany(
                "UPDATE items SET reason = CASE WHEN stamp = ?2 THEN reason END, stamp = ?2, scan = 0 WHERE id = ?1",
                [(item.id, item.stamp) for item in back + changed],
            )
            self._writer.executemany(
                "UPDATE items SET group_key = ?2 WHERE id = ?1 AND group_key IS NOT ?2", list(found.items())
            )
            self.groups.count({**groups, **found}.values())
            self._has_new_groups |= bool(found)
            self._total += new
            self._found = replace(self._found, new=self._found.new + new, changed=self._found.changed + len(changed))
        return [item for item, _ in added] + back + changed

    def end_scan(self, *, is_complete: bool = True, audit_share: float = 0.0) -> ScanChanges:
        """Ends a scan; what a complete one did not find leaves the pool, and its embeddings stay for a return.

        Args:
            audit_share: of the groups that are new to a complete scan, how many are for the audit.
        """
        gone = self._not_seen() if is_complete else []
        found = replace(self._found, gone=len(gone))
        self._seen = []
        if found != ScanChanges():
            with self._writing():
                self._writer.executemany(
                    f"UPDATE items SET scan = {GONE} WHERE id = ?", [(item_id,) for item_id in gone]
                )
                self._recount()
            self._revision += bool(found.new or found.gone)
        with self._writing():
            self.groups.end(audit_share if is_complete else 0, has_news=self._has_new_groups)
        return found

    def mark_unreadable(self, reasons: Sequence[tuple[str, str]]) -> None:
        """Lists items, as (id, reason), as unreadable; each is tried again when its stamp changes, or after a retry."""
        with self._write_lock, self._writer:
            before = self._writer.total_changes
            self._writer.executemany(
                "UPDATE items SET reason = ?2 WHERE id = ?1 AND reason IS NULL", [(id_, why) for id_, why in reasons]
            )
            self._unreadable += self._writer.total_changes - before

    def retry(self, item_ids: Sequence[str]) -> None:
        """Lists some items as unreadable no more."""
        with self._write_lock, self._writer:
            before = self._writer.total_changes
            self._writer.executemany(
                "UPDATE items SET reason = NULL WHERE id = ? AND reason IS NOT NULL", [(id_,) for id_ in item_ids]
            )
            self._unreadable -= self._writer.total_changes - before

    def retry_all(self) -> None:
        """Lists no item as unreadable any more: a reader may have been installed since, or this version may read more."""
        with self._write_lock, self._writer:
            self._writer.execute("UPDATE items SET reason = NULL WHERE reason IS NOT NULL")
            self._unreadable = 0

    def unreadable(self, limit: int) -> list[tuple[str, str]]:
        """Up to `limit` unreadable items as (id, reason), by id."""
        return self._read(
            "SELECT id, reason FROM items WHERE reason IS NOT NULL AND scan >= 0 ORDER BY id LIMIT ?", limit
        )

    def known_ids(self, item_ids: Sequence[str]) -> set[str]:
        """Those of the ids that the pool has, embedded or not; unreadable and removed items do not count."""
        return self._ids_where("reason IS NULL AND scan >= 0", item_ids)

    def listed_ids(self, item_ids: Sequence[str]) -> set[str]:
        """Those of the ids that the source has, readable or not."""
        return self._ids_where("scan >= 0", item_ids)

    def former_ids(self, item_ids: Sequence[str]) -> set[str]:
        """Those of the ids that the source had at an earlier scan, and has no more."""
        return self._ids_where(f"scan = {GONE}", item_ids)

    def in_order(self, after: int, limit: int) -> list[tuple[int, Item]]:
        """Readable items in shuffled order, as (shuffle key, item), from the first key above `after`."""
        found = self._read(
            "SELECT shuffle_key, id, stamp FROM items WHERE shuffle_key > ? AND reason IS NULL AND scan >= 0"
            " ORDER BY shuffle_key LIMIT ?",
            after,
            limit,
        )
        return [(key, Item(item_id, stamp)) for key, item_id, stamp in found]

    def items_of(self, item_ids: Sequence[str]) -> list[Item]:
        """Those of the ids that the source has, readable or not, each with its stamp of the last scan; in any order."""
        found = self._read_many("SELECT id, stamp FROM items WHERE scan >= 0 AND id IN ({})", item_ids)
        return [Item(item_id, stamp) for item_id, stamp in found]

    def pending(self, after: int, limit: int) -> tuple[int, list[Item]]:
        """Items still without an embedding among the next `limit` in shuffled order, and the key to go on from.

        The key is the largest integer when the pool is at its end.
        """
        block = self.in_order(after, limit)
        if not block:
            return END_OF_POOL, []
        return block[-1][0], self._without_row([item for _, item in block])

    def pending_of(self, items: Sequence[Item]) -> list[Item]:
        """Those of some items that are in the pool, not known as unreadable, and without an embedding, in shuffled order."""
        known = self.known_ids([item.id for item in items])
        ordered = sorted((item for item in items if item.id in known), key=lambda item: shuffle_key(item.id))
        return self._without_row(ordered)

    def _without_row(self, items: Sequence[Item]) -> list[Item]:
        # Left to itself SQLite walks all rows of the encoder, a third of a second at a million, for each block.
        stored = self._read_many(
            "SELECT item_id, stamp FROM rows INDEXED BY rows_of_items WHERE encoder = ? AND item_id IN ({})",
            [item.id for item in items],
            self._encoder,
        )
        have = set(stored)
        return [item for item in items if (item.id, item.stamp) not in have]

    # Embeddings

    def use_encoder(self, fingerprint: str, dim: int) -> None:
        """Chooses whose embeddings the rows are; opens or starts its file. Raises StoreError, also where it is damaged."""
        self._space = self.open_space(fingerprint, dim)

    def open_space(self, fingerprint: str, dim: int) -> EmbeddingSpace:
        """The embeddings of an encoder, none for a new one. Raises StoreError, also where its file is damaged."""
        try:
            with self._write_lock, self._writer:
                self._writer.execute(
                    "INSERT INTO encoders (fingerprint, dim) VALUES (?, ?) ON CONFLICT DO NOTHING", (fingerprint, dim)
                )
                number, stored_dim = self._writer.execute(
                    "SELECT id, dim FROM encoders WHERE fingerprint = ?", (fingerprint,)
                ).fetchone()
                if stored_dim != dim:
                    raise StoreError(f"{self.folder}: encoder {fingerprint} had {stored_dim} dimensions, now {dim}.")
                file, grows = self.folder / f"{fingerprint}.f32", not self._follows
                copy = device_rows(self._device, self._gpu_share)
                return EmbeddingSpace(
                    file, fingerprint, number, dim, self._rows_named(number), grows=grows, on_device=copy
                )
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"{self.folder}: embeddings cannot be stored ({error}). Free some space, then restart."
            ) from error

    def successor(self, fingerprint: str, dim: int) -> Successor:
        """The same rows by another encoder, to be filled from where it was left. Raises StoreError.

        What that encoder embedded in another order, before it was left for the one in use, is of no use and deleted.
        """
        assert self._space is not None
        space = self.open_space(fingerprint, dim)
        with self._write_lock:
            is_usable = is_of_same_rows(self._writer, self._space, space)
        if not is_usable:
            self._forget(fingerprint)
            space = self.open_space(fingerprint, dim)
        return Successor(self._writer, self._write_lock, self._space, space, self._add_rows)

    def adopt(self, successor: Successor) -> None:
        """The rows are those of the successor from now on. Embeddings of other encoders than these two are deleted."""
        with self._write_lock:
            successor.in_use.leave_device()
            self._space = successor.space
            self._revision += 1
            kept = (successor.space.name, successor.in_use.name)
            for (name,) in self._read("SELECT fingerprint FROM encoders WHERE fingerprint NOT IN (?, ?)", *kept):
                self._forget(name)

    def _forget(self, fingerprint: str) -> None:
        with self._writing():
            of_it = "(SELECT id FROM encoders WHERE fingerprint = ?)"
            self._writer.execute(f"DELETE FROM rows WHERE encoder = {of_it}", (fingerprint,))
            self._writer.execute("DELETE FROM encoders WHERE fingerprint = ?", (fingerprint,))
        (self.folder / f"{fingerprint}.f32").unlink(missing_ok=True)

    @property
    def space(self) -> EmbeddingSpace | None:
        """The embeddings of the encoder in use; None before there is one."""
        return self._space

    def __len__(self) -> int:
        """Rows embedded so far with the encoder in use."""
        return len(self._space) if self._space is not None else 0

    @property
    def embeddings(self) -> Embeddings:
        """float32[len(self), dim], L2-normalised, memory-mapped and read-only; a snapshot that stays valid."""
        return self._space.embeddings if self._space is not None else NO_EMBEDDINGS

    def release_pages(self) -> None:
        """Lets the system take back the memory of everything that was read of the file (`EmbeddingSpace.release_pages`)."""
        if self._space is not None:
            self._space.release_pages()

    def append(self, embedded: Sequence[EmbeddedItem], vectors: Embeddings) -> None:
        """Stores one vector per item, durably, and makes the rows visible. Raises StoreError (full disk)."""
        if not embedded:
            return
        assert self._space is not None
        self._add_rows(self._space, [(e.item.id, e.item.id, e.item.stamp, e.content_key) for e in embedded], vectors)

    def _add_rows(self, space: EmbeddingSpace, rows: Sequence[NewRow], vectors: Embeddings) -> None:
        try:
            space.write(vectors)
            with self._write_lock, self._writer:
                self._writer.executemany(
                    "UPDATE rows SET item_id = NULL WHERE encoder = ? AND item_id = ?",
                    [(space.number, former) for former, *_ in rows],
                )
                self._writer.executemany(
                    "INSERT INTO rows (encoder, row, item_id, stamp, content_key) VALUES (?, ?, ?, ?, ?)",
                    [(space.number, len(space) + offset, *row) for offset, (_, *row) in enumerate(rows)],
                )
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{self.folder}: embeddings cannot be written ({error}). Free some space.") from error
        space.show(len(rows))

    def rows_of_content(self, content_keys: Sequence[str]) -> dict[str, int]:
        """The first row of each content that is embedded already; one, however often the pool repeats a content."""
        visible = len(self)  # a row is committed a moment before `embeddings` has it
        found = self._read(
            "SELECT value, (SELECT row FROM rows WHERE encoder = ? AND content_key = value ORDER BY row LIMIT 1) AS first"
            " FROM json_each(?) WHERE first < ?",
            self._encoder,
            json.dumps(list(content_keys)),
            visible,
        )
        return dict(found)

    def vectors_of_content(self, content_keys: Sequence[str]) -> dict[str, Embedding]:
        """As `rows_of_content`, the vectors themselves."""
        embeddings, rows = self.embeddings, self.rows_of_content(content_keys)
        return {key: embeddings[row] for key, row in rows.items()}

    def contents_of(self, rows: Sequence[int]) -> list[tuple[str, str, int]]:
        """(content key, item id, row) of some rows, by content key; a row whose item has new content is left out."""
        found = self._read_many(
            "SELECT content_key, item_id, row FROM rows WHERE encoder = ? AND item_id IS NOT NULL AND row IN ({})",
            rows,
            self._encoder,
        )
        return sorted(found)

    def copies(self) -> Iterator[tuple[str, str]]:
        """(content key, item id) of the pool's items whose content is there more than once, by content key, as a stream.

        Walks all rows of the encoder, a second or two at a million, on a connection of its own: nobody waits for it.
        """
        with closing(self._connect()) as connection:
            yield from connection.execute(
                "SELECT content_key, item_id FROM rows JOIN items ON items.id = item_id WHERE encoder = ?1"
                " AND items.scan >= 0 AND reason IS NULL AND content_key IN"
                " (SELECT content_key FROM rows WHERE encoder = ?1 GROUP BY content_key HAVING count(*) > 1)"
                " ORDER BY content_key, item_id",
                (self._encoder,),
            )

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
        if self._follows and any(row >= len(self) for _, row in found):
            self.follow()
        return dict(found)

    def rows_with(self, text: str) -> Rows:
        """The rows of items whose id holds a text, in either case of the letters A to Z; ascending.

        Walks the ids, a fraction of a second at a million, on a connection of its own: nobody waits for it.
        """
        if "\0" in text:  # ends a pattern of SQLite; no file name has it
            return np.zeros(0, dtype=np.int64)
        pattern = "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"
        with closing(self._connect()) as connection:
            found = connection.execute(
                "SELECT row FROM rows INDEXED BY rows_of_items WHERE encoder = ? AND item_id LIKE ? ESCAPE '\\'",
                (self._encoder, pattern),
            ).fetchall()
        return np.sort(np.array([row for (row,) in found], dtype=np.int64))

    def rows_in(self, folder: str) -> Rows:
        """The rows of items whose id lies in a folder or in one below it; ascending."""
        with closing(self._connect()) as connection:
            found = connection.execute(
                "SELECT row FROM rows INDEXED BY rows_of_items WHERE encoder = ? AND item_id >= ? AND item_id < ?",
                (self._encoder, f"{folder}/", f"{folder}0"),  # 0 follows / among the characters
            ).fetchall()
        return np.sort(np.array([row for (row,) in found], dtype=np.int64))

    def retired_rows(self) -> Rows:
        """Rows whose item was replaced by new content, removed from the source, or found unreadable."""
        found = self._read(
            "SELECT row FROM rows INDEXED BY rows_of_items WHERE encoder = ?1 AND item_id IS NULL"
            " UNION ALL SELECT row FROM items CROSS JOIN rows INDEXED BY rows_of_items"
            " ON rows.encoder = ?1 AND rows.item_id = items.id WHERE items.scan < 0 OR items.reason IS NOT NULL",
            self._encoder,
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
        for first in range(start, stop, KEYS_AT_ONCE):
            found = self._read(
                "SELECT row, group_key FROM rows JOIN items ON items.id = rows.item_id"
                " WHERE encoder = ? AND row >= ? AND row < ? AND group_key IS NOT NULL",
                self._encoder,
                first,
                min(first + KEYS_AT_ONCE, stop),
            )
            if found:
                rows, of_rows = np.array(found, dtype=np.int64).T
                keys[rows - start] = of_rows
        return keys

    def item_blocks(self) -> Iterator[list[tuple[int, str]]]:
        """Every (row, item id) of the pool by row, in blocks, for exports."""
        for start in range(0, len(self), BLOCK_ROWS):
            block = self.items_between(start, min(start + BLOCK_ROWS, len(self)))
            known = self.known_ids([item_id for _, item_id in block])
            yield [(row, item_id) for row, item_id in block if item_id in known]

    @property
    def _encoder(self) -> int:
        """The number of the encoder in use in the index; 0 before there is one."""
        return self._space.number if self._space is not None else 0

    def close(self) -> None:
        if self._space is not None:
            self._space.leave_device()
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

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction on the items. Raises StoreError (full disk)."""
        try:
            with self._write_lock, self._writer:
                yield
        except sqlite3.Error as error:
            raise StoreError(f"{self.folder}: the items cannot be written ({error}). Free some space.") from error

    def _forget_scan_numbers(self) -> None:
        """Stores of earlier versions numbered their scans; an item of none since the last complete one is gone."""
        with self._writer:
            if self._count("SELECT count(*) FROM completed_scans"):
                self._writer.execute(
                    f"UPDATE items SET scan = {GONE} WHERE scan < (SELECT max(number) FROM completed_scans)"
                )
                self._writer.execute("DELETE FROM completed_scans")

    def _not_seen(self) -> list[str]:
        """Ids of the pool that the running scan did not add."""
        seen = np.concatenate([*self._seen, np.empty(0, dtype=np.int64)])
        seen.sort()  # np.unique takes seconds for a million
        if len(seen) - np.count_nonzero(seen[1:] == seen[:-1]) == self._total:
            return []
        gone: list[str] = []
        after = ""
        while block := self._read(
            "SELECT id, shuffle_key, scan FROM items WHERE id > ? ORDER BY id LIMIT ?", after, BLOCK_ROWS
        ):
            after = block[-1][0]
            keys = np.array([key for _, key, _ in block], dtype=np.int64)
            is_seen = np.searchsorted(seen, keys, "right") > np.searchsorted(seen, keys, "left")
            gone += [
                item_id for (item_id, _, scan), found in zip(block, is_seen, strict=True) if scan >= 0 and not found
            ]
        return gone

    def _recount(self) -> None:
        self._total = self._count("SELECT count(*) FROM items WHERE scan >= 0")
        self._unreadable = self._count("SELECT count(*) FROM items WHERE reason IS NOT NULL AND scan >= 0")

    def _ids_where(self, condition: str, item_ids: Sequence[str]) -> set[str]:
        ids = [item_id for item_id in item_ids if item_id.isascii() or not _LONE_SURROGATE.search(item_id)]
        found = self._read_many(f"SELECT id FROM items WHERE {condition} AND id IN ({{}})", ids)
        return {item_id for (item_id,) in found}

    def _rows_named(self, encoder: int) -> int:
        return self._count("SELECT coalesce(max(row) + 1, 0) FROM rows WHERE encoder = ?", encoder)

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


def _group_keys_of(items: Iterable[Item], group_of: Callable[[Item], str | None]) -> dict[str, int]:
    """By item id, of those that are of a group."""
    return {item.id: group_key(group) for item in items if (group := group_of(item)) is not None}


def shuffle_key(item_id: str) -> int:
    """A fixed pseudo-random place for an item, 0 to 2^62: the same order after every restart."""
    return int.from_bytes(blake2b(item_id.encode("utf-8", "surrogateescape"), digest_size=8).digest()) >> 2
