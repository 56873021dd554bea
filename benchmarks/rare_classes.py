"""Does `auto` find classes that a pool has few of, and sooner than chance? Two classes of known sets, thinned out.

    python -m benchmarks.rare_classes --data DATA --workers 2 --json OUT
    python -m benchmarks.rare_classes --data DATA --sets fsdd digits --encoder pretrained --seeds 24

Each seed draws two classes and leaves so many of their items in the pool that each is `--share` percent of it; the test part
stays as it is. Where the set knows groups (`esc10_windows`: the recording of a window; `fsdd_speakers`: the speaker) whole
groups go, as they would be missing in a real pool: few windows of a rare sound are from few recordings. The one that is
cut by the share is kept, and left whole where it is the only one, so that a class of few groups may have more than its share.

Printed are, at some numbers of labels, items of the two that have a label, their recall on the test part, and the
accuracy there; differences to `random` are means of paired seeds with their standard error. Aim: no fewer than random.
"""

import argparse
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.contestants import Curve, contestants, play
from benchmarks.data import OFFLINE, SETS, Split, cached_splits, load_split, part_of
from benchmarks.efficiency_figures import Key, Run, rare_table
from benchmarks.report import DATA, WORKERS, Measured, Option, played, run
from fastlabel_gradio.types import Rows

YARDSTICK = "random"
RARE = 2  # classes
GROUPED = ("esc10_windows", "fsdd_speakers")
OPTIONS = (
    DATA,
    WORKERS,
    Option("--encoder", OFFLINE, "kind of the encoder of what is embedded"),
    Option("--sets", GROUPED, "what is played", tuple(SETS)),
    Option("--contestants", ("auto",), "names or patterns"),
    Option("--share", 1.5, "percent of the pool that each of the two classes is"),
    Option("--seeds", 16, "of each"),
    Option("--batch", 10, "items of a batch"),
    Option("--labels", 200, "labels at the end"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    files = {name: cached_splits(name, arguments.data, arguments.encoder) for name in arguments.sets}
    names = dict.fromkeys([YARDSTICK, *contestants(arguments.contestants)])
    sizes = (arguments.batch, arguments.labels)
    keys = [Key(set_, name, seed, *sizes) for set_ in files for seed in range(arguments.seeds) for name in names]
    share = arguments.share / 100
    runs = [
        Run(key, curve) for key, curve in played(partial(_curve, files=files, share=share), keys, arguments.workers)
    ]
    tables = []
    for set_ in files:
        of_set = {name: [one for one in runs if (one.key.set, one.key.contestant) == (set_, name)] for name in names}
        tables.append(rare_table(f"{set_}, {arguments.encoder}, two classes of {arguments.share:g} % each", of_set))
    return tables, {"runs": [asdict(one) for one in runs]}


def thinned(split: Split, share: float, seed: int) -> Split:
    """The split with two classes of its pool, drawn at random, cut to that share of the pool each, by groups where known."""
    rng = np.random.default_rng([seed, RARE])
    rare = np.sort(rng.permutation(np.unique(split.pool_targets))[:RARE])
    others = np.flatnonzero(~np.isin(split.pool_targets, rare))
    wanted = max(1, round(share * len(others) / (1 - RARE * share)))
    few = [_some_of(np.flatnonzero(split.pool_targets == number), split.pool_groups, wanted, rng) for number in rare]
    rows = np.sort(np.concatenate([others, *few]))
    groups = split.pool_groups[rows] if len(split.pool_groups) else split.pool_groups
    return replace(split, pool=split.pool[rows], pool_targets=split.pool_targets[rows], pool_groups=groups, rare=rare)


def _some_of(rows: Rows, groups: Rows, wanted: int, rng: np.random.Generator) -> Rows:
    """So many of the rows at random; of groups the first that together have as many."""
    if not len(groups):
        return np.asarray(rng.permutation(rows)[:wanted])
    chosen: list[int] = []
    for group in rng.permutation(np.unique(groups[rows])):
        if len(chosen) < wanted:
            chosen += rows[groups[rows] == group].tolist()
    return np.array(chosen, dtype=np.int64)


def _curve(key: Key, files: Mapping[str, list[Path]], share: float) -> Curve:
    split = thinned(load_split(files[key.set][part_of(key.set, key.seed)]), share, key.seed)
    return play(split, np.arange(len(split.pool)), key.contestant, key.seed, key.batch, key.labels)


if __name__ == "__main__":
    main()
