"""News of the pool: items that rescans found, handed from the thread that lists to the thread that embeds."""

import threading
from collections.abc import Sequence

from fastlabel_gradio.types import Item

NEWS_KEPT = 20_000  # more pending items of a rescan are looked for in the store


class PoolNews:
    """Items that rescans found new, changed or back, for the thread that embeds; of very many only that there are some."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._items: list[Item] = []
        self._is_overfull = self._is_taken = self._is_closed = False

    @property
    def is_waiting(self) -> bool:
        """From the first item on until `finish`."""
        with self._changed:
            return bool(self._items) or self._is_overfull or self._is_taken

    def add(self, items: Sequence[Item]) -> None:
        with self._changed:
            self._is_overfull |= len(self._items) + len(items) > NEWS_KEPT
            self._items = [] if self._is_overfull else [*self._items, *items]
            self._changed.notify_all()

    def add_unnamed(self) -> None:
        """Says that there are some."""
        with self._changed:
            self._items, self._is_overfull = [], True
            self._changed.notify_all()

    def take(self, timeout_s: float | None) -> list[Item] | None:
        """Waits for items; None where there are more than were kept. Once closed or after that time, whatever there is."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._is_overfull or self._is_closed, timeout_s)
            items = None if self._is_overfull else self._items
            self._items, self._is_overfull, self._is_taken = [], False, True
            return items

    def finish(self) -> None:
        with self._changed:
            self._is_taken = False

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
