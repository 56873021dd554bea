"""Filling: one store that is filled from one source, and how far that is: what the parts of a pipeline share."""

import logging
import threading
from dataclasses import replace
from typing import Any

from fastlabel_gradio.pool.lease import PoolLease
from fastlabel_gradio.pool.news import PoolNews
from fastlabel_gradio.pool.parts_taken import PartsTaken
from fastlabel_gradio.pool.progress import EmbeddingProgress
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.sources.base import Source

log = logging.getLogger(__name__)


class Filling:
    """What is filled from what, by which process. All methods may be called from any thread.

    Attributes:
        parts: vectors that are computed elsewhere; None for none.
        lease: on the store's folder; None where no other process may have it.
        news: what is found after the source was listed for the first time.
        stop: set once all shall end.
        listed: set once the source was listed to its end for the first time, or cannot be.
        leads: set once this process fills the store, and no other one does.
        nothing_listed: why the source gives nothing to embed yet; a rescan may end that.
        nothing_learned: why there is no sample to learn from yet; the same.
        progress: what was told, without counts.
    """

    def __init__(
        self, source: Source, store: EmbeddingStore, lease: PoolLease | None, parts: PartsTaken | None
    ) -> None:
        self.source = source
        self.store = store
        self.lease = lease
        self.parts = parts
        self.news = PoolNews()
        self.stop, self.listed, self.leads = threading.Event(), threading.Event(), threading.Event()
        if lease is None or lease.is_held:
            self.leads.set()
        self.nothing_listed = self.nothing_learned = ""
        self.progress = EmbeddingProgress()
        self._failed = False
        self._lock = threading.Lock()  # of the progress

    @property
    def problem(self) -> str:
        """Why nothing can be embedded yet, where a rescan may end that; "" where a thread failed for good."""
        return "" if self._failed else self.nothing_listed or self.nothing_learned

    def tell(self, **changes: Any) -> None:
        """Changes the progress; a failure of either thread stays on screen whatever the other one does."""
        with self._lock:
            if self._failed:
                changes.pop("state", None)
            self.progress = replace(self.progress, **changes)

    def note(self, notice: str) -> None:
        """Adds a sentence to the notice on screen, once."""
        if notice not in self.progress.notice:
            self.tell(notice=" ".join(filter(None, [self.progress.notice, notice])))

    def fail(self, message: str) -> None:
        """The first failure is the one that is told."""
        with self._lock:
            self._failed = True
            self.progress = replace(self.progress, state="failed", error=self.progress.error or message)
        self.listed.set()

    def await_listed(self) -> None:
        """Until the source was listed, or a stop."""
        while not (self.stop.is_set() or self.listed.wait(0.2)):
            pass

    def group(self) -> None:
        """Before either thread uses the store: rows whose groups are of another rule must not be taken for the audit."""
        self.store.group_by(str(self.source.grouping or ""))

    def takes_the_lead(self) -> bool:
        """Whether this process fills the store, from now on where the one that did is gone."""
        if not self.leads.is_set() and self.lease and self.lease.take():
            log.info("%s: this process embeds from now on", self.store.folder.name)
            self.store.lead()
            self.group()
            self.leads.set()
        return self.leads.is_set()
