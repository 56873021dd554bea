"""Opinions followed in the label store: of the items that several people judged, and of those that may be asked about again.

What one person alone said of all other items is not kept: that is most of what there is.
"""

import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType

from fastlabel_gradio.labels import Opinions, judgements_of, waits_for_second
from fastlabel_gradio.pool.desk import Desk


class FollowedOpinions:
    """The opinions on the items of one project. May be used from any thread.

    Args:
        may_be_drawn: whether an item may be asked about again.
    """

    def __init__(self, desk: Desk, may_be_drawn: Callable[[str], bool]) -> None:
        self._desk = desk
        self._may_be_drawn = may_be_drawn
        self._lock = threading.Lock()
        self._read = 0
        self._opinions: Mapping[str, Opinions] = MappingProxyType({})

    def look(self) -> tuple[int, Mapping[str, Opinions]]:
        """The submission up to which they are known, and the opinions by item; a mapping that does not change any more."""
        with self._lock:
            if self._desk.ledger.position.submission > self._read:
                self._read_on()
            return self._read, self._opinions

    # Private; the caller holds the lock

    def _read_on(self) -> None:
        self._read, touched = self._desk.label_store.opinions(self._read)
        followed = {item_id: one for item_id, one in touched.items() if self._is_followed(item_id, one)}
        gone = touched.keys() - followed.keys()
        before = ((item_id, one) for item_id, one in self._opinions.items() if item_id not in gone)
        if followed or gone & self._opinions.keys():
            self._opinions = MappingProxyType({**dict(before), **followed})

    def _is_followed(self, item_id: str, opinions: Opinions) -> bool:
        return len(judgements_of(opinions)) > 1 or (waits_for_second(opinions) and self._may_be_drawn(item_id))
