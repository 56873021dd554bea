"""Passive learning: a random sample, the yardstick for every other strategy."""

import numpy as np

from fastlabel_gradio.strategies.base import PoolView, strategy
from fastlabel_gradio.types import Positions


@strategy("random", needs="nothing")
def random(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
    """A uniform sample without replacement."""
    return rng.permutation(pool.uniform)[:n].astype(np.int64)
