"""What it costs to score a window of a large pool instead of all of it: the picks of one head, and labels in the long run.

    python -m benchmarks.windows [--items 200000] [--json OUT]
    python -m benchmarks.windows --data FOLDER

The pool is the made-up one of `benchmarks/vectors.py`, or CIFAR-10's pictures as `benchmarks/efficiency_data.py` has them. A
window is a run of the shuffled pool from a random place, as the labeler takes it.

- picks of one head: the head learned 1,000 random labels (500 of pictures). Mean margin p1 - p2 of a batch of 100, and how
  many of them are also picked where everything is scored; means over 20 windows.
- labels: simulated labelling in batches of 100 by `--strategy`, mean accuracy over seeds. Rare classes have 3 labels at the
  start, so that the head knows of them; `found` counts the labels of the two at the end, of as many as there are.
- shortlist: the window together with the rows that the head before held least certain of the whole pool, as many of each
  predicted class, an eighth of the window in all: as the app does it.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import vectors
from benchmarks.efficiency_data import cached_splits, load_split
from benchmarks.report import Cell, Table, machine, parser, publish, say
from fastlabel_gradio.candidates import SHORTLIST_ROWS, WINDOW_ROWS
from fastlabel_gradio.devices import use_one_thread_per_operation
from fastlabel_gradio.head import Head, HeadInfo, train_head
from fastlabel_gradio.scoring import score_rows
from fastlabel_gradio.strategies import COLD_START, STRATEGIES, PoolView
from fastlabel_gradio.strategies.uncertainty import margin_score
from fastlabel_gradio.types import Embeddings, Label, Rows

BATCH, WINDOWS_OF_A_HEAD, KNOWN_OF_RARE = 100, 20, 3
SHARES = (1.0, 0.25, 0.125, 0.0625)
SHORTLIST_SHARE = SHORTLIST_ROWS / WINDOW_ROWS  # of the window
LEARNED = {"made": 1_000, "pictures": 500}


@dataclass(frozen=True, slots=True)
class Data:
    """Embeddings float32[n, dim] with the classes int64[n] of a pool and a test part."""

    pool: Embeddings
    pool_targets: np.ndarray
    test: Embeddings
    test_targets: np.ndarray
    classes: int

    def head(self, rows: Rows, seed: int) -> Head:
        """A head trained on those rows of the pool, ascending."""
        schema = tuple(Label(number, str(number)) for number in range(self.classes))
        return train_head(self.pool[rows], self.pool_targets[rows], HeadInfo(1, schema, "", len(rows), seed=seed))

    def accuracy(self, head: Head) -> float:
        """In percent, on the test part."""
        return 100 * float((head.predict_proba(self.test).argmax(axis=1) == self.test_targets).mean())


@dataclass(frozen=True, slots=True)
class Way:
    """What is scored for a batch: a share of the pool, with or without a shortlist of all of it."""

    share: float
    shortlist: bool = False

    @property
    def name(self) -> str:
        share = "everything" if self.share == 1 else f"1/{round(1 / self.share)}"
        return f"{share} and shortlist" if self.shortlist else share


def main() -> None:
    arguments = _arguments()
    began_on = machine()
    use_one_thread_per_operation()  # as the app does
    data = _pictures(arguments.data) if arguments.data else _made(arguments.items)
    ways = [*(Way(share) for share in SHARES), Way(SHARES[-1], shortlist=True)]
    tables = [_same_head(data, LEARNED["pictures" if arguments.data else "made"]), _labels(data, ways, arguments)]
    publish(began_on, tables, arguments.json)


def _arguments() -> argparse.Namespace:
    made = parser(__doc__ or "")
    made.add_argument("--items", type=int, default=200_000, help="items of the made-up pool (default: %(default)s)")
    made.add_argument("--data", type=Path, metavar="FOLDER", help="with cifar10/ in it, instead of the made-up pool")
    made.add_argument("--strategy", default="auto")
    made.add_argument("--batches", type=int, default=20)
    made.add_argument("--seeds", type=int, default=3)
    return made.parse_args()


def _made(items: int) -> Data:
    test, test_targets = vectors.test_part()
    pool, pool_targets = vectors.embeddings(items), vectors.targets(items).astype(np.int64)
    return Data(pool, pool_targets, test, test_targets.astype(np.int64), vectors.CLASSES)


def _pictures(folder: Path) -> Data:
    split = load_split(cached_splits("cifar10", folder)[0])
    order = np.random.default_rng(0).permutation(len(split.pool))
    return Data(split.pool[order], split.pool_targets[order], split.test, split.test_targets, split.classes)


def _same_head(data: Data, learned: int) -> Table:
    rng = np.random.default_rng(0)
    order = rng.permutation(len(data.pool))
    labeled, free = np.sort(order[:learned]), np.sort(order[learned:])
    head = data.head(labeled, 0)
    scored = score_rows(head, data.pool, free)
    rows: list[tuple[Cell, ...]] = []
    for name in ("margin", "auto"):
        everything: Rows = np.zeros(0, dtype=np.int64)
        for share in SHARES:
            batches = []
            for _ in range(WINDOWS_OF_A_HEAD if share < 1 else 1):
                places = _window(len(free), share, rng)
                view = PoolView(
                    data.pool, free[places], scored[places], labeled, data.pool_targets[labeled], data.classes, head
                )
                batches.append(places[STRATEGIES.get(name).pick(view, BATCH, rng)])
            everything = batches[0] if share == 1 else everything
            margin = np.mean([1 - margin_score(scored[batch]).mean() for batch in batches])
            overlap = np.mean([np.isin(batch, everything).sum() for batch in batches])
            rows.append((name, Way(share).name, round(float(margin), 4), round(float(overlap), 1)))
    title = f"Picks of one head that learned {learned:,} labels, batches of {BATCH}, {len(free):,} free items."
    columns = ("strategy", "scored", "mean margin", "picks that everything has too")
    return Table(title, columns, rows, note=f"Mean margin of the pool: {1 - margin_score(scored).mean():.3f}")


def _labels(data: Data, ways: list[Way], arguments: argparse.Namespace) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for way in ways:
        say(f"{way.name} …")
        curves = [list(_labelling(data, way, arguments, seed)) for seed in range(arguments.seeds)]
        accuracy = np.array([[point[0] for point in curve] for curve in curves])
        found = np.mean([curve[-1][1] for curve in curves], axis=0)
        shown = [number for number in (2, 5, 10, 20, 40) if number <= arguments.batches]
        cells = [f"{accuracy[:, number - 1].mean():.1f} ± {accuracy[:, number - 1].std():.1f}" for number in shown]
        rows.append(
            (way.name, *cells, round(float(accuracy.mean()), 2), " and ".join(f"{count:.1f}" for count in found))
        )
    rare = np.bincount(data.pool_targets, minlength=data.classes)[-2:]
    columns = ("scored", *(f"@{number * BATCH}" for number in shown), "area", f"found of {rare[0]} and {rare[1]}")
    title = (
        f"Accuracy, %, of {arguments.strategy}, {arguments.seeds} seeds (mean ± deviation), {len(data.pool):,} items."
    )
    return Table(title, columns, rows)


def _labelling(data: Data, way: Way, arguments: argparse.Namespace, seed: int) -> Iterator[tuple[float, list[int]]]:
    """One simulated labelling: accuracy in percent, and labels of the last two classes, after each batch."""
    rng = np.random.default_rng(seed)
    rare = [np.flatnonzero(data.pool_targets == data.classes - number) for number in (2, 1)]
    labeled = np.sort(np.concatenate([rng.choice(members, KNOWN_OF_RARE, replace=False) for members in rare]))
    head: Head | None = None
    shortlist = following = np.zeros(0, dtype=np.int64)
    for number in range(arguments.batches):
        free = np.setdiff1d(np.arange(len(data.pool)), labeled)
        candidates = free[_window(len(free), way.share, rng)]
        candidates = np.union1d(candidates, np.setdiff1d(shortlist, labeled))
        picked = candidates[_picks(data, head, labeled, candidates, arguments.strategy, rng)]
        labeled = np.union1d(labeled, picked)
        head = data.head(labeled, seed)
        yield data.accuracy(head), [int(np.isin(labeled, members).sum()) for members in rare]
        if way.shortlist and number < arguments.batches - 1:
            most = int(SHORTLIST_SHARE * way.share * len(data.pool))
            shortlist, following = following, _least_certain(data, head, labeled, most)


def _picks(
    data: Data, head: Head | None, labeled: Rows, candidates: Rows, strategy: str, rng: np.random.Generator
) -> Rows:
    probabilities = None if head is None else score_rows(head, data.pool, candidates)
    targets = data.pool_targets[labeled]
    view = PoolView(data.pool, candidates, probabilities, labeled, targets, data.classes, head)
    needs = STRATEGIES.get(strategy).needs
    return STRATEGIES.get(COLD_START if head is None and needs == "probabilities" else strategy).pick(view, BATCH, rng)


def _window(count: int, share: float, rng: np.random.Generator) -> Rows:
    """Positions of a run of that share of `count` from a random place, as the labeler has it."""
    if share == 1:
        return np.arange(count)
    return np.sort((int(rng.integers(count)) + np.arange(round(share * count))) % count)


def _least_certain(data: Data, head: Head, labeled: Rows, most: int) -> Rows:
    """About `most` free rows of the whole pool with the smallest margins, as many of each predicted class."""
    free = np.setdiff1d(np.arange(len(data.pool)), labeled)
    probabilities = score_rows(head, data.pool, free)
    predicted = probabilities.argmax(axis=1)
    order = np.lexsort((-margin_score(probabilities), predicted))
    classes, first, counts = np.unique(predicted[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(first, counts)
    return np.sort(free[order[rank < most / len(classes)]])


if __name__ == "__main__":
    main()
