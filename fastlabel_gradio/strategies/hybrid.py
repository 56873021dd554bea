"""Strategies that weigh uncertainty and diversity together; UHerding is in `herding.py`."""

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from fastlabel_gradio.strategies.balance import in_turn
from fastlabel_gradio.strategies.base import PoolView, strategy
from fastlabel_gradio.strategies.diversity import nearest_to_centroids
from fastlabel_gradio.strategies.near_duplicates import without_near_duplicates
from fastlabel_gradio.strategies.uncertainty import margin_score, top
from fastlabel_gradio.types import Positions, Probabilities

# Per pick, and at most, so that k-means stays below a second: what it clusters grows with n, and so do its clusters.
UNCERTAIN_PER_PICK = 20
DISAGREEING_PER_PICK = 25
MOST_CLUSTERED = 4_000
LEAST_PER_PICK = 5

DROPOUT_PASSES = 3
DROPQUERY_CANDIDATES = 20_000
BADGE_CANDIDATES = 10_000


@strategy("clustered_margin", needs="probabilities")
def clustered_margin(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
    """Of the 20 n smallest margins, the item nearest each of n centroids that the margin score weighs.

    Zhdanov, "Diverse mini-batch Active Learning" (2019, arXiv 1901.05954), with spherical k-means; the idea, with other
    clusters, in Citovsky et al., "Batch Active Learning at Scale" (NeurIPS 2021, arXiv 2107.14263).
    """
    order = top(margin_score(pool.known_probabilities), _clustered(UNCERTAIN_PER_PICK, n), rng)
    return without_near_duplicates(pool, _central_first(pool, order, n, rng), n)


@strategy("balanced_clustered_margin", needs="probabilities")
def balanced_clustered_margin(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
    """Clustered margin within each predicted class, for as many picks as it gets where classes take turns."""
    predicted = pool.known_probabilities.argmax(axis=1)
    by_margin = top(margin_score(pool.known_probabilities), len(pool), rng)
    class_by_margin = predicted[by_margin]
    central, others = [], []
    for number, count in enumerate(np.bincount(predicted[in_turn(by_margin, predicted, n)])):
        if count:
            of_class = by_margin[class_by_margin == number][: _clustered(UNCERTAIN_PER_PICK, int(count))]
            order = _central_first(pool, of_class, int(count), rng)
            central.append(order[:count])
            others.append(order[count:])
    first, then = (in_turn(np.concatenate(parts), predicted, len(pool)) for parts in (central, others))
    return without_near_duplicates(pool, np.concatenate([first, then]), n)


@strategy("dropquery", needs="probabilities")
def dropquery(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
    """The item nearest each of n k-means centroids of the items whose prediction changes under dropout.

    Gupte et al., "Revisiting Active Learning in the Era of Vision Foundation Models" (TMLR 2024, arXiv 2401.14555): of
    20,000 random items those where most of 3 passes disagree with the prediction; here at least 25 n, filled up by
    disagreement and then by margin.
    """
    sample = pool.sample(DROPQUERY_CANDIDATES, rng)
    probabilities = pool.known_probabilities[sample]
    seed = int(rng.integers(2**31))
    votes = pool.known_head.dropout_predictions(pool.embeddings(sample), DROPOUT_PASSES, seed)
    disagreeing = (votes != probabilities.argmax(axis=1)).sum(axis=0)
    order = np.lexsort((-margin_score(probabilities), -disagreeing))
    wanted = max(int((disagreeing > DROPOUT_PASSES // 2).sum()), DISAGREEING_PER_PICK * n)
    unsure = sample[order[: min(wanted, _clustered(DISAGREEING_PER_PICK, n))]]
    central = nearest_to_centroids(pool.embeddings(unsure), np.ones(len(unsure), dtype=np.float32), n, rng)
    return without_near_duplicates(pool, unsure[central], n)


@strategy("badge", needs="probabilities")
def badge(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
    """k-means++ seeds in the space of the gradients that each item would give the last layer, were its prediction right.

    Ash et al., "Deep Batch Active Learning by Diverse, Uncertain Gradient Lower Bounds" (ICLR 2020, arXiv 1906.03671), on
    max(10,000, 5 n) random items. The gradient is the outer product of h (hidden layer) and r (probabilities less the
    one-hot prediction); its squared distances come from the factors, so items x classes x hidden is never built.
    """
    sample = pool.sample(max(BADGE_CANDIDATES, LEAST_PER_PICK * n), rng)
    hidden = torch.from_numpy(pool.known_head.hidden(pool.embeddings(sample)))
    errors = torch.from_numpy(gradient_factors(pool.known_probabilities[sample]))
    spread = gradient_seeds(hidden, errors, min(len(sample), n + n // 4 + 1), rng)
    return without_near_duplicates(pool, sample[spread], n)


def gradient_factors(probabilities: Probabilities) -> Probabilities:
    """r = p - onehot(argmax p), float32[items, classes]."""
    errors = probabilities.copy()
    errors[np.arange(len(errors)), probabilities.argmax(axis=1)] -= 1
    return errors


def gradient_seeds(hidden: Tensor, errors: Tensor, n: int, rng: np.random.Generator) -> Positions:
    """n distinct items by k-means++ on the outer products of `hidden` and `errors`; the longest one first.

    d²(i, j) = |h_i|²|r_i|² + |h_j|²|r_j|² - 2 (h_i·h_j)(r_i·r_j). Each next item is drawn with a probability
    proportional to its squared distance to the nearest picked one; uniformly among the others where all of those are 0.
    """
    lengths = (hidden.square().sum(1) * errors.square().sum(1)).double()
    left = torch.ones(len(lengths), dtype=torch.float64)
    nearest = torch.full_like(lengths, torch.inf)
    picks = [int(lengths.argmax())]
    while len(picks) < n:
        last = picks[-1]
        left[last] = 0
        products = ((hidden @ hidden[last]) * (errors @ errors[last])).double()
        nearest = torch.minimum(nearest, (lengths + lengths[last] - 2 * products).clamp_(min=0))
        picks.append(_drawn(nearest * left if bool((nearest * left).any()) else left, rng))
    return np.array(picks, dtype=np.int64)


def _drawn(weights: Tensor, rng: np.random.Generator) -> int:
    """One place, by weight; a weight of 0 is never drawn."""
    heights = weights.cumsum(0)
    drawn = torch.tensor([(1 - rng.random()) * float(heights[-1])], dtype=torch.float64)
    return int(torch.searchsorted(heights, drawn))


def _clustered(per_pick: int, n: int) -> int:
    return min(per_pick * n, max(MOST_CLUSTERED, LEAST_PER_PICK * n))


def _central_first(pool: PoolView, order: Int64[np.ndarray, " order"], n: int, rng: np.random.Generator) -> Positions:
    """The same candidates, those first that are nearest n centroids, weighted by margin score."""
    weights = margin_score(pool.known_probabilities[order])
    ordered: Positions = order[nearest_to_centroids(pool.embeddings(order), weights, n, rng)]
    return ordered
