"""Picker: which rows the next batches are of. Those of a strategy, and random ones of the audit among them."""

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Int64

from fastlabel_gradio.head import Head, HeadInfo
from fastlabel_gradio.loop.batch_queue import Wish
from fastlabel_gradio.loop.learner import Learner
from fastlabel_gradio.pool.candidates import among, candidates_of
from fastlabel_gradio.pool.desk import Desk
from fastlabel_gradio.pool.ground import Ground
from fastlabel_gradio.pool.standings import LabeledSet
from fastlabel_gradio.strategies import COLD_START, STRATEGIES, PoolView
from fastlabel_gradio.strategies.schedule import SMALL_BATCH
from fastlabel_gradio.types import Rows

AHEAD_S = 5.0  # for which rows that were picked ahead are given also after another head was trained

# Picking takes a core for a moment; more at once would only make the first ones wait for the last. A strategy may ask itself.
_cores = threading.Semaphore(max(2, os.cpu_count() or 2))


@dataclass(frozen=True, slots=True)
class Pick:
    """Rows for one batch that nobody else is given until they are claimed or let go, and how they were picked."""

    rows: Rows
    strategy: str
    notice: str
    head: Head | None


def _no_rows() -> np.ndarray:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Ahead:
    """Rows that were picked in one go with those of a batch, the best first, and that nobody has yet.

    Attributes:
        head: what it is known by, calibrated or not; None where there was none.
        picked_at: seconds since the epoch.
    """

    head: HeadInfo | None
    strategy: str
    rows_of_pool: int
    picked_at: float
    rows: Rows = field(default_factory=_no_rows)

    def serves(self, now: "_Ahead") -> bool:
        """Whether about the same rows would be picked now."""
        is_young = self.head == now.head or now.picked_at < self.picked_at + AHEAD_S
        return is_young and (self.strategy, self.rows_of_pool) == (now.strategy, now.rows_of_pool)


class Picker:
    """Picks from what is free in one pool. All methods may be called from any thread.

    Args:
        audit_share: of each batch, drawn from the reserved rows.
    """

    def __init__(self, desk: Desk, learner: Learner, audit_share: float, seed: int) -> None:
        self._desk = desk
        self._ledger = desk.ledger
        self._learner = learner
        self._audit_share = audit_share
        self._ahead: _Ahead | None = None
        self._lock = threading.Lock()  # of the two below
        self._picked: set[int] = set()  # rows that are being claimed
        self._rng = np.random.default_rng(seed)

    def pick(self, wishes: Sequence[Wish]) -> list[Pick]:
        """Picks for several batches at once, with the newest head. The rows are kept for them until `let_go`."""
        with _cores:
            return self._picked_together([wish.size for wish in wishes], wishes[0].strategy)

    def _picked_together(self, sizes: list[int], strategy: str) -> list[Pick]:
        total = sum(sizes)
        self._desk.free_what_ran_out()
        with self._lock:
            free, free_audit = (
                _without(rows(total + len(self._picked)), self._picked)
                for rows in (self._ledger.free_rows, self._ledger.free_audit_rows)
            )
            rng = self._rng.spawn(1)[0]
        labeled = self._ledger.training_set()
        head = self._learner.head_for(labeled.schema)
        notice = ""
        if head is None and STRATEGIES.get(strategy).needs == "probabilities":
            notice = f"There is no trained head for '{strategy}' yet: '{COLD_START}' picked these."
            strategy = COLD_START
        ground = self._learner.ground_of(head)
        known_by = replace(head.info, temperature=1.0) if head else None
        now = _Ahead(known_by, strategy, len(ground.embeddings), self._desk.clock())
        ahead = self._still_ahead(now, free, total)
        pool = ahead.rows if ahead else _view(head, ground, labeled, free, rng)
        random_rows = _dealt(free_audit, self._audit_counts(sizes, len(pool), rng))
        left = [size - len(rows) for size, rows in zip(sizes, random_rows, strict=True)]
        rows = self._picked_from(pool, strategy, sum(left), rng) if isinstance(pool, PoolView) else pool
        self._ahead = replace(ahead or now, rows=rows[sum(left) :])
        chosen = _dealt(rows, left)
        hands = [interleaved(*parts, rng) for parts in zip(chosen, random_rows, strict=True)]
        with self._lock:
            self._picked.update(int(row) for rows in hands for row in rows)
        return [Pick(rows, strategy, notice, head) for rows in hands]

    def let_go(self, rows: Rows) -> None:
        """The rows of a pick were claimed, or are not wanted."""
        with self._lock:
            self._picked.difference_update(rows.tolist())

    def _still_ahead(self, now: _Ahead, free: Int64[np.ndarray, " free"], wanted: int) -> _Ahead | None:
        """What is free of the rows that were picked ahead, where these are enough and about the best ones still."""
        ahead = self._ahead
        if ahead is None or not ahead.serves(now):
            return None
        rows = ahead.rows[among(ahead.rows, free)]
        return replace(ahead, rows=rows) if len(rows) >= wanted else None

    def _picked_from(
        self, pool: PoolView, strategy: str, wanted: int, rng: np.random.Generator
    ) -> Int64[np.ndarray, " picked"]:
        """The rows that are wanted, and while several people label small batches more that the next of them are given."""
        batches = min(self._ledger.held.holders, SMALL_BATCH // max(wanted, 1))
        picked: Rows = pool.rows[STRATEGIES.get(strategy).pick(pool, wanted * max(batches, 1), rng)]
        return picked

    def _audit_counts(self, sizes: Sequence[int], candidates: int, rng: np.random.Generator) -> list[int]:
        """How many of each batch are drawn for the audit: its share, rounded at random; more where nothing else is left."""
        counts = [min(int(size * self._audit_share + rng.random()), size) for size in sizes]
        missing = sum(sizes) - candidates - sum(counts)
        for place, size in enumerate(sizes):
            more = min(max(missing, 0), size - counts[place])
            counts[place] += more
            missing -= more
        return counts


def _view(
    head: Head | None, ground: Ground, labeled: LabeledSet, free: Int64[np.ndarray, " free"], rng: np.random.Generator
) -> PoolView:
    """What a strategy picks from."""
    embeddings = ground.embeddings
    found = candidates_of(head, embeddings, free, ground.shortlist, rng)
    return PoolView(
        vectors=embeddings,
        rows=found.rows,
        probabilities=found.probabilities,
        labeled=labeled.rows,
        targets=labeled.targets,
        classes=len(labeled.schema),
        head=head,
        labeled_vectors=ground.copied.of(embeddings, labeled.rows),
        shortlisted=found.shortlisted,
    )


def _without(rows: Int64[np.ndarray, " all"], others: set[int]) -> Int64[np.ndarray, " left"]:
    """Rows in their order, those of `others` left out."""
    if not others:
        return rows
    return rows[~np.isin(rows, np.fromiter(others, dtype=np.int64), assume_unique=True)]


def _dealt(rows: Int64[np.ndarray, " all"], sizes: Sequence[int]) -> list[np.ndarray]:
    """Rows dealt like cards: one to each who still wants one, round after round, until there are no more."""
    turns = sorted((round_, player) for player, size in enumerate(sizes) for round_ in range(size))
    players = np.array([player for _, player in turns[: len(rows)]], dtype=np.int64)
    return [rows[: len(players)][players == player] for player in range(len(sizes))]


def interleaved(
    picked: Int64[np.ndarray, " picked"], random_rows: Int64[np.ndarray, " drawn"], rng: np.random.Generator
) -> Int64[np.ndarray, " batch"]:
    """Picks in their order with random rows at random places among them, so that nobody can tell which is which."""
    places = np.sort(rng.integers(len(picked) + 1, size=len(random_rows)))
    return np.insert(picked, places, random_rows)
