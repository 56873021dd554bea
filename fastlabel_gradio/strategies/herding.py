"""Herding: picks that cover the pool under a Gaussian kernel, alone (MaxHerding) or weighted by uncertainty (UHerding).

Bae, Noh & Sutherland, "Generalized Coverage for More Robust Low-Budget Active Learning" (ECCV 2024, arXiv 2407.12212)
and Bae, Oliveira & Sutherland, "Uncertainty Herding: One Active Learning Method for All Label Budgets" (ICLR 2025, arXiv
2412.20644). An item of the pool is covered by its nearest labeled or picked item; each pick is the candidate that adds
most to the mean of uncertainty times coverage.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from fastlabel_gradio.strategies.balance import in_turn
from fastlabel_gradio.strategies.base import PoolView, strategy
from fastlabel_gradio.strategies.diversity import largest_cosines
from fastlabel_gradio.strategies.near_duplicates import SAME_COSINE
from fastlabel_gradio.strategies.uncertainty import margin_score, top
from fastlabel_gradio.types import Positions, Probabilities

# The kernel between candidates and references is 24 MB and takes most of a query's time, 0.1 s on one core.
CANDIDATES = 3_000
CANDIDATES_PER_PICK = 5
REFERENCES = 2_000
LABELED = 5_000

BANDWIDTH_SAMPLE = 512
FIRST_BANDWIDTH = 0.7  # of the median distance, while there are no two labels to measure between
LEAST_BANDWIDTH = 1e-3
LAZY_BLOCK, FIRST_BLOCKS = 64, 4


@strategy("uherding", needs="nothing")
def uherding(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
    """What adds most uncertainty coverage; plain coverage while there is no head.

    Uncertainty is the margin score of the head's probabilities.
    """
    return herd(pool, n, rng, Herding(uncertain=True))


@strategy("balanced_uherding", needs="nothing")
def balanced_uherding(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
    """UHerding in which the predicted classes take turns, the rarest first."""
    return herd(pool, n, rng, Herding(uncertain=True, in_turn=True))


@strategy("representatives", needs="nothing")
def representatives(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
    """What adds most coverage, whatever the head says: MaxHerding. The first batch of `auto`."""
    return herd(pool, n, rng, Herding())


@dataclass(frozen=True, slots=True)
class Herding:
    """A way to herd.

    Without a head they change nothing.

    Attributes:
        uncertain: what is covered counts by the head's uncertainty of it.
        evened: what is covered counts by how rare its classes are, see `evening`.
        in_turn: the picks are of each predicted class in turn, the rarest first.
    """

    uncertain: bool = False
    evened: bool = False
    in_turn: bool = False


def herd(pool: PoolView, n: int, rng: np.random.Generator, way: Herding) -> Positions:
    """Picks n < len(pool) candidates greedily, each for what it adds to the weighted coverage of the pool.

    The candidates are max(3,000, 5 n) items: the whole pool, or uniformly drawn, or (weighted by uncertainty) half of
    them the least certain. What they cover is measured on 2,000 items, drawn uniformly.
    """
    candidates, references = _candidates(pool, n, rng, way), pool.sample(REFERENCES, rng)
    vectors, items = torch.from_numpy(pool.embeddings(candidates)), torch.from_numpy(pool.embeddings(references))
    labeled = torch.from_numpy(pool.labeled_embeddings(LABELED, rng))
    width = bandwidth(items[:BANDWIDTH_SAMPLE], labeled[:BANDWIDTH_SAMPLE])
    covered = kernel(largest_cosines(items, labeled), width) if len(labeled) else torch.zeros(len(items))
    weights = _weights(pool, references, way)
    values = kernel(vectors @ items.T, width).mul_(weights)
    classes = None if pool.probabilities is None or not way.in_turn else pool.probabilities[candidates].argmax(axis=1)
    picked: Positions = candidates[lazy_greedy(values, covered * weights, vectors, n, classes)]
    return picked


def kernel(cosines: Tensor, width: float) -> Tensor:
    """exp(-d² / width²) of unit vectors, where d² = 2 - 2 cos. Overwrites its argument."""
    return cosines.mul_(2).sub_(2).clamp_(max=0).div_(width**2).exp_()


def bandwidth(some: Tensor, labeled: Tensor) -> float:
    """The kernel's width: the least distance between labeled items, but within the 1st to 50th percentile of distances.

    0.7 of the median while there are no two labels. Shrinks as labels come, so that coverage gives way to uncertainty
    (UHerding's adaptive radius); without the lower limit near duplicates would collapse it.

    Args:
        some: float32[n, dim], unit vectors drawn uniformly from the pool.
        labeled: float32[labeled, dim], unit vectors, a sample where there are many.
    """
    distances = _pairwise_distances(some)
    if not len(distances):
        return 1.0
    lowest, median = (float(part) for part in np.percentile(distances, [1, 50]))
    if len(labeled) < 2:
        return max(FIRST_BANDWIDTH * median, LEAST_BANDWIDTH)
    least = float(_pairwise_distances(labeled).min())
    return max(min(max(least, lowest), median), LEAST_BANDWIDTH)


def lazy_greedy(
    values: Tensor, covered: Tensor, vectors: Tensor, n: int, classes: np.ndarray | None = None
) -> Positions:
    """Places of n candidates, each the one that adds most to sum_j max(covered_j, values_ij).

    Lazy greedy (Minoux 1978): what a candidate adds only shrinks, so an old figure is an upper bound, and most are never
    computed again. The picks are those of the plain greedy algorithm. A candidate whose cosine to a pick is above 0.99 is
    left out while there are others.

    Args:
        values: float32[candidates, references].
        covered: float32[references], by what is labeled or picked already.
        vectors: float32[candidates, dim], unit vectors.
        classes: int64[candidates]; where given they take turns, the rarest first, and a used up one is passed over.
    """
    bounds = _gains(values, covered)
    left, distinct = torch.ones(2, len(values), dtype=torch.bool)
    turns = deque([left.clone()] if classes is None else _members(classes))
    picks: list[int] = []
    while len(picks) < n:
        if not bool((left & distinct).any()):
            distinct = left.clone()
        pick = _best(values, covered, bounds, _next_in_turn(turns, left & distinct))
        picks.append(pick)
        covered = torch.maximum(covered, values[pick])
        left[pick] = False
        distinct &= (vectors @ vectors[pick]) <= SAME_COSINE
    return np.array(picks, dtype=np.int64)


def _best(values: Tensor, covered: Tensor, bounds: Tensor, allowed: Tensor) -> int:
    """The place of the largest gain among those allowed. Brings the bounds that it looks at up to date."""
    most, best = -math.inf, 0
    for block in _falling(bounds, allowed):
        if most >= float(bounds[block[0]]):
            break
        bounds[block] = gains = _gains(values[block], covered)
        if float(gains.max()) > most:
            most, best = float(gains.max()), int(block[gains.argmax()])
    return best


def _falling(bounds: Tensor, allowed: Tensor) -> Iterator[Tensor]:
    """Places of those allowed, in blocks, the largest bound first, and the first place where bounds are equal.

    All are put in order only where the first blocks were not enough: mostly they are.
    """
    figures = torch.where(allowed, bounds, -torch.inf)
    count = int(allowed.sum())
    first = figures.topk(min(FIRST_BLOCKS * LAZY_BLOCK, count)).values
    some = (figures >= first[-1]).nonzero().flatten()
    some = some[figures[some].argsort(descending=True, stable=True)]
    yield from torch.split(some, LAZY_BLOCK)
    if len(some) < count:
        yield from torch.split(figures.argsort(descending=True, stable=True)[len(some) : count], LAZY_BLOCK)


def _gains(values: Tensor, covered: Tensor) -> Tensor:
    """float32[candidates]: what each adds to the coverage, in blocks."""
    return torch.cat([(block - covered).clamp_(min=0).sum(dim=1) for block in torch.split(values, LAZY_BLOCK)])


def _members(classes: np.ndarray) -> list[Tensor]:
    """bool[candidates] of each class that occurs, the rarest first."""
    found, sizes = np.unique(classes, return_counts=True)
    return [torch.from_numpy(classes == number) for number in found[np.argsort(sizes, kind="stable")]]


def _next_in_turn(turns: deque[Tensor], allowed: Tensor) -> Tensor:
    """Who is allowed of the next class that has somebody; that class moves to the end of the queue."""
    while True:
        members = turns[0] & allowed
        turns.rotate(-1)
        if bool(members.any()):
            return members


def _candidates(pool: PoolView, n: int, rng: np.random.Generator, way: Herding) -> Positions:
    count = max(CANDIDATES, CANDIDATES_PER_PICK * n)
    scored = pool.sample(len(pool), rng)
    if len(scored) <= count or pool.probabilities is None or not way.uncertain:
        return scored[:count]
    probabilities = pool.probabilities[scored]
    order = top(margin_score(probabilities), len(scored), rng)
    if way.in_turn or way.evened:
        order = in_turn(order, probabilities.argmax(axis=1), len(scored))
    others = rng.permutation(order[count // 2 :])[: count - count // 2]
    chosen: Positions = scored[np.concatenate([order[: count // 2], others])]
    return chosen


def _weights(pool: PoolView, references: Positions, way: Herding) -> Tensor:
    """float32[references]: how much the coverage of each counts."""
    weights = np.ones(len(references), dtype=np.float32)
    if pool.probabilities is None:
        return torch.from_numpy(weights)
    probabilities = pool.probabilities[references]
    if way.uncertain:
        weights = margin_score(probabilities)
    return torch.from_numpy(weights * evening(probabilities) if way.evened else weights)


def evening(probabilities: Probabilities) -> Float32[np.ndarray, " items"]:
    """How much each item counts, above 0, so that rare classes count more: the mean, over its classes, of 1 / sqrt(expected).

    Expected of a class is the sum of its probabilities. A head that is sure counts a class as it predicts it; one that is not
    sure expects about the same of every class, so that nothing is evened out before there is evidence of a rare class.
    """
    expected = np.maximum(probabilities.sum(axis=0), np.finfo(np.float32).tiny)
    return np.asarray(probabilities @ (1 / np.sqrt(expected)), dtype=np.float32)


def _pairwise_distances(vectors: Tensor) -> np.ndarray:
    """The distances of all pairs of unit vectors, in no order."""
    above = torch.triu_indices(len(vectors), len(vectors), offset=1)
    cosines = (vectors @ vectors.T)[above[0], above[1]]
    distances: np.ndarray = (2 - 2 * cosines).clamp_(min=0).sqrt_().numpy()
    return distances
