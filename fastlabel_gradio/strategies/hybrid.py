"""Strategies that weigh uncertainty and diversity together, and the default schedule."""

import numpy as np

from fastlabel_gradio.strategies.base import PoolView, strategy
from fastlabel_gradio.strategies.diversity import cluster
from fastlabel_gradio.strategies.uncertainty import margin_score
from fastlabel_gradio.types import Probabilities, Rows


@strategy("auto", needs="nothing")
def auto(pool: PoolView, n: int, rng: np.random.Generator) -> Rows:
    """The default: representatives while there is no head, then margin balanced by predicted class.

    Balance keeps rare classes in view, which plain margin loses (pseudo-class balance: arXiv 2311.11178).
    """
    if pool.probabilities is None:
        return cluster(pool, n, rng)
    return balanced_margin(pool.probabilities, n, rng)


def balanced_margin(probabilities: Probabilities, n: int, rng: np.random.Generator) -> Rows:
    """The most uncertain item of each predicted class in turn, the rarest predicted class first; ties at random."""
    items = len(probabilities)
    shuffled = rng.permutation(items)
    predicted = probabilities.argmax(axis=1)[shuffled]
    by_class = np.lexsort((-margin_score(probabilities)[shuffled], predicted))
    class_sizes = np.bincount(predicted, minlength=probabilities.shape[1])
    first_of_class = np.cumsum(class_sizes) - class_sizes
    turn = np.arange(items) - first_of_class[predicted[by_class]]
    picks = by_class[np.lexsort((class_sizes[predicted[by_class]], turn))[:n]]
    return shuffled[picks].astype(np.int64)
