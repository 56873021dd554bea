"""What a query strategy is: a pure function of a view of the pool and of its labels. One file per family beside this."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Float32, Int64

from fastlabel_gradio.head import Head
from fastlabel_gradio.registry import Registry
from fastlabel_gradio.types import Embeddings, Probabilities, Rows


def _no_rows() -> Rows:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class PoolView:
    """The unlabeled candidates that a strategy picks from; positions run from 0 to len(pool) - 1.

    Attributes:
        store: float32[rows, dim], L2-normalised, every embedding of the project; usually memory-mapped.
        rows: int64[items], which rows of `store` are candidates.
        probabilities: float32[items, classes], what the head says of each candidate; None while there is no head.
        labeled: int64[labeled], which rows of `store` have a label.
        targets: int64[labeled], the class of each of those, a position in the schema.
        classes: how many classes the schema has.
        head: what gave the probabilities; None while there is none.
    """

    store: Float32[np.ndarray, "rows dim"]
    rows: Int64[np.ndarray, " items"]
    probabilities: Probabilities | None = None
    labeled: Int64[np.ndarray, " labeled"] = field(default_factory=_no_rows)
    targets: Int64[np.ndarray, " labeled"] = field(default_factory=_no_rows)
    classes: int = 0
    head: Head | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def embeddings(self, positions: Rows) -> Embeddings:
        """Embeddings of some candidates, copied into memory: ask for as few as the strategy needs."""
        taken: Embeddings = np.asarray(self.store[self.rows[positions]])
        return taken

    def labeled_embeddings(self, most: int, rng: np.random.Generator) -> Embeddings:
        """Embeddings of the labeled rows, of a uniform sample where there are more than `most`."""
        rows = self.labeled
        if len(rows) > most:
            rows = rng.choice(rows, most, replace=False)
        taken: Embeddings = np.asarray(self.store[rows])
        return taken

    def sample(self, most: int, rng: np.random.Generator) -> Rows:
        """Positions of a uniform sample of the candidates, of all where there are no more than `most`; in random order."""
        if len(self) <= most:
            return rng.permutation(len(self)).astype(np.int64)
        return rng.choice(len(self), most, replace=False).astype(np.int64)

    def at(self, positions: Rows) -> "PoolView":
        """The view of some of the candidates."""
        said = None if self.probabilities is None else self.probabilities[positions]
        return replace(self, rows=self.rows[positions], probabilities=said)

    @property
    def known_probabilities(self) -> Probabilities:
        """The probabilities; the labeler calls a strategy that needs them only when there are some."""
        assert self.probabilities is not None
        return self.probabilities

    @property
    def known_head(self) -> Head:
        """The head; there is one wherever a strategy that needs probabilities is called."""
        assert self.head is not None
        return self.head


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
    """Decorator that registers a function as a query strategy.

    The function is only called for 1 <= n < len(pool): where the whole pool is wanted, all of it comes in random order.

    Args:
        needs: "probabilities" where it is to be called only when there is a head.
    """

    def add(pick: Pick) -> Pick:
        @functools.wraps(pick)
        def guarded(pool: PoolView, n: int, rng: np.random.Generator) -> Rows:
            if n < 1 or len(pool) <= n:
                return rng.permutation(len(pool))[: max(n, 0)].astype(np.int64)
            return pick(pool, n, rng)

        STRATEGIES.register(name)(Strategy(name, needs, guarded))
        return guarded

    return add
