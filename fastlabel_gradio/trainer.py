"""Trainer: one background thread that trains heads on request, the newest request first.

What to train on and what to do with the head are the labeler's; this file is only the thread and its state.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fastlabel_gradio.errors import FastLabelError

log = logging.getLogger(__name__)

TrainingState = Literal["idle", "training", "waiting", "failed"]


@dataclass(frozen=True, slots=True)
class Training:
    """What the trainer is doing, for the screen.

    Attributes:
        state: "waiting" means that it was asked but cannot train yet; `message` says what is missing.
        error: why the last training failed; "" once one has succeeded.
    """

    state: TrainingState = "idle"
    message: str = ""
    error: str = ""


class NotYet(Exception):
    """Raised by the work when there is nothing to train on yet; the message says what is missing."""


class Trainer:
    """Runs `work` in its thread once per request; requests that come while it runs become one more run.

    Args:
        work: trains on the labels as they are then and swaps the new head in; raises NotYet if it cannot yet.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._condition = threading.Condition()
        self._requested = False
        self._busy = False
        self._closed = False
        self._training = Training()
        self._thread = threading.Thread(target=self._run, name="trainer", daemon=True)
        self._thread.start()

    @property
    def training(self) -> Training:
        return self._training

    def request(self) -> None:
        """Asks for a training and returns at once."""
        with self._condition:
            self._requested = True
            self._condition.notify_all()

    def wait(self, timeout: float) -> bool:
        """Waits until nothing is requested or running; False where that took longer than `timeout` seconds."""
        with self._condition:
            return self._condition.wait_for(lambda: not (self._requested or self._busy), timeout)

    def close(self) -> None:
        """Ends the thread after the training under way."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        self._thread.join(timeout=60)

    def _run(self) -> None:
        while self._next_request():
            try:
                self._training = Training("training")
                self._work()
                self._training = Training()
            except NotYet as reason:
                self._training = Training("waiting", message=str(reason))
            except FastLabelError as error:
                self._training = Training("failed", error=str(error))
            except Exception as error:
                log.exception("training failed")
                self._training = Training("failed", error=f"{type(error).__name__}: {error}")
            finally:
                with self._condition:
                    self._busy = False
                    self._condition.notify_all()

    def _next_request(self) -> bool:
        with self._condition:
            self._condition.wait_for(lambda: self._requested or self._closed)
            self._requested, self._busy = False, True
            return not self._closed
