"""Query strategies: which items a person should label next. Importing this registers all of them."""

from fastlabel_gradio.strategies import balance, diversity, herding, hybrid, passive, schedule, uncertainty  # noqa: F401
from fastlabel_gradio.strategies.base import STRATEGIES, PoolView, Strategy

COLD_START = "representatives"  # stands in where a strategy needs a head and there is none

__all__ = ["COLD_START", "STRATEGIES", "PoolView", "Strategy"]
