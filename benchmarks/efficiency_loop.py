"""One simulated labelling by an annotator who knows the answers: a contestant picks, learns and is tested, batch by batch.

A contestant's name is one of:

- `auto`, `margin` …: a strategy of ours with our head; `random:margin` is a first batch by the one, all later by the other.
- `skactiveml.badge/logistic`, `modal.margin/mlp`: a peer's strategy, then the head: the peers' usual one, or ours.
- `all/mlp`, `all/logistic`: no strategy, every label of the pool at once: full supervision.
"""

import time
import warnings
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from benchmarks.efficiency_data import Split
from benchmarks.efficiency_heads import classifier, trained_head
from benchmarks.peers import PEERS, ask, prepared
from fastlabel_gradio.head import Head, Spread
from fastlabel_gradio.strategies import COLD_START, STRATEGIES, PoolView
from fastlabel_gradio.types import Embeddings, Rows

EVERYTHING = "all"


@dataclass(slots=True)
class Curve:
    """What a run found at each checkpoint.

    Attributes:
        counts: labels so far. accuracy, rare_recall: on the test part, 0 to 1; the recall is the mean over rare classes, 0
            where the set has none. rare_found: labels of rare classes so far. query_s: CPU seconds of the query.
    """

    counts: list[int] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    rare_recall: list[float] = field(default_factory=list)
    rare_found: list[int] = field(default_factory=list)
    query_s: list[float] = field(default_factory=list)


class Labelling(Protocol):
    """A contestant in one run; all rows are rows of the split's pool, ascending."""

    def pick(self, labeled: Rows, free: Rows, n: int) -> Rows:
        """n < len(free) distinct rows of `free`. Its CPU seconds are the query's: scoring and picking, no training."""
        ...

    def learn(self, labeled: Rows) -> None:
        """Trains the head on rows of at least two classes."""
        ...

    def predict(self, embeddings: Embeddings) -> Rows: ...


def play(split: Split, rows: Rows, contestant: str, seed: int, batch: int, labels: int) -> Curve:
    """The curve of one run over the rows of the pool that may be labeled."""
    labelling = labelling_of(split, rows, contestant, seed)
    everything = contestant.startswith(f"{EVERYTHING}/")
    batch, labels = (len(rows), len(rows)) if everything else (batch, min(labels, len(rows)))
    labeled, free, curve = rows[:0], rows, Curve()
    while len(labeled) < labels:
        began = time.process_time()
        n = min(batch, labels - len(labeled))
        picked = labelling.pick(labeled, free, n) if n < len(free) else free
        curve.query_s.append(time.process_time() - began)
        labeled, free = np.union1d(labeled, picked), np.setdiff1d(free, picked)
        _check(curve, split, labeled, _predictions(labelling, split, labeled))
    return curve


def head_of(contestant: str) -> str:
    """The head that a contestant learns with, one of HEADS."""
    return contestant.partition("/")[2] or "mlp"


def random_rows(free: Rows, n: int, seed: int) -> Rows:
    """The first batch of `random`, and of every peer that has no way of its own to begin."""
    return free[STRATEGIES.get("random").pick(PoolView(_NO_STORE, free), n, np.random.default_rng(seed))]


class OwnLabelling:
    """A strategy of ours, as the app calls it."""

    def __init__(self, split: Split, name: str, seed: int) -> None:
        first, _, later = name.partition(":")
        self._first, self._later = STRATEGIES.get(first), STRATEGIES.get(later or first)
        self._split, self._seed = split, seed
        self._rng = np.random.default_rng(seed)
        self._head: Head | None = None
        self._spread = Spread.of(split.pool)

    def pick(self, labeled: Rows, free: Rows, n: int) -> Rows:
        split, head = self._split, self._head
        probabilities = None if head is None else head.predict_proba_rows(split.pool, free)
        view = PoolView(split.pool, free, probabilities, labeled, split.pool_targets[labeled], split.classes, head)
        wanted = self._later if len(labeled) else self._first
        strategy = STRATEGIES.get(COLD_START) if head is None and wanted.needs == "probabilities" else wanted
        picked: Rows = free[strategy.pick(view, n, self._rng)]
        return picked

    def learn(self, labeled: Rows) -> None:
        split = self._split
        embeddings, targets = split.pool[labeled], split.pool_targets[labeled]
        self._head = trained_head(embeddings, targets, split.classes, self._seed, self._spread)

    def predict(self, embeddings: Embeddings) -> Rows:
        assert self._head is not None
        return self._head.predict_proba(embeddings).argmax(axis=1)


class PeerLabelling:
    """A strategy of a peer over the rows that may be labeled, with either head; "all" never picks."""

    def __init__(self, split: Split, rows: Rows, name: str, head: str, seed: int) -> None:
        self._rows, self._seed = rows, seed
        self._pool, self._targets = split.pool[rows], split.pool_targets[rows]
        self._untrained = classifier(head, self._pool.shape[1], split.classes, seed, Spread.of(split.pool))
        self._trained = None
        self._peer = PEERS[name] if name != EVERYTHING else None
        if self._peer:
            self._query = self._peer.query(split.classes, seed)
            self._untrained = prepared(self._peer, self._untrained, split.classes, seed)

    def pick(self, labeled: Rows, free: Rows, n: int) -> Rows:
        assert self._peer is not None
        if self._trained is None and not (self._peer.begins and not len(labeled)):
            return random_rows(free, n, self._seed)
        labels = np.full(len(self._rows), np.nan)
        known = np.searchsorted(self._rows, labeled)
        labels[known] = self._targets[known]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._rows[ask(self._query, self._pool, labels, self._trained, n)]

    def learn(self, labeled: Rows) -> None:
        known = np.searchsorted(self._rows, labeled)
        self._trained = self._untrained.fit(self._pool[known], self._targets[known])

    def predict(self, embeddings: Embeddings) -> Rows:
        assert self._trained is not None
        return np.asarray(self._trained.predict(embeddings)).astype(np.int64)


def labelling_of(split: Split, rows: Rows, contestant: str, seed: int) -> Labelling:
    """A contestant that has not begun yet, over the rows of the pool that may be labeled."""
    name, _, head = contestant.partition("/")
    return PeerLabelling(split, rows, name, head, seed) if head else OwnLabelling(split, name, seed)


def _predictions(labelling: Labelling, split: Split, labeled: Rows) -> Rows:
    """Of the test part; the one class that is known while there is only one."""
    known = np.unique(split.pool_targets[labeled])
    if len(known) == 1:
        return np.full(len(split.test), known[0])
    labelling.learn(labeled)
    return labelling.predict(split.test)


def _check(curve: Curve, split: Split, labeled: Rows, predicted: Rows) -> None:
    right = predicted == split.test_targets
    recalls = [float(right[split.test_targets == number].mean()) for number in split.rare]
    curve.counts.append(len(labeled))
    curve.accuracy.append(float(right.mean()))
    curve.rare_recall.append(float(np.mean(recalls)) if recalls else 0.0)
    curve.rare_found.append(int(np.isin(split.pool_targets[labeled], split.rare).sum()))


_NO_STORE = np.zeros((0, 1), dtype=np.float32)
