"""VectorIndex: which row of a file of vectors is whose, in 24 bytes an item where a dictionary of names takes 200."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

NOT_THERE = -1
AMBIGUOUS = -2

Found = Int64[np.ndarray, " asked"]


def plain_id(text: str) -> str:
    """An id as items have it: with / between folders, and no ./ before the first."""
    return text.replace("\\", "/").removeprefix("./")


def file_name(item_id: str) -> str:
    return item_id.rsplit("/", 1)[-1]


class VectorIndex:
    """Rows by id and by file name. Texts are known by their hashes: two of a million have the same one with 3e-8.

    Args:
        ids: of the rows in their order. Of an id that stands more than once the first row counts.

    Attributes:
        repeated: rows whose id stands before already, ascending.
    """

    def __init__(self, ids: Sequence[str]) -> None:
        plain = list(map(plain_id, ids))
        keys = _keys_of(plain)
        self._keys, self._rows, later = _first_of_each(keys)
        self.repeated = np.sort(later)
        in_folders = [place for place, text in enumerate(plain) if "/" in text]
        keys[in_folders] = _keys_of([file_name(plain[place]) for place in in_folders])  # now of the files' names
        names = np.delete(keys, self.repeated)
        rows = np.delete(np.arange(len(plain)), self.repeated)
        self._names, places, more = _first_of_each(names)
        self._name_rows = rows[places]
        self._name_rows[np.isin(self._names, names[more])] = AMBIGUOUS

    def rows_of(self, item_ids: Sequence[str]) -> Found:
        """The row of each id; NOT_THERE for one that is not known."""
        return _looked_up(_keys_of(item_ids), self._keys, self._rows)

    def rows_by_name(self, item_ids: Sequence[str]) -> Found:
        """The row whose file has the name of each item's; AMBIGUOUS where several have."""
        return _looked_up(_keys_of([file_name(item_id) for item_id in item_ids]), self._names, self._name_rows)


def _keys_of(texts: Sequence[str]) -> Int64[np.ndarray, " texts"]:
    return np.fromiter(map(hash, texts), dtype=np.int64, count=len(texts))


def _first_of_each(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The keys sorted, each once; where the first of each is; where the others are."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    is_first = np.ones(len(keys), dtype=bool)
    is_first[1:] = ordered[1:] != ordered[:-1]
    return ordered[is_first], order[is_first], order[~is_first]


def _looked_up(asked: np.ndarray, keys: np.ndarray, rows: np.ndarray) -> Found:
    if not len(keys):
        return np.full(len(asked), NOT_THERE, dtype=np.int64)
    places = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[places] == asked, rows[places], NOT_THERE).astype(np.int64)
