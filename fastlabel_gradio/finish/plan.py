"""Plan: how much of a pool can probably be accepted at a promise, and how many checks that takes. No proof of anything.

How likely a prediction is right is fitted on labels that the head has not seen; the plan is the largest set whose predicted
error leaves a proof within reach. Thresholds and weights are those of the pilot that compared plans (`benchmarks/promise.py`
plays this one).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64

from fastlabel_gradio.finish.proof import checks_expected, one_look_checks

STEPS = tuple(percent / 100 for percent in range(80, 100))  # that can be promised
BUDGET = 8 / 3  # times the checks of one look at a clean set
PLANNED_FOR = math.log(20) + 0.7  # evidence that a plan counts on needing, with room for an unlucky draw
LEAST_ITEMS = 50
AUDIT_WEIGHT, OUT_OF_FOLD_WEIGHT = 1.0, 0.5
NEWTON_STEPS = 25
SECONDS_A_CHECK = 0.75

Confidences = Float32[np.ndarray, " items"]
Chances = Float64[np.ndarray, " items"]


@dataclass(frozen=True, slots=True)
class Fit:
    """P(right | confidence) = sigmoid(offset + slope logit(confidence)); (0, 1) is the confidence itself."""

    offset: float = 0.0
    slope: float = 1.0

    def chances(self, confidences: Confidences) -> Chances:
        """How likely each prediction is right, 0 to 1."""
        return np.asarray(_sigmoid(self.offset + self.slope * _logit(confidences)))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a promise probably takes: the surest items that can be accepted, and checks of them. No items: it cannot be."""

    precision: float
    items: int
    checks: int

    @property
    def minutes(self) -> int:
        """That the checks take."""
        return max(1, math.ceil(self.checks * SECONDS_A_CHECK / 60))

    @property
    def is_worth_it(self) -> bool:
        """Whether it saves work: where most of the items are checked they are sooner labeled."""
        return self.checks <= 0.6 * self.items


def fit_right(confidences: Confidences, right: Bool[np.ndarray, " items"], weights: Chances) -> Fit:
    """The most probable fit under a normal prior around the confidence itself: the penalty is (a² + (b - 1)²) / 2.

    Platt scaling of the logit (Platt, "Probabilistic outputs for support vector machines", 1999), by Newton's method. Without
    labels it is the confidence itself.
    """
    features = np.stack([np.ones(len(confidences)), _logit(confidences)], axis=1)
    centre = np.array([0.0, 1.0])
    found = centre.copy()
    for _ in range(NEWTON_STEPS):
        chances = _sigmoid(features @ found)
        slope = features.T @ (weights * (chances - right)) + found - centre
        curvature = (features * (weights * chances * (1 - chances))[:, None]).T @ features + np.eye(2)
        step = np.linalg.solve(curvature, slope)
        found = found - step / max(1.0, float(np.abs(step).max()))
    return Fit(float(found[0]), float(found[1]))


def plan(errors: Chances, precision: float, alpha: float) -> Plan:
    """The largest set of the surest items that a proof is in reach of.

    Of m items the mean error e(m) must be below eps, and (ln 20 + 0.7) / KL(e || eps) checks within the budget; KL is the
    divergence of two coins, Chernoff's exponent (Annals of Mathematical Statistics 1952).

    Args:
        errors: how likely each item is wrong, that of the surest first.
    """
    eps, one_look = 1 - precision, one_look_checks(precision)
    sizes = np.arange(1, len(errors) + 1)
    means = np.cumsum(errors) / sizes
    fits = np.flatnonzero((means < eps) & (_checks_foreseen(means, eps) <= BUDGET * one_look))
    items = int(fits[-1]) + 1 if len(fits) else 0
    if items < max(LEAST_ITEMS, one_look / 2):
        return Plan(precision, 0, 0)
    return Plan(precision, items, checks_expected(items, float(means[items - 1]), precision, alpha))


def at_each_step(errors: Chances, alpha: float) -> tuple[Plan, ...]:
    """The plan at each of STEPS, as `plan` has it."""
    return tuple(plan(errors, step, alpha) for step in STEPS)


def all_together(parts: Sequence[Plan], precision: float) -> Plan:
    """The plan of several sets, each with a promise of its own of that precision."""
    return Plan(precision, sum(one.items for one in parts), sum(one.checks for one in parts))


def best_below(curves: Sequence[Sequence[Plan]], precision: float) -> Plan | None:
    """The plan of the largest promise below another one that can be kept and saves work.

    Where none saves work it is the largest that can be kept; None where there is none.

    Args:
        curves: the plan of each set at each of STEPS.
    """
    totals = [all_together(parts, parts[0].precision) for parts in zip(*curves, strict=True)]
    found = [one for one in reversed(totals) if one.items and one.precision < precision]
    return next((one for one in found if one.is_worth_it), found[0] if found else None)


def _checks_foreseen(means: Chances, eps: float) -> Chances:
    means = np.clip(means, 1e-12, eps * (1 - 1e-9))
    divergence = means * np.log(means / eps) + (1 - means) * np.log((1 - means) / (1 - eps))
    return np.asarray(PLANNED_FOR / np.maximum(divergence, 1e-12))


def _logit(confidences: Confidences) -> Chances:
    inside = np.clip(confidences.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(inside / (1 - inside)))


def _sigmoid(values: Chances) -> Chances:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -500, 500))))
