"""Trainer: one background thread that trains heads on request, the newest request first.

What to train on and what to do with the head are the labeler's; this file is only the thread and its state.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from fastlabel_gradio.errors import FastLabelError
from fastlabel_gradio.superseded import Checkpoint, Superseded

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


def _nothing() -> None:
    """What a closed trainer does."""


class Trainer:
    """Runs `work` in its thread once per request; requests that come while it runs become one more run.

    What comes after a training may also be asked for alone (`follow_up`).

    Args:
        work: trains on the labels as they are then and swaps the new head in; raises NotYet if it cannot yet.
        afterwards: what the new head is not kept back for; left out where `work` failed. It is given a checkpoint, to be
            called now and then, which waits for pauses, and raises Superseded where a newer request waits.
    """

    def __init__(self, work: Callable[[], None], afterwards: Callable[[Checkpoint], None]) -> None:
        self._work = work
        self._afterwards = afterwards
        self._condition = threading.Condition()
        self._requested = False
        self._due_at = math.inf  # of the monotonic clock: when a training is requested by itself
        self._follow_up = False
        self._busy = False
        self._settled = True
        self._closed = False
        self._pauses = 0
        self._training = Training()
        self._thread = threading.Thread(target=self._run, name="trainer", daemon=True)
        self._thread.start()

    @property
    def training(self) -> Training:
        return self._training

    @property
    def settled(self) -> bool:
        """Whether nothing is requested, running, or left of what comes after a training."""
        return self._settled and not (self._requested or self._follow_up)

    def request(self) -> None:
        """Asks for a training and returns at once."""
        with self._condition:
            self._requested = True
            self._condition.notify_all()

    def request_within(self, seconds: float) -> None:
        """Asks for a training that begins so many seconds from now, or with the next request before that."""
        with self._condition:
            self._due_at = min(self._due_at, time.monotonic() + seconds)
            self._condition.notify_all()

    def follow_up(self) -> None:
        """Asks for what comes after a training, without one, and returns at once."""
        with self._condition:
            self._follow_up = True
            self._condition.notify_all()

    def wait(self, timeout: float) -> bool:
        """Waits until no training is requested or running; False where that took longer than `timeout` seconds."""
        with self._condition:
            return self._condition.wait_for(lambda: not (self._requested or self._busy), timeout)

    def settle(self, timeout: float) -> bool:
        """As `wait`, and until what comes after the training is done too."""
        with self._condition:
            return self._condition.wait_for(lambda: self.settled, timeout)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While inside, what comes after a training is kept back: a person is waiting for the cores.

        It does not begin, and stops at its next checkpoint. Where a newer request waits it hurries on instead, to make room
        for that.
        """
        with self._condition:
            self._pauses += 1
        try:
            yield
        finally:
            with self._condition:
                self._pauses -= 1
                self._condition.notify_all()

    def close(self) -> None:
        """Ends the thread after the training under way."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        self._thread.join(timeout=60)
        if not self._thread.is_alive():  # nothing that it worked for is kept: a head is megabytes
            self._work, self._afterwards = _nothing, lambda checkpoint: None

    def _run(self) -> None:
        while self._next_request():
            before = self._training
            if self._busy:
                self._train_and_follow_up()
            elif self._ends_well(lambda: self._afterwards(self._checkpoint)):
                self._training = before  # nothing was trained
            self._set(busy=False, settled=True)

    def _train_and_follow_up(self) -> None:
        self._training = Training("training")
        if self._ends_well(self._work):
            self._set(busy=False)
            self._wait_out_pauses()
            self._ends_well(lambda: self._afterwards(self._checkpoint))

    def _ends_well(self, part: Callable[[], None]) -> bool:
        """Runs a part of the work, and keeps for the screen how it ended."""
        try:
            part()
        except Superseded:
            self._training = Training()
            return True
        except NotYet as reason:
            self._training = Training("waiting", message=str(reason))
        except FastLabelError as error:
            self._training = Training("failed", error=str(error))
        except Exception as error:
            log.exception("training failed")
            self._training = Training("failed", error=f"{type(error).__name__}: {error}")
        else:
            self._training = Training()
            return True
        return False

    def _checkpoint(self) -> None:
        """Waits while a pause is on. Raises Superseded where a newer request waits."""
        self._wait_out_pauses()
        if self._requested or self._closed:
            raise Superseded

    def _wait_out_pauses(self) -> None:
        """Where a newer request waits, for nothing: room is made for that."""
        with self._condition:
            self._condition.wait_for(lambda: self._requested or self._closed or not self._pauses)

    def _set(self, *, busy: bool, settled: bool = False) -> None:
        with self._condition:
            self._busy, self._settled = busy, settled
            self._condition.notify_all()

    def _next_request(self) -> bool:
        with self._condition:
            while not (self._requested or self._follow_up or self._closed or self._left_s() <= 0):
                self._condition.wait(self._left_s())
            if self._requested or self._left_s() <= 0:
                self._requested, self._due_at = True, math.inf
            self._busy, self._settled = self._requested and not self._closed, self._closed
            self._requested = self._follow_up = False
            return not self._closed

    def _left_s(self) -> float:
        """Until a training is due by itself; the caller holds the lock."""
        return min(self._due_at - time.monotonic(), threading.TIMEOUT_MAX)
