"""Successor: the same pool embedded by another encoder, row for row, so that it can take the place of the one in use at once.

Row r is of the same item in both: bookkeeping, batches on screen and their addresses hold. An item that the other encoder
could not read has a row without an item there; like an item that is new it is pending once the successor is in use.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from fastlabel_gradio.pool.space import EmbeddingSpace
from fastlabel_gradio.types import Embeddings, Item

NewRow = tuple[str | None, str | None, str, str]  # whose former row ends; item id, stamp and content key of the new one
AddRows = Callable[[EmbeddingSpace, Sequence[NewRow], Embeddings], None]


@dataclass(frozen=True, slots=True)
class RowInUse:
    """A row of the encoder in use. `item` is None where there is nothing to embed: it was replaced, is gone or unreadable."""

    item_id: str | None
    item: Item | None
    stamp: str


class Successor:
    """The rows of another encoder beside those of the one in use. For one thread.

    Args:
        database, lock: of the index. add_rows: stores rows durably; raises StoreError.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        lock: AbstractContextManager[bool],
        in_use: EmbeddingSpace,
        space: EmbeddingSpace,
        add_rows: AddRows,
    ) -> None:
        self.in_use, self.space = in_use, space
        self._database, self._lock = database, lock
        self._add_rows = add_rows
        self._end_changed_rows()

    @property
    def left(self) -> int:
        """Rows in use that it has not."""
        return len(self.in_use) - len(self.space)

    @property
    def bytes_left(self) -> int:
        """That its file will still grow by."""
        return self.left * self.space.dim * 4

    def next_rows(self, limit: int) -> list[RowInUse]:
        """The next rows in use that it has not."""
        start = len(self.space)
        with self._lock:
            found = self._database.execute(
                "SELECT item_id, rows.stamp, items.scan >= 0 AND items.reason IS NULL FROM rows"
                " LEFT JOIN items ON items.id = item_id WHERE encoder = ? AND row >= ? AND row < ? ORDER BY row",
                (self.in_use.number, start, min(start + limit, len(self.in_use))),
            ).fetchall()
        return [
            RowInUse(item_id, Item(item_id, stamp) if readable else None, stamp) for item_id, stamp, readable in found
        ]

    def append(self, rows: Sequence[RowInUse], found: dict[str, tuple[str, Float32[np.ndarray, " dim"]]]) -> None:
        """Stores those rows. Raises StoreError.

        Args:
            rows: as `next_rows` gave them, the first ones first.
            found: content key and vector of each item that could be embedded.
        """
        vectors = np.zeros((len(rows), self.space.dim), dtype=np.float32)
        added: list[NewRow] = []
        for place, row in enumerate(rows):
            if row.item is not None and row.item.id in found:
                key, vectors[place] = found[row.item.id]
                added.append((row.item_id, row.item_id, row.stamp, key))
            else:
                added.append((row.item_id, None, row.stamp, ""))
        self._add_rows(self.space, added, vectors)

    def vectors_of_content(self, content_keys: Sequence[str]) -> dict[str, Float32[np.ndarray, " dim"]]:
        """By content key the vector of each content that it has already."""
        query = "SELECT row FROM rows WHERE encoder = ? AND content_key = ? AND row < ? ORDER BY row LIMIT 1"
        embeddings, found = self.space.embeddings, {}
        with self._lock:
            for key in dict.fromkeys(content_keys):
                if row := self._database.execute(query, (self.space.number, key, len(embeddings))).fetchone():
                    found[key] = embeddings[row[0]]
        return found

    def _end_changed_rows(self) -> None:
        """Of a successor that was begun earlier: rows whose item has another row by now, in the space in use."""
        with self._lock, self._database:
            self._database.execute(
                "UPDATE rows SET item_id = NULL WHERE encoder = ?1 AND item_id IS NOT NULL AND NOT EXISTS"
                " (SELECT 1 FROM rows AS used WHERE used.encoder = ?2 AND used.row = rows.row"
                " AND used.item_id IS rows.item_id)",
                (self.space.number, self.in_use.number),
            )


def is_of_same_rows(database: sqlite3.Connection, in_use: EmbeddingSpace, space: EmbeddingSpace) -> bool:
    """Whether no row is of one item in one space and of another item in the other one, as far as both have it."""
    if len(space) > len(in_use):
        return False
    found = database.execute(
        "SELECT 1 FROM rows JOIN rows AS used ON used.row = rows.row AND used.encoder = ?2"
        " WHERE rows.encoder = ?1 AND rows.item_id IS NOT NULL AND used.item_id IS NOT NULL"
        " AND rows.item_id != used.item_id LIMIT 1",
        (space.number, in_use.number),
    ).fetchone()
    return found is None
