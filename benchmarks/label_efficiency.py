"""Which query strategy needs the fewest labels: ours against those of scikit-activeml and modAL, on the same embeddings.

    python -m benchmarks.label_efficiency --data DATA --workers 2 --json OUT --plot FOLDER
    python -m benchmarks.label_efficiency --sets digits --contestants auto random:margin 'skactiveml.*' --seeds 2

A simulated labelling of each contestant and seed:

- sets: those of `benchmarks/data.py`, seed by seed another speaker or fold left out; without folds, each seed hides a fifth
  of the pool. The encoder, `offline` or that of --encoder, is fitted on the pool only; for `offline` digits are raw pixels.
- contestants: names or patterns of `benchmarks/contestants.py`. `skactiveml.badge/logistic` is a peer with logistic
  regression, the head that their documents use, `skactiveml.badge/mlp` the same with our head.
- pairing: the same seed gives all contestants the same part of the set, the same hidden fifth and the same head seed.

Figures, medians over seeds with 95 % bootstrap intervals:

- labels to 90 and 95 % of the accuracy that our head has with the whole pool labeled, held at two further checkpoints;
  `> 300`: not within 300 labels. In the geometric mean a miss counts as the labels of the whole run, which makes it a lower
  bound, marked `>`. On ESC-10 a run ends with the pool, 240 labels.
- area: mean accuracy over the logarithm of the labels. against random: the worst difference to random with the same head
  at any checkpoint, in points, mean and standard error over seeds, and at how many labels that was. Aim for auto: -1 or
  better. With ten seeds random itself is known to some two points at ten labels; `--seeds 40` halves that.
- rare classes, where a set has some: how many of their items are labeled at 50 to 1,000 labels and the recall of the two on
  the test part, means over seeds, and the paired difference to random with its standard error.
- CPU ms a query: scoring and picking on one core, without training.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from benchmarks.contestants import EVERYTHING, Curve, contestants, play, why_left_out, with_yardsticks
from benchmarks.data import OFFLINE, SETS, available, cached_splits, load_split, part_of
from benchmarks.efficiency_figures import Key, Run, Runs, plot, summary_tables, tables_of
from benchmarks.report import DATA, WORKERS, Cell, Measured, Option, Table, played, run, say

OPTIONS = (
    DATA,
    WORKERS,
    Option("--encoder", OFFLINE, "kind of the encoder of what is embedded"),
    Option("--sets", tuple(name for name, info in SETS.items() if info.compared), "what is played", tuple(SETS)),
    Option("--contestants", ("*",), "names or patterns"),
    Option("--seeds", int, "seeds of each (default: 10, 5 on CIFAR-10)"),
    Option("--batch", int, "items of a batch (default: 10, 100 on CIFAR-10)"),
    Option("--labels", int, "labels at the end (default: 300, 2,000 on CIFAR-10)"),
    Option("--plot", Path, "folder: also draw learning curves, a PNG for each set"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    chosen = contestants(arguments.contestants)
    if not chosen:
        sys.exit("--contestants matches none. Known: " + ", ".join(contestants(["*"])))
    files = {name: cached_splits(name, arguments.data, arguments.encoder) for name in arguments.sets}
    keys, left_out = [], []
    for name in arguments.sets:
        of_set, without = keys_of(name, chosen, arguments.seeds, arguments.batch, arguments.labels)
        keys += of_set
        left_out += [(name, contestant, why) for contestant, why in without.items()]
    found = dict(played(partial(_outcome, files=files), keys, arguments.workers))
    runs = [Run(key, curve) for key, curve in found.items() if isinstance(curve, Curve)]
    failed = {key: why for key, why in found.items() if isinstance(why, str)}
    left_out += [(key.set, f"{key.contestant}, seed {key.seed}", why) for key, why in failed.items()]
    by_set = {name: _by_contestant(name, runs, failed) for name in arguments.sets}
    tables = summary_tables(by_set)
    for name, of_it in by_set.items():
        tables += tables_of(name, of_it, arguments.batch or SETS[name].batch)
        if arguments.plot:
            say(f"drew {plot(name, of_it, arguments.plot)}")
    return [*tables, _left_out_table(left_out)], {"runs": [asdict(one) for one in runs]}


def keys_of(
    name: str, chosen: Sequence[str], seeds: int | None, batch: int | None, labels: int | None
) -> tuple[list[Key], dict[str, str]]:
    """The runs of a set, by default as it is usually labelled, and why some contestants are left out there."""
    usual, wanted = SETS[name], with_yardsticks(chosen)
    left_out = {contestant: why for contestant in wanted if (why := why_left_out(name, contestant))}
    sizes = (batch or usual.batch, labels or usual.labels)
    keys = [
        Key(name, contestant, seed, *((0, 0) if contestant.startswith(f"{EVERYTHING}/") else sizes))
        for seed in range(seeds or usual.seeds)
        for contestant in wanted
        if contestant not in left_out
    ]
    return keys, left_out


def _outcome(key: Key, files: Mapping[str, Sequence[Path]]) -> Curve | str:
    """A peer may raise anything; what it said is then the outcome, and the other runs go on."""
    split = load_split(files[key.set][part_of(key.set, key.seed)])
    rows = available(key.set, split, key.seed)
    try:
        return play(split, rows, key.contestant, key.seed, key.batch, key.labels)
    except Exception as error:
        if "/" not in key.contestant:
            raise
        return f"{type(error).__name__}: {error}"


def _by_contestant(name: str, runs: Sequence[Run], failed: Mapping[Key, str]) -> Runs:
    """By seed; a contestant that failed on the set with any seed has no place in its tables."""
    without = {key.contestant for key in failed if key.set == name}
    found: dict[str, list[Run]] = {}
    for one in runs:
        if one.key.set == name and one.key.contestant not in without:
            found.setdefault(one.key.contestant, []).append(one)
    return found


def _left_out_table(rows: Sequence[tuple[Cell, ...]]) -> Table:
    return Table("Left out, or failed.", ("set", "contestant", "reason"), rows or [("none", "", "")])


if __name__ == "__main__":
    main()
