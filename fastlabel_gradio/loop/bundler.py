"""Bundler: has the files of each head written once, and again where more is known of its labels."""

import threading
from collections.abc import Callable

from fastlabel_gradio.head import Head


class Bundler:
    """Hands heads to whoever keeps them. All methods may be called from any thread."""

    def __init__(self, keep: Callable[[Head], None]) -> None:
        self._keep = keep
        self._newest: Head | None = None
        self._asked = self._answered = 0  # how often something new was known
        self._changed = threading.Condition()

    def pass_over(self, head: Head) -> None:
        """Writes nothing of a head: somebody else does, or nobody can take it along."""
        self._note(head, self._asked)

    def ask_again(self) -> None:
        """From now on the files of the newest head are out of date."""
        with self._changed:
            self._asked += 1

    def write(self, head: Head) -> None:
        """Has the files of a head written, where they are not up to date."""
        with self._changed:
            asked = self._asked
            is_due = head is not self._newest or asked > self._answered
        if is_due:
            self._keep(head)
            self._note(head, asked)

    def wait(self, timeout: float) -> bool:
        """Waits until the files have all that was known when this was called; False after so many seconds."""
        with self._changed:
            asked = self._asked
            return self._changed.wait_for(lambda: self._answered >= asked, timeout)

    def _note(self, head: Head, asked: int) -> None:
        with self._changed:
            self._newest, self._answered = head, max(asked, self._answered)
            self._changed.notify_all()
