"""Honest figures: intervals for shares, and what a learning curve says. Pure arithmetic, nothing here knows the loop."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from fastlabel_gradio.types import Probabilities

Targets = Int64[np.ndarray, " items"]

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
    share = successes / trials
    centre = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    # Rounding can leave a bound a hair outside of where the formula puts it.
    low = 0.0 if successes == 0 else (centre - spread) / scale
    high = 1.0 if successes == trials else (centre + spread) / scale
    return low, high


def labels_to_reach(labels: Sequence[int], accuracy: Sequence[float], target: float, hold: int = 2) -> int | None:
    """The first number of labels at which the accuracy is at the target and stays there for `hold` further checkpoints.

    None where that never happens: the figure is censored, more labels than the curve has.
    """
    for place in range(len(accuracy) - hold):
        if min(accuracy[place : place + hold + 1]) >= target:
            return labels[place]
    return None


def area_under_curve(labels: Sequence[int], accuracy: Sequence[float]) -> float:
    """Mean accuracy over the logarithm of the number of labels, from the first checkpoint to the last, 0 to 1.

    Raises ValueError for fewer than two checkpoints.
    """
    if len(labels) < 2:
        raise ValueError("an area needs two checkpoints")
    places = np.log(np.asarray(labels, dtype=np.float64))
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


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What a head is worth on labeled items that were drawn at random and never trained on.

    Attributes:
        items: how many. correct: of those, how many the head gets right.
        low, high: 95 % Wilson interval of the accuracy, 0 to 1.
        recall: of each class (right, items), in the order of the schema.
        calibration_error: expected calibration error, 0 to 1.
    """

    items: int
    correct: int
    low: float
    high: float
    recall: tuple[tuple[int, int], ...]
    calibration_error: float

    @property
    def accuracy(self) -> float:
        return self.correct / self.items


def audit(probabilities: Probabilities, targets: Targets) -> AuditReport:
    """The report on a random sample.

    Args:
        probabilities: what the head says of each item of the sample; at least one item.
        targets: int64[items], the column of its class.
    """
    right = probabilities.argmax(axis=1) == targets
    correct = int(right.sum())
    low, high = wilson_interval(correct, len(targets))
    recall = tuple(
        (int(right[targets == column].sum()), int((targets == column).sum()))
        for column in range(probabilities.shape[1])
    )
    return AuditReport(len(targets), correct, low, high, recall, expected_calibration_error(probabilities, targets))


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
class LearningCurve:
    """An inverse power law, accuracy(n) = limit - loss · n^-pace (Cortes et al., NIPS 1993; Figueroa et al., BMC 2012)."""

    limit: float
    loss: float
    pace: float

    def accuracy(self, labels: float) -> float:
        """Expected accuracy at that many labels, 0 to 1."""
        return min(1.0, max(0.0, self.limit - self.loss * math.pow(labels, -self.pace)))

    def labels_for(self, target: float) -> int | None:
        """Labels until that accuracy; None where the curve stays below it, or needs more than a billion."""
        if target >= self.limit:
            return None
        needed = (self.loss / (self.limit - target)) ** (1 / self.pace)
        return math.ceil(needed) if needed <= 1e9 else None


PACES = np.geomspace(0.1, 2.0, 40)
CURVE_POINTS = 4


def fit_learning_curve(
    labels: Sequence[int], accuracy: Sequence[float], weights: Sequence[float]
) -> LearningCurve | None:
    """The curve with the least weighted squared error; None for fewer than four points, or where nothing grows.

    The exponent is searched on a grid, limit and loss follow by linear least squares, the limit at most 1.

    Args:
        weights: of each point, the number of items that its accuracy was measured on.
    """
    if len(set(labels)) < CURVE_POINTS:
        return None
    counts, values = np.asarray(labels, dtype=np.float64), np.asarray(accuracy, dtype=np.float64)
    weighted = np.sqrt(np.asarray(weights, dtype=np.float64))
    best: tuple[float, LearningCurve] | None = None
    for pace in PACES:
        falling = counts**-pace
        design = np.stack([np.ones_like(falling), -falling], axis=1) * weighted[:, None]
        limit, loss = np.linalg.lstsq(design, values * weighted, rcond=None)[0]
        if limit > 1:
            limit = 1.0
            loss = float(((1 - values) * falling * weighted**2).sum() / (falling**2 * weighted**2).sum())
        error = float((((limit - loss * falling - values) * weighted) ** 2).sum())
        if loss > 0 and (best is None or error < best[0]):
            best = error, LearningCurve(float(limit), float(loss), float(pace))
    return best[1] if best else None


STABLE_KAPPA = 0.99
STABLE_ROUNDS = 3
FLAT_GAIN = 0.01
LEAST_AUDIT_ITEMS = 30


@dataclass(frozen=True, slots=True)
class Advice:
    """Whether to go on labeling, in one line, with the reasons. It decides nothing.

    Attributes:
        enough: whether the advice is to stop.
        forecast: labels to train on, in all, at which the target is expected; None where the curve does not tell.
    """

    enough: bool
    text: str
    reasons: tuple[str, ...]
    forecast: int | None = None


def advise(
    report: AuditReport | None,
    target: float,
    labels: int,
    left: int,
    curve: LearningCurve | None,
    agreements: Sequence[float],
    audit_share: float = 0.0,
) -> Advice:
    """Advice from three signals: the interval, the agreement of successive heads, and the learning curve's forecast.

    Heads are stable where Cohen's kappa of each with the one before is at least 0.99 three times (Bloodgood &
    Vijay-Shanker, arXiv 1409.5165); the curve is flat where twice the labels are worth less than a point.

    Args:
        target: the accuracy that the person wants, 0 to 1.
        labels: what the newest head was trained on.
        left: items of the pool without a label.
        agreements: kappa of each head with the one before it, oldest first.
        audit_share: of the labels to come, how much is not trained on, 0 to 1.
    """
    if report is None or report.items < LEAST_AUDIT_ITEMS:
        found = report.items if report else 0
        reason = f"{found} of {LEAST_AUDIT_ITEMS} random items that a first judgement needs are labeled"
        text = "Go on: it is too early to tell." if left else "Every item is labeled."
        return Advice(left == 0, text, (reason,))
    stable = len(agreements) >= STABLE_ROUNDS and min(agreements[-STABLE_ROUNDS:]) >= STABLE_KAPPA
    gain = curve.accuracy(2 * labels) - curve.accuracy(labels) if curve and labels else None
    forecast = curve.labels_for(target) if curve else None
    reasons = (
        f"with 95 % confidence the accuracy is between {_percent(report.low)} and {_percent(report.high)}, "
        f"the target is {_percent(target)}",
        f"the last heads {'agree' if stable else 'still differ'} in what they say of the pool",
        "there are too few heads yet for a forecast"
        if gain is None
        else f"twice the labels are expected to bring {100 * max(gain, 0):.1f} points",
    )
    flat = gain is not None and gain < FLAT_GAIN
    taught = 1 - audit_share
    needed = None if forecast is None or forecast <= labels else math.ceil((forecast - labels) / taught)
    enough, text = _verdict(report.low >= target, stable and flat, needed, left, _percent(target))
    return Advice(enough, text, reasons, forecast)


def _verdict(reached: bool, settled: bool, needed: int | None, left: int, target: str) -> tuple[bool, str]:
    """Whether the advice is to stop, and the line that says so. `needed`: more labels by the forecast, None without one."""
    if reached:
        return True, f"Enough: the target of {target} is reached."
    if not left:
        return True, f"Every item is labeled, short of a sure {target}."
    if settled:
        return True, f"Enough for this encoder: more labels change little, short of {target}."
    if needed is None:
        return False, "Go on: more labels still help."
    if needed > left:
        return False, f"Go on: more labels help, but {target} may need more items than the pool has."
    return False, f"Go on: about {_rounded(needed)} more labels to {target}."


def _percent(share: float) -> str:
    """With a decimal where there is one: 90 %, 97.5 %."""
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def _rounded(count: int) -> str:
    """Two digits that count: a forecast is no better than that."""
    step = 10 ** max(0, len(str(count)) - 2)
    return f"{math.ceil(count / step) * step:,}"
