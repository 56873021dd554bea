"""Does the accuracy that the page reports hold the true accuracy 95 times in 100? Simulated labelings of known sets.

    python -m benchmarks.coverage --data DATA --workers 2 --json OUT
    python -m benchmarks.coverage --sets digits --strategies margin --runs 20
    python -m benchmarks.coverage --sets esc10_windows esc10_windows_by_items fsdd_speakers fsdd_speakers_by_items

All items of a set, pool and test part together, are halved at random for each run: one half is the pool, which
`simulation.Experiment` labels through the app's own labeler, the other one the truth, so that the audit and the truth are
alike. The labeler chooses the audit by a hash of ids; ids are salted with the run, so each run has an audit of its own.

At the checkpoints, from 30 audited items on, what `Labeler.evaluation` reports is held against the head's accuracy on the
truth:

- holds: share of the runs whose interval holds the truth, with its own 95 % Wilson interval. Aim: 95.
- holds, truth exact: the truth is a sample too, m items beside the audit's n, which widens the distance of the two by
  sqrt((m + n) / m): 1 % on digits, 9 % on ESC-10. Here the distance is taken that much smaller.
- by arithmetic: what Wilson's interval does with a perfect sample of that size, at each run's true accuracy.
- bias: reported less true, mean and standard error. queried: accuracy of the head on the items that it picked itself in the
  last batch, those of the audit left out: the figure that the page does not report.

Grouped sets are halved by whole groups, so that the truth is the accuracy on groups of which nothing was labeled: windows of
ESC-10's clips against left-out recordings, and a speaker of FSDD against the others. `holds, truth exact` then counts groups.
With `_by_items` the labeler is not told of the groups: the figures show what that costs.
"""

import argparse
import math
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.data import Split, cached_splits, load_split
from benchmarks.known_pool import number_of, opened_split
from benchmarks.report import DATA, WORKERS, Cell, Measured, Option, Table, percent, played, run, with_error
from fastlabel_gradio.head.evaluation import wilson_interval
from fastlabel_gradio.simulation import Behaviour, Experiment, Round
from fastlabel_gradio.strategies import STRATEGIES
from fastlabel_gradio.types import Rows

TARGET = 0.9  # of the advice, which is not looked at


@dataclass(frozen=True, slots=True)
class Plan:
    """How a set is labelled: the report is looked at when so many labels are there; 30 items of the audit at least.

    Attributes:
        data: the name in SETS; "" for that of the plan.
        truth_groups: how many groups are the truth, as a share of all or one for 0; None where items are halved.
        by_items: whether the labeler is not told of the groups.
    """

    batch: int
    checkpoints: tuple[int, ...]
    audit_share: float = 0.1
    data: str = ""
    truth_groups: float | None = None
    by_items: bool = False


PLANS = {
    "digits": Plan(50, (300, 400)),
    "fsdd": Plan(50, (300, 400)),
    "esc10": Plan(20, (100,), 0.3),  # its pool has 160 items, a tenth of which are not 30
    "cifar10_half": Plan(100, (300, 600)),
    "esc10_windows": Plan(50, (300, 600), truth_groups=0.5),
    "esc10_windows_by_items": Plan(50, (300, 600), data="esc10_windows", truth_groups=0.5, by_items=True),
    "fsdd_speakers": Plan(50, (300, 400), data="fsdd", truth_groups=0.0),
    "fsdd_speakers_by_items": Plan(50, (300, 400), data="fsdd", truth_groups=0.0, by_items=True),
}


@dataclass(frozen=True, slots=True)
class Task:
    """One run. Its name salts the ids and seeds the halves."""

    set: str
    strategy: str
    seed: int

    @property
    def number(self) -> int:
        return zlib.crc32(f"{self.set} {self.strategy} {self.seed}".encode())


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was reported at some number of labels, and what is true.

    Attributes:
        items, correct, low, high: of the audit, as `AuditReport` has them.
        truth, truth_items: accuracy on the other half, and its size.
        queried: accuracy on the picks of the last batch, by the head that picked them.
        groups, truth_groups: of the audit and of the truth; None without groups.
    """

    labels: int
    items: int
    correct: int
    low: float
    high: float
    truth: float
    truth_items: int
    queried: float
    groups: int | None = None
    truth_groups: int | None = None

    @property
    def reported(self) -> float:
        return self.correct / self.items

    @property
    def holds(self) -> bool:
        return self.low <= self.truth <= self.high

    @property
    def holds_exactly(self) -> bool:
        """Whether it would hold a truth that is not a sample itself."""
        sizes = (
            (self.groups, self.truth_groups) if self.groups and self.truth_groups else (self.items, self.truth_items)
        )
        return self.low <= exact_truth(self.reported, sizes[0], self.truth, sizes[1]) <= self.high


def exact_truth(reported: float, items: int, truth: float, truth_items: int) -> float:
    """The truth, as far from what was reported as one that is known exactly would be. Sizes are of items, or of groups.

    The variance of the distance of two samples' shares is p (1 - p) (1/n + 1/m); that of a sample's and the true share is
    p (1 - p) / n.
    """
    return reported + (truth - reported) * math.sqrt(truth_items / (truth_items + items))


def wilson_coverage(share: float, items: int) -> float:
    """How often Wilson's interval of a random sample holds the true share, exactly (binomial)."""
    intervals = [wilson_interval(number, items) for number in range(items + 1)]
    inside = [number for number, (low, high) in enumerate(intervals) if low <= share <= high]
    return sum(math.comb(items, number) * share**number * (1 - share) ** (items - number) for number in inside)


def halves(split: Split, rng: np.random.Generator, truth_groups: float | None = None) -> Split:
    """All items of a set in two random halves; or that share of its groups as the truth, and the others."""
    vectors = np.concatenate([split.pool, split.test])
    targets = np.concatenate([split.pool_targets, split.test_targets])
    groups = np.concatenate([split.pool_groups, split.test_groups])
    if truth_groups is None:
        order = rng.permutation(len(targets))
        first, second = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
        return Split(vectors[first], targets[first], vectors[second], targets[second])
    names = rng.permutation(np.unique(groups))
    is_truth = np.isin(groups, names[: max(1, round(truth_groups * len(names)))])
    pool, truth = np.flatnonzero(~is_truth), np.flatnonzero(is_truth)
    of_groups = groups[pool], groups[truth]
    return Split(vectors[pool], targets[pool], vectors[truth], targets[truth], split.rare[:0], *of_groups)


def play(split: Split, task: Task, plan: Plan) -> list[Checkpoint]:
    """One run to the last checkpoint, every training and calibration waited for."""
    pool = halves(split, np.random.default_rng(task.number), plan.truth_groups)
    behaviour = Behaviour(plan.batch, plan.checkpoints[-1], audited=True)
    grouped = plan.truth_groups is not None and not plan.by_items
    with opened_split(pool, str(task.number), grouped, audit_share=plan.audit_share) as project:
        experiment = Experiment(project)
        return [
            _checkpoint(experiment, played, pool)
            for played in experiment.rounds(task.strategy, task.seed, behaviour)
            if played.labeler.counts().labeled in plan.checkpoints
        ]


OPTIONS = (
    DATA,
    WORKERS,
    Option("--sets", tuple(PLANS), "what is played", tuple(PLANS)),
    Option("--strategies", tuple(STRATEGIES.names()), "that pick", STRATEGIES.names()),
    Option("--runs", 15, "of each set and strategy"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    files = files_of(PLANS, arguments.sets, arguments.data)
    tasks = [
        Task(name, strategy, seed)
        for name in arguments.sets
        for strategy in arguments.strategies
        for seed in range(arguments.runs)
    ]
    found = dict(played(partial(_play_file, plans=PLANS, files=files), tasks, arguments.workers))
    runs = [{**asdict(task), "checkpoints": [asdict(one) for one in of_it]} for task, of_it in found.items()]
    return _tables(found), {"runs": runs}


def files_of(plans: Mapping[str, Plan], names: Sequence[str], data: Path) -> dict[str, Path]:
    """By the name of a plan, the first part of its set."""
    return {name: cached_splits(plans[name].data or name, data)[0] for name in names}


def _play_file(task: Task, plans: Mapping[str, Plan], files: Mapping[str, Path]) -> list[Checkpoint]:
    return play(load_split(files[task.set]), task, plans[task.set])


def _checkpoint(experiment: Experiment, played: Round, pool: Split) -> Checkpoint:
    head, report = played.labeler.head, played.labeler.evaluation(TARGET).report
    assert head and report, "no head, or no labeled item of the audit"
    counts = (played.labeler.counts().labeled, report.items, report.correct)
    truth, sizes = experiment.accuracy(head), (len(pool.test), len(np.unique(pool.test_groups)) or None)
    queried = _queried(played, pool.pool_targets)
    return Checkpoint(*counts, report.low, report.high, truth, sizes[0], queried, report.groups, sizes[1])


def _queried(played: Round, targets: Rows) -> float:
    """Share of a batch's picks, without the audit's items, that the head which picked them gets right."""
    batch = played.batch
    audited = np.isin(batch.rows, played.labeler._ledger.audit_rows(len(targets)))
    right = [
        prediction is not None and prediction.index == targets[number_of(item.id)]
        for item, prediction, drawn in zip(batch.items, batch.predictions, audited, strict=True)
        if not drawn
    ]
    return sum(right) / len(right) if right else math.nan


# Tables


def _tables(found: Mapping[Task, list[Checkpoint]]) -> list[Table]:
    by_set: dict[tuple[str, str], list[Checkpoint]] = defaultdict(list)
    for task, checkpoints in found.items():
        for checkpoint in checkpoints:
            by_set[task.set, f"{checkpoint.labels}"].append(checkpoint)
    last = {task: checkpoints[-1] for task, checkpoints in found.items() if checkpoints}
    by_set["all", "the last"] = [*last.values()]
    held = ("set", "labels", "items", "runs", "holds", "holds, truth exact", "by arithmetic")
    figures = ("set", "labels", "reported", "true", "bias", "width")
    return [
        Table(
            "How often the reported interval holds the true accuracy, %.",
            held,
            [(*key, *_coverage_cells(of_it)) for key, of_it in by_set.items()],
            aim="95",
        ),
        _strategies_table(last),
        Table(
            "What is reported and what is true, %, means of the runs.",
            figures,
            [(*key, *_accuracy_cells(of_it)) for key, of_it in by_set.items()],
        ),
    ]


def _strategies_table(last: Mapping[Task, Checkpoint]) -> Table:
    """Of each strategy: its coverage on each set and on all, and how far off the two figures are."""
    sets = list(dict.fromkeys(task.set for task in last))
    rows: list[tuple[Cell, ...]] = []
    for strategy in dict.fromkeys(task.strategy for task in last):
        of_sets = [[last[task] for task in last if (task.set, task.strategy) == (name, strategy)] for name in sets]
        every = [one for part in of_sets for one in part]
        held = [f"{sum(one.holds for one in part)} of {len(part)}" for part in of_sets]
        queried = with_error([one.queried - one.truth for one in every], scale=100)
        rows.append((strategy, *held, _share([one.holds for one in every]), _bias(every), queried))
    columns = ("strategy", *sets, "all, %", "bias", "queried less true")
    return Table("The same at the last checkpoint, by strategy; bias in points.", columns, rows)


def _coverage_cells(of_it: Sequence[Checkpoint]) -> tuple[Cell, ...]:
    shares = (_share([one.holds for one in of_it]), _share([one.holds_exactly for one in of_it]))
    expected = percent([wilson_coverage(one.truth, one.items) for one in of_it])
    return f"{np.mean([one.items for one in of_it]):.0f}", len(of_it), *shares, expected


def _accuracy_cells(of_it: Sequence[Checkpoint]) -> tuple[Cell, ...]:
    means = (percent([one.reported for one in of_it]), percent([one.truth for one in of_it]))
    return *means, _bias(of_it), percent([one.high - one.low for one in of_it])


def _bias(of_it: Sequence[Checkpoint]) -> str:
    """Points: reported less true, with the standard error."""
    return with_error([one.reported - one.truth for one in of_it], scale=100)


def _share(held: Sequence[bool]) -> str:
    """In percent, with the 95 % Wilson interval."""
    low, high = wilson_interval(sum(held), len(held))
    return f"{percent(held)} ({100 * low:.0f} to {100 * high:.0f})"


if __name__ == "__main__":
    main()
