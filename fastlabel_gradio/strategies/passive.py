"""Passive learning: a random sample, the yardstick for every other strategy."""

import numpy as np

from fastlabel_gradio.strategies.base import PoolView, strategy
from fastlabel_gradio.types import Rows


@strategy("random", needs="nothing")
def random(pool: PoolView, n: int, rng: np.random.Generator) -> Rows:
    """A uniform sample without replacement."""
    return rng.permutation(pool.uniform)[:n].astype(np.int64)
