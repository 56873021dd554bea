"""Listing: the thread that lists the source, once and again, and hands what is new to the thread that embeds."""

import logging
import threading
import time
from collections.abc import Callable, Iterator

from fastlabel_gradio.devices import lower_priority
from fastlabel_gradio.errors import SourceError, StoreError
from fastlabel_gradio.pool.item_index import ScanChanges
from fastlabel_gradio.pool.lease import PoolLease
from fastlabel_gradio.pool.news import NEWS_KEPT, PoolNews
from fastlabel_gradio.pool.retries import FIRST_PAUSE_S, LONGEST_SHORTAGE_PAUSE_S
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.sources.base import Source
from fastlabel_gradio.types import Item

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5  # at what another process does with the store
SCAN_BLOCK = 5_000
BLOCK_S = 1.0
NO_ITEMS = "The source has no items. Add some, then press Rescan."
NO_ITEM_LISTED = "The source lists no item at all. Is its disk there?"


class Listing:
    """Lists one source into a store.

    Attributes:
        is_complete: set once the source was listed to its end for the first time, or cannot be.
        problem: why there is nothing to embed yet; a rescan may end that.

    Args:
        news: what is found after the first time.
        tell: changes the progress.
        retries_all: whether unreadable items are tried again at every rescan, and not only at one that was asked for.
        rescan_s, audit_share, lease: see `EmbeddingPipeline`.
    """

    def __init__(
        self,
        source: Source,
        store: EmbeddingStore,
        news: PoolNews,
        stop: threading.Event,
        tell: Callable[..., None],
        retries_all: Callable[[], bool],
        rescan_s: float,
        audit_share: float,
        lease: PoolLease | None,
    ) -> None:
        self._source = source
        self._store = store
        self._news = news
        self._stop = stop
        self._tell = tell
        self._retries_all = retries_all
        self._rescan_s = rescan_s
        self._audit_share = audit_share
        self._lease = lease
        self._wanted = threading.Event()
        self._scans = self._failures = 0
        self.is_complete = threading.Event()
        self.problem = ""

    def ask(self) -> None:
        """Asks for the source to be listed again."""
        self._wanted.set()

    def run(self, leads: threading.Event) -> None:
        """Lists once, and again whenever that is due or asked for, until the stop.

        Args:
            leads: set once this process fills the store.
        """
        if not leads.is_set():  # what the other process listed is there; after it this one lists the source again
            self.is_complete.set()
            self._wanted.set()
            while not (leads.wait(LOOK_EVERY_S) or self._stop.is_set()):
                pass
        else:
            self.group()
            try:
                self._list_source()
            except (SourceError, StoreError, OSError) as error:  # a rescan may find it in order
                self.problem = str(error)
            self.is_complete.set()
        lower_priority()
        while not self._stop.is_set():
            is_asked_for = self._wait_until_due()
            self._wanted.clear()
            if not self._stop.is_set():
                self._rescan(is_asked_for)

    def group(self) -> None:
        """Before either thread uses the store: rows whose groups are of another rule must not be taken for the audit."""
        self._store.group_by(str(self._source.grouping or ""))

    def _wait_until_due(self) -> bool:
        """Until it is due or asked for; True in the latter case. Due soon after a failure: what was away may be back."""
        due_in_s = min(self._pause_s() if self.problem else float("inf"), self._rescan_s or float("inf"))
        if not (self._lease and self._lease.is_shared):
            return self._wanted.wait(due_in_s if due_in_s < float("inf") else None)
        due = time.monotonic() + due_in_s
        while time.monotonic() < due:
            if self._wanted.wait(LOOK_EVERY_S) or self._lease.take_wish():
                return True
        return False

    def _pause_s(self) -> float:
        """Twice as long after each failure."""
        self._failures += 1
        return min(FIRST_PAUSE_S * 2.0 ** (self._failures - 1), LONGEST_SHORTAGE_PAUSE_S)

    def _rescan(self, is_asked_for: bool) -> None:
        """A failure costs nothing but this scan: the source may be on a disk that is away for a moment."""
        self._tell(rescanning=True)
        if (is_asked_for or self._retries_all()) and self._store.unreadable_count:
            self._store.retry_all()
            self._news.add_unnamed()
        notice, found = "", ScanChanges()
        try:
            found = self._list_source()
        except (SourceError, StoreError, OSError) as error:
            notice = f"The last look for new files failed, and nothing left the pool: {error}"
            log.warning("%s", notice)
        if found.text:
            log.info("%s", found.text)
        self._scans += 1
        self._tell(rescanning=False, scans=self._scans, scan_changes=found.text, scan_notice=notice)

    def _list_source(self) -> ScanChanges:
        """Lists the source once and hands what is new to the thread that embeds. Raises SourceError, StoreError."""
        self._store.begin_scan()
        news: list[Item] = []
        is_complete, is_empty = False, True
        try:
            for block in blocks_of(self._source.scan(), SCAN_BLOCK):
                is_empty = False
                news += self._store.add_items(block, self._source.group_of if self._source.grouping else None)
                del news[NEWS_KEPT + 1 :]
                if self._stop.is_set():
                    return ScanChanges()
            if is_empty:
                raise SourceError(NO_ITEM_LISTED if self._store.total else NO_ITEMS)
            is_complete = True
            self.problem = ""
        finally:
            found = self._store.end_scan(is_complete=is_complete, audit_share=self._audit_share)
            if self.is_complete.is_set():
                self._news.add(news)
        return found


def blocks_of(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    """Items in blocks of that size, or of what came in BLOCK_S: finding the lengths of recordings may take long."""
    block: list[Item] = []
    began = time.monotonic()
    for item in items:
        block.append(item)
        if len(block) >= size or time.monotonic() - began > BLOCK_S:
            yield block
            block, began = [], time.monotonic()
    if block:
        yield block
