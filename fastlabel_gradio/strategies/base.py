"""What a query strategy is: a pure function of a view of the pool and of its labels. One file per family beside this."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Float32, Int64

from fastlabel_gradio.head import Head
from fastlabel_gradio.registry import Registry
from fastlabel_gradio.types import Embeddings, Positions, Probabilities, Rows


def _no_rows() -> Rows:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class PoolView:
    """The unlabeled candidates that a strategy picks from; positions run from 0 to len(pool) - 1.

    Attributes:
        vectors: float32[rows, dim], L2-normalised, every embedding of the project; usually memory-mapped.
        rows: int64[items], which rows of `vectors` are candidates.
        probabilities: float32[items, classes], what the head says of each candidate; None while there is no head.
        labeled: int64[labeled], which rows of `vectors` have a label.
        targets: int64[labeled], the class of each of those, a position in the schema.
        classes: how many classes the schema has.
        head: what gave the probabilities; None while there is none.
        labeled_vectors: float32[labeled, dim], the embeddings of the labeled rows where they are in memory already.
        shortlisted: float32[shortlisted, dim], the embeddings of the last candidates, which are no uniform sample: what an
            earlier head held least certain in a pool that is larger than the candidates before them. None where there are
            no such ones.
    """

    vectors: Float32[np.ndarray, "rows dim"]
    rows: Int64[np.ndarray, " items"]
    probabilities: Probabilities | None = None
    labeled: Int64[np.ndarray, " labeled"] = field(default_factory=_no_rows)
    targets: Int64[np.ndarray, " labeled"] = field(default_factory=_no_rows)
    classes: int = 0
    head: Head | None = None
    labeled_vectors: Float32[np.ndarray, "labeled dim"] | None = None
    shortlisted: Float32[np.ndarray, "shortlisted dim"] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def store(self) -> Float32[np.ndarray, "rows dim"]:
        """`vectors`, by the name that strategies of others may know it by."""
        return self.vectors

    @property
    def uniform(self) -> int:
        """How many candidates, the first ones, are a uniform sample of the unlabeled pool (or all of it)."""
        return len(self) if self.shortlisted is None else len(self) - len(self.shortlisted)

    def embeddings(self, positions: Positions) -> Embeddings:
        """Embeddings of some candidates, copied into memory: ask for as few as the strategy needs."""
        if self.shortlisted is None:
            return np.asarray(self.vectors[self.rows[positions]])
        listed = positions >= self.uniform
        taken = np.empty((len(positions), self.vectors.shape[1]), dtype=np.float32)
        taken[~listed] = self.vectors[self.rows[positions[~listed]]]
        taken[listed] = self.shortlisted[positions[listed] - self.uniform]
        return taken

    def labeled_embeddings(self, most: int, rng: np.random.Generator) -> Embeddings:
        """Embeddings of the labeled rows, of a uniform sample where there are more than `most`."""
        places = np.arange(len(self.labeled))
        if len(places) > most:
            places = rng.choice(len(places), most, replace=False)
        if self.labeled_vectors is not None:
            return np.asarray(self.labeled_vectors[places])
        taken: Embeddings = np.asarray(self.vectors[self.labeled[places]])
        return taken

    def sample(self, most: int, rng: np.random.Generator) -> Positions:
        """Positions of a uniform sample of the pool, all of it where there is no more than `most`; in random order.

        The shortlist is left out.
        """
        if self.uniform <= most:
            return rng.permutation(self.uniform).astype(np.int64)
        return rng.choice(self.uniform, most, replace=False).astype(np.int64)

    def at(self, positions: Positions) -> "PoolView":
        """The view of some of the candidates, those of the shortlist last."""
        said = None if self.probabilities is None else self.probabilities[positions]
        listed = positions[positions >= self.uniform] - self.uniform
        shortlisted = None if self.shortlisted is None else self.shortlisted[listed]
        return replace(self, rows=self.rows[positions], probabilities=said, shortlisted=shortlisted)

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
Pick = Callable[[PoolView, int, np.random.Generator], Positions]
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
        def guarded(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
            if n < 1 or len(pool) <= n:
                return rng.permutation(len(pool))[: max(n, 0)].astype(np.int64)
            if pool.uniform < n:
                pool = replace(pool, shortlisted=None)
            return pick(pool, n, rng)

        STRATEGIES.register(name)(Strategy(name, needs, guarded))
        return guarded

    return add
