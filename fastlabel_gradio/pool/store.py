"""EmbeddingStore: the items of the pool with one embedding row per item and encoder.

A folder with `pool.sqlite` (the index) and one file of float32 numbers per encoder fingerprint, memory-mapped. Rows are
only ever appended, in the shuffled order in which items are embedded, so a contiguous run of rows is a random sample.
Vectors reach the disk before the transaction that names them, so a stop at any moment leaves at most unnamed bytes at the
end of the file, which the next append overwrites. Filling it is the business of `pipeline`.
"""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.pool.device_rows import device_rows
from fastlabel_gradio.pool.item_index import END_OF_POOL, ItemIndex, shuffle_keys
from fastlabel_gradio.pool.space import NO_EMBEDDINGS, EmbeddingSpace
from fastlabel_gradio.pool.successor import NewRow, Successor, is_of_same_rows
from fastlabel_gradio.types import EmbeddedItem, Embeddings, Item, Rows

KEYS_AT_ONCE = 65_536
BLOCK_ROWS = 10_000
SHARE_STEPS = 1_000  # a share of the items is counted in thousandths

Embedding = Float32[np.ndarray, " dim"]


class EmbeddingStore(ItemIndex):
    """The items of one project and their embeddings. One writer thread at a time; readers in any number of threads.

    Args:
        folder: as of `ItemIndex`.
        follows: another process fills it: this one only reads, and sees what is new at each `follow`, until it `leads`.
        device: where heads score; a GPU may hold a copy of the embeddings.
        gpu_share: of the GPU's free memory, what that copy may take.
    """

    def __init__(self, folder: Path, *, follows: bool = False, device: str = "cpu", gpu_share: float = 0.0) -> None:
        super().__init__(folder)
        self._device, self._gpu_share = device, gpu_share
        self._follows = follows
        self._index_state: tuple[int, ...] = ()  # what told a follower last that something changed
        self._space: EmbeddingSpace | None = None

    # Beside another process

    def follow(self) -> None:
        """Takes in what another process stored. Costs nothing where that is nothing."""
        with self._index.lock:
            [(version,)] = self._index.read("PRAGMA data_version")
            if self._index_state[:1] == (version,):
                return
            self._recount()
            self.groups.read_again()
            if self._space is not None:
                self._space.show_up_to(self._rows_named(self._space.number))
            away = self._index.count("SELECT count(*) FROM items WHERE scan < 0 OR reason IS NOT NULL")
            replaced = self._index.count(
                "SELECT count(*) FROM rows WHERE encoder = ? AND item_id IS NULL", self._encoder
            )
            state = (version, self._total, away, replaced)
            self._revision += state[1:] != self._index_state[1:]
            self._index_state = state

    def lead(self) -> None:
        """From now on this process fills it, and no other does."""
        self.follow()
        self._follows = False
        if self._space is not None:
            self._space.grows = True

    # Items without an embedding

    def is_embedded(self, is_stopped: Callable[[], bool]) -> bool:
        """Whether every readable item has its embedding; False after a stop.

        Goes through the rows, several times as fast as `pending` goes through the items, on a
        connection of its own: nobody waits for it.
        """
        wanted, found = self.total - self.unreadable_count, 0
        if len(self) < wanted:
            return False
        with closing(self._index.connect()) as connection:
            for start in range(0, len(self), KEYS_AT_ONCE):
                if is_stopped():
                    return False
                found += connection.execute(
                    "SELECT count(*) FROM rows CROSS JOIN items ON items.id = rows.item_id AND items.stamp = rows.stamp"
                    " WHERE encoder = ? AND row >= ? AND row < ? AND scan >= 0 AND reason IS NULL",
                    (self._encoder, start, start + KEYS_AT_ONCE),
                ).fetchone()[0]
        return found >= wanted

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
        found = [item for item in items if item.id in known]
        order = np.argsort(shuffle_keys([item.id for item in found]), kind="stable")
        return self._without_row([found[place] for place in order.tolist()])

    def _without_row(self, items: Sequence[Item]) -> list[Item]:
        # Left to itself SQLite walks all rows of the encoder, a third of a second at a million, for each block.
        stored = self._index.read_many(
            "SELECT item_id, stamp FROM rows INDEXED BY rows_of_items WHERE encoder = ? AND item_id IN ({})",
            [item.id for item in items],
            self._encoder,
        )
        have = set(stored)
        return [item for item in items if (item.id, item.stamp) not in have] if have else list(items)

    # Embeddings

    def use_encoder(self, fingerprint: str, dim: int) -> None:
        """Chooses whose embeddings the rows are; opens or starts its file. Raises StoreError, also where it is damaged."""
        self._space = self.open_space(fingerprint, dim)

    def open_space(self, fingerprint: str, dim: int) -> EmbeddingSpace:
        """The embeddings of an encoder, none for a new one. Raises StoreError, also where its file is damaged."""
        try:
            with self._index.lock, self._writer:
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
        with self._index.lock:
            is_usable = is_of_same_rows(self._writer, self._space, space)
        if not is_usable:
            self._forget(fingerprint)
            space = self.open_space(fingerprint, dim)
        return Successor(self._writer, self._index.lock, self._space, space, self._add_rows)

    def adopt(self, successor: Successor) -> None:
        """The rows are those of the successor from now on. Embeddings of other encoders than these two are deleted."""
        with self._index.lock:
            successor.in_use.leave_device()
            self._space = successor.space
            self._revision += 1
            in_use = (successor.space.name, successor.in_use.name)
            for (name,) in self._index.read(
                "SELECT fingerprint FROM encoders WHERE fingerprint NOT IN (?, ?)", *in_use
            ):
                self._forget(name)

    def _forget(self, fingerprint: str) -> None:
        with self._index.writing():
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
            with self._index.writing("embeddings"):
                former = [item_id for item_id, *_ in rows if item_id is not None]
                self._index.write_many(
                    "UPDATE rows INDEXED BY rows_of_items SET item_id = NULL WHERE encoder = ? AND item_id IN ({})",
                    former,
                    space.number,
                )
                self._index.insert(
                    "INSERT INTO rows (encoder, row, item_id, stamp, content_key) VALUES {}",
                    [(space.number, len(space) + offset, *row) for offset, (_, *row) in enumerate(rows)],
                )
        except OSError as error:
            raise StoreError(f"{self.folder}: embeddings cannot be written ({error}). Free some space.") from error
        space.show(len(rows))

    def rows_of_content(self, content_keys: Sequence[str]) -> dict[str, int]:
        """The first row of each content that is embedded already; one, however often the pool repeats a content."""
        visible = len(self)  # a row is committed a moment before `embeddings` has it
        found = self._index.read(
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
        found = self._index.read_many(
            "SELECT content_key, item_id, row FROM rows WHERE encoder = ? AND item_id IS NOT NULL AND row IN ({})",
            rows,
            self._encoder,
        )
        return sorted(found)

    def copies(self) -> Iterator[tuple[str, str]]:
        """(content key, item id) of the pool's items whose content is there more than once, by content key, as a stream.

        Walks all rows of the encoder, a second or two at a million, on a connection of its own: nobody waits for it.
        """
        with closing(self._index.connect()) as connection:
            yield from connection.execute(
                "SELECT content_key, item_id FROM rows JOIN items ON items.id = item_id WHERE encoder = ?1"
                " AND items.scan >= 0 AND reason IS NULL AND content_key IN"
                " (SELECT content_key FROM rows WHERE encoder = ?1 GROUP BY content_key HAVING count(*) > 1)"
                " ORDER BY content_key, item_id",
                (self._encoder,),
            )

    def items_at(self, rows: Rows) -> dict[int, Item]:
        """The item of each row, in the order of `rows`; a row whose item has new content elsewhere is left out."""
        found = self._index.read_many(
            "SELECT row, item_id, stamp FROM rows WHERE encoder = ? AND item_id IS NOT NULL AND row IN ({})",
            [int(row) for row in rows],
            self._encoder,
        )
        items = {row: Item(item_id, stamp) for row, item_id, stamp in found}
        return {int(row): items[int(row)] for row in rows if int(row) in items}

    def rows_of(self, item_ids: Sequence[str]) -> dict[str, int]:
        """The row of each item that is embedded already."""
        found = self._index.read_many(
            "SELECT item_id, row FROM rows WHERE encoder = ? AND item_id IN ({})", item_ids, self._encoder
        )
        if self._follows and any(row >= len(self) for _, row in found):
            self.follow()
        return dict(found)

    def all_rows(self) -> dict[str, int]:
        """As `rows_of`, of all items; a second at a million."""
        return dict(
            self._index.read("SELECT item_id, row FROM rows WHERE encoder = ? AND item_id IS NOT NULL", self._encoder)
        )

    def rows_with(self, text: str) -> Rows:
        """The rows of items whose id holds a text, in either case of the letters A to Z; ascending.

        Walks the ids, a fraction of a second at a million.
        """
        if "\0" in text:  # ends a pattern of SQLite; no file name has it
            return np.zeros(0, dtype=np.int64)
        pattern = "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"
        found = self._index.numbers(
            "SELECT row FROM rows INDEXED BY rows_of_items WHERE encoder = ? AND item_id LIKE ? ESCAPE '\\'",
            self._encoder,
            pattern,
        )
        found.sort()
        return found

    def rows_in(self, folder: str) -> Rows:
        """The rows of items whose id lies in a folder or in one below it; ascending."""
        found = self._index.numbers(
            "SELECT row FROM rows INDEXED BY rows_of_items WHERE encoder = ? AND item_id >= ? AND item_id < ?",
            self._encoder,
            f"{folder}/",
            f"{folder}0",  # 0 follows / among the characters
        )
        found.sort()
        return found

    def retired_rows(self) -> Rows:
        """Rows whose item was replaced by new content, removed from the source, or found unreadable."""
        found = self._index.read(
            "SELECT row FROM rows INDEXED BY rows_of_items WHERE encoder = ?1 AND item_id IS NULL"
            " UNION ALL SELECT row FROM items CROSS JOIN rows INDEXED BY rows_of_items"
            " ON rows.encoder = ?1 AND rows.item_id = items.id WHERE items.scan < 0 OR items.reason IS NOT NULL",
            self._encoder,
        )
        return np.array([row for (row,) in found], dtype=np.int64)

    def items_between(self, start: int, stop: int) -> list[tuple[int, str]]:
        """(row, item id) of start <= row < stop, by row."""
        return self._index.read(
            "SELECT row, item_id FROM rows WHERE encoder = ? AND row >= ? AND row < ? AND item_id IS NOT NULL ORDER BY row",
            self._encoder,
            start,
            stop,
        )

    def reserved_rows(self, start: int, stop: int, share: float) -> Rows:
        """Rows start <= row < stop of a random share of the items, by row; an item's id alone decides whether it is of it."""
        found = self._index.read(
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
            found = self._index.read(
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
        super().close()

    def _rows_named(self, encoder: int) -> int:
        return self._index.count("SELECT coalesce(max(row) + 1, 0) FROM rows WHERE encoder = ?", encoder)
