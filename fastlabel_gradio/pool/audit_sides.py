"""AuditSides: which rows heads are trained on and which are kept for the audit, and of which group each is."""

import numpy as np
from jaxtyping import Int64

from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.sources.groups import AUDITED, WAITING, spread_order
from fastlabel_gradio.types import Groups, Rows


class AuditSides:
    """The sides of the rows of one pool. Whoever calls this sees to it that one thread does.

    Args:
        audit_share: the share of the items that is kept for the audit; of groups whole ones (`AuditGroups`).
    """

    def __init__(self, store: EmbeddingStore, audit_share: float) -> None:
        self._store = store
        self._audit_share = audit_share
        self._side = np.zeros(0, dtype=np.uint8)
        self._group = np.zeros(0, dtype=np.int64)  # 0: of no group, or of one that is not known yet
        self._rows = 0
        self._version = -1

    @property
    def mark(self) -> str:
        """Another text when items may have changed sides: the share is another one, or the groups were drawn anew."""
        return f"{self._audit_share:g} {self._store.groups.mark}".rstrip()

    def of(self, row: int) -> int:
        """The side of a row."""
        return int(self._side[row])

    def are_of(self, side: int) -> np.ndarray:
        """bool[rows]."""
        return np.asarray(self._side[: self._rows] == side)

    def groups_of(self, rows: Rows | slice) -> Groups | None:
        """int64[n], a number for the group of each row, the same for the same group; None where there are no groups."""
        return np.array(self._group[rows]) if self._store.groups.rule else None

    def spread(self, rows: Rows, drawn: Int64[np.ndarray, " drawn"]) -> Rows:
        """The rows in an order in which as many groups as can be come first, after those of which rows were drawn already."""
        return np.asarray(rows[spread_order(self._group[rows], self._group[drawn])])

    def audits_nothing(self, in_pool: np.ndarray) -> bool:
        """Whether nothing is kept for the audit though a share of the groups should be."""
        may_be_drawn = (self.are_of(AUDITED) | self.are_of(WAITING)) & in_pool
        return bool(self._audit_share and self._store.groups.rule and not may_be_drawn.any())

    def take(self, start: int, stop: int) -> None:
        """Takes in rows that are new: by a hash of their item, or as `AuditGroups` has their group."""
        groups = self._store.groups
        if stop > len(self._side):
            room = max(stop, 2 * len(self._side))
            self._side, self._group = grown(self._side, room), grown(self._group, room)
        if groups.rule:
            self._group[start:stop] = self._store.group_keys(start, stop)
            if self._audit_share:
                self._side[start:stop] = groups.sides(self._group[start:stop])
        elif self._audit_share:
            self._side[self._store.reserved_rows(start, stop, self._audit_share)] = AUDITED
        self._rows = stop

    def settle(self, version: int, in_pool: np.ndarray) -> bool:
        """Takes in groups that were found or decided on since rows of them were taken in; returns whether any were.

        Args:
            version: of the groups; nothing is looked for where it is the one of the last time.
        """
        if version == self._version:
            return False
        self._version = version
        groups, rows = self._store.groups, self._rows
        if not groups.rule or not rows:
            return False
        unknown = np.flatnonzero((self._group[:rows] == 0) & in_pool)
        if len(unknown):
            start, stop = int(unknown[0]), int(unknown[-1]) + 1
            self._group[start:stop] = self._store.group_keys(start, stop)
        waiting = np.flatnonzero(self.are_of(WAITING))
        if len(waiting):
            self._side[waiting] = groups.sides(self._group[waiting])
        return bool(len(unknown) or len(waiting))


def grown(values: np.ndarray, size: int) -> np.ndarray:
    """The values with room for more, which are 0."""
    larger = np.zeros(size, dtype=values.dtype)
    larger[: len(values)] = values
    return larger
