"""PoolLedger: the labeler's bookkeeping in memory. Which rows are free, labeled, or held by whom.

A picture of what the label store and the embedding store say, kept so that no request walks the pool. Not thread-safe: the
labeler's lock guards it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from fastlabel_gradio.embedding_pipeline import EmbeddingProgress
from fastlabel_gradio.embedding_store import EmbeddingStore
from fastlabel_gradio.groups import AUDITED, TRAINED, WAITING, spread_order
from fastlabel_gradio.label_store import Claim, has_run_out
from fastlabel_gradio.types import Rows

AUDIT_ROWS_LOOKED_AT = 5_000  # the first free ones, a random sample: a batch draws a few of them


class PoolLedger:
    """Follows one pool.

    Args:
        labels: the standing label id of each labeled item, from the label store.
        claims: the claims that have not run out.
        audit_share: the share of the items, chosen at random once, that no strategy picks and no head is trained on. Where
            the items are of groups, whole groups are chosen (`AuditGroups`).
        is_held_out: whether the source keeps an item out of the pool as a test part: it is not missing.
    """

    def __init__(
        self,
        store: EmbeddingStore,
        labels: Mapping[str, int],
        claims: Iterable[Claim],
        audit_share: float = 0.0,
        is_held_out: Callable[[str], bool] = lambda item_id: False,
    ) -> None:
        self._store = store
        self._labels = dict(labels)
        self._claims: dict[str, Claim] = {}
        self._left: set[str] = set()  # labeled items that are not in the pool
        self._missing: set[str] = set()  # of those, the ones that the source has no more
        self._row_of: dict[str, int] = {}
        self._free = np.zeros(0, dtype=bool)
        self._retired = np.zeros(0, dtype=bool)
        self._aside = np.zeros(0, dtype=bool)
        self._side = np.zeros(0, dtype=np.uint8)
        self._group = np.zeros(0, dtype=np.int64)  # 0: of no group, or of one that is not known yet
        self._groups_version = -1
        self._audit_share = audit_share
        self._labeled_sets: dict[int, tuple[Rows, list[int]]] = {}  # until a label or a row of one changes
        self._seen_rows = 0
        self._is_held_out = is_held_out
        self._pool_state: tuple[str, bool, int] = ("", True, 0)
        self.replace_claims(claims)

    @property
    def labeled_count(self) -> int:
        return len(self._labels)

    @property
    def claimed_count(self) -> int:
        return len(self._claims)

    def claimed_by_others(self, annotator: str) -> int:
        return sum(claim.annotator != annotator for claim in self._claims.values())

    @property
    def labeled_in_pool_count(self) -> int:
        """Labeled items that the source still has."""
        return len(self._labels) - len(self._left & self._labels.keys())

    @property
    def missing_count(self) -> int:
        """Labeled items that the source has no more; unreadable ones and those of the test part are not among them."""
        return len(self._missing & self._labels.keys())

    @property
    def trainable_count(self) -> int:
        """Labeled items that are embedded, those of the audit left out."""
        return len(self.training_set()[0])

    def is_this_audit(self, mark: str) -> bool:
        """Whether a head or a figure with that mark was made with the audit of now.

        Those of earlier versions have no mark; they knew no groups.
        """
        return mark == self.audit_mark or (mark == "" and not self._store.groups.rule)

    @property
    def audit_mark(self) -> str:
        """Another text when items may have changed sides: the share is another one, or the groups were drawn anew."""
        return f"{self._audit_share:g} {self._store.groups.mark}".rstrip()

    @property
    def audits_nothing(self) -> bool:
        """Whether nothing is reserved though a share of the groups should be."""
        may_be_drawn = (self._is_of(AUDITED) | self._is_of(WAITING)) & ~self._retired[: self._seen_rows]
        return bool(self._audit_share and self._store.groups.rule and not may_be_drawn.any())

    def labeled_ids(self) -> set[str]:
        return set(self._labels)

    def catch_up(self, progress: EmbeddingProgress) -> None:
        """Takes in rows that were embedded since the last call, and rows that left the pool or came back."""
        groups_version = self._store.groups.version  # first: the rows that are there and retired are then as new as it
        rows = len(self._store)
        if rows > self._seen_rows:
            self._labeled_sets.clear()
            self._grow(rows)
            self._take_sides(self._seen_rows, rows)
            self._find_rows(rows)
            self._seen_rows = rows
        pool_state = (progress.state, progress.scanning, self._store.revision)
        if pool_state != self._pool_state:
            self._pool_state = pool_state
            self._left = self._labels.keys() - self._store.known_ids(list(self._labels))
            self._missing = set() if progress.scanning else self._gone(self._left)
            self._take_in_retired()
        if groups_version != self._groups_version:
            self._groups_version = groups_version
            self._settle_sides()

    def free_rows(self, wanted: int) -> Rows:
        """Rows that are neither labeled, held, retired nor reserved, ascending; set aside ones where others are too few."""
        return self._others_first(self._free[: self._seen_rows] & self._is_of(TRAINED), wanted)

    def free_audit_rows(self, wanted: int) -> Rows:
        """As `free_rows`, of the reserved ones, in the order in which to draw them.

        Rows are stored in shuffled order, so the first ones are a random sample; of groups, as many as can be come first.
        """
        rows = self._others_first(self._free[: self._seen_rows] & self._is_of(AUDITED), wanted)[:AUDIT_ROWS_LOOKED_AT]
        if not self._store.groups.rule:
            return rows
        drawn = self._is_of(AUDITED) & ~self._free[: self._seen_rows] & ~self._retired[: self._seen_rows]
        order = spread_order(self._group[rows], self._group[: self._seen_rows][drawn])
        return np.asarray(rows[order])

    def audit_rows(self, most: int) -> Rows:
        """The first rows that are reserved, labeled or not, ascending: a random sample of them."""
        return np.flatnonzero(self._is_of(AUDITED))[:most].astype(np.int64)

    def groups_of(self, rows: Rows) -> Rows | None:
        """int64[n], a number for the group of each row, the same for the same group; None where there are no groups."""
        return np.asarray(self._group[rows]) if self._store.groups.rule else None

    def _others_first(self, free: np.ndarray, wanted: int) -> Rows:
        rows = np.flatnonzero(free & ~self._aside[: self._seen_rows])
        return (rows if len(rows) >= wanted else np.flatnonzero(free)).astype(np.int64)

    def is_free(self, rows: Rows) -> np.ndarray:
        """bool[n] for n rows."""
        return np.asarray(self._free[rows])

    def free_rows_of(self, item_ids: Sequence[str]) -> Rows:
        """The free rows of some items, in their order; items without a row or held by somebody are left out."""
        self._locate(item_ids)
        rows = [self._row_of[item_id] for item_id in item_ids if item_id in self._row_of]
        return np.array([row for row in rows if self._free[row]], dtype=np.int64)

    def training_set(self) -> tuple[Rows, list[int]]:
        """Rows and label ids of every labeled item that is embedded, by row: the same labels give the same order."""
        return self._labeled_rows(TRAINED)

    def audit_set(self) -> tuple[Rows, list[int]]:
        """As `training_set`, of the reserved items."""
        return self._labeled_rows(AUDITED)

    def _labeled_rows(self, side: int) -> tuple[Rows, list[int]]:
        if side not in self._labeled_sets:
            pairs = sorted(
                (row, label)
                for item_id, label in self._labels.items()
                if (row := self._row_of.get(item_id)) is not None and self._side[row] == side and not self._retired[row]
            )
            rows = np.array([row for row, _ in pairs], dtype=np.int64)
            self._labeled_sets[side] = rows, [label for _, label in pairs]
        return self._labeled_sets[side]

    def relabel(self, changed: Mapping[str, int | None]) -> None:
        """Sets or (None) takes away the standing labels of some items, of which some may have left the pool since."""
        self._labeled_sets.clear()
        self._locate(changed)
        left = changed.keys() - self._store.known_ids(list(changed))
        self._left |= left
        self._missing |= self._gone(left)
        for item_id, label in changed.items():
            if label is None:
                self._labels.pop(item_id, None)
            else:
                self._labels[item_id] = label
                self._claims.pop(item_id, None)
            self._refresh(item_id)

    def claim(self, item_ids: Sequence[str], annotator: str, batch_id: str, expires_at: float) -> None:
        self._locate(item_ids)
        for item_id in item_ids:
            self._claims[item_id] = Claim(item_id, annotator, batch_id, expires_at)
            self._refresh(item_id)

    def renew(self, batch_id: str, expires_at: float) -> None:
        for item_id, claim in self._claims.items():
            if claim.batch_id == batch_id:
                self._claims[item_id] = Claim(item_id, claim.annotator, batch_id, expires_at)

    def unclaim(self, item_ids: Iterable[str]) -> None:
        for item_id in item_ids:
            self._claims.pop(item_id, None)
            self._refresh(item_id)

    def expire(self, now: float, claim_s: float) -> None:
        """Frees the items whose claims have run out, and those held for longer than a claim lasts: the clock went back."""
        self.unclaim(
            [item_id for item_id, claim in self._claims.items() if has_run_out(claim.expires_at, now, claim_s)]
        )

    def set_aside(self, item_ids: Iterable[str]) -> None:
        """Items that somebody held and left open, because they are hard or of no class: others come first from now on."""
        rows = [self._row_of[item_id] for item_id in item_ids if item_id in self._row_of]
        self._aside[np.array(rows, dtype=np.int64)] = True

    def replace_claims(self, claims: Iterable[Claim]) -> None:
        """Takes over the label store's claims, after a start or when another process works on the same pool."""
        self.unclaim(list(self._claims))
        self._claims = {claim.item_id: claim for claim in claims}
        self._locate(list(self._claims))
        for item_id in self._claims:
            self._refresh(item_id)

    def _refresh(self, item_id: str) -> None:
        row = self._row_of.get(item_id)
        if row is not None and row < len(self._free):
            followed = item_id in self._labels or item_id in self._claims
            self._free[row] = not (followed or self._retired[row])
            if not followed:
                del self._row_of[item_id]  # its content may change, and its row with it, while nobody looks

    def _locate(self, item_ids: Iterable[str]) -> None:
        """Looks up the rows of items that are not known yet."""
        unknown = [item_id for item_id in item_ids if item_id not in self._row_of]
        found = self._store.rows_of(unknown) if unknown else {}
        self._row_of.update({item_id: row for item_id, row in found.items() if row < self._seen_rows})

    def _grow(self, rows: int) -> None:
        if rows > len(self._free):
            room = max(rows, 2 * len(self._free))
            self._free, self._retired = _grown(self._free, room), _grown(self._retired, room)
            self._aside, self._side = _grown(self._aside, room), _grown(self._side, room)
        self._free[self._seen_rows : rows] = True

    def _is_of(self, side: int) -> np.ndarray:
        return np.asarray(self._side[: self._seen_rows] == side)

    def _take_sides(self, start: int, stop: int) -> None:
        """On which side new rows are: by a hash of their item, or as `AuditGroups` has their group."""
        groups = self._store.groups
        if groups.rule:
            self._group = _grown(self._group, len(self._free))
            self._group[start:stop] = self._store.group_keys(start, stop)
            if self._audit_share:
                self._side[start:stop] = groups.sides(self._group[start:stop])
        elif self._audit_share:
            self._side[self._store.reserved_rows(start, stop, self._audit_share)] = AUDITED

    def _settle_sides(self) -> None:
        """Takes in groups that were found or decided on since rows of them were taken in."""
        groups, rows = self._store.groups, self._seen_rows
        if not groups.rule or not rows:
            return
        unknown = np.flatnonzero((self._group[:rows] == 0) & ~self._retired[:rows])
        if len(unknown):
            start, stop = int(unknown[0]), int(unknown[-1]) + 1
            self._group[start:stop] = self._store.group_keys(start, stop)
        waiting = np.flatnonzero(self._is_of(WAITING))
        if len(waiting):
            self._side[waiting] = groups.sides(self._group[waiting])
            self._labeled_sets.clear()

    def _find_rows(self, rows: int) -> None:
        """New rows of labeled or claimed items: embedded only now, or again because their content changed."""
        followed = self._labels.keys() | self._claims.keys()
        if len(followed) <= rows - self._seen_rows:
            found = self._store.rows_of(list(followed))
        else:
            found = {item_id: row for row, item_id in self._store.items_between(self._seen_rows, rows)}
        moved = {
            item_id: row for item_id, row in found.items() if self._seen_rows <= row < rows and item_id in followed
        }
        self._retire(np.array([self._row_of[item_id] for item_id in moved if item_id in self._row_of], dtype=np.int64))
        self._row_of.update(moved)
        for item_id in moved:
            self._refresh(item_id)

    def _gone(self, item_ids: set[str]) -> set[str]:
        """Those that the source neither lists nor holds out."""
        unlisted = item_ids - self._store.listed_ids(list(item_ids))
        return {item_id for item_id in unlisted if not self._is_held_out(item_id)}

    def _take_in_retired(self) -> None:
        """Rows are free as the store says now: an item may have left the pool, or come back."""
        seen = self._seen_rows
        retired = self._store.retired_rows()
        self._retired[:seen] = False
        self._retired[retired[retired < seen]] = True
        self._free[:seen] = ~self._retired[:seen]
        followed = self._labels.keys() | self._claims.keys()
        rows = [row for item_id in followed if (row := self._row_of.get(item_id)) is not None]
        self._free[np.array(rows, dtype=np.int64)] = False
        self._labeled_sets.clear()

    def _retire(self, rows: Rows) -> None:
        self._retired[rows] = True
        self._free[rows] = False


def _grown(values: np.ndarray, size: int) -> np.ndarray:
    """The values with room for more, which are 0."""
    grown = np.zeros(size, dtype=values.dtype)
    grown[: len(values)] = values
    return grown
