"""How long one query takes as the pool grows: `auto` and strategies of scikit-activeml, with the same head, on CIFAR-10.

    python -m benchmarks.query_time --data DATA --json OUT

Pools are the first items of the 20,000 pictures, of which 200 random ones are labeled; the
head is ours for all. A query is score and pick: CPU milliseconds on one core, the median of three after one that loads
code, of which only the last counts where a query takes more than 10 s. The strategies are those of `label_efficiency` that
need the fewest labels. At 20,000 items MaxHerding holds some 10 GB.
"""

import argparse
import time

import numpy as np

from benchmarks.contestants import Contestant
from benchmarks.data import Split, cached_splits, load_split
from benchmarks.report import DATA, Cell, Measured, Option, Table, milliseconds, run, say, use_one_thread

OURS = "auto"
CONTESTANTS = (
    OURS,
    "skactiveml.maxherding/mlp",
    "skactiveml.typiclust/mlp",
    "skactiveml.badge/mlp",
    "skactiveml.margin/mlp",
)
SIZES = (1_000, 2_000, 5_000, 10_000, 20_000)
LABELS, BATCH, SEED = 200, 10, 0
ROUNDS, LONG_MS = 3, 10_000.0


OPTIONS = (
    DATA,
    Option("--sizes", SIZES, "items of a pool"),
    Option("--batch", BATCH, "items of a query"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    use_one_thread()
    split = load_split(cached_splits("cifar10", arguments.data)[0])
    sizes = [min(size, len(split.pool)) for size in arguments.sizes]
    times = {name: [_query_ms(split, size, name, arguments.batch) for size in sizes] for name in CONTESTANTS}
    return [_table(sizes, times, arguments.batch)]


def _query_ms(split: Split, size: int, name: str, batch: int) -> float:
    """The median of a few queries over the first `size` rows of the pool."""
    labeled = np.random.default_rng(SEED).choice(size, LABELS, replace=False)
    contestant = Contestant(split, np.arange(size), name, SEED, batch, size)
    contestant.learn([(int(row), int(split.pool_targets[row])) for row in labeled])
    found = milliseconds(lambda: contestant.query(batch), clock=time.process_time)
    while found[-1] < LONG_MS and len(found) <= ROUNDS:
        found += milliseconds(lambda: contestant.query(batch), clock=time.process_time)
    say(f"{name}, {size:,} items: {found[-1]:,.1f} ms")
    return float(np.median(found[-ROUNDS:]))


def _table(sizes: list[int], times: dict[str, list[float]], batch: int) -> Table:
    rows: list[tuple[Cell, ...]] = [(name, *(f"{value:,.1f}" for value in of_it)) for name, of_it in times.items()]
    for name, of_it in times.items():
        if name != OURS:
            ratios = [f"{ours / theirs:.3f}" for ours, theirs in zip(times[OURS], of_it, strict=True)]
            rows.append((f"{OURS} / {name}", *ratios))
    columns = ("CPU ms a query", *(f"{size:,} items" for size in sizes))
    return Table(f"One query of {batch} after {LABELS} labels, as the pool grows.", columns, rows)


if __name__ == "__main__":
    main()
