"""Contestants: each picks by a strategy of ours or of a peer, and learns by our head or by the peers' usual one.

A contestant's name is one of:

- `auto`, `margin` …: a strategy of ours with our head; `random:margin` is a first batch by the one, all later by the other.
- `skactiveml.badge/logistic`, `modal.margin/mlp`: a peer's strategy, then the head.
- `all/mlp`, `all/logistic`: no strategy, every label of the pool at once: full supervision.

Peers start from a random batch, the same as `random`; but those that pick the first batch too, as their papers have it, do.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib.util import find_spec
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from benchmarks.data import Split
from benchmarks.peers import PEERS, ask, prepared
from fastlabel_gradio.head import HeadInfo, Spread, train_head
from fastlabel_gradio.simulation import answered
from fastlabel_gradio.strategies import COLD_START, STRATEGIES, PoolView
from fastlabel_gradio.types import Label, Rows

EVERYTHING = "all"
HEADS = ("mlp", "logistic")
STEPS = 1000
MODULES = {"skactiveml": ("skactiveml", "scikit-activeml"), "modal": ("modAL", "modAL-python")}  # imported, installed

# Patterns of sets and of peers, and why those are not run there. Seconds are of one core of a machine of two, by trial.
LEFT_OUT = (
    ("digits", "skactiveml.quire/*", "35 s a query: an inverse matrix for each candidate"),
    ("fsdd*", "skactiveml.quire/*", "more than on digits: an inverse matrix for each candidate"),
    ("cifar10*", "skactiveml.quire/*", "the inverse of a matrix of 16,000 x 16,000 for each candidate"),
    ("cifar10*", "skactiveml.probcover/*", "three matrices of pool x pool: 2 GB each, and with two workers twice"),
    ("cifar10*", "skactiveml.maxherding/*", "2 GB in each worker, all of it read for each of the 100 picks"),
    ("cifar10*", "skactiveml.badge/*", "44 s a query: pool x 5,120 numbers for each of the 100 picks"),
    ("cifar10*", "skactiveml.typiclust/*", "8 s a query at 500 labels, growing: a cluster for each label"),
    ("cifar10*", "modal.ranked_batch/*", "17 s a query at 500 labels, growing: all distances anew for each pick"),
)


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


class Contestant:
    """A contestant in one run, a `simulation.Labelling` whose items are rows of the split's pool.

    Attributes:
        split: what it is played on. taught, free: rows with a label and without, ascending.
        fitted: the classifier that learned the labels; None before there are two classes.
        query_s: CPU seconds of the newest query.
    """

    def __init__(self, split: Split, rows: Rows, name: str, seed: int, batch: int, labels: int) -> None:
        """`rows` may be labeled, ascending, up to `labels` of them in batches."""
        self.split, self.rows, self.seed = split, rows, seed
        self.taught, self.free = rows[:0], rows
        self.fitted: Any = None
        self.query_s = 0.0
        strategy, _, head = name.partition("/")
        peer = PEERS.get(strategy) if head else None
        self._batch, self._labels = batch, labels
        self._query = _peer_query(strategy, split, rows, seed) if peer else _own_query(strategy, seed)
        self._untrained = classifier(head or "mlp", split.pool.shape[1], split.classes, seed, Spread.of(split.pool))
        if peer:
            self._untrained = prepared(peer, self._untrained, split.classes, seed)

    @property
    def labeled(self) -> int:
        return len(self.taught)

    def pick(self) -> Sequence[int]:
        n, began = min(self._batch, self._labels - self.labeled), time.process_time()
        picked = self.query(n) if n < len(self.free) else self.free
        self.query_s = time.process_time() - began
        return [int(row) for row in picked]

    def query(self, n: int) -> Rows:
        """n < len(free) distinct rows of `free`: scoring and picking, no training."""
        return self._query(self, n)

    def learn(self, answers: Sequence[tuple[int, int]]) -> None:
        picked = np.array([row for row, _ in answers], dtype=np.int64)
        self.taught, self.free = np.union1d(self.taught, picked), np.setdiff1d(self.free, picked)
        known = self.split.pool_targets[self.taught]
        if len(np.unique(known)) > 1:
            self.fitted = self._untrained.fit(self.split.pool[self.taught], known)

    def predictions(self) -> Rows:
        """Of the test part; the one class that is known while there is only one."""
        if self.fitted is None:
            return np.full(len(self.split.test), self.split.pool_targets[self.taught[0]])
        return np.asarray(self.fitted.predict(self.split.test)).astype(np.int64)


Query = Callable[[Contestant, int], Rows]


def play(split: Split, rows: Rows, name: str, seed: int, batch: int, labels: int) -> Curve:
    """The curve of one run over the rows of the pool that may be labeled."""
    everything = name.startswith(f"{EVERYTHING}/")
    batch, labels = (len(rows), len(rows)) if everything else (batch, min(labels, len(rows)))
    contestant, curve = Contestant(split, rows, name, seed, batch, labels), Curve()
    for _ in answered(contestant, lambda row: int(split.pool_targets[row]), labels):
        _check(curve, contestant)
    return curve


def contestants(patterns: Sequence[str]) -> list[str]:
    """Names that match a pattern, ours first; a FIRST:LATER name of two of our strategies stands for itself."""
    own = ["auto", *(name for name in sorted(STRATEGIES.names()) if name != "auto")]
    known = [*own, *(f"{peer}/{head}" for peer in PEERS for head in HEADS)]
    pairs = [name for name in patterns if ":" in name and set(name.split(":")) <= set(own)]
    return [*(name for name in known if any(fnmatchcase(name, pattern) for pattern in patterns)), *pairs]


def with_yardsticks(chosen: Sequence[str]) -> list[str]:
    """The same, and what they are compared with: random and full supervision by each of their heads."""
    heads = {"mlp", *map(head_of, chosen)}
    yardsticks = [f"{EVERYTHING}/{head}" for head in sorted(heads, reverse=True)] + ["random"]
    if "logistic" in heads:
        yardsticks.append("skactiveml.random/logistic")
    return list(dict.fromkeys([*yardsticks, *chosen]))


def head_of(contestant: str) -> str:
    """The head that a contestant learns with, one of HEADS."""
    return contestant.partition("/")[2] or "mlp"


def why_left_out(name: str, contestant: str) -> str | None:
    """Why a contestant is not run on a set; None where it is."""
    module, package = MODULES.get(contestant.partition(".")[0], ("numpy", ""))
    if find_spec(module) is None:
        return f"{package} is not installed: pip install -e '.[bench]'"
    found = (why for sets, names, why in LEFT_OUT if fnmatchcase(name, sets) and fnmatchcase(contestant, names))
    return next(found, None)


# Picking


def _own_query(name: str, seed: int) -> Query:
    """A strategy of ours, as the app calls it."""
    if name == EVERYTHING:
        return lambda contestant, n: contestant.free[:n]
    first, _, later = name.partition(":")
    strategies, rng = (STRATEGIES.get(first), STRATEGIES.get(later or first)), np.random.default_rng(seed)

    def query(one: Contestant, n: int) -> Rows:
        split, head = one.split, one.fitted.head_ if one.fitted is not None else None
        probabilities = None if head is None else head.predict_proba_rows(split.pool, one.free)
        known = split.pool_targets[one.taught]
        view = PoolView(split.pool, one.free, probabilities, one.taught, known, split.classes, head)
        wanted = strategies[bool(len(one.taught))]
        strategy = STRATEGIES.get(COLD_START) if head is None and wanted.needs == "probabilities" else wanted
        return np.asarray(one.free[strategy.pick(view, n, rng)])

    return query


def _peer_query(name: str, split: Split, rows: Rows, seed: int) -> Query:
    """A strategy of a peer, over the rows that may be labeled alone."""
    peer, pool = PEERS[name], split.pool[rows]
    asked = peer.query(split.classes, seed)

    def query(one: Contestant, n: int) -> Rows:
        if one.fitted is None and not (peer.begins and not len(one.taught)):
            return _random_rows(one.free, n, seed)
        labels = np.full(len(one.rows), np.nan)
        labels[np.searchsorted(one.rows, one.taught)] = one.split.pool_targets[one.taught]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return one.rows[ask(asked, pool, labels, one.fitted, n)]

    return query


def _random_rows(free: Rows, n: int, seed: int) -> Rows:
    """The first batch of `random`, and of every peer that has no way of its own to begin."""
    view = PoolView(np.zeros((0, 1), dtype=np.float32), free)
    return np.asarray(free[STRATEGIES.get("random").pick(view, n, np.random.default_rng(seed))])


# Learning


def classifier(head: str, dim: int, classes: int, seed: int, spread: Spread | None = None) -> BaseEstimator:
    """An untrained head by its name, one of HEADS; `spread` is that of the pool, for ours."""
    if head == "mlp":
        return HeadClassifier(classes, seed, spread)
    # On vectors of length 1 this is scikit-learn's default, C = 1, on vectors whose numbers are about 1. C = 1 on length 1
    # itself hardly fits: it would make the peers look weaker than they are.
    return QuietLogisticRegression(C=dim, max_iter=STEPS, random_state=seed)


class HeadClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The app's head as a classifier of scikit-learn. Its columns are always all classes, whichever were seen.

    It is not calibrated: that takes five more trainings, and changes no prediction.
    """

    def __init__(self, classes: int = 2, seed: int = 0, spread: Spread | None = None) -> None:
        self.classes = classes
        self.seed = seed
        self.spread = spread

    def fit(self, X: np.ndarray, y: np.ndarray) -> "HeadClassifier":
        embeddings, targets = np.ascontiguousarray(X, dtype=np.float32), np.asarray(y, dtype=np.int64)
        self.classes_ = np.arange(self.classes)
        self.n_features_in_ = embeddings.shape[1]
        schema = tuple(Label(number, str(number)) for number in range(self.classes))
        info = HeadInfo(1, schema, "", len(targets), seed=self.seed)
        self.head_ = train_head(embeddings, targets, info, spread=self.spread)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.head_.predict_proba(np.ascontiguousarray(X, dtype=np.float32))

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class QuietLogisticRegression(LogisticRegression):  # type: ignore[misc]
    """Says nothing where it stops before the last digit has settled."""

    def fit(self, *args: object, **options: object) -> "QuietLogisticRegression":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            super().fit(*args, **options)
        return self


def _check(curve: Curve, contestant: Contestant) -> None:
    split, right = contestant.split, contestant.predictions() == contestant.split.test_targets
    recalls = [float(right[split.test_targets == number].mean()) for number in split.rare]
    curve.counts.append(contestant.labeled)
    curve.query_s.append(contestant.query_s)
    curve.accuracy.append(float(right.mean()))
    curve.rare_recall.append(float(np.mean(recalls)) if recalls else 0.0)
    curve.rare_found.append(int(np.isin(split.pool_targets[contestant.taught], split.rare).sum()))
