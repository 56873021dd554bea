"""Inquiry: a question whose answer takes minutes, worked out in a thread of low priority when somebody asks it.

Knows nothing of what is asked. One answer is worked out at a time; the last one stays until the question is asked again.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from fastlabel_gradio.devices import lower_priority
from fastlabel_gradio.errors import FastLabelError
from fastlabel_gradio.superseded import Superseded

Answer = TypeVar("Answer")
InquiryState = Literal["unasked", "running", "answered", "failed"]

PATIENCE_S = 30.0  # for a step that cannot be broken off

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding(Generic[Answer]):
    """What is known so far.

    Attributes:
        answer: while it is "running" what there is of it; None before that. error: why it "failed", a sentence.
    """

    state: InquiryState = "unasked"
    answer: Answer | None = None
    error: str = ""


class Inquiry(Generic[Answer]):
    """One question.

    Args:
        work: gives the answer; is given a function to tell what there is of it meanwhile, which waits while a pause is on,
            and an event that ends it early.
    """

    def __init__(self, work: Callable[[Callable[[Answer], None], threading.Event], Answer]) -> None:
        self._work = work
        self._lock = threading.Condition()
        self._pauses = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.finding: Finding[Answer] = Finding()

    def ask(self) -> bool:
        """Begins to work; False where it is at work already, or closed. Does not wait."""
        with self._lock:
            if self._stop.is_set() or self.finding.state == "running":
                return False
            self.finding = Finding("running")
            self._thread = threading.Thread(target=self._run, name="inquiry", daemon=True)
            self._thread.start()
            return True

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Meanwhile the work waits at the next place where it tells how far it is: somebody waits for something else."""
        with self._lock:
            self._pauses += 1
        try:
            yield
        finally:
            with self._lock:
                self._pauses -= 1
                self._lock.notify_all()

    def wait(self, timeout_s: float) -> None:
        """Waits until the work is done, or so long."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def close(self) -> None:
        """Ends the work, and waits for it."""
        with self._lock:
            self._stop.set()
            self._lock.notify_all()
        if self._thread is not None:
            self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        lower_priority()
        try:
            self.finding = Finding("answered", self._work(self._tell, self._stop))
        except Superseded:
            self.finding = Finding()
        except FastLabelError as error:
            self.finding = Finding("failed", error=str(error))
        except Exception:
            log.exception("an inquiry failed")
            self.finding = Finding("failed", error="It failed. The program's log says why.")

    def _tell(self, answer: Answer) -> None:
        self.finding = Finding("running", answer)
        with self._lock:
            self._lock.wait_for(lambda: not self._pauses or self._stop.is_set())
