"""Which strategies the page's menu offers: few, and every one that somebody chose or made."""

import numpy as np

from fastlabel_gradio.strategies import RECOMMENDED, STRATEGIES, PoolView, menu_strategies
from fastlabel_gradio.strategies.base import strategy
from fastlabel_gradio.types import Positions


def test_the_menu_offers_what_is_recommended_and_what_is_configured() -> None:
    assert menu_strategies("auto") == RECOMMENDED
    assert menu_strategies("entropy") == (*RECOMMENDED, "entropy")
    assert set(RECOMMENDED) < set(STRATEGIES.names())


def test_the_menu_offers_what_others_registered() -> None:
    with STRATEGIES.preserved():

        @strategy("first_ones", needs="nothing")
        def first_ones(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
            return np.arange(n)

        assert menu_strategies("auto") == (*RECOMMENDED, "first_ones")
