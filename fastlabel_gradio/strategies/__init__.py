"""Query strategies: which items a person should label next. Importing this registers all of them."""

from fastlabel_gradio.strategies import diversity, hybrid, passive, uncertainty  # noqa: F401  # registers
from fastlabel_gradio.strategies.base import STRATEGIES, PoolView, Strategy

COLD_START = "cluster"  # stands in where a strategy needs a head and there is none

__all__ = ["COLD_START", "STRATEGIES", "PoolView", "Strategy"]
