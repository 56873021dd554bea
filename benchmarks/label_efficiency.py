"""Which query strategy needs the fewest labels: ours against those of scikit-activeml and modAL, on the same embeddings.

    python -m benchmarks.label_efficiency --data DATA --workers 2 --json OUT --plot FOLDER
    python -m benchmarks.label_efficiency --sets digits --contestants auto random:margin 'skactiveml.*' --seeds 2

DATA holds `esc10`, `fsdd` and `cifar10`, unpacked. Finished runs are kept in the temp folder and not played again, so that
it may be stopped at any time: one run of each worker is lost. A label simulation of each contestant and seed:

- sets: digits; fsdd, its official split; fsdd_speakers and esc10, a speaker or a fold left out, seed by seed another one;
  cifar10, cifar10_half (the half that `auto` was chosen on), cifar10_rare (two classes cut to 2 % of the pool each). The
  encoder, `offline` or that of --encoder, is fitted on the pool only; for `offline` digits are raw pixels. Without folds,
  each seed hides a fifth of the pool.
- contestants: names or patterns. Ours: `auto` or any strategy, with the app's head. `random:margin`: a first batch by the
  one, all later ones by the other. Peers: `skactiveml.badge/logistic` with logistic regression, the head that their
  documents use, `skactiveml.badge/mlp` with our head. Peers start from a random batch, the same as `random`; but typiclust,
  probcover and maxherding pick the first one too, as their papers have it.
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
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

from benchmarks.efficiency_data import OFFLINE, SETS, cached_splits, digest_of_data
from benchmarks.efficiency_figures import Runs, plot, summary_tables, tables_of
from benchmarks.efficiency_runs import NOT_COMPARED, Key, Run, contestants, finish, keys_of, with_yardsticks
from benchmarks.report import Cell, Table, machine, parser, publish, say


def main() -> None:
    arguments = _arguments()
    began_on = machine()
    files = {name: cached_splits(name, arguments.data, arguments.encoder) for name in arguments.sets}
    keys: list[Key] = []
    left_out: list[tuple[Cell, ...]] = []
    for name in arguments.sets:
        of_set, without = _keys(name, arguments, digest_of_data(files[name]))
        keys += of_set
        left_out += [(name, contestant, why) for contestant, why in without.items()]
    runs, failed = finish(keys, files, arguments.workers)
    left_out += [(key.set, f"{key.contestant}, seed {key.seed}", why) for key, why in failed.items()]
    by_set = _by_set(runs, keys, {(key.set, key.contestant) for key in failed})
    tables = summary_tables(by_set)
    for name, of_it in by_set.items():
        tables += tables_of(name, of_it, arguments.batch or SETS[name].batch)
        if arguments.plot:
            say(f"drew {plot(name, of_it, arguments.plot)}")
    tables += [_left_out_table(left_out), _not_compared_table()]
    curves = [asdict(run) for run in runs.values()]
    publish(began_on, tables, arguments.json, {"runs": curves})


def _arguments() -> argparse.Namespace:
    made = parser(__doc__ or "")
    compared = tuple(name for name, info in SETS.items() if info.compared)
    made.add_argument("--data", type=Path, default=Path("data"), metavar="DATA", help="folder of the unpacked sets")
    made.add_argument("--encoder", default=OFFLINE, metavar="KIND", help=f"of what is embedded (default: {OFFLINE})")
    made.add_argument(
        "--sets", nargs="+", choices=tuple(SETS), default=compared, metavar="SET", help=f"of {', '.join(SETS)}"
    )
    made.add_argument(
        "--contestants", nargs="+", default=["*"], metavar="NAME", help="names or patterns (default: all)"
    )
    made.add_argument("--seeds", type=int, metavar="N", help="seeds of each (default: 10, 5 on CIFAR-10)")
    made.add_argument("--batch", type=int, metavar="N", help="items of a batch (default: 10, 100 on CIFAR-10)")
    made.add_argument("--labels", type=int, metavar="N", help="labels at the end (default: 300, 2,000 on CIFAR-10)")
    made.add_argument("--workers", type=int, default=1, metavar="N", help="runs at the same time, one core each")
    made.add_argument("--plot", type=Path, metavar="FOLDER", help="also draw learning curves, a PNG for each set")
    arguments = made.parse_args()
    arguments.contestants = contestants(arguments.contestants)
    if not arguments.contestants:
        made.error("--contestants matches none. Known: " + ", ".join(contestants(["*"])))
    return arguments


def _keys(name: str, arguments: argparse.Namespace, data: str) -> tuple[list[Key], dict[str, str]]:
    usual = SETS[name]
    return keys_of(
        name,
        with_yardsticks(arguments.contestants),
        arguments.seeds or usual.seeds,
        arguments.batch or usual.batch,
        arguments.labels or usual.labels,
        data,
    )


def _by_set(runs: dict[Key, Run], keys: list[Key], failed: set[tuple[str, str]]) -> dict[str, Runs]:
    """In the order of the keys; a contestant that failed on a set with any seed has no place in its tables."""
    found: dict[str, dict[str, list[Run]]] = defaultdict(lambda: defaultdict(list))
    for key in keys:
        if (key.set, key.contestant) not in failed:
            found[key.set][key.contestant].append(runs[key])
    return {name: dict(of_it) for name, of_it in found.items()}


def _left_out_table(rows: list[tuple[Cell, ...]]) -> Table:
    return Table("Left out, or failed.", ("set", "contestant", "reason"), rows or [("none", "", "")])


def _not_compared_table() -> Table:
    return Table("Of scikit-activeml not compared.", ("strategies", "reason"), [*NOT_COMPARED.items()])


if __name__ == "__main__":
    main()
