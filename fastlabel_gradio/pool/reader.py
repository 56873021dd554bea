"""PoolReader: what an embedding store knows of its items, read beside the program that fills it, without a lock."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.types import Item

_READABLE = "scan >= 0 AND reason IS NULL"


@dataclass(frozen=True, slots=True)
class PoolReader:
    """The index of one project's folder. Every method raises StoreError where there is none, or it cannot be read."""

    folder: Path

    @property
    def size(self) -> int:
        """Items that can be read."""
        return int(self._read(f"SELECT count(*) FROM items WHERE {_READABLE}")[0][0])

    @property
    def has_groups(self) -> bool:
        """Whether items are of groups."""
        return bool(self._read("SELECT 1 FROM grouping WHERE rule != ''"))

    def items(self, item_ids: Sequence[str]) -> list[tuple[Item, int]]:
        """Those of some items that can be read, in shuffled order, each with the key of its group; 0 for none."""
        found = self._read(
            "SELECT items.id, stamp, coalesce(group_key, 0) FROM json_each(?) JOIN items ON items.id = value"
            f" WHERE {_READABLE} ORDER BY shuffle_key",
            json.dumps(list(item_ids)),
        )
        return [(Item(item_id, stamp), group) for item_id, stamp, group in found]

    def in_order(self, after: int, limit: int) -> list[tuple[int, Item]]:
        """As `EmbeddingStore.in_order`."""
        found = self._read(
            f"SELECT shuffle_key, id, stamp FROM items WHERE shuffle_key > ? AND {_READABLE} ORDER BY shuffle_key LIMIT ?",
            after,
            limit,
        )
        return [(key, Item(item_id, stamp)) for key, item_id, stamp in found]

    def _read(self, query: str, *arguments: object) -> list[tuple]:  # type: ignore[type-arg]
        file = self.folder / "pool.sqlite"
        if not file.is_file():
            raise StoreError(
                f"{self.folder}: no pool was embedded here yet. Label some items first, or name the --workdir."
            )
        try:
            with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
                return connection.execute(query, arguments).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"{file} cannot be read: {error}.") from error
