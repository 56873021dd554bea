"""Retries: items that could not be read for a reason that may pass, and when they are tried again.

Nothing here reads an item or knows why it failed; that is the business of the embedding pipeline.
"""

import time
from collections.abc import Callable

from fastlabel_gradio.types import Item

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 3_600.0  # a table may name a million files that never come
LONGEST_SHORTAGE_PAUSE_S = 300.0  # while disk, memory or items that can be read are short


class Retries:
    """Each try in vain doubles the pause before the next; a new fault after a quiet time begins with the shortest one.

    For one thread. `clock` gives seconds of any origin.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._items: dict[str, Item] = {}
        self._pause_s = FIRST_PAUSE_S
        self._due_at = self._taken_at = float("-inf")

    def add(self, item: Item) -> None:
        """Has an item tried again after the pause."""
        now = self._clock()
        if not self._items:
            if now - self._taken_at > self._pause_s:
                self._pause_s = FIRST_PAUSE_S
            self._due_at = now + self._pause_s
        self._items[item.id] = item

    @property
    def due_in_s(self) -> float | None:
        """Seconds until items are to be tried again; None where there are none."""
        return max(0.0, self._due_at - self._clock()) if self._items else None

    def take(self) -> list[Item]:
        """The items whose time has come, which are the caller's from now on; none before it."""
        if self.due_in_s != 0.0:
            return []
        items, self._items = list(self._items.values()), {}
        self._pause_s, self._taken_at = min(2 * self._pause_s, LONGEST_PAUSE_S), self._clock()
        return items
