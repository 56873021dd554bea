"""Agreement of annotators: Krippendorff's alpha for nominal data, Cohen's kappa, their bootstrap, and what they limit.

Formulas only: tables of numbers go in, numbers come out. NaN stands for a figure that is not defined.
"""

from collections.abc import Callable

import numpy as np

RESAMPLES = 1_000
AT_ONCE = 50  # resamples, each a weight of every item
LEVEL = 0.95


def krippendorff_alpha(counts: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """float64[w], Krippendorff's alpha for nominal data, 1 for perfect agreement, 0 for that of chance.

    K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C, any number of observers with values
    missing: alpha = 1 - (n - 1) sum_u (m_u^2 - sum_c n_uc^2) / (m_u - 1) / (n^2 - sum_c n_c^2), with n_uc answers of class c
    on item u, m_u of them in all, and n_c, n their sums over the items with at least two answers. NaN where all answers are
    of one class, or no item has two.

    Args:
        counts: [items, classes], how many people gave each item each class.
        weights: [w, items], how often each item counts; once by default, with w = 1.
    """
    counts, weights = _paired(counts, weights)
    of_item = counts.sum(axis=1)
    differing = (of_item**2 - (counts**2).sum(axis=1)) / (of_item - 1)
    of_class = weights @ counts
    everything = of_class.sum(axis=1)
    return _one_minus((everything - 1) * (weights @ differing), everything**2 - (of_class**2).sum(axis=1))


def alpha_by_class(counts: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """float64[w, classes], alpha of each class against all others, as if these were one.

    The reliability of a single category: K. Krippendorff, "Content Analysis" (4th ed., 2019), chapter 12; the formula is
    that of `krippendorff_alpha` for two classes. NaN for a class that nobody, or everybody, gave.
    """
    counts, weights = _paired(counts, weights)
    of_item = counts.sum(axis=1, keepdims=True)
    differing = 2 * counts * (of_item - counts) / (of_item - 1)
    of_class = weights @ counts
    everything = of_class.sum(axis=1, keepdims=True)
    return _one_minus((everything - 1) * (weights @ differing), 2 * of_class * (everything - of_class))


def agreement(counts: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """float64[w], the share of pairs of answers on one item that are the same, 0 to 1: 1 less the observed disagreement.

    An item with m answers counts m times, as in alpha (`krippendorff_alpha`, the same source).
    """
    counts, weights = _paired(counts, weights)
    of_item = counts.sum(axis=1)
    differing = (of_item**2 - (counts**2).sum(axis=1)) / (of_item - 1)
    return _one_minus(weights @ differing, weights @ of_item)


def cohen_kappas(first: np.ndarray, second: np.ndarray, classes: int, weights: np.ndarray) -> np.ndarray:
    """float64[w], Cohen's kappa of two people for each weighting of the items they share; NaN where chance is certain.

    J. Cohen, "A Coefficient of Agreement for Nominal Scales" (1960): (p_o - p_e) / (1 - p_e).

    Args:
        first, second: int[items], the class that each of them gave.
        weights: [w, items].
    """
    everything = weights.sum(axis=1)
    given = [weights @ np.eye(classes)[said] for said in (first, second)]
    same = weights @ (first == second)
    by_chance = (given[0] * given[1]).sum(axis=1) / everything
    return _one_minus(everything - same, everything - by_chance)


def bootstrap_interval(figure: Callable[[np.ndarray], np.ndarray], items: int, seed: int) -> np.ndarray:
    """float64[2, …], the lower and the upper end of a 95 % interval of a figure, items drawn with replacement.

    The percentile interval of B. Efron and R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13. Resamples
    in which the figure is not defined are left out; NaN where it is in none.

    Args:
        figure: from weights [w, items] to values [w, …].
        items: at least one.
    """
    rng, chances = np.random.default_rng(seed), np.full(items, 1 / items)
    drawn = (rng.multinomial(items, chances, size=AT_ONCE).astype(np.float64) for _ in range(RESAMPLES // AT_ONCE))
    values = np.concatenate([figure(weights) for weights in drawn])
    flat = values.reshape(len(values), -1)
    known = ~np.isnan(flat).all(axis=0)
    ends = np.full((2, flat.shape[1]), np.nan)
    ends[:, known] = np.nanquantile(flat[:, known], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return ends.reshape(2, *values.shape[1:])


def label_accuracy(agreed: float, classes: int) -> float:
    """How many labels of one person are right, 0 to 1, where two people agree that often.

    Both are right with a probability a and otherwise choose one of the other classes evenly, independently of each other
    (the model of A. P. Dawid and A. M. Skene, 1979, with one parameter): they agree with a^2 + (1 - a)^2 / (classes - 1),
    which is solved for the a that is not below chance. A head that is always right is measured at about a on such labels.
    """
    wrong = 1 / (classes - 1)
    root = wrong**2 - (1 + wrong) * (wrong - agreed)
    return float((wrong + np.sqrt(max(root, 0.0))) / (1 + wrong))


def _paired(counts: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Of the items with at least two answers, as float64."""
    chosen = counts.sum(axis=1) > 1
    weights = np.ones((1, len(counts))) if weights is None else weights
    return counts[chosen].astype(np.float64), weights[:, chosen]


def _one_minus(observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - np.where(expected > 0, observed / expected, np.nan))
