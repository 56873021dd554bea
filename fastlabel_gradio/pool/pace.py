"""Pace: items a second, of the last seconds."""

import itertools
import time
from collections import deque

WINDOW_S = 20.0


class Pace:
    """How fast items come. One thread uses it."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, int]] = deque()

    def after(self, items: int) -> float:
        """Items a second over the last WINDOW_S, after so many more; 0 at the first ones."""
        now = time.monotonic()
        self._recent.append((now, items))
        while now - self._recent[0][0] > WINDOW_S:
            self._recent.popleft()
        elapsed = now - self._recent[0][0]
        counted = sum(count for _, count in itertools.islice(self._recent, 1, None))
        return counted / elapsed if elapsed > 0 else 0.0

    def restart(self) -> None:
        """What came until now was of other work."""
        self._recent.clear()
