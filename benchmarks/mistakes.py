"""How many wrong labels stand at the top of the list of likely mistakes.

    python -m benchmarks.mistakes --data DATA --json OUT
    python -m benchmarks.mistakes --data DATA --sets digits fsdd --labels 200 500 2000 --seeds 4

DATA holds `fsdd` and `cifar10`, unpacked; digits need no folder. Random labels of the pool, 5 % of which (`--wrong`) are made
another class at random, are ranked as the app ranks them (`explore.mistakes`): five heads are trained, each without a fifth
of the labels, and the most doubtful ones are those whose logit is farthest below the largest other one. `found` is the share
of the wrong labels within the first 5, 10 and 20 % of the list, pooled over the seeds; `seconds` the time of the five
trainings (median). Aim: 80 % within the first 10 % on digits and FSDD with 500 labels and more; on CIFAR-10, whose heads are
right in half of the cases, errors and hard items cannot be told apart.
"""

import argparse
import statistics
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.data import OFFLINE, SETS, cached_splits
from benchmarks.heads import Play, TrainingRun
from benchmarks.report import DATA, Cell, Measured, Option, Table, run, use_one_thread
from fastlabel_gradio.explore.doubts import logit_margins
from fastlabel_gradio.explore.mistakes import MOST_TRAINED
from fastlabel_gradio.head import FOLDS

REVIEWED = (0.05, 0.1, 0.2)  # of the list


def ranked_wrong(training: TrainingRun, share: float) -> tuple[np.ndarray, float]:
    """bool[labels] in the order of the list, whether each label was made wrong, and the seconds that ranking took."""
    rng = np.random.default_rng([training.seed, 4])
    wrong = np.zeros(len(training.targets), dtype=bool)
    wrong[rng.permutation(len(wrong))[: max(1, round(share * len(wrong)))]] = True
    shift = rng.integers(1, training.split.classes, size=len(wrong))
    targets = np.where(wrong, (training.targets + shift) % training.split.classes, training.targets)
    folds, began = list(range(FOLDS)), time.perf_counter()
    found = training.maker().out_of_fold(
        training.embeddings, targets, lambda: False, None, folds, len(targets), MOST_TRAINED
    )
    assert found is not None
    logits, positions = found
    order = np.argsort(logit_margins(logits, targets[positions]), kind="stable")
    return wrong[positions[order]], time.perf_counter() - began


def row_of(name: str, labels: int, played: Sequence[TrainingRun], share: float) -> tuple[Cell, ...]:
    """One line of the table."""
    ranked = [ranked_wrong(training, share) for training in played]
    every = sum(int(wrong.sum()) for wrong, _ in ranked)
    found = [sum(int(wrong[: round(part * len(wrong))].sum()) for wrong, _ in ranked) for part in REVIEWED]
    shares = [f"{round(100 * count / every)} %" for count in found]
    return (name, labels, every, *shares, round(statistics.median(seconds for _, seconds in ranked), 2))


def main() -> None:
    run(__doc__, OPTIONS, measure)


def measure(arguments: argparse.Namespace) -> Measured:
    use_one_thread()
    files = {name: cached_splits(name, arguments.data, arguments.encoder) for name in arguments.sets}
    play = Play(files, arguments.seeds, max(arguments.labels))
    counted = play.counted("mistakes", arguments.labels)
    rows = [row_of(name, labels, played, arguments.wrong) for name, labels, played in counted]
    columns = ("set", "labels", "wrong", *(f"found in {part:.0%}" for part in REVIEWED), "seconds")
    title = f"{100 * arguments.wrong:g} % wrong labels, uniform: how many stand at the top of the list."
    return [Table(title, columns, rows)]


OPTIONS = (
    DATA,
    Option("--encoder", OFFLINE, "kind of the encoder of what is embedded"),
    Option("--sets", ("digits", "fsdd", "cifar10"), "what is learned", tuple(SETS)),
    Option("--labels", (200, 500, 2_000), "how many"),
    Option("--wrong", 0.05, "the share of wrong labels"),
    Option("--seeds", 4, "trainings of each"),
)


if __name__ == "__main__":
    main()
