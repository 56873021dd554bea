"""SavedHead: the newest head and its learning curve on disk, and in the label store for other processes on it."""

import logging
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from fastlabel_gradio.errors import CheckpointError, StoreError
from fastlabel_gradio.head import Head, load_head, save_head
from fastlabel_gradio.labels import StoredHead
from fastlabel_gradio.loop.head_exchange import Exchange
from fastlabel_gradio.loop.learning_record import LearningRecord

log = logging.getLogger(__name__)


class SavedHead:
    """One file of one project. One thread at a time saves and takes.

    Attributes:
        checkpoint: the file; it is there once a head was trained.
        unsaved: why the newest head could not be saved; "" where it could.
    """

    def __init__(self, checkpoint: Path, record: LearningRecord, exchange: Exchange, device: str) -> None:
        self.checkpoint = checkpoint
        self.unsaved = ""
        self._record = record
        self._exchange = exchange
        self._device = device
        self._event = 0  # the newest submission that was known when the newest head was trained

    def load(self, dim: int, check: Callable[[Head], None]) -> Head | None:
        """The head that was saved, for embeddings of `dim`; None where none was. Raises CheckpointError, by `check` too."""
        if not self.checkpoint.exists():
            return None
        head = load_head(self.checkpoint, device=self._device, dim=dim)
        check(head)
        return head

    def save(self, head: Head, event: int) -> None:
        """Where it cannot be saved it is used all the same, and `unsaved` tells why.

        Args:
            event: the newest submission that was known when it was trained.
        """
        self._event, self.unsaved = event, ""
        try:
            save_head(head, self.checkpoint)
        except OSError as error:
            self.unsaved = f"head v{head.info.version} works but could not be saved ({error}). Free some space."
        else:
            self.share()

    def save_again(self, head: Head) -> None:
        """As `save`, of the same head, calibrated."""
        self.save(head, self._event)

    def share(self) -> None:
        """Gives the saved head and the learning curve to other processes; what fails now is given with the next one."""
        try:
            self._exchange.give(self._event, self.checkpoint.read_bytes(), self._record.content)
        except (OSError, StoreError) as error:
            log.warning("other processes do not get the newest head: %s", error)

    @property
    def revision(self) -> int:
        """Of the newest head that was taken or given."""
        return self._exchange.revision

    def turn(self, *, waits: bool) -> AbstractContextManager[bool]:
        """Whether the turn to train is this process's inside, which `waits` for it where another one has it."""
        return self._exchange.turn(waits=waits)

    def newer(self) -> StoredHead | None:
        """The head of another process that was not taken yet. Raises StoreError."""
        return self._exchange.newer()

    def take(self, found: StoredHead, check: Callable[[Head], None]) -> Head | None:
        """The head of another process, with its curve, in place of the one here; None where `check` refuses it."""
        part = self.checkpoint.with_suffix(f".{os.getpid()}.part")
        try:
            part.write_bytes(found.checkpoint)
            head = load_head(part, device=self._device)
            check(head)
            part.replace(self.checkpoint)
            self._record.replace(found.record)
        except (CheckpointError, OSError) as error:
            log.info("The head of another process is not used here: %s", error)
            part.unlink(missing_ok=True)
            return None
        return head

    def close(self) -> None:
        """Ends the waiting for a turn."""
        self._exchange.close()
