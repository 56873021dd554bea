"""What it costs to score a window of a large pool instead of all of it: the picks of one head, and labels in the long run.

    python -m benchmarks.windows [--items 200000] [--json OUT]

The pool is the made-up one of `benchmarks/known_pool.py`. A window is a run of the shuffled pool from a random place, as the
labeler takes it.

- picks of one head: the head learned 1,000 random labels. Mean margin p1 - p2 of a batch of 100, and how
  many of them are also picked where everything is scored; means over 20 windows.
- labels: simulated labelling in batches of 100 by `--strategy`, mean accuracy over seeds. Rare classes have 3 labels at the
  start, so that the head knows of them; `found` counts the labels of the two at the end, of as many as there are.
- shortlist: the window together with the rows that the head before held least certain of the whole pool, as many of each
  predicted class, an eighth of the window in all: as the app does it.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.data import Split
from benchmarks.known_pool import made_split
from benchmarks.report import Cell, Measured, Option, Table, run, say, use_one_thread
from fastlabel_gradio.head import Head, HeadInfo, train_head
from fastlabel_gradio.pool.candidates import SHORTLIST_ROWS, WINDOW_ROWS
from fastlabel_gradio.pool.scoring import score_rows
from fastlabel_gradio.simulation import answered
from fastlabel_gradio.strategies import COLD_START, STRATEGIES, PoolView
from fastlabel_gradio.strategies.uncertainty import margin_score
from fastlabel_gradio.types import Label, Rows

BATCH, WINDOWS_OF_A_HEAD, KNOWN_OF_RARE = 100, 20, 3
SHARES = (1.0, 0.25, 0.125, 0.0625)
SHORTLIST_SHARE = SHORTLIST_ROWS / WINDOW_ROWS  # of the window
LEARNED = 1_000
SHOWN_BATCHES = (2, 5, 10, 20, 40)


@dataclass(frozen=True, slots=True)
class Way:
    """What is scored for a batch: a share of the pool, with or without a shortlist of all of it."""

    share: float
    shortlist: bool = False

    @property
    def name(self) -> str:
        share = "everything" if self.share == 1 else f"1/{round(1 / self.share)}"
        return f"{share} and shortlist" if self.shortlist else share


class Windowed:
    """A `simulation.Labelling` of rows that scores a window of the free ones; knows a few rare ones at first."""

    def __init__(self, split: Split, way: Way, strategy: str, seed: int) -> None:
        self._split, self._way, self._strategy, self._seed = split, way, strategy, seed
        self._rng = np.random.default_rng(seed)
        rare = [np.flatnonzero(split.pool_targets == number) for number in _last_two(split)]
        self.taught = np.sort(np.concatenate([self._rng.choice(some, KNOWN_OF_RARE, replace=False) for some in rare]))
        self.head: Head | None = None
        self._shortlist = self._following = np.zeros(0, dtype=np.int64)

    @property
    def labeled(self) -> int:
        return len(self.taught)

    def pick(self) -> Sequence[int]:
        split, head = self._split, self.head
        if self._way.shortlist and head:
            most = int(SHORTLIST_SHARE * self._way.share * len(split.pool))
            self._shortlist, self._following = self._following, _least_certain(split, head, self.taught, most)
        free = np.setdiff1d(np.arange(len(split.pool)), self.taught)
        candidates = free[_window(len(free), self._way.share, self._rng)]
        candidates = np.union1d(candidates, np.setdiff1d(self._shortlist, self.taught))
        scored = None if head is None else score_rows(head, split.pool, candidates)
        needs = STRATEGIES.get(self._strategy).needs
        strategy = STRATEGIES.get(COLD_START if head is None and needs == "probabilities" else self._strategy)
        view = _view(split, candidates, scored, self.taught, head)
        return [int(row) for row in candidates[strategy.pick(view, BATCH, self._rng)]]

    def learn(self, answers: Sequence[tuple[int, int]]) -> None:
        self.taught = np.union1d(self.taught, [row for row, _ in answers])
        self.head = _head(self._split, self.taught, self._seed)

    @property
    def found(self) -> list[int]:
        """Labels of the last two classes."""
        return [int((self._split.pool_targets[self.taught] == number).sum()) for number in _last_two(self._split)]


OPTIONS = (
    Option("--items", 200_000, "items of the made-up pool"),
    Option("--strategy", "auto", "that picks"),
    Option("--batches", 20, "of a run"),
    Option("--seeds", 3, "of each way"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    use_one_thread()
    split = made_split(arguments.items)
    ways = [*(Way(share) for share in SHARES), Way(SHARES[-1], shortlist=True)]
    return [_same_head(split, LEARNED), _labels(split, ways, arguments)]


def _last_two(split: Split) -> tuple[int, int]:
    """The rare classes of the made-up pool."""
    return split.classes - 2, split.classes - 1


def _head(split: Split, rows: Rows, seed: int) -> Head:
    schema = tuple(Label(number, str(number)) for number in range(split.classes))
    return train_head(split.pool[rows], split.pool_targets[rows], HeadInfo(1, schema, "", len(rows), seed=seed))


def _view(split: Split, rows: Rows, scored: np.ndarray | None, taught: Rows, head: Head | None) -> PoolView:
    return PoolView(split.pool, rows, scored, taught, split.pool_targets[taught], split.classes, head)


def _same_head(split: Split, learned: int) -> Table:
    rng = np.random.default_rng(0)
    order = rng.permutation(len(split.pool))
    taught, free = np.sort(order[:learned]), np.sort(order[learned:])
    head = _head(split, taught, 0)
    scored = score_rows(head, split.pool, free)
    rows: list[tuple[Cell, ...]] = []
    for name in ("margin", "auto"):
        everything: Rows = np.zeros(0, dtype=np.int64)
        for share in SHARES:
            batches = []
            for _ in range(WINDOWS_OF_A_HEAD if share < 1 else 1):
                places = _window(len(free), share, rng)
                view = _view(split, free[places], scored[places], taught, head)
                batches.append(places[STRATEGIES.get(name).pick(view, BATCH, rng)])
            everything = batches[0] if share == 1 else everything
            margin = np.mean([1 - margin_score(scored[batch]).mean() for batch in batches])
            overlap = np.mean([np.isin(batch, everything).sum() for batch in batches])
            rows.append((name, Way(share).name, round(float(margin), 4), round(float(overlap), 1)))
    title = f"Picks of one head that learned {learned:,} labels, batches of {BATCH}, {len(free):,} free items."
    columns = ("strategy", "scored", "mean margin", "picks that everything has too")
    return Table(title, columns, rows, note=f"Mean margin of the pool: {1 - margin_score(scored).mean():.3f}")


def _labels(split: Split, ways: Sequence[Way], arguments: argparse.Namespace) -> Table:
    shown = [number for number in SHOWN_BATCHES if number <= arguments.batches]
    rows: list[tuple[Cell, ...]] = []
    for way in ways:
        say(f"{way.name} …")
        runs = [Windowed(split, way, arguments.strategy, seed) for seed in range(arguments.seeds)]
        accuracy = np.array([list(_accuracies(split, run, arguments.batches)) for run in runs])
        cells = [f"{accuracy[:, number - 1].mean():.1f} ± {accuracy[:, number - 1].std():.1f}" for number in shown]
        found = " and ".join(f"{count:.1f}" for count in np.mean([run.found for run in runs], axis=0))
        rows.append((way.name, *cells, round(float(accuracy.mean()), 2), found))
    rare = np.bincount(split.pool_targets, minlength=split.classes)[-2:]
    columns = ("scored", *(f"@{number * BATCH}" for number in shown), "area", f"found of {rare[0]} and {rare[1]}")
    counted = f"{arguments.seeds} seeds (mean ± deviation), {len(split.pool):,} items"
    return Table(f"Accuracy, %, of {arguments.strategy}, {counted}.", columns, rows)


def _accuracies(split: Split, run: Windowed, batches: int) -> Iterator[float]:
    """In percent on the test part, after each batch."""
    for _ in answered(run, lambda row: int(split.pool_targets[row]), run.labeled + batches * BATCH):
        assert run.head is not None
        yield 100 * float((run.head.predict_proba(split.test).argmax(axis=1) == split.test_targets).mean())


def _window(count: int, share: float, rng: np.random.Generator) -> Rows:
    """Positions of a run of that share of `count` from a random place, as the labeler has it."""
    if share == 1:
        return np.arange(count)
    return np.sort((int(rng.integers(count)) + np.arange(round(share * count))) % count)


def _least_certain(split: Split, head: Head, taught: Rows, most: int) -> Rows:
    """About `most` free rows of the whole pool with the smallest margins, as many of each predicted class."""
    free = np.setdiff1d(np.arange(len(split.pool)), taught)
    probabilities = score_rows(head, split.pool, free)
    predicted = probabilities.argmax(axis=1)
    order = np.lexsort((-margin_score(probabilities), predicted))
    classes, first, counts = np.unique(predicted[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(first, counts)
    return np.sort(free[order[rank < most / len(classes)]])


if __name__ == "__main__":
    main()
