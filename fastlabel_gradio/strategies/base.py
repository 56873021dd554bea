"""What a query strategy is: a pure function of a view of the unlabeled pool. One file per family beside this."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32, Int64

from fastlabel_gradio.registry import Registry
from fastlabel_gradio.types import Embeddings, Probabilities, Rows


@dataclass(frozen=True, slots=True)
class PoolView:
    """The unlabeled candidates that a strategy picks from; positions run from 0 to len(pool) - 1.

    Attributes:
        store: float32[rows, dim], L2-normalised, every embedding of the project; usually memory-mapped.
        rows: int64[items], which rows of `store` are candidates.
        probabilities: float32[items, classes], what the head says of each candidate; None while there is no head.
    """

    store: Float32[np.ndarray, "rows dim"]
    rows: Int64[np.ndarray, " items"]
    probabilities: Probabilities | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def embeddings(self, positions: Rows) -> Embeddings:
        """Embeddings of some candidates, copied into memory: ask for as few as the strategy needs."""
        taken: Embeddings = np.asarray(self.store[self.rows[positions]])
        return taken

    @property
    def known_probabilities(self) -> Probabilities:
        """The probabilities; the labeler calls a strategy that needs them only when there are some."""
        assert self.probabilities is not None
        return self.probabilities


# `pick(pool, n, rng)` gives min(n, len(pool)) distinct positions in the view, most wanted first.
Pick = Callable[[PoolView, int, np.random.Generator], Rows]
Needs = Literal["nothing", "probabilities"]


@dataclass(frozen=True, slots=True)
class Strategy:
    """A registered query strategy: what it is called, what it needs, and the function that picks."""

    name: str
    needs: Needs
    pick: Pick


STRATEGIES: Registry[Strategy] = Registry("strategy", "fastlabel.strategies")


def strategy(name: str, needs: Needs) -> Callable[[Pick], Pick]:
    """Decorator that registers a function as a query strategy."""

    def add(pick: Pick) -> Pick:
        STRATEGIES.register(name)(Strategy(name, needs, pick))
        return pick

    return add
