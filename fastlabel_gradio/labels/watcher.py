"""Watcher: one thread that looks now and then whether projects were changed, by whatever process, and tells who asked.

It reads one small row a project, and waits for nobody: reading never waits for a writer.
"""

import logging
import threading
from collections.abc import Callable, Iterable

from fastlabel_gradio.errors import StoreError

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5

Revisions = Callable[[Iterable[int]], dict[int, int]]


class Watcher:
    """Watches the projects of one database. May be used from any thread.

    Args:
        revisions: how often each of some projects was changed so far.
    """

    def __init__(self, revisions: Revisions) -> None:
        self._revisions = revisions
        self._lock = threading.Lock()
        self._calls: dict[object, tuple[int, Callable[[], None]]] = {}
        self._seen: dict[object, int] = {}
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed = False

    def add(self, project: int, tell: Callable[[], None]) -> Callable[[], None]:
        """Has `tell` called soon, and after each change of a project; what is returned ends that."""
        key = object()
        with self._lock:
            self._calls[key] = project, tell
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="label watcher", daemon=True)
                self._thread.start()
        return lambda: self._forget(key)

    def close(self) -> None:
        """Ends the thread."""
        self._closed.set()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join()

    def _forget(self, key: object) -> None:
        with self._lock:
            self._calls.pop(key, None)
            self._seen.pop(key, None)

    def _run(self) -> None:
        while not self._closed.wait(LOOK_EVERY_S):
            try:
                self._look()
                self._failed = False
            except StoreError as error:  # it may pass: a server that restarts, a disk that is away
                if not self._failed:
                    log.warning("What other processes labeled cannot be seen: %s", error)
                self._failed = True
            except Exception:
                log.exception("watching the labels failed")

    def _look(self) -> None:
        with self._lock:
            calls = dict(self._calls)
        found = self._revisions({project for project, _ in calls.values()}) if calls else {}
        for key, (project, tell) in calls.items():
            revision = found.get(project)
            if revision is not None and self._seen.get(key) != revision:
                tell()
                self._note(key, revision)

    def _note(self, key: object, revision: int) -> None:
        with self._lock:
            if key in self._calls:
                self._seen[key] = revision
