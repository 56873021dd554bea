"""Honest figures: intervals for shares, of single items or of groups, and advice. Pure arithmetic, knows no loop."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int64

from fastlabel_gradio.types import Probabilities

Targets = Int64[np.ndarray, " items"]
Groups = Int64[np.ndarray, " items"]  # a number for each group

Z_95 = 1.959963984540054  # standard normal quantile of 0.975


def wilson_interval(successes: int, trials: int, z: float = Z_95) -> tuple[float, float]:
    """Bounds of a share from a random sample, 0 to 1 (Wilson, JASA 1927; Brown, Cai & DasGupta, Statistical Science 2001).

    Args:
        z: standard normal quantile; 1.96 for 95 % confidence.

    Raises:
        ValueError: no trials, or more successes than trials.
    """
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"{successes} of {trials}: a share needs a trial, and no more successes than trials.")
    return wilson_of(successes / trials, trials, z)


def wilson_of(share: float, size: float, z: float = Z_95) -> tuple[float, float]:
    """The same of a share of so many items, which need not be whole."""
    centre = share + z * z / (2 * size)
    spread = z * math.sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    scale = 1 + z * z / size
    # Rounding can leave a bound a hair outside of where the formula puts it.
    low = 0.0 if share == 0 else (centre - spread) / scale
    high = 1.0 if share == 1 else (centre + spread) / scale
    return low, high


def effective_size(values: Float64[np.ndarray, " items"], groups: Groups | None) -> float:
    """How many independent items say as much about the mean as these do, which are alike within groups; above 0.

    n / (1 + (m - 1) r) with m = sum of squared group sizes / n (L. Kish, Survey Sampling, 1965, section 5.4, for groups of
    different sizes), and r the correlation within groups: the mean product of two deviations in a group over the variance
    (the pairwise estimator of Ridout, Demétrio & Firth, Biometrics 1999). A few groups that happen to differ within are no
    proof that groups do, so r is drawn towards 1 as if one more group had been found alike: with E groups in which the rarer
    value occurs it is (E r + 1) / (E + 1). Without any, as where every answer is right, a group counts as one item. And
    because r is an estimate the size is k / (k + 1) of that, k = n / m groups: the least correction with which simulated
    intervals held 95 times in 100 also where the items of a group are all the same (`tests/test_evaluation.py`).

    In Wilson's interval it takes the place of the sample's size, as Korn & Graubard (Survey Methodology 1998) have it for
    Clopper and Pearson's. `benchmarks/coverage.py` counts how often that interval holds the truth.
    """
    if groups is None:
        return float(len(values))
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    alike = float((sizes**2).sum()) / len(values)
    rarer = values != _most_frequent(values)
    informative = len(np.unique(group[rarer]))
    deviations = values - values.mean()
    products = float((np.bincount(group, weights=deviations) ** 2).sum() - (deviations**2).sum())
    possible = float(deviations.var() * (sizes * (sizes - 1)).sum())
    found = min(max(products / possible, 0.0), 1.0) if possible > 0 else 1.0
    correlation = (found * informative + 1) / (informative + 1)
    count = len(values) / alike
    return len(values) / (1 + (alike - 1) * correlation) * count / (count + 1)


def labels_to_reach(label_counts: Sequence[int], accuracy: Sequence[float], target: float, hold: int = 2) -> int | None:
    """The first number of labels at which the accuracy is at the target and stays there for `hold` further checkpoints.

    None where that never happens: the figure is censored, more labels than the curve has.
    """
    for place in range(len(accuracy) - hold):
        if min(accuracy[place : place + hold + 1]) >= target:
            return label_counts[place]
    return None


def area_under_curve(label_counts: Sequence[int], accuracy: Sequence[float]) -> float:
    """Mean accuracy over the logarithm of the number of labels, from the first checkpoint to the last, 0 to 1.

    Raises ValueError for fewer than two checkpoints.
    """
    if len(label_counts) < 2:
        raise ValueError("an area needs two checkpoints")
    places = np.log(np.asarray(label_counts, dtype=np.float64))
    return float(np.trapezoid(accuracy, places) / (places[-1] - places[0]))


def bootstrap_interval(
    values: Float64[np.ndarray, "samples points"],
    rng: np.random.Generator,
    rounds: int = 2_000,
    statistic: Callable[..., Any] = np.mean,
) -> tuple[Float64[np.ndarray, " points"], Float64[np.ndarray, " points"]]:
    """Lower and upper bound of a statistic of the samples at each point, 95 % (Efron's percentile bootstrap, 1979).

    Args:
        statistic: the mean, or another function that takes an `axis`, as `np.median` does.
    """
    drawn = rng.integers(len(values), size=(rounds, len(values)))
    low, high = np.percentile(statistic(values[drawn], axis=1), [2.5, 97.5], axis=0)
    return low, high


def mean_interval(
    values: Float64[np.ndarray, "samples points"],
) -> tuple[Float64[np.ndarray, " points"], Float64[np.ndarray, " points"]]:
    """Lower and upper bound of the mean of the samples at each point, 95 % (Student, Biometrika 1908); nan for one sample.

    Wide for two samples, which is what two samples say: their bootstrap is the range between them, which holds the mean half
    of the time.
    """
    count = len(values)
    if count < 2:
        nothing = np.full(values.shape[1], np.nan)
        return nothing, nothing
    spread = _student_quantile(count - 1) * values.std(axis=0, ddof=1) / math.sqrt(count)
    return values.mean(axis=0) - spread, values.mean(axis=0) + spread


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What a head is worth on labeled items that were drawn at random and never trained on.

    Attributes:
        items: how many. correct: of those, how many the head gets right.
        low, high: 95 % interval of the accuracy, 0 to 1: Wilson's, of the effective number of items where they are of groups.
        groups: how many groups the items are of; None where there are no groups.
        recall: of each class (right, items), in the order of the schema.
        calibration_error: expected calibration error, 0 to 1.
    """

    items: int
    correct: int
    low: float
    high: float
    recall: tuple[tuple[int, int], ...]
    calibration_error: float
    groups: int | None = None

    @property
    def accuracy(self) -> float:
        return self.correct / self.items


def audit(probabilities: Probabilities, targets: Targets, groups: Groups | None = None) -> AuditReport:
    """The report on a random sample of items, or of items of a random sample of groups.

    Args:
        probabilities: what the head says of each item of the sample; at least one item.
        targets: int64[items], the column of its class.
        groups: int64[items], the group of each; None where they are of none.
    """
    right = probabilities.argmax(axis=1) == targets
    correct = int(right.sum())
    low, high = share_interval(right, groups)
    count = None if groups is None else len(np.unique(groups))
    recall = tuple(
        (int(right[targets == column].sum()), int((targets == column).sum()))
        for column in range(probabilities.shape[1])
    )
    return AuditReport(
        len(targets), correct, low, high, recall, expected_calibration_error(probabilities, targets), count
    )


def share_interval(right: Bool[np.ndarray, " items"], groups: Groups | None = None) -> tuple[float, float]:
    """95 % interval of the share that is right, 0 to 1: Wilson's, of the effective number of items where they are of groups.

    At least one item.
    """
    return wilson_of(float(right.mean()), effective_size(right.astype(np.float64), groups))


def expected_calibration_error(probabilities: Probabilities, targets: Targets, bins: int = 10) -> float:
    """Mean distance of confidence and accuracy over bins of equal width, weighted by their items, 0 to 1.

    Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017), equation 3.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == targets
    bin_of = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(bin_of, weights=confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(targets))


def cohen_kappa(first: Targets, second: Targets, classes: int) -> float:
    """Agreement of two raters beyond chance, at most 1 (Cohen, Educational and Psychological Measurement 1960).

    1 where both always say the same single class.
    """
    observed = float((first == second).mean())
    shares = [np.bincount(rater, minlength=classes) / len(rater) for rater in (first, second)]
    by_chance = float(shares[0] @ shares[1])
    return 1.0 if by_chance == 1.0 else (observed - by_chance) / (1 - by_chance)


@dataclass(frozen=True, slots=True)
class Gain:
    """What the last labels brought, measured on the same random items by the head before them and the head after.

    Attributes:
        labels: how many more the newer head was trained on.
        change: its accuracy less the older one's, -1 to 1. low, high: 95 % interval.
    """

    labels: int
    change: float
    low: float
    high: float


def gain(
    before: Bool[np.ndarray, " items"],
    after: Bool[np.ndarray, " items"],
    label_count: int,
    groups: Groups | None = None,
) -> Gain:
    """The gain from what two heads get right of the same items, of which there is at least one.

    Wald's interval for matched pairs with half an item added to each of the four cells (Agresti & Min, Statistics in Medicine
    2005), of the effective number of items where they are of groups.
    """
    step = after.astype(np.float64) - before
    size = effective_size(step, groups)
    better, worse = (size * float((step == sign).mean()) for sign in (1, -1))
    centre = (better - worse) / (size + 2)
    spread = Z_95 * math.sqrt(better + worse + 1 - (better - worse) ** 2 / (size + 2)) / (size + 2)
    change = float(step.mean())
    return Gain(label_count, change, max(-1.0, min(centre - spread, change)), min(1.0, max(centre + spread, change)))


STABLE_KAPPA = 0.99
STABLE_ROUNDS = 3
FLAT_GAIN, FLAT_HIGH = 0.01, 0.03  # what the last labels brought, at best, where that is called little
LEAST_AUDIT_ITEMS = 30
GAIN_LABELS, GAIN_SHARE = 100, 0.2  # the last so many, or the last fifth where that is more


@dataclass(frozen=True, slots=True)
class Advice:
    """Whether to go on labeling, in one line, with the reasons. It decides nothing.

    Attributes:
        enough: whether the advice is to stop.
    """

    enough: bool
    text: str
    reasons: tuple[str, ...]


def labels_compared(label_count: int) -> int:
    """With how many labels the older head was trained that tells what the last ones brought; 0 or less: there is none yet."""
    return label_count - max(GAIN_LABELS, math.ceil(label_count * GAIN_SHARE))


def advise(
    report: AuditReport | None, target: float, left: int, brought: Gain | None, agreements: Sequence[float]
) -> Advice:
    """Advice from what is known: the interval, the agreement of successive heads, and what the last labels brought.

    Heads are stable where Cohen's kappa of each with the one before is at least 0.99 three times (Bloodgood &
    Vijay-Shanker, arXiv 1409.5165). What more labels will bring is not said: a forecast by the learning curve was farther off
    than the forecast that nothing changes (`benchmarks/outlook.py`).

    Args:
        target: the accuracy that the person wants, 0 to 1.
        left: items of the pool without a label.
        brought: by the last labels; None while there is no head to compare with.
        agreements: kappa of each head with the one before it, oldest first.
    """
    if report is None or report.items < LEAST_AUDIT_ITEMS:
        found = report.items if report else 0
        reason = f"{found} of {LEAST_AUDIT_ITEMS} random items that a first judgement needs are labeled"
        text = "Go on: it is too early to tell." if left else "Every item is labeled."
        return Advice(left == 0, text, (reason,))
    stable = len(agreements) >= STABLE_ROUNDS and min(agreements[-STABLE_ROUNDS:]) >= STABLE_KAPPA
    flat = brought is not None and brought.change < FLAT_GAIN and brought.high < FLAT_HIGH
    reasons = (
        f"with 95 % confidence the accuracy is between {_percent(report.low)} and {_percent(report.high)}, "
        f"the target is {_percent(target)}",
        f"the last heads {'agree' if stable else 'still differ'} in what they say of the pool",
        f"there is no head of {GAIN_LABELS} labels less to compare with yet" if brought is None else _brought(brought),
    )
    return Advice(*_verdict(report.low >= target, stable and flat, left, _percent(target)), reasons)


def _verdict(reached: bool, settled: bool, left: int, target: str) -> tuple[bool, str]:
    """Whether the advice is to stop, and the line that says so."""
    if reached:
        return True, f"Enough: the target of {target} is reached."
    if not left:
        return True, f"Every item is labeled, short of a sure {target}."
    if settled:
        return True, f"Enough for this encoder: the last labels changed little, short of a sure {target}."
    return False, f"Go on: {target} is not sure yet."


def _brought(found: Gain) -> str:
    change, low, high = (100 * share for share in (found.change, found.low, found.high))
    return f"the last {found.labels:,} labels brought {change:+.1f} points ({low:.1f} to {high:.1f})"


def _student_quantile(freedom: int) -> float:
    """The 0.975 quantile of Student's t, to a thousandth: closed for 1 and 2, then Abramowitz & Stegun 26.7.5."""
    if freedom <= 2:
        return (12.7062, 4.3027)[freedom - 1]
    z = Z_95
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return float(z + sum(term / freedom ** (order + 1) for order, term in enumerate(terms)))


def _percent(share: float) -> str:
    """With a decimal where there is one: 90 %, 97.5 %."""
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def _most_frequent(values: Float64[np.ndarray, " items"]) -> float:
    found, counts = np.unique(values, return_counts=True)
    return float(found[counts.argmax()])
