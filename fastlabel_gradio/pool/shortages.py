"""Shortages: work that waits while disk, memory, file descriptors or threads run short, and is then done again."""

import logging
import sqlite3
from collections.abc import Callable
from threading import Event

from fastlabel_gradio.pool.retries import FIRST_PAUSE_S, LONGEST_SHORTAGE_PAUSE_S

SHORTAGES = (OSError, MemoryError, sqlite3.Error)  # of disk, memory or file descriptors
NO_ROOM = ("can't allocate memory", "out of memory", "can't start new thread")  # in a RuntimeError of torch or Python

log = logging.getLogger(__name__)


def despite_shortage(
    work: Callable[[], None], stop: Event, tell: Callable[[str], None], also: tuple[type[Exception], ...] = ()
) -> None:
    """Does the work, again and again until nothing runs short or `stop` is set.

    Args:
        tell: is told what the work waits for, and "" at the end.
        also: what else is waited for; anything other is raised.
    """
    pause_s = FIRST_PAUSE_S
    while not stop.is_set():
        try:
            work()
            break
        except Exception as error:
            if not (isinstance(error, also) or _is_shortage(error)):
                raise
            log.warning("the embedding waits %.0f s: %s", pause_s, error)
            tell(f"{error or type(error).__name__} It goes on by itself.")
        stop.wait(pause_s)
        pause_s = min(2 * pause_s, LONGEST_SHORTAGE_PAUSE_S)
    tell("")


def _is_shortage(error: Exception) -> bool:
    """Whether something ran short that may be there again later."""
    return isinstance(error, SHORTAGES) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in NO_ROOM)
    )
