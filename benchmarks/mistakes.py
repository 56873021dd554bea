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
from pathlib import Path

import numpy as np

from benchmarks.efficiency_data import OFFLINE, SETS, cached_splits
from benchmarks.heads import Lesson, lessons
from benchmarks.report import Cell, Table, machine, parser, publish, say
from fastlabel_gradio.devices import use_one_thread_per_operation
from fastlabel_gradio.explore.doubts import logit_margins
from fastlabel_gradio.explore.mistakes import MOST_TRAINED
from fastlabel_gradio.head import FOLDS, SAMPLE_ROWS, HeadMaker
from fastlabel_gradio.types import Label

REVIEWED = (0.05, 0.1, 0.2)  # of the list


def ranked_wrong(lesson: Lesson, share: float) -> tuple[np.ndarray, float]:
    """bool[labels] in the order of the list, whether each label was made wrong, and the seconds that ranking took."""
    rng = np.random.default_rng([lesson.seed, 3])
    wrong = np.zeros(len(lesson.targets), dtype=bool)
    wrong[rng.permutation(len(wrong))[: max(1, round(share * len(wrong)))]] = True
    shift = rng.integers(1, lesson.split.classes, size=len(wrong))
    targets = np.where(wrong, (lesson.targets + shift) % lesson.split.classes, lesson.targets)
    maker = HeadMaker(
        tuple(Label(number, str(number)) for number in range(lesson.split.classes)),
        "benchmark",
        sample=lambda: lesson.split.pool[:SAMPLE_ROWS],
        seed=lesson.seed,
    )
    began = time.perf_counter()
    found = maker.out_of_fold(
        lesson.embeddings, targets, lambda: False, None, list(range(FOLDS)), len(targets), MOST_TRAINED
    )
    assert found is not None
    logits, positions = found
    order = np.argsort(logit_margins(logits, targets[positions]), kind="stable")
    return wrong[positions[order]], time.perf_counter() - began


def row_of(name: str, labels: int, played: Sequence[Lesson], share: float) -> tuple[Cell, ...]:
    """One line of the table."""
    ranked = [ranked_wrong(lesson, share) for lesson in played]
    every = sum(int(wrong.sum()) for wrong, _ in ranked)
    found = [sum(int(wrong[: round(part * len(wrong))].sum()) for wrong, _ in ranked) for part in REVIEWED]
    shares = [f"{round(100 * count / every)} %" for count in found]
    seconds = statistics.median(seconds for _, seconds in ranked)
    return (name, labels, every, *shares, round(seconds, 2))


def main() -> None:
    arguments = _parser().parse_args()
    use_one_thread_per_operation()
    began_on, rows = machine(), []
    for name in arguments.sets:
        files = cached_splits(name, arguments.data, arguments.encoder)
        for labels in arguments.labels:
            say(f"{name}, {labels} labels …")
            played = lessons(files, name, labels, arguments.seeds)
            rows.append(row_of(name, len(played[0].rows), played, arguments.wrong))
    columns = ("set", "labels", "wrong", *(f"found in {round(100 * part)} %" for part in REVIEWED), "seconds")
    title = f"{100 * arguments.wrong:g} % wrong labels, uniform: how many stand at the top of the list"
    publish(began_on, [Table(title, columns, list(dict.fromkeys(rows)))], arguments.json)


def _parser() -> argparse.ArgumentParser:
    made = parser(__doc__ or "")
    made.add_argument("--data", type=Path, default=Path("data"), metavar="DATA", help="where the sets are")
    made.add_argument("--sets", nargs="+", choices=tuple(SETS), default=["digits", "fsdd", "cifar10"])
    made.add_argument("--labels", nargs="+", type=int, default=[200, 500, 2_000])
    made.add_argument("--wrong", type=float, default=0.05, help="the share of wrong labels (0.05)")
    made.add_argument("--encoder", default=OFFLINE, help="offline or pretrained")
    made.add_argument("--seeds", type=int, default=4)
    return made


if __name__ == "__main__":
    main()
