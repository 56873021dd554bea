"""Balance: predicted classes in turn, so that a batch does not lose sight of the rare ones.

Pseudo-class balance: Bang et al., "Active Prompt Learning in Vision Language Models" (CVPR 2024, arXiv 2311.11178).
"""

import numpy as np
from jaxtyping import Int64

from fastlabel_gradio.strategies.base import PoolView, strategy
from fastlabel_gradio.strategies.near_duplicates import OVERDRAW, without_near_duplicates
from fastlabel_gradio.strategies.uncertainty import margin_score, top
from fastlabel_gradio.types import Positions


@strategy("balanced_margin", needs="probabilities")
def balanced_margin(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
    """The smallest margin of each predicted class in turn, the rarest predicted class first; ties at random."""
    by_margin = top(margin_score(pool.known_probabilities), len(pool), rng)
    predicted = pool.known_probabilities.argmax(axis=1)
    return without_near_duplicates(pool, in_turn(by_margin, predicted, OVERDRAW * n), n)


def in_turn(order: Int64[np.ndarray, " order"], classes: Int64[np.ndarray, " items"], n: int) -> Positions:
    """The first n of an order of preference, re-ordered: the first of each class, then the second of each, and so on.

    The class that is rarest in `order` comes first in every turn; a class that has no more left is passed over.

    Args:
        order: positions in `classes`, most wanted first.
    """
    of_each = classes[order]
    class_sizes = np.bincount(of_each)
    kind = np.uint16 if len(class_sizes) <= 2**16 else np.int64  # NumPy sorts 16 bits ten times as fast as 64
    by_class = np.argsort(of_each.astype(kind), kind="stable")
    first_of_class = np.cumsum(class_sizes) - class_sizes
    turn = np.arange(len(order)) - first_of_class[of_each[by_class]]
    in_time = turn < n  # each turn gives one at least
    turn, by_class = turn[in_time], by_class[in_time]
    first = by_class[np.lexsort((of_each[by_class], class_sizes[of_each[by_class]], turn))[:n]]
    picked: Int64[np.ndarray, " picked"] = order[first]
    return picked
