"""Superseded: what ends long work that nobody wants any more, at the next place where it asks."""

import threading
from collections.abc import Callable


class Superseded(Exception):
    """Raised by a checkpoint where something newer is wanted; whoever began the work catches it."""


Checkpoint = Callable[[], None]  # waits while others need the cores; raises Superseded


def until(stop: threading.Event) -> Checkpoint:
    """Raises Superseded once the event is set."""

    def checkpoint() -> None:
        if stop.is_set():
            raise Superseded

    return checkpoint


def unhurried() -> None:
    """The checkpoint of work that is always wanted."""
