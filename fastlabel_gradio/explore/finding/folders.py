"""Folders: in which folder the item of each row lies, as numbers, so that items are counted without a look at their ids."""

import threading
from collections import Counter
from dataclasses import dataclass

import numpy as np

from fastlabel_gradio.pool.store import EmbeddingStore

SHOWN = 200
ROWS_AT_ONCE = 50_000
NOWHERE = -1  # in place of a number: the row has no item any more


@dataclass(frozen=True, slots=True, eq=False)
class FolderColumn:
    """Of every row the number of its folder.

    Attributes:
        numbers: int32[rows], NOWHERE for none.
        names: of the numbers; "" for items that lie in no folder.
    """

    numbers: np.ndarray
    names: tuple[str, ...]

    def count(self, mask: np.ndarray, chosen: str | None) -> dict[str, int]:
        """How many items lie in each folder one step below where they part, or in the chosen one and those below it."""
        numbers = self.numbers[mask]
        counts = np.bincount(numbers[numbers != NOWHERE], minlength=len(self.names))
        found = {self.names[number]: int(counts[number]) for number in np.flatnonzero(counts).tolist()}
        above = _shared([name for name in found if name]) if chosen is None else chosen
        below: Counter[str] = Counter()
        for name, count in found.items():
            if step := _step_below(above, name):
                below[step] += count
        if chosen is not None:
            below[chosen] = sum(
                count for name, count in found.items() if name == chosen or name.startswith(f"{chosen}/")
            )
        return dict(sorted(below.items(), key=lambda one: (-one[1], one[0]))[:SHOWN])


class Folders:
    """Follows the rows of a store. May be asked from any thread."""

    def __init__(self, store: EmbeddingStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._space = ""
        self._numbers = np.full(0, NOWHERE, dtype=np.int32)
        self._known: dict[str, int] = {}

    def column(self, rows: int) -> FolderColumn:
        """Of the first rows. Those that are new since it was asked last are looked up."""
        with self._lock:
            self._follow(rows)
            return FolderColumn(self._numbers[:rows], tuple(self._known))

    def _follow(self, rows: int) -> None:
        """The caller holds the lock."""
        space = self._store.space
        if space is None or space.name != self._space:  # another encoder has other rows
            self._space = space.name if space else ""
            self._numbers, self._known = np.full(0, NOWHERE, dtype=np.int32), {}
        start = len(self._numbers)
        if start >= rows:
            return
        numbers = np.full(rows, NOWHERE, dtype=np.int32)
        numbers[:start] = self._numbers
        for first in range(start, rows, ROWS_AT_ONCE):
            block = self._store.items_between(first, min(first + ROWS_AT_ONCE, rows))
            folders = [item_id.rpartition("/")[0] for _, item_id in block]
            for folder in dict.fromkeys(folders):
                self._known.setdefault(folder, len(self._known))
            numbers[[row for row, _ in block]] = [self._known[folder] for folder in folders]
        self._numbers = numbers


def _shared(names: list[str]) -> str:
    """The lowest folder that holds all of these; "" for none."""
    if not names:
        return ""
    first, last = min(names).split("/"), max(names).split("/")
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    # One folder alone is a choice too: it is counted below the one that it lies in.
    return "/".join(first[: same - 1] if same == len(first) == len(last) else first[:same])


def _step_below(above: str, name: str) -> str:
    """The folder one step below `above` that holds `name` or is it; "" where there is none."""
    if above and not name.startswith(f"{above}/"):
        return ""
    start = f"{above}/" if above else ""
    step = name[len(start) :].split("/")[0]
    return start + step if step else ""
