"""HeadExchange: of several processes on one label store one trains at a time, and the others take its head.

The head travels as bytes through the database, so that it reaches processes of other machines too. Turns save work; that no
older head replaces a newer one is ensured by the newest submission that each knew.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.labels import LabelStore, StoredHead
from fastlabel_gradio.loop.trainer import NotYet

log = logging.getLogger(__name__)

TURN_S = 30.0  # after which others take the turn of a process that is gone
RENEW_EVERY_S = 5.0
LOOK_EVERY_S = 0.3
CLOSED = "FastLabel is being closed."


class HeadExchange:
    """The exchange through a label store. All methods may be called from any thread. Each may raise StoreError.

    Attributes:
        revision: of the newest head that was taken or given.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, label_store: LabelStore, clock: Callable[[], float] = time.time) -> None:
        self._label_store = label_store
        self._clock = clock
        self._name = secrets.token_hex(8)
        self._exchanging = threading.Lock()  # or one's own gift would be taken; only threads in the background wait
        self._closed = threading.Event()
        self.revision = 0

    @contextmanager
    def turn(self, *, waits: bool) -> Iterator[bool]:
        """Whether the turn to train is this process's inside. Raises NotYet once this is closed.

        Args:
            waits: for the turn, where another process has it.
        """
        while not self._take_turn():
            if not waits:
                yield False
                return
            if self._closed.wait(LOOK_EVERY_S):
                raise NotYet(CLOSED)
        ended = threading.Event()
        renewing = threading.Thread(target=self._renew_until, args=(ended,), name="turn to train", daemon=True)
        renewing.start()
        try:
            yield True
        finally:
            ended.set()
            renewing.join()
            self._label_store.end_training(self._name)

    def newer(self) -> StoredHead | None:
        """The head of another process, where it was not taken yet; it counts as taken from now on."""
        with self._exchanging:
            found = self._label_store.head_after(self.revision)
            if found:
                self.revision = found.revision
        return found

    def give(self, event: int, checkpoint: bytes, record: bytes) -> None:
        """Gives a head, and the content of its curve, to the others, unless one of theirs knew more (`StoredHead`)."""
        with self._exchanging:
            self.revision = self._label_store.store_head(event, checkpoint, record) or self.revision

    def close(self) -> None:
        """Ends the waiting for a turn."""
        self._closed.set()

    def _take_turn(self) -> bool:
        now = self._clock()
        return self._label_store.begin_training(self._name, now=now, until=now + TURN_S)

    def _renew_until(self, ended: threading.Event) -> None:
        while not ended.wait(RENEW_EVERY_S):
            try:
                self._take_turn()
            except StoreError as error:  # it may pass; another process that trains meanwhile does no harm
                log.warning("the turn to train could not be renewed: %s", error)


class Alone:
    """As `HeadExchange`, where there is no other process."""

    revision = 0

    def turn(self, *, waits: bool) -> AbstractContextManager[bool]:
        return nullcontext(True)

    def newer(self) -> StoredHead | None:
        return None

    def give(self, event: int, checkpoint: bytes, record: bytes) -> None:
        pass

    def close(self) -> None:
        pass


Exchange = HeadExchange | Alone
