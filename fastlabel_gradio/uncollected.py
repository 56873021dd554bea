"""Uncollected: while millions of objects are made that all stay, Python's garbage collector does not look through them.

It would do so again and again, for nothing, which takes up to half of the time. Memory is still given back as soon as nothing
refers to it; only what refers to itself waits for the end.
"""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_inside: list[bool] = []  # one for each thread that is inside: whether the collector ran when it came in


@contextmanager
def uncollected() -> Iterator[None]:
    """No collection in this process until every block is over, in any number of threads; for seconds, not for minutes."""
    with _lock:
        _inside.append(gc.isenabled())
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            was_on = any(_inside)
            _inside.pop()
            if was_on and not _inside:
                gc.enable()
