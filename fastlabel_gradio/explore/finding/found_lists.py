"""Found lists: what a query had when it was asked, in its order, so that its pages fit together however long one scrolls.

An item that no longer fits the query keeps its place until the query is asked anew.
"""

import secrets
import threading
from collections import OrderedDict

import numpy as np

from fastlabel_gradio.errors import ExpiredListError, shown
from fastlabel_gradio.pool.query import Query, first_by
from fastlabel_gradio.types import Rows

MAX_BYTES = 256_000_000  # of all lists of a pool; those of a million items take 12 to 20 MB
MAX_LISTS = 200


class FoundList:
    """The rows of a query as of one moment. May be asked from any thread.

    The first page is found without sorting all; whoever looks further has the rest sorted, once.

    Args:
        rows: ascending.
        keys: as `order_keys` gives them.
        similarity: of each of the rows, where the query has one.
    """

    def __init__(self, query: Query, rows: Rows, keys: np.ndarray | None, similarity: np.ndarray | None) -> None:
        self.query = query
        self.size = len(rows)
        self._lock = threading.Lock()
        self._rows, self._keys, self._similarity = rows, keys, similarity

    @property
    def bytes_held(self) -> int:
        return sum(array.nbytes for array in (self._rows, self._keys, self._similarity) if array is not None)

    def part(self, offset: int, size: int) -> tuple[Rows, np.ndarray | None]:
        """Some rows of its order, and the similarity of each."""
        with self._lock:
            if self._keys is not None and offset:
                self._sort(self._keys)
            if self._keys is None:
                chosen = np.arange(min(offset, self.size), min(offset + size, self.size))
            else:
                chosen = first_by(self._keys, min(size, self.size))
            return self._rows[chosen], None if self._similarity is None else self._similarity[chosen]

    def _sort(self, keys: np.ndarray) -> None:
        order = np.argsort(keys, kind="stable")
        self._rows, self._keys = self._rows[order], None
        if self._similarity is not None:
            self._similarity = self._similarity[order]


class FoundLists:
    """The newest lists of a pool by a name that cannot be guessed. May be asked from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lists: OrderedDict[str, FoundList] = OrderedDict()

    def keep(self, found: FoundList) -> str:
        """Keeps a list, and drops those that were looked at least lately where there are too many; returns its name."""
        name = secrets.token_hex(8)
        with self._lock:
            self._lists[name] = found
            while len(self._lists) > 1 and (len(self._lists) > MAX_LISTS or self._bytes_held > MAX_BYTES):
                self._lists.popitem(last=False)
        return name

    def get(self, name: str) -> FoundList:
        """A list that was kept. Raises ExpiredListError."""
        with self._lock:
            if name not in self._lists:
                raise ExpiredListError(
                    f"list {shown(name)} is not kept any more. Ask the query again, without `list_id`."
                )
            self._lists.move_to_end(name)
            return self._lists[name]

    @property
    def _bytes_held(self) -> int:
        return sum(found.bytes_held for found in self._lists.values())
