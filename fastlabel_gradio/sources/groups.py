"""Groups: items of one recording, site, speaker or burst, which are alike. Which groups are the audit's, once and for all.

A head that learned one window of a recording knows the others half, so all items of a group stand on one side. Nothing here
knows where groups come from, which is the business of sources.
"""

import math
import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import numpy as np
from jaxtyping import Int64, UInt8

KEYS = 2**62  # a key is below
TRAINED, AUDITED, WAITING = 0, 1, 2  # sides of an item
LEAST_GROUPS = 10  # of an audit, whatever its share: two or three say next to nothing of others
MOST_OF_GROUPS = 1 / 3  # where ten would be more than that
MOST_OF_ITEMS = 1 / 2  # a group that would take more than that stays out, or little would be left to learn from
EARLY_AFTER_S = 10.0
EARLY_SHARE = 1 / 4  # of the groups, to begin with while a long listing goes on

_TABLES = """
CREATE TABLE IF NOT EXISTS grouping (rule TEXT NOT NULL, mark TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS drawn_groups (key INTEGER PRIMARY KEY, audited INTEGER NOT NULL);
"""

Keys = Int64[np.ndarray, " items"]
Sides = UInt8[np.ndarray, " items"]


@dataclass(frozen=True, slots=True)
class Grouping:
    """What the items of a source are grouped by.

    Attributes:
        noun: what a group is, for people.
        rule: how groups are found, in words that differ where the groups may.
    """

    noun: Literal["recordings", "groups"]
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.noun} {self.rule}".rstrip()


def group_key(group: str, salt: str = "") -> int:
    """A fixed pseudo-random number for a group, 1 to 2^62 - 1; another salt gives another."""
    text = f"{salt}\n{group}".encode("utf-8", "surrogateescape")
    return int.from_bytes(blake2b(text, digest_size=8, person=b"group").digest()) >> 2 | 1


def draw_groups(
    sizes: Mapping[int, int], share: float, least: int, before: Mapping[int, bool] | None = None
) -> dict[int, bool]:
    """For each group whether it is drawn: a random share of them, chosen by their keys, and `least` where there are so many.

    What was decided before stays. A group that would leave less than half of the items undrawn is not drawn, so of a single
    group nothing is.

    Args:
        sizes: items of each group by its key.
        before: earlier decisions by key, those of groups that are gone among them.
    """
    decided = dict(before or {})
    drawn = [key for key in sizes if decided.get(key)]
    count, room = len(drawn), sum(sizes.values()) * MOST_OF_ITEMS - sum(sizes[key] for key in drawn)
    for key in sorted(sizes.keys() - decided.keys()):
        wanted = key < share * KEYS or count < least
        decided[key] = wanted and sizes[key] <= room
        if decided[key]:
            count, room = count + 1, room - sizes[key]
    return decided


def audit_least(groups: int, share: float) -> int:
    """How many of so many groups an audit has at least: its share, or ten, or a third where ten are more than that."""
    return max(round(share * groups), min(LEAST_GROUPS, math.ceil(groups * MOST_OF_GROUPS)))


def spread_order(groups: Keys, drawn: Int64[np.ndarray, " drawn"]) -> Int64[np.ndarray, " items"]:
    """Positions of items in the order in which to draw them so that many groups are seen soon, each by its size.

    Of two groups the one comes first of which a smaller part was drawn; a start by the group's key makes the order of small
    ones random. So every beginning of the order holds about the same part of each group (systematic sampling with groups
    as strata: W. G. Cochran, Sampling Techniques, 1977, section 8.5).

    Args:
        groups: the group of each item that may be drawn, in random order of the items.
        drawn: the group of each item that was drawn before.
    """
    names, group = np.unique(groups, return_inverse=True)
    before = np.searchsorted(np.sort(drawn), names, side="right") - np.searchsorted(np.sort(drawn), names)
    sizes = np.bincount(group, minlength=len(names))
    order = np.argsort(group, kind="stable")
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = np.arange(len(group)) - (np.cumsum(sizes) - sizes)[group[order]]
    start = (names % 9_973) / 9_973  # a prime: not the part of the key that drew the group
    place = (before[group] + rank + start[group]) / (before + sizes)[group]
    return np.argsort(place, kind="stable").astype(np.int64)


class AuditGroups:
    """The groups of one pool and on which side each is, kept in its database. Safe from several threads.

    A group is decided on once, when the source is listed to its end, and stays on its side for good. A listing that takes
    longer than ten seconds lets a quarter of the new groups be learned from meanwhile.

    Attributes:
        version: another number when decisions were added, or a listing has ended that found groups of items.
    """

    def __init__(self, connection: sqlite3.Connection, lock: AbstractContextManager[bool]) -> None:
        self._database = connection
        self._lock = lock
        self._sizes: Counter[int] = Counter()
        self._early_at = math.inf
        self.version = 0
        connection.executescript(_TABLES)
        found: tuple[str, str] | None = connection.execute("SELECT rule, mark FROM grouping").fetchone()
        self._rule, self._mark = found or ("", "")
        self._decided: dict[int, bool] = {
            key: bool(audited) for key, audited in connection.execute("SELECT key, audited FROM drawn_groups")
        }
        self._sorted = _sorted(self._decided)

    @property
    def rule(self) -> str:
        """How the items are grouped; "" where they are not."""
        return self._rule

    @property
    def mark(self) -> str:
        """Stays the same as long as no group may have changed its side; "" without groups."""
        return self._mark

    def regroup(self, rule: str) -> None:
        """Forgets every decision, because groups are others now. The caller forgets the keys of the items."""
        self._rule, self._mark = rule, secrets.token_hex(8) if rule else ""
        self._database.execute("DELETE FROM drawn_groups")
        self._database.execute("DELETE FROM grouping")
        self._database.execute("INSERT INTO grouping (rule, mark) VALUES (?, ?)", (self._rule, self._mark))
        self._take_in({})

    def read_again(self) -> None:
        """Takes in what another process decided."""
        found = self._database.execute("SELECT rule, mark FROM grouping").fetchone() or ("", "")
        count = self._database.execute("SELECT count(*) FROM drawn_groups").fetchone()[0]
        if found == (self._rule, self._mark) and count == len(self._decided):
            return
        self._rule, self._mark = found
        decided = self._database.execute("SELECT key, audited FROM drawn_groups")
        self._take_in({key: bool(audited) for key, audited in decided})

    def begin(self) -> None:
        """A listing begins."""
        self._sizes.clear()
        self._early_at = time.monotonic() + EARLY_AFTER_S

    def count(self, keys: Iterable[int]) -> None:
        """Takes in the groups of items that were listed; now and then decides on a quarter of them while it goes on."""
        self._sizes.update(keys)
        if time.monotonic() >= self._early_at:
            self._early_at = time.monotonic() + EARLY_AFTER_S
            early = [key for key in self._sizes if key >= KEYS * (1 - EARLY_SHARE) and key not in self._decided]
            self._keep(dict.fromkeys(early, False))

    def end(self, share: float, *, has_news: bool = True) -> None:
        """A listing has ended: decides on the groups that it brought. A share of 0 leaves them undecided.

        Args:
            has_news: whether it found groups of items that had none before.
        """
        if share and any(key not in self._decided for key in self._sizes):
            least = audit_least(len(self._sizes), share)
            decided = draw_groups(self._sizes, share, least, self._decided)
            self._keep({key: audited for key, audited in decided.items() if key not in self._decided})
        self._sizes.clear()
        self.version += has_news

    def sides(self, keys: Keys) -> Sides:
        """uint8[n], TRAINED or AUDITED; WAITING for a group that is not decided on, and for the key 0."""
        known, audited = self._sorted
        places = np.minimum(np.searchsorted(known, keys), max(len(known) - 1, 0))
        found = known[places] == keys if len(known) else np.zeros(len(keys), dtype=bool)
        sides = np.full(len(keys), WAITING, dtype=np.uint8)
        sides[found] = audited[places[found]]
        return sides

    def _keep(self, decisions: Mapping[int, bool]) -> None:
        if decisions:
            with self._lock, self._database:
                self._database.executemany(
                    "INSERT OR IGNORE INTO drawn_groups (key, audited) VALUES (?, ?)", decisions.items()
                )
            self._take_in({**self._decided, **decisions})

    def _take_in(self, decided: dict[int, bool]) -> None:
        self._decided, self._sorted = decided, _sorted(decided)
        self.version += 1


def _sorted(decided: Mapping[int, bool]) -> tuple[Keys, Sides]:
    keys = np.fromiter(decided.keys(), dtype=np.int64, count=len(decided))
    audited = np.fromiter(decided.values(), dtype=np.uint8, count=len(decided))
    order = np.argsort(keys)
    return keys[order], audited[order]
