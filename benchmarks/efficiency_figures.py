"""What finished runs say: tables of each set, the summary over sets, and learning curves as pictures. Plays nothing.

Medians over seeds, each with a 95 % bootstrap interval. A seed that misses a target counts as more labels than it got:
`> 300`. In the geometric mean over sets such a median counts as the number of labels of the whole run and no more, so that
a mean with a miss in it is a lower bound and is marked `>`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.contestants import EVERYTHING, Curve, head_of
from benchmarks.data import SETS, part_of
from benchmarks.report import Cell, Table, with_error
from fastlabel_gradio.head.evaluation import area_under_curve, bootstrap_interval, labels_to_reach
from fastlabel_gradio.simulation import Run as CurveRun
from fastlabel_gradio.simulation import Simulation
from fastlabel_gradio.simulation import plot as plot_curves

SHARES = (0.90, 0.95)  # of full supervision
SUMMARY_SETS = ("digits", "fsdd", "esc10")
CLASSES = 10  # of every set here
PER_CLASS = (1, 2, 5, 10)
RARE_COUNTS = (50, 100, 200, 500, 1_000)
SHOWN_BATCHES = (2, 5, 10, 20)
UNCERTAINTY = ("skactiveml.margin", "skactiveml.entropy", "modal.margin", "modal.entropy")
AIM_RANDOM, AIM_UNCERTAINTY, AIM_BEST, AIM_TIME = 0.5, 0.75, 1.05, 0.05
PLOTTED_OTHERS = 2
MISSED = "—"


@dataclass(frozen=True, slots=True)
class Key:
    """Which run. `batch` and `labels` are 0 for full supervision."""

    set: str
    contestant: str
    seed: int
    batch: int
    labels: int


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run."""

    key: Key
    curve: Curve

    @property
    def area(self) -> float:
        """Mean accuracy over the logarithm of the labels."""
        return area_under_curve(self.curve.counts, self.curve.accuracy)


Runs = Mapping[str, Sequence[Run]]  # of one set: the runs of each contestant, by seed, the same seeds for all


@dataclass(frozen=True, slots=True)
class Mean:
    """A geometric mean of labels. `censored`: the target was missed on a set, so that it is a lower bound."""

    labels: float
    censored: bool

    def __str__(self) -> str:
        return f"{'> ' if self.censored else ''}{self.labels:.0f}"


def geometric_mean(medians: Sequence[float], limits: Sequence[int]) -> Mean:
    """Of labels to a target on several sets; a median above its limit is a miss and counts as the limit.

    Args:
        limits: the labels at which the runs of each set end.
    """
    counted = [min(median, limit) for median, limit in zip(medians, limits, strict=True)]
    missed = any(median > limit for median, limit in zip(medians, limits, strict=True))
    return Mean(math.exp(sum(map(math.log, counted)) / len(counted)), missed)


def median_labels(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """The median of labels to a target, the higher of the two middle ones: never between a figure and a miss."""
    return np.asarray(np.quantile(values, 0.5, axis=axis, method="higher"))


def needed_labels(runs: Sequence[Run], targets: Sequence[float]) -> np.ndarray:
    """float64[runs]: the labels from which two further checkpoints hold the target too; one more than the run has if none."""
    curves = [run.curve for run in runs]
    found = [labels_to_reach(one.counts, one.accuracy, goal) for one, goal in zip(curves, targets, strict=True)]
    return np.array([at or one.counts[-1] + 1 for one, at in zip(curves, found, strict=True)], dtype=np.float64)


def full_supervision(runs: Runs, head: str, name: str) -> list[float]:
    """Accuracy with every label of the pool, for each seed: the mean over the seeds with the same test part."""
    everything = runs[f"{EVERYTHING}/{head}"]
    parts = [part_of(name, run.key.seed) for run in everything]
    values = np.array([run.curve.accuracy[-1] for run in everything])
    return [float(values[[other == part for other in parts]].mean()) for part in parts]


@dataclass(frozen=True, slots=True)
class Difference:
    """Points of accuracy more than another, the mean over paired seeds with its standard error, at some number of labels."""

    points: float
    error: float
    labels: int

    def __str__(self) -> str:
        return f"{self.points:+.1f} ± {self.error:.1f} @{self.labels:,}"


def worst_against(runs: Sequence[Run], *others: Sequence[Run]) -> Difference:
    """The least mean difference of the accuracy, at any checkpoint, to that of whichever other one is best there."""
    points = 100 * np.array([_accuracies(runs) - _accuracies(other) for other in others])
    means = points.mean(axis=1)  # [others, checkpoints]
    best, worst = divmod(int(means.argmin()), means.shape[1])
    found = points[best, :, worst]
    error = found.std(ddof=1) / math.sqrt(len(found)) if len(found) > 1 else math.nan
    return Difference(float(found.mean()), float(error), runs[0].curve.counts[worst])


def _accuracies(runs: Sequence[Run]) -> np.ndarray:
    """float64[seeds, checkpoints]."""
    return np.array([run.curve.accuracy for run in runs])


def tables_of(name: str, runs: Runs, batch: int) -> list[Table]:
    """Accuracy and labels, and rare classes where there are some."""
    rare = [rare_table(name, runs)] if name.endswith("_rare") else []
    return [_labels_table(name, runs, batch), *rare]


def summary_tables(by_set: Mapping[str, Runs]) -> list[Table]:
    """Labels to 95 % over SUMMARY_SETS of the contestants that ran on all of them; none where a set was not run."""
    if not set(SUMMARY_SETS) <= set(by_set):
        return []
    some = [by_set[name] for name in SUMMARY_SETS]
    names = [name for name in some[0] if not _is_full(name) and all(name in runs for runs in some)]
    means = {name: _mean_labels(by_set, name) for name in names}
    ranking = sorted(names, key=lambda name: means[name].labels)
    rows: list[tuple[Cell, ...]] = []
    for name in ranking:
        of_sets = [_labels(_needed(by_set[part], name, part), _limit(by_set[part][name])) for part in SUMMARY_SETS]
        rows.append((name, *of_sets, str(means[name]), f"{_query_ms(by_set, name):.1f}"))
    columns = ("contestant", *SUMMARY_SETS, "geometric mean", "CPU ms a query")
    title = f"Labels to {SHARES[1]:.0%} of full supervision over {', '.join(SUMMARY_SETS)}."
    return [*_aims(by_set, ranking, means), Table(title, columns, rows)]


def plot(name: str, runs: Runs, folder: Path) -> Path:
    """Learning curves of random, auto, and the best others by area, as a PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    played = [
        CurveRun(contestant, run.key.seed, run.curve.counts, run.curve.accuracy)
        for contestant in _plotted(runs)
        for run in runs[contestant]
    ]
    plot_curves(Simulation(float(np.mean(full_supervision(runs, "mlp", name))), played), folder / f"{name}.png")
    return folder / f"{name}.png"


def _labels_table(name: str, runs: Runs, batch: int) -> Table:
    full = {head: full_supervision(runs, head, name) for head in ("mlp", "logistic") if f"{EVERYTHING}/{head}" in runs}
    first = next(of_it for contestant, of_it in runs.items() if not _is_full(contestant))
    counts = first[0].curve.counts
    wanted = {*(number * CLASSES for number in PER_CLASS), *(number * batch for number in SHOWN_BATCHES)}
    shown = sorted(wanted & set(counts))
    own = ("95 % of own head's",) if "logistic" in full else ()
    targets = tuple(f"labels to {share:.0%}" for share in SHARES)
    compared = ("against random", "against the better of random and margin")[: 1 + ("margin" in runs)]
    columns = ("contestant", *targets, *own, "area", *(f"@{count:,}" for count in shown), *compared)
    rows: list[tuple[Cell, ...]] = []
    for contestant, of_it in runs.items():
        if _is_full(contestant):
            continue
        goals = [[share * value for value in full["mlp"]] for share in SHARES]
        if own:
            goals.append([SHARES[1] * value for value in full[head_of(contestant)]])
        needed = [_labels(needed_labels(of_it, goal), counts[-1]) for goal in goals]
        areas = _median_and_interval([100 * run.area for run in of_it])
        at = [f"{100 * np.median([run.curve.accuracy[counts.index(count)] for run in of_it]):.1f}" for count in shown]
        against = (_against(runs, contestant, ("random",)), _against(runs, contestant, ("random", "margin")))
        rows.append((contestant, *needed, areas, *at, *against[: len(compared)]))
    supervised = ", ".join(f"{100 * np.mean(values):.1f} % by {head}" for head, values in full.items())
    title = f"{name}: {SETS[name].about}; batches of {batch}, {len(first)} seeds; all labeled: {supervised}."
    note = "Targets are shares of mlp's full supervision, held at two further checkpoints; random is that of the same head."
    return Table(title, columns, rows, aim="auto never more than a point below random", note=note)


def _against(runs: Runs, contestant: str, yardsticks: Sequence[str]) -> str:
    """The worst difference to the best of some strategies of ours, with the same head."""
    same_head = [one if head_of(contestant) == "mlp" else f"skactiveml.{one}/logistic" for one in yardsticks]
    if contestant in same_head or not set(same_head) <= set(runs):
        return MISSED
    return str(worst_against(runs[contestant], *(runs[one] for one in same_head)))


def rare_table(name: str, runs: Runs) -> Table:
    """At some checkpoints and the end; all labels of the pool where a contestant has them at once."""
    rows: list[tuple[Cell, ...]] = []
    for contestant, of_it in runs.items():
        counts = of_it[0].curve.counts
        for place in (place for place, count in enumerate(counts) if count in RARE_COUNTS or count == counts[-1]):
            found, pairs = _rare(of_it, place), (MISSED,) * 3
            if not _is_full(contestant) and contestant != "random":
                pairs = tuple(map(with_error, found - _rare(runs["random"], place)))
            rows.append((contestant, counts[place], *(f"{values.mean():.1f}" for values in found), *pairs))
    compared = ("labeled, less random's", "recall, less random's", "accuracy, less random's")
    columns = ("contestant", "labels", "of them labeled", "recall, %", "accuracy, %", *compared)
    return Table(f"{name}: the two rare classes, means over seeds.", columns, rows)


def _rare(runs: Sequence[Run], place: int) -> np.ndarray:
    """float64[3, seeds]: rare items labeled, their recall and the accuracy in percent, at a checkpoint."""
    curves = [run.curve for run in runs]
    found = [(one.rare_found[place], 100 * one.rare_recall[place], 100 * one.accuracy[place]) for one in curves]
    return np.array(found, dtype=np.float64).T


def _aims(by_set: Mapping[str, Runs], ranking: Sequence[str], means: Mapping[str, Mean]) -> list[Table]:
    if "auto" not in means:
        return []
    peers = [name for name in ranking if "/" in name]
    uncertain = [name for name in peers if name.partition("/")[0] in UNCERTAINTY]
    against = [
        ("random", "random", AIM_RANDOM),
        *(("best margin or entropy of the peers", name, AIM_UNCERTAINTY) for name in uncertain[:1]),
        *(("best strategy of the peers", name, AIM_BEST) for name in peers[:1]),
    ]
    rows: list[tuple[Cell, ...]] = []
    for title, name, aim in against:
        interval = "{:.2f} to {:.2f}".format(*_ratio_interval(by_set, name))
        time = f"{_query_ms(by_set, 'auto') / max(_query_ms(by_set, name), 1e-3):.2f}"
        ratio = _ratio(means["auto"], means[name])
        rows.append((title, name, str(means[name]), ratio, interval, f"at most {aim}", time))
    columns = ("auto against", "name", "its labels", "auto / it", "95 %", "aim", "query time auto / it")
    title = f"auto: {means['auto']} labels to {SHARES[1]:.0%} of full supervision, geometric mean."
    note = f"The best peers are chosen by these figures, in their favour. Query time against the last: aim {AIM_TIME}."
    return [Table(title, columns, rows, note=note)]


def _ratio(auto: Mean, other: Mean) -> str:
    """`<` where only the other one missed, so that the true ratio is smaller; `>` where only auto did; `?` where both."""
    mark = {(False, False): "", (False, True): "< ", (True, False): "> ", (True, True): "? "}
    return f"{mark[auto.censored, other.censored]}{auto.labels / other.labels:.2f}"


def _ratio_interval(by_set: Mapping[str, Runs], other: str, rounds: int = 2000) -> tuple[float, float]:
    """95 % of auto's geometric mean over the other's, where seeds are drawn with replacement, the same for both."""
    rng = np.random.default_rng(0)
    logs = np.zeros(rounds)
    for name in SUMMARY_SETS:
        values = np.stack([_needed(by_set[name], one, name) for one in ("auto", other)], axis=1)
        limit = _limit(by_set[name][other])
        drawn = rng.integers(len(values), size=(rounds, len(values)))
        medians = np.minimum(median_labels(values[drawn], axis=1), limit)
        logs += np.log(medians[:, 0] / medians[:, 1]) / len(SUMMARY_SETS)
    low, high = np.exp(np.percentile(logs, [2.5, 97.5]))
    return float(low), float(high)


def _mean_labels(by_set: Mapping[str, Runs], contestant: str) -> Mean:
    medians = [float(median_labels(_needed(by_set[name], contestant, name))) for name in SUMMARY_SETS]
    return geometric_mean(medians, [_limit(by_set[name][contestant]) for name in SUMMARY_SETS])


def _limit(runs: Sequence[Run]) -> int:
    """The labels at which the runs end."""
    return runs[0].curve.counts[-1]


def _needed(runs: Runs, contestant: str, name: str) -> np.ndarray:
    return needed_labels(runs[contestant], [SHARES[1] * value for value in full_supervision(runs, "mlp", name)])


def _query_ms(by_set: Mapping[str, Runs], contestant: str) -> float:
    """Geometric mean over the sets of the median CPU milliseconds of a query."""
    of_sets = [[s for run in by_set[name][contestant] for s in run.curve.query_s] for name in SUMMARY_SETS]
    return 1000 * math.exp(np.mean([math.log(max(float(np.median(values)), 1e-6)) for values in of_sets]))


def _labels(needed: np.ndarray, limit: int) -> str:
    """Median and interval of labels to a target; more than the limit is a miss."""
    low, high = bootstrap_interval(needed[:, None], np.random.default_rng(0), statistic=median_labels)
    middle, lowest, highest = (
        f"> {limit:,}" if value > limit else f"{math.ceil(value):,}"
        for value in (float(median_labels(needed)), low[0], high[0])
    )
    return f"{middle} ({lowest} to {highest})"


def _median_and_interval(values: Sequence[float], digits: int = 1) -> str:
    found = np.asarray(values, dtype=np.float64)
    low, high = bootstrap_interval(found[:, None], np.random.default_rng(0), statistic=np.median)
    return f"{np.median(found):.{digits}f} ({low[0]:.{digits}f} to {high[0]:.{digits}f})"


def _plotted(runs: Runs) -> list[str]:
    """Random, auto, the best margin or entropy of the peers, and the best others of ours and of theirs."""
    areas = {name: np.median([run.area for run in of_it]) for name, of_it in runs.items() if not _is_full(name)}
    ranking = sorted(areas, key=lambda name: -areas[name])
    own = [name for name in ranking if "/" not in name and name not in ("auto", "random")][:PLOTTED_OTHERS]
    peers = [name for name in ranking if "/" in name]
    uncertain = [name for name in peers if name.partition("/")[0] in UNCERTAINTY][:1]
    chosen = ["auto", *own, *peers[:PLOTTED_OTHERS], *uncertain, "random"]
    return list(dict.fromkeys(name for name in chosen if name in runs))


def _is_full(contestant: str) -> bool:
    return contestant.startswith(f"{EVERYTHING}/")
