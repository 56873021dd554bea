"""Is what the page says of the last labels true, and can it be said what the next ones will bring? Labelings of known sets.

    python -m benchmarks.outlook --data DATA --workers 2 --json OUT
    python -m benchmarks.outlook --sets digits esc10 --runs 4

DATA holds `esc10`, `fsdd`, `cifar10` and `waste` (class folders of photos), unpacked; digits need no folder. `digits_even`
and `digits_400` are parts of the digits: five classes, and 400 items. Runs are those of `benchmarks/coverage.py`: the app's
own labeler with `auto`, items halved for each run, the truth on the other half, or on groups of which nothing was labeled. A
fifth is audited, so that there is something to measure early; from 10 audited items on.

- the last labels: after each batch, what `Labeler.evaluation` says that the last 100 labels brought (or the last fifth) is
  held against the true change. holds: share of the statements whose interval holds it; those of one run are much alike, so
  the interval of the share is a bootstrap of the runs. Aim: 95.
- the next labels: from what a run has measured on its audit by some number of labels, the accuracy at twice as many, by the
  inverse power law that the page once drew (Cortes et al., NIPS 1993; Figueroa et al., BMC 2012), and by "nothing changes":
  the last measured accuracy. Mean absolute error in points, and in how many runs the law was nearer. The page would say it
  again where the law's error is the smaller one on every set.
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.coverage import TARGET, Plan, Task, files_of, halves
from benchmarks.data import Split, load_split
from benchmarks.known_pool import opened_split
from benchmarks.report import DATA, WORKERS, Cell, Measured, Option, Table, percent, played, run
from fastlabel_gradio.head.evaluation import bootstrap_interval
from fastlabel_gradio.simulation import Behaviour, Experiment

STRATEGY = "auto"
LEAST_AUDITED = 10  # items that a point of the curve was measured on
PACES = np.geomspace(0.1, 2.0, 40)
CURVE_POINTS = 4

PLANS = {
    "digits": Plan(20, (400,), 0.2),
    "digits_even": Plan(20, (400,), 0.2, data="digits"),
    "digits_400": Plan(20, (200,), 0.2, data="digits"),
    "fsdd": Plan(20, (400,), 0.2),
    "esc10": Plan(20, (150,), 0.2),
    "esc10_windows": Plan(40, (600,), 0.2, truth_groups=0.5),
    "waste": Plan(40, (800,), 0.2),
    "cifar10_half": Plan(100, (1000,), 0.2),
}


@dataclass(frozen=True, slots=True)
class Point:
    """What was known and what was true after a batch.

    Attributes:
        labels: what the head was trained on. items, accuracy: of the audit. truth: accuracy on the other half.
        brought: (labels, change, low, high) of what the last labels brought; None while nothing is said.
    """

    labels: int
    items: int
    accuracy: float
    truth: float
    brought: tuple[int, float, float, float] | None


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """accuracy(n) = limit - loss · n^-pace."""

    limit: float
    loss: float
    pace: float

    def accuracy(self, labels: float) -> float:
        """Expected accuracy at that many labels, 0 to 1."""
        return min(1.0, max(0.0, self.limit - self.loss * math.pow(labels, -self.pace)))


def fit_power_law(points: Sequence[Point]) -> PowerLaw | None:
    """The curve with the least squared error, weighted by items; None for fewer than four points, or where nothing grows.

    The exponent is searched on a grid, limit and loss follow by linear least squares, the limit at most 1.
    """
    if len(points) < CURVE_POINTS:
        return None
    counts, values, weights = np.array([(p.labels, p.accuracy, p.items) for p in points], dtype=np.float64).T
    best: tuple[float, PowerLaw] | None = None
    for pace in PACES:
        falling = counts**-pace
        design = np.stack([np.ones_like(falling), -falling], axis=1) * np.sqrt(weights)[:, None]
        limit, loss = np.linalg.lstsq(design, values * np.sqrt(weights), rcond=None)[0]
        if limit > 1:
            limit, loss = 1.0, ((1 - values) * falling * weights).sum() / (falling**2 * weights).sum()
        error = float((((limit - loss * falling - values) ** 2) * weights).sum())
        if loss > 0 and (best is None or error < best[0]):
            best = error, PowerLaw(float(limit), float(loss), float(pace))
    return best[1] if best else None


def play(split: Split, task: Task, plan: Plan) -> list[Point]:
    """One run to the plan's last checkpoint, a point for each batch that the audit was measured after."""
    pool = halves(split, np.random.default_rng(task.number), plan.truth_groups)
    behaviour = Behaviour(plan.batch, plan.checkpoints[-1], audited=True)
    points = []
    with opened_split(pool, str(task.number), plan.truth_groups is not None, audit_share=plan.audit_share) as project:
        experiment = Experiment(project)
        for played in experiment.rounds(task.strategy, task.seed, behaviour):
            head, found = played.labeler.head, played.labeler.evaluation(TARGET)
            if head is None or found.report is None or found.report.items < LEAST_AUDITED:
                continue
            report, gain = found.report, found.brought
            said = (gain.labels, gain.change, gain.low, gain.high) if gain else None
            points.append(Point(head.info.label_count, report.items, report.accuracy, experiment.accuracy(head), said))
    return points


def part_of(name: str, split: Split) -> Split:
    """The digits' parts, and any other set as it is."""
    if name == "digits_400":
        return Split(split.pool[:300], split.pool_targets[:300], split.test[:100], split.test_targets[:100])
    if name == "digits_even":
        pool, test = split.pool_targets % 2 == 0, split.test_targets % 2 == 0
        targets = split.pool_targets[pool] // 2, split.test_targets[test] // 2
        return Split(split.pool[pool], targets[0], split.test[test], targets[1])
    return split


OPTIONS = (
    DATA,
    WORKERS,
    Option("--sets", tuple(PLANS), "what is played", tuple(PLANS)),
    Option("--runs", 12, "of each set"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    files = files_of(PLANS, arguments.sets, arguments.data)
    tasks = [Task(name, STRATEGY, seed) for name in arguments.sets for seed in range(arguments.runs)]
    found = list(played(partial(_play_file, plans=PLANS, files=files), tasks, arguments.workers))
    by_set = {name: [points for task, points in found if task.set == name] for name in arguments.sets}
    by_set["all"] = [points for _, points in found]
    runs = [{**asdict(task), "points": [asdict(point) for point in points]} for task, points in found]
    return [_last_table(by_set), _next_table(by_set)], {"runs": runs}


def _play_file(task: Task, plans: Mapping[str, Plan], files: Mapping[str, Path]) -> list[Point]:
    return play(part_of(task.set, load_split(files[task.set])), task, plans[task.set])


# Tables


def _last_table(by_set: Mapping[str, Sequence[Sequence[Point]]]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, runs in by_set.items():
        statements = [said for run in runs if (said := last_labels(run))]
        errors = [abs(change - true) for run in statements for change, true, _, _ in run]
        widths = [high - low for run in statements for _, _, low, high in run]
        rows.append((name, len(runs), len(errors), _held(statements), percent(errors), percent(widths)))
    columns = ("set", "runs", "statements", "holds", "off by", "width")
    return Table("What the last labels brought: %, and means in points.", columns, rows, aim="95 hold")


def _next_table(by_set: Mapping[str, Sequence[Sequence[Point]]]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, runs in by_set.items():
        pairs = [found for run in runs if (found := next_labels(run))]
        law, nothing = ([float(np.mean([pair[place] for pair in run])) for run in pairs] for place in (0, 1))
        nearer = f"{sum(a < b for a, b in zip(law, nothing, strict=True))} of {len(pairs)}"
        rows.append((name, len(runs), percent(law), percent(nothing), nearer))
    columns = ("set", "runs", "power law off by", "nothing changes off by", "law nearer in")
    return Table("What twice the labels bring, means of the runs in points.", columns, rows)


def last_labels(run: Sequence[Point]) -> list[tuple[float, float, float, float]]:
    """(change, true change, low, high) of each statement."""
    truth = {point.labels: point.truth for point in run}
    found = []
    for point in run:
        if point.brought and (before := point.labels - point.brought[0]) in truth:
            found.append((point.brought[1], point.truth - truth[before], *point.brought[2:]))
    return found


def next_labels(run: Sequence[Point]) -> list[tuple[float, float]]:
    """How far off the accuracy at twice the labels is, by the law and by "nothing changes", at each point with a law."""
    labels, truth = [point.labels for point in run], [point.truth for point in run]
    found = []
    for place, point in enumerate(run):
        law = fit_power_law(run[: place + 1])
        if law is None or 2 * point.labels > labels[-1]:
            continue
        true = float(np.interp(2 * point.labels, labels, truth))
        found.append((abs(law.accuracy(2 * point.labels) - true), abs(point.accuracy - true)))
    return found


def _held(runs: Sequence[Sequence[tuple[float, float, float, float]]]) -> str:
    """Share of the statements whose interval holds the truth, with a bootstrap interval over runs."""
    shares = np.array([[np.mean([low <= true <= high for _, true, low, high in run])] for run in runs])
    if not len(shares):
        return ""
    low, high = bootstrap_interval(shares, np.random.default_rng(0))
    return f"{100 * shares.mean():.1f} ({100 * low[0]:.0f} to {100 * high[0]:.0f})"


if __name__ == "__main__":
    main()
