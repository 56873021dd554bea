"""PoolLedger: the labeler's bookkeeping in memory. Which rows are free, labeled, or held by whom.

A picture of what the label store and the embedding store say, kept so that no request walks the pool: a fold over what
happened (`apply`, and what the labeler itself wrote), and frozen snapshots of it. It has a lock of its own, which is held for
memory and for reading the embedding store's index, never while the label store is waited for.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from itertools import compress
from operator import ne
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np
from jaxtyping import Int64

from fastlabel_gradio.labels import Changes, Claim, Position, Standing, Submission, Undone
from fastlabel_gradio.pool.audit_sides import AuditSides, grown
from fastlabel_gradio.pool.held_items import HeldItems
from fastlabel_gradio.pool.known_rows import KnownRows
from fastlabel_gradio.pool.progress import EmbeddingProgress
from fastlabel_gradio.pool.standings import (
    SAID,
    SEARCHED,
    UNTAUGHT,
    LabeledSet,
    Spread,
    StandingNumbers,
    Standings,
    as_said,
    label_taught,
    spread_of,
    targets_of,
)
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.sources.groups import AUDITED, TRAINED
from fastlabel_gradio.types import Counts, Groups, LabelSchema, PoolItem, Rows, State

AUDIT_ROWS_LOOKED_AT = 5_000  # the first free ones, a random sample: a batch draws a few of them

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def _locked(
    method: Callable[Concatenate["PoolLedger", Arguments], Answer],
) -> Callable[Concatenate["PoolLedger", Arguments], Answer]:
    """A method that sees the ledger between changes, and changes it at once for all others."""

    @wraps(method)
    def in_turn(ledger: "PoolLedger", /, *args: Arguments.args, **options: Arguments.kwargs) -> Answer:
        with ledger._lock:
            return method(ledger, *args, **options)

    return in_turn


class PoolLedger:
    """Follows one pool. All methods may be called from any thread.

    Attributes:
        held: what is in somebody's batch.

    Args:
        known: all that the label store knows at the start (`LabelStore.everything`).
        schema: labels of classes that are not in it are kept and teach nothing.
        audit_share: the share of the items, chosen at random once, that no strategy picks and no head is trained on. Where
            the items are of groups, whole groups are chosen (`AuditGroups`).
        is_held_out: whether the source keeps an item out of the pool as a test part: it is not missing.
    """

    def __init__(
        self,
        store: EmbeddingStore,
        known: Changes,
        schema: LabelSchema,
        audit_share: float,
        is_held_out: Callable[[str], bool],
    ) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._position = known.position
        self._standing = {item_id: one for item_id, one in known.standing.items() if one is not None}
        self._numbers = StandingNumbers(list(self._standing.values()))
        self._schema = schema
        self._changes = 0
        self.held = HeldItems(self._lock)
        self._left: set[str] = set()  # items that something is said of and that are not in the pool
        self._missing: set[str] = set()  # of those, the ones that the source has no more
        self._rows = KnownRows(store)
        self._free = np.zeros(0, dtype=bool)
        self._retired = np.zeros(0, dtype=bool)
        self._last = np.zeros(0, dtype=bool)
        self._taught = np.zeros(0, dtype=np.int32)  # the label id of each row that heads are trained or measured on
        self._said = np.zeros(0, dtype=SAID)
        self._sides = AuditSides(store, audit_share)
        self._labeled_sets: dict[int, LabeledSet] = {}  # until a label or a row of one changes
        self._seen_rows = 0
        self._is_held_out = is_held_out
        self._pool_state: tuple[str, bool, int] = ("", True, 0)
        self._take_over(known.claims or ())

    # What happened

    @property
    @_locked
    def position(self) -> Position:
        """How far this has followed the label store."""
        return self._position

    @_locked
    def apply(self, changes: Changes) -> int:
        """Takes in what happened since `position`, by whomever; returns how many labels that teach changed.

        The caller sees to it that nothing is written between the reading of the changes and this.
        """
        taught = self._put(changes.standing)
        if changes.claims is not None:
            self._take_over(changes.claims)
        self._position = changes.position
        return taught

    @_locked
    def put(self, written: Submission | Undone) -> int:
        """Takes in what was just written; returns how many labels that teach changed.

        Where nobody else wrote anything since `position`, there is nothing to read again.
        """
        if self._position == written.since:
            self._position = written.position
        return self._put(written.standing)

    @_locked
    def use_schema(self, schema: LabelSchema) -> None:
        """Labels of these classes teach from now on, those of others do not."""
        self._schema = schema
        self._labeled_sets.clear()

    # What is known

    @_locked
    def counts(self, readable: int) -> Counts:
        """How the pool stands, of which so many items can be read."""
        in_pool = len(self._standing) - len(self._left & self._standing.keys())
        missing = sum(self._is_labeled(item_id) for item_id in self._missing)
        states = {state.value: self._numbers.of_state[state] for state in (State.SKIP, State.UNSURE, State.BAD)}
        unlabeled = max(0, readable - in_pool)
        claimed = sum(item_id not in self._standing for item_id in self.held.item_ids)
        return Counts(self._numbers.of_state[State.LABEL], unlabeled, claimed, missing, **states)

    @_locked
    def label_counts(self) -> Counter[int]:
        """How many items carry a label of each class, by label id; also such that are not in the pool any more."""
        return Counter(self._numbers.of_label)

    @_locked
    def judged_among(self, item_ids: Iterable[str]) -> set[str]:
        """Those of the items that carry a label, or a state in place of one."""
        return {item_id for item_id in item_ids if item_id in self._standing}

    @_locked
    def judged(self, item_ids: Iterable[str], *, held_too: bool) -> dict[str, bool]:
        """Those of the items that are judged, embedded, in the pool and, or else, held by nobody: whether of the audit."""
        unheld = [item_id for item_id in item_ids if held_too or item_id not in self.held]
        return {
            item_id: self._sides.of(row) == AUDITED
            for item_id, row in zip(unheld, self._rows.of(unheld).tolist(), strict=True)
            if 0 <= row < self._seen_rows and not self._retired[row] and item_id in self._standing
        }

    @property
    @_locked
    def changes(self) -> int:
        """How many labels that teach have changed since the start."""
        return self._changes

    @property
    @_locked
    def trainable_count(self) -> int:
        """Labeled items that are embedded, those of the audit left out."""
        return len(self._labeled_rows(TRAINED).rows)

    @property
    @_locked
    def waits_for_rows(self) -> bool:
        """Whether there are labeled items in the pool that are not embedded yet."""
        known = self._schema.positions
        taught = sum(label_taught(one) in known for id_, one in self._standing.items() if id_ not in self._left)
        return taught > sum(len(self._labeled_rows(side).rows) for side in (TRAINED, AUDITED))

    def is_this_audit(self, mark: str) -> bool:
        """Whether a head or a figure with that mark was made with the audit of now.

        Those of earlier versions have no mark; they knew no groups.
        """
        return mark == self._sides.mark or (mark == "" and not self._store.groups.rule)

    @property
    def audit_mark(self) -> str:
        """Another text when items may have changed sides: the share is another one, or the groups were drawn anew."""
        return self._sides.mark

    @property
    @_locked
    def audits_nothing(self) -> bool:
        """Whether nothing is reserved though a share of the groups should be."""
        return self._sides.audits_nothing(~self._retired[: self._seen_rows])

    @_locked
    def standings(self) -> Standings:
        """What stands of every row."""
        rows = self._seen_rows
        groups = self._sides.groups_of(slice(rows))
        return Standings(self._said[:rows].copy(), ~self._retired[:rows], groups, self._position.submission)

    @_locked
    def judged_rows(self, item_ids: Sequence[str]) -> Rows:
        """int64[n], the row of each item; -1 where nothing stands of it, or it is not embedded."""
        return self._rows.of(item_ids)

    @_locked
    def judged_ids(self) -> set[str]:
        """Items that carry a label, or a state in place of one."""
        return set(self._standing)

    @_locked
    def labeled_ids(self) -> set[str]:
        """Items that carry a label."""
        return {item_id for item_id in self._standing if self._is_labeled(item_id)}

    @_locked
    def catch_up(self, progress: EmbeddingProgress) -> None:
        """Takes in rows that were embedded since the last call, and rows that left the pool or came back."""
        version = self._store.groups.version  # first: the rows that are there and retired are then as new as it
        rows = len(self._store)
        if rows > self._seen_rows:
            self._labeled_sets.clear()
            self._grow(rows)
            self._sides.take(self._seen_rows, rows)
            self._find_rows(rows)
            self._seen_rows = rows
        pool_state = (progress.state, progress.scanning, self._store.revision)
        if pool_state != self._pool_state:
            self._pool_state = pool_state
            self._left = self._standing.keys() - self._store.known_ids(list(self._standing))
            self._missing = set() if progress.scanning else self._gone(self._left)
            self._take_in_retired()
        if self._sides.settle(version, ~self._retired[: self._seen_rows]):
            self._labeled_sets.clear()

    @_locked
    def free_rows(self, wanted: int) -> Rows:
        """Rows that nobody judged or holds, nor are they retired or reserved, ascending.

        Those that somebody left open are among them where others are too few.
        """
        return self._others_first(self._free[: self._seen_rows] & self._sides.are_of(TRAINED), wanted)

    @_locked
    def acceptable_rows(self) -> tuple[Rows, int, int]:
        """Rows that nobody judged or holds, nor are they retired or reserved, ascending; how many are reserved; held."""
        unjudged = (self._said["state"][: self._seen_rows] == 0) & ~self._retired[: self._seen_rows]
        reserved, open_rows = unjudged & self._sides.are_of(AUDITED), unjudged & self._sides.are_of(TRAINED)
        free = np.flatnonzero(open_rows & self._free[: self._seen_rows]).astype(np.int64)
        return free, int(reserved.sum()), int(open_rows.sum()) - len(free)

    @_locked
    def searchable(self, rows: Rows) -> Int64[np.ndarray, " searchable"]:
        """Those of the rows that are free and not reserved, in their order: a search may hand them out."""
        wanted = self._free[: self._seen_rows] & self._sides.are_of(TRAINED)
        known = rows[rows < self._seen_rows]
        return np.asarray(known[wanted[known]])

    @_locked
    def free_audit_rows(self, wanted: int) -> Rows:
        """As `free_rows`, of the reserved ones, in the order in which to draw them.

        Rows are stored in shuffled order, so the first ones are a random sample; of groups, as many as can be come first.
        """
        rows = self._others_first(self._free[: self._seen_rows] & self._sides.are_of(AUDITED), wanted)[
            :AUDIT_ROWS_LOOKED_AT
        ]
        if not self._store.groups.rule:
            return rows
        drawn = self._sides.are_of(AUDITED) & ~self._free[: self._seen_rows] & ~self._retired[: self._seen_rows]
        return self._sides.spread(rows, np.flatnonzero(drawn))

    @_locked
    def audit_rows(self, most: int) -> Rows:
        """The first rows that are reserved, labeled or not, ascending: a random sample of them."""
        return np.flatnonzero(self._sides.are_of(AUDITED))[:most].astype(np.int64)

    @_locked
    def groups_of(self, rows: Rows) -> Groups | None:
        """int64[n], a number for the group of each row, the same for the same group; None where there are no groups."""
        return self._sides.groups_of(rows)

    def _others_first(self, free: np.ndarray, wanted: int) -> Rows:
        rows = np.flatnonzero(free & ~self._last[: self._seen_rows])
        return (rows if len(rows) >= wanted else np.flatnonzero(free)).astype(np.int64)

    @_locked
    def is_free(self, rows: Rows) -> np.ndarray:
        """bool[n] for n rows."""
        return np.asarray(self._free[rows])

    @_locked
    def is_held(self, rows: Rows) -> np.ndarray:
        """bool[n] for n rows, whether each is in somebody's batch."""
        return np.asarray(np.isin(rows, self._rows.of(list(self.held.item_ids))))

    @_locked
    def free_rows_of(self, item_ids: Sequence[str]) -> Rows:
        """The free rows of some items, in their order; items without a row or held by somebody are left out."""
        rows = self._located(item_ids)
        rows = rows[rows >= 0]
        return np.asarray(rows[self._free[rows]])

    @_locked
    def training_set(self) -> LabeledSet:
        """Every labeled item that is embedded and that heads are trained on."""
        return self._labeled_rows(TRAINED)

    @_locked
    def audit_set(self) -> LabeledSet:
        """As `training_set`, of the reserved items, without those that a search labeled: these were chosen, not drawn."""
        labeled = self._labeled_rows(AUDITED)
        drawn = self._said["source"][labeled.rows] != SEARCHED
        if drawn.all():
            return labeled
        groups = None if labeled.groups is None else labeled.groups[drawn]
        return labeled._replace(rows=labeled.rows[drawn], targets=labeled.targets[drawn], groups=groups)

    # What the labeler wrote

    @_locked
    def claim(self, items: Sequence[PoolItem], annotator: str, batch_id: str, expires_at: float) -> None:
        self._rows.put({item.id: item.row for item in items if item.row < self._seen_rows})
        self.held.take(Claim(item.id, annotator, batch_id, expires_at) for item in items)
        self._refresh([item.id for item in items])

    @_locked
    def renew(self, batch_id: str, expires_at: float) -> None:
        self.held.renew(batch_id, expires_at)

    @_locked
    def unclaim(self, item_ids: Sequence[str]) -> None:
        self.held.let_go(item_ids)
        self._refresh(dict.fromkeys(item_ids))

    @_locked
    def expire(self, now: float, claim_s: float) -> None:
        """Frees the items whose claims have run out, and those held for longer than a claim lasts: the clock went back."""
        if over := self.held.run_out(now, claim_s):
            self.unclaim(over)

    @_locked
    def put_last(self, item_ids: Iterable[str]) -> None:
        """Items that somebody held and left open, because they are hard or of no class: others come first from now on."""
        self._last[self._rows.among(item_ids)] = True

    @_locked
    def hold_back(self, rows: Rows, *, held: bool) -> None:
        """As `put_last`, of rows; with `held` False they come as others do again."""
        self._last[rows[(rows >= 0) & (rows < self._seen_rows)]] = held

    # Private; the caller holds the lock

    def _put(self, changed: Mapping[str, Standing | None]) -> int:
        """As `put`. Some of the items may have left the pool since."""
        stood = list(map(self._standing.get, changed))
        is_new = list(map(ne, stood, changed.values()))
        if not any(is_new):
            return 0
        item_ids, standings = list(compress(changed, is_new)), list(compress(changed.values(), is_new))
        before, now = spread_of(list(compress(stood, is_new))), spread_of(standings)
        self._labeled_sets.clear()
        rows = self._located(item_ids)
        self._note_who_left(item_ids, rows)
        self._numbers.count(before, -1)
        self._numbers.count(now, 1)
        self.held.let_go([id_ for id_ in self.held.item_ids if changed.get(id_) not in (None, self._standing.get(id_))])
        stands = now.each(_is_something, bool)
        left = [one for one in standings if one is not None]
        self._standing.update(zip(compress(item_ids, stands.tolist()), left, strict=True))
        for item_id in compress(item_ids, (~stands).tolist()):
            del self._standing[item_id]
        self._note(item_ids, rows, now)
        taught = int((before.each(label_taught, np.int32) != now.each(label_taught, np.int32)).sum())
        self._changes += taught
        return taught

    def _note_who_left(self, item_ids: Sequence[str], rows: Rows) -> None:
        """Which of the items are not in the pool; one with a row that is not retired is."""
        is_lost = rows < 0
        is_lost[~is_lost] = self._retired[rows[~is_lost]]
        lost = list(compress(item_ids, is_lost.tolist()))
        left = set(lost) - self._store.known_ids(lost)
        self._left |= left
        self._missing |= self._gone(left)

    def _is_labeled(self, item_id: str) -> bool:
        standing = self._standing.get(item_id)
        return standing is not None and standing.state is State.LABEL

    def _labeled_rows(self, side: int) -> LabeledSet:
        if side not in self._labeled_sets:
            targets = targets_of(self._taught[: self._seen_rows], self._schema)
            labeled = (targets >= 0) & self._sides.are_of(side) & ~self._retired[: self._seen_rows]
            rows = np.flatnonzero(labeled).astype(np.int64)
            groups = self.groups_of(rows)
            self._labeled_sets[side] = LabeledSet(rows, targets[rows], groups, self._schema, self._changes)
        return self._labeled_sets[side]

    def _take_over(self, claims: Iterable[Claim]) -> None:
        """The label store's claims."""
        changed = self.held.replace(claims)
        self._located(list(self.held.item_ids))
        self._refresh(changed)

    def _refresh(self, item_ids: Iterable[str]) -> None:
        listed = list(item_ids)
        self._note(listed, self._rows.of(listed), spread_of(list(map(self._standing.get, listed))))

    def _note(self, item_ids: Sequence[str], rows: Rows, standings: Spread) -> None:
        """Writes what stands of items down at their rows, as far as they have one."""
        there = rows >= 0
        located = list(compress(item_ids, there.tolist()))
        standings, rows = Spread(standings.distinct, standings.places[there]), rows[there]
        followed = standings.each(_is_something, bool)
        if self.held:
            followed |= np.fromiter(map(self.held.__contains__, located), bool, len(located))
        self._free[rows] = ~(followed | self._retired[rows])
        self._taught[rows] = standings.each(label_taught, np.int32)
        self._said[rows] = standings.each(as_said, SAID)
        self._rows.drop(compress(located, (~followed).tolist()))

    def _located(self, item_ids: Sequence[str]) -> Rows:
        """int64[n], the row of each item; -1 where it has none yet. Each item comes once."""
        return self._rows.find(item_ids, below=self._seen_rows)

    def _grow(self, rows: int) -> None:
        if rows > len(self._free):
            room = max(rows, 2 * len(self._free))
            self._free, self._retired = grown(self._free, room), grown(self._retired, room)
            self._last = grown(self._last, room)
            self._taught, self._said = grown(self._taught, room), grown(self._said, room)
        self._free[self._seen_rows : rows] = True
        self._taught[self._seen_rows : rows] = UNTAUGHT

    def _find_rows(self, rows: int) -> None:
        """New rows of judged or claimed items: embedded only now, or again because their content changed."""
        followed = self._standing.keys() | self.held.item_ids
        if len(followed) <= rows - self._seen_rows:
            found = self._store.rows_of(list(followed))
        else:
            found = {item_id: row for row, item_id in self._store.items_between(self._seen_rows, rows)}
        moved = {id_: row for id_, row in found.items() if self._seen_rows <= row < rows and id_ in followed}
        self._retire(self._rows.among(moved))
        self._rows.put(moved)
        self._refresh(moved)

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
        followed = self._standing.keys() | self.held.item_ids
        self._free[self._rows.among(followed)] = False
        self._labeled_sets.clear()

    def _retire(self, rows: Rows) -> None:
        self._retired[rows] = True
        self._free[rows] = False
        self._taught[rows] = UNTAUGHT
        self._said[rows] = as_said(None)


def _is_something(standing: Standing | None) -> bool:
    return standing is not None
