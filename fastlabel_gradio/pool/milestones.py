"""Milestones: something that work in the background reaches, and callbacks of those who wait for it."""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Milestone:
    """Something that is reached, and may be left and reached again. Who asks is called back then, and at once where it is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reached = False
        self._callbacks: list[Callable[[], None]] = []

    def call_back(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Returns what ends it."""
        with self._lock:
            self._callbacks.append(callback)
            reached = self._reached
        if reached:
            _called(callback)
        return lambda: self._forget(callback)

    def reach(self) -> None:
        with self._lock:
            self._reached = True
            callbacks = list(self._callbacks)
        for callback in callbacks:
            _called(callback)

    def leave(self) -> None:
        with self._lock:
            self._reached = False

    def _forget(self, callback: Callable[[], None]) -> None:
        with self._lock:
            self._callbacks = [known for known in self._callbacks if known is not callback]


def _called(callback: Callable[[], None]) -> None:
    """Somebody else's error must not end the embedding, nor keep the others from being called."""
    try:
        callback()
    except Exception:
        log.exception("a callback of the embedding pipeline failed")
