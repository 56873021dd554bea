"""Proof: what random checks say of a set of proposed labels. Pure formulas; what a set is and who checks it stand elsewhere.

A set of N items has fixed proposed labels. They are looked at in random order; after n of them k were wrong, and are right
now. The set is delivered with those corrected, so it breaks its promise where at least K0 = floor(eps N) + 1 + k labels were
wrong at the beginning; eps = 1 - precision.

M = P(n, k | Beta-binomial) / P(n, k | K0 wrong of N, without replacement) is the prior-posterior-ratio martingale of sampling
without replacement (Waudby-Smith & Ramdas, "Confidence sequences for sampling without replacement", NeurIPS 2020, section
2.2) with a Beta(1, 4/eps - 1) prior. By Ville's inequality a set with K0 wrong labels ever reaches M >= 1/alpha with a
probability of alpha at most: it may be looked at after every check. The same holds for all K0 at once, so a promise may be
lowered at any time. Nothing is assumed of the head, its calibration, duplicates or dependence.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from jaxtyping import Bool

FIRST_ALPHA = 0.04
ALPHA_RATIO = 0.2
ONE_LOOK_ALPHA = 0.05
ROUNDING = 1e-9  # 0.1 of 100 items are 10, whatever 1 - 0.9 is in binary


def alpha_of(attempt: int) -> float:
    """How likely a false proof of an attempt may be, by how many in a row it is the one without success, from 1.

    0.04, 0.008, 0.0016 …: together 0.05 at most.
    """
    return FIRST_ALPHA * ALPHA_RATIO ** (attempt - 1)


def wrong_allowed(items: int, precision: float) -> int:
    """How many wrong labels of so many keep a promise."""
    return math.floor((1 - precision) * items + ROUNDING)


def one_look_checks(precision: float) -> int:
    """Checks without a mistake that prove a promise to whoever looks once, of a large set: (1 - eps)^n <= 0.05.

    Clopper & Pearson, Biometrika 1934; the measure of what checking costs.
    """
    return math.ceil(math.log(ONE_LOOK_ALPHA) / math.log(precision))


def log_evidence(items: int, checked: float, wrong: float, allowed: int, precision: float) -> float:
    """ln M against a set that breaks a promise; infinite where the checks rule that out.

    Args:
        wrong: of those checked.
        allowed: wrong labels that may be left in the set.
        precision: 0 to 1, that the prior was made for.
    """
    bad = allowed + 1 + wrong
    if checked - wrong > items - bad:
        return math.inf
    prior = 4 / (1 - precision) - 1
    among_all = _log_beta(1 + wrong, prior + checked - wrong) - _log_beta(1, prior)
    ways = math.lgamma(bad + 1) - math.lgamma(bad - wrong + 1) + math.lgamma(items - bad + 1)
    ways -= math.lgamma(items - bad - checked + wrong + 1) + math.lgamma(items + 1) - math.lgamma(items - checked + 1)
    return among_all - ways


def is_proven(items: int, checked: int, wrong: int, precision: float, alpha: float, allowed: int | None = None) -> bool:
    """Whether the checks prove a promise, or that at most `allowed` wrong labels are left.

    M also grows where far too many labels are wrong. K0 n >= k (N + 1) says that the checks are the more likely the fewer
    labels are wrong from K0 on: P(n, k | K + 1) / P(n, k | K) = (K + 1) (N - K - n + k) / ((K + 1 - k) (N - K)). So a proof
    against K0 is one against all that is worse.
    """
    allowed = wrong_allowed(items, precision) if allowed is None else allowed
    bad = allowed + 1 + wrong
    if checked - wrong > items - bad:
        return True
    if bad * checked < wrong * (items + 1):
        return False
    return log_evidence(items, checked, wrong, allowed, precision) >= math.log(1 / alpha)


def proven_after(items: int, wrong: Bool[np.ndarray, " checks"], precision: float, alpha: float) -> int | None:
    """After how many of the checks in their order a promise was proven first; None where it never was.

    What was proven once stays so, whatever later checks say (Ville).
    """
    ends = [*np.flatnonzero(wrong).tolist(), len(wrong)]
    for found, end in enumerate(ends):  # so many were wrong up to the check at `end`
        start = ends[found - 1] + 1 if found else 0
        needed = checks_needed(items, found, precision, alpha)
        if needed <= end:
            return max(needed, start)
    return None


def proven_precision(items: int, checked: int, wrong: int, precision: float, alpha: float) -> float:
    """The largest precision that the checks prove of the set, 0 to 1; `precision` is the one that the prior was made for."""
    if items == 0:
        return 0.0
    fewest = _first(0, items, lambda allowed: is_proven(items, checked, wrong, precision, alpha, allowed))
    return 1 - fewest / items


@lru_cache(maxsize=4_096)
def checks_needed(items: int, wrong: int, precision: float, alpha: float) -> int:
    """After how many checks a promise is proven where so many of them are wrong."""
    return _first(0, items, lambda count: is_proven(items, count, wrong, precision, alpha))


def checks_expected(items: int, error: float, precision: float, alpha: float) -> int:
    """About how many checks prove a promise of a set of which a share `error` is wrong; all of them where it is too much."""
    allowed, goal = wrong_allowed(items, precision), math.log(1 / alpha)
    if error >= 1 - precision:
        return items
    return _first(1, items, lambda n: log_evidence(items, n, error * n, allowed, precision) >= goal)


def is_futile(items: int, checked: int, wrong: int, precision: float, alpha: float) -> bool:
    """Whether checking on is a waste.

    It is where a proof would take more than six times the checks of one look at a clean set, and where more were wrong by
    then than the promise allows.
    """
    least = one_look_checks(precision)
    if checked >= least and wrong > (1 - precision) * checked:
        return True
    return checks_needed(items, wrong, precision, alpha) > 6 * least


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The smallest number from low to high for which it holds, which it does for all larger ones; high where for none."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
