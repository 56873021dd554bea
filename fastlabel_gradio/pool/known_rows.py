"""KnownRows: in which row of the pool each item lies that something is said of or that somebody holds, in memory."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress, repeat

import numpy as np

from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.types import Rows

MANY_ITEMS = 1_000  # fewer are looked up one by one


class KnownRows:
    """Those of one pool. Whoever calls this sees to it that one thread does."""

    def __init__(self, store: EmbeddingStore) -> None:
        self._store = store
        self._row_of: dict[str, int] = {}

    def of(self, item_ids: Sequence[str]) -> Rows:
        """int64[n], the row of each item; -1 where it is not known."""
        return np.fromiter(map(self._row_of.get, item_ids, repeat(-1)), np.int64, len(item_ids))

    def among(self, item_ids: Iterable[str]) -> Rows:
        """The rows of the items whose row is known, in their order."""
        rows = self.of(list(item_ids))
        return rows[rows >= 0]

    def find(self, item_ids: Sequence[str], below: int) -> Rows:
        """As `of`, once those that were not known are looked up; rows from `below` on do not count. Each item comes once."""
        rows = self.of(item_ids)
        unknown = rows < 0
        sought = list(compress(item_ids, unknown.tolist()))
        found = rows[unknown] = self._stored(sought, below)
        self._row_of.update(compress(zip(sought, found.tolist(), strict=True), (found >= 0).tolist()))
        return rows

    def put(self, row_of: Mapping[str, int]) -> None:
        self._row_of.update(row_of)

    def drop(self, item_ids: Iterable[str]) -> None:
        """Their content may change, and their row with it, while nobody looks."""
        for item_id in item_ids:
            self._row_of.pop(item_id, None)

    def _stored(self, item_ids: Sequence[str], below: int) -> Rows:
        """Of a large part of the pool all are read in one go."""
        if len(item_ids) < max(below // 4, MANY_ITEMS):
            of_store = self._store.rows_of(item_ids) if item_ids else {}
        else:
            of_store = self._store.all_rows()
        rows = np.fromiter(map(of_store.get, item_ids, repeat(-1)), np.int64, len(item_ids))
        rows[rows >= below] = -1
        return rows
