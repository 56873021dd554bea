"""Query strategies: which items a person should label next. Importing this registers all of them."""

from fastlabel_gradio.strategies import balance, diversity, herding, hybrid, passive, schedule, uncertainty  # noqa: F401
from fastlabel_gradio.strategies.base import STRATEGIES, PoolView, Strategy

COLD_START = "representatives"  # stands in where a strategy needs a head and there is none
RECOMMENDED = ("auto", "representatives", "uherding", "balanced_clustered_margin", "random")  # docs/loop.md


def menu_strategies(chosen: str) -> tuple[str, ...]:
    """Names for a menu: the recommended strategies, those that others registered, and the one that is configured."""
    offered = (*RECOMMENDED, *(name for name in STRATEGIES.names() if not _is_of_the_house(name)), chosen)
    return tuple(dict.fromkeys(offered))


def _is_of_the_house(name: str) -> bool:
    return STRATEGIES.get(name).pick.__module__.startswith(__name__)


__all__ = ["COLD_START", "RECOMMENDED", "STRATEGIES", "PoolView", "Strategy", "menu_strategies"]
