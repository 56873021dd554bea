"""The default strategy: which of the others fits what is known so far and the size of the batch."""

import numpy as np

from fastlabel_gradio.strategies.base import PoolView, strategy
from fastlabel_gradio.strategies.herding import Herding, herd
from fastlabel_gradio.strategies.hybrid import balanced_clustered_margin
from fastlabel_gradio.types import Positions

SMALL_BATCH = (
    50  # up to it a batch is small beside the classes, and what its picks cover counts more than how unsure they are
)


@strategy("auto", needs="nothing")
def auto(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
    """The default, chosen by `benchmarks/label_efficiency.py`: covers the pool first, then what the head is unsure of.

    - no head: MaxHerding, `representatives`; beyond the labels, where there are some of one class only
    - a head, but no labels: MaxHerding of each predicted class in turn
    - batches of up to 50: UHerding in which a class counts the more, the fewer items the head expects of it, so that rare
      ones are found
    - larger batches: clustered margin of each predicted class in turn
    """
    if pool.probabilities is None:
        return herd(pool, n, rng, Herding())
    if not len(pool.labeled):
        return herd(pool, n, rng, Herding(in_turn=True))
    if n <= SMALL_BATCH:
        return herd(pool, n, rng, Herding(uncertain=True, evened=True))
    return balanced_clustered_margin(pool, n, rng)
