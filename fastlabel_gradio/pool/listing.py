"""Listing: the thread that lists the source, once and again, and hands what is new to the thread that embeds."""

import logging
import math
import threading
import time
from collections.abc import Iterator

from fastlabel_gradio.devices import lower_priority
from fastlabel_gradio.errors import SourceError, StoreError
from fastlabel_gradio.pool.filling import Filling
from fastlabel_gradio.pool.item_index import ScanChanges
from fastlabel_gradio.pool.news import NEWS_KEPT
from fastlabel_gradio.pool.retries import FIRST_PAUSE_S, LONGEST_SHORTAGE_PAUSE_S
from fastlabel_gradio.types import Item

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5  # at what another process does with the store
SCAN_BLOCK = 5_000
BLOCK_S = 1.0
NO_ITEMS = "The source has no items. Add some, then press Rescan."
NO_ITEM_LISTED = "The source lists no item at all. Is its disk there?"


class Listing:
    """Lists one source into a store.

    Args:
        rescan_s, audit_share: see `EmbeddingPipeline`.
    """

    def __init__(self, filling: Filling, rescan_s: float, audit_share: float) -> None:
        self._filling = filling
        self._source, self._store, self._stop = filling.source, filling.store, filling.stop
        self._rescan_s = rescan_s
        self._audit_share = audit_share
        self._wanted = threading.Event()
        self._scans = self._failures = 0

    def ask(self) -> None:
        """Asks for the source to be listed again."""
        self._wanted.set()

    def run(self) -> None:
        """Lists once, and again whenever that is due or asked for, until the stop."""
        filling = self._filling
        if not filling.leads.is_set():
            filling.listed.set()  # what the other process listed is there; after it this one lists the source again
            self._wanted.set()
            while not (filling.leads.wait(LOOK_EVERY_S) or self._stop.is_set()):
                pass
        else:
            filling.group()
            try:
                self._list_source()
            except (SourceError, StoreError, OSError) as error:  # a rescan may find it in order
                filling.nothing_listed = str(error)
            filling.listed.set()
        lower_priority()
        while not self._stop.is_set():
            is_asked_for = self._wait_until_due()
            self._wanted.clear()
            if not self._stop.is_set():
                self._rescan(is_asked_for)

    def _wait_until_due(self) -> bool:
        """Until it is due or asked for; True in the latter case. Due soon after a failure: what was away may be back."""
        again_in_s = self._pause_s() if self._filling.nothing_listed else math.inf
        due_in_s = min(again_in_s, self._rescan_s or math.inf)
        lease = self._filling.lease
        if not (lease and lease.is_shared):
            return self._wanted.wait(due_in_s if due_in_s < math.inf else None)
        due = time.monotonic() + due_in_s
        while time.monotonic() < due:
            if self._wanted.wait(LOOK_EVERY_S) or lease.take_wish():
                return True
        return False

    def _pause_s(self) -> float:
        """Twice as long after each failure."""
        self._failures += 1
        return min(FIRST_PAUSE_S * 2.0 ** (self._failures - 1), LONGEST_SHORTAGE_PAUSE_S)

    def _rescan(self, is_asked_for: bool) -> None:
        """A failure costs nothing but this scan: the source may be on a disk that is away for a moment."""
        self._filling.tell(rescanning=True)
        if (is_asked_for or self._filling.nothing_learned) and self._store.unreadable_count:
            self._store.retry_all()
            self._filling.news.add_unnamed()
        notice, found = "", ScanChanges()
        try:
            found = self._list_source()
        except (SourceError, StoreError, OSError) as error:
            notice = f"The last look for new files failed, and nothing left the pool: {error}"
            log.warning("%s", notice)
        if found.text:
            log.info("%s", found.text)
        self._scans += 1
        self._filling.tell(rescanning=False, scans=self._scans, scan_changes=found.text, scan_notice=notice)

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
            self._filling.nothing_listed = ""
        finally:
            found = self._store.end_scan(is_complete=is_complete, audit_share=self._audit_share)
            if self._filling.listed.is_set():
                self._filling.news.add(news)
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
