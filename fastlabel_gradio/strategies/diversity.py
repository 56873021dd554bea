"""Diversity sampling: items that represent the pool, whatever the head says. MaxHerding is in `herding.py`."""

import numpy as np
import torch
from torch import Tensor

from fastlabel_gradio.clustering import nearest_centres, spherical_kmeans, spread_out
from fastlabel_gradio.strategies.base import PoolView, strategy
from fastlabel_gradio.strategies.near_duplicates import without_near_duplicates
from fastlabel_gradio.types import Embeddings, Positions

# A uniform sample of that size represents a pool of any size; the sizes keep a query of 100 below a second on one core.
LEAST_CANDIDATES = 2_000
CANDIDATES_PER_PICK = 10
CORESET_CANDIDATES = 10_000
TYPICLUST_CANDIDATES = 4_000
LABELED = 2_000

KMEANS_ROUNDS = 10
MOST_CLUSTERS = 500  # as in TypiClust's own code, like the two below
LEAST_IN_CLUSTER = 5
NEIGHBOURS = 20
BLOCK_ROWS = 1024


@strategy("cluster", needs="nothing")
def cluster(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
    """The item nearest each of n k-means centroids, largest cluster first; good for a first batch, not for every one.

    Clusters a uniform sample of max(2,000, 10 n) items of the pool: the centroids of a sample that size represent the
    whole pool at a bounded cost.
    """
    sample = pool.sample(max(LEAST_CANDIDATES, CANDIDATES_PER_PICK * n), rng)
    order = nearest_to_centroids(pool.embeddings(sample), np.ones(len(sample), dtype=np.float32), n, rng)
    return without_near_duplicates(pool, sample[order], n)


@strategy("coreset", needs="nothing")
def coreset(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
    """The item farthest from all that are labeled or picked, n times; the first at random while there are no labels.

    k-center greedy of Sener & Savarese, "Active Learning for Convolutional Neural Networks: A Core-Set Approach" (ICLR
    2018, arXiv 1708.00489), on max(10,000, 5 n) random items and at most 2,000 random labels. Likes outliers: worse than
    random while labels are few.
    """
    sample = pool.sample(max(CORESET_CANDIDATES, 5 * n), rng)
    vectors = torch.from_numpy(pool.embeddings(sample))
    nearest = largest_cosines(vectors, torch.from_numpy(pool.labeled_embeddings(LABELED, rng)))
    picks: list[int] = []
    while len(picks) < n:
        picks.append(int(nearest.argmin()))
        nearest = torch.maximum(nearest, vectors @ vectors[picks[-1]])
        nearest[picks[-1]] = torch.inf
    return sample[picks]


@strategy("typiclust", needs="nothing")
def typiclust(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
    """The most typical item of each cluster in turn: clusters with the fewest labels first, among those the largest.

    Hacohen, Dekel & Weinshall, "Active Learning on a Budget: Opposite Strategies Suit High and Low Budgets" (ICML 2022,
    arXiv 2202.02794), section 3 and its code: min(labels + n, 500) clusters, those with fewer than 5 items left out where
    there are enough others. Clusters max(4,000, 5 n) random items together with at most 2,000 random labels.
    """
    sample = pool.sample(max(TYPICLUST_CANDIDATES, 5 * n), rng)
    labeled = pool.labeled_embeddings(LABELED, rng)
    vectors = torch.from_numpy(np.concatenate([pool.embeddings(sample), labeled]))
    count = min(len(labeled) + n, MOST_CLUSTERS, len(vectors))
    centres = spherical_kmeans(vectors, spread_out(vectors, count, rng), KMEANS_ROUNDS, rng)
    clusters = nearest_centres(vectors, centres).numpy()
    order = typical_in_turn(vectors[: len(sample)], clusters[: len(sample)], clusters[len(sample) :])
    return without_near_duplicates(pool, sample[order], n)


def nearest_to_centroids(embeddings: Embeddings, weights: np.ndarray, n: int, rng: np.random.Generator) -> Positions:
    """All positions: those nearest the n centroids of a weighted spherical k-means, heaviest cluster first, then the others.

    Args:
        weights: float32[items], how much each item pulls its centroid, at least 0; the others come by weight.
    """
    directions = torch.from_numpy(embeddings)
    pull = torch.from_numpy(np.maximum(weights, 1e-3)).float()
    # The nearest centre of a direction does not depend on its length, so lengths are weights.
    centres = spherical_kmeans(directions * pull[:, None], spread_out(directions, n, rng), KMEANS_ROUNDS, rng)
    clusters = nearest_centres(directions, centres)
    cosines = (directions * centres[clusters]).sum(1).numpy()
    by_closeness = np.argsort(-cosines, kind="stable")
    found, first = np.unique(clusters.numpy()[by_closeness], return_index=True)
    weight_of = np.bincount(clusters.numpy(), weights=pull.numpy(), minlength=n)[found]
    nearest = by_closeness[first][np.argsort(-weight_of, kind="stable")]
    by_weight = np.argsort(-weights, kind="stable")
    return np.concatenate([nearest, by_weight[~np.isin(by_weight, nearest)]]).astype(np.int64)


def largest_cosines(vectors: Tensor, others: Tensor) -> Tensor:
    """float32[n]: the largest cosine of each vector to any of the others, in blocks; -1 where there are none."""
    largest = torch.full((len(vectors),), -1.0)
    for block in torch.split(others, BLOCK_ROWS):
        if len(block):
            largest = torch.maximum(largest, (vectors @ block.T).amax(dim=1))
    return largest


def typical_in_turn(vectors: Tensor, clusters: np.ndarray, labeled_clusters: np.ndarray) -> Positions:
    """All positions, by rounds over the clusters: the most typical of each, then the second of each, and so on.

    Args:
        vectors: float32[items, dim], unit vectors.
        clusters: int64[items], the cluster of each.
        labeled_clusters: int64[labeled], the cluster of each labeled item.
    """
    typical = typicality(vectors, clusters)
    sizes = np.bincount(clusters)
    known = np.bincount(labeled_clusters, minlength=len(sizes))[: len(sizes)]
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.lexsort((-sizes, known, sizes < LEAST_IN_CLUSTER))] = np.arange(len(sizes))
    by_cluster = np.lexsort((-typical, clusters))
    first_of_cluster = np.cumsum(sizes) - sizes
    turn = np.empty(len(clusters), dtype=np.int64)
    turn[by_cluster] = np.arange(len(clusters)) - first_of_cluster[clusters[by_cluster]]
    tiny = sizes[clusters] < LEAST_IN_CLUSTER
    return np.lexsort((rank[clusters], turn, tiny)).astype(np.int64)


def typicality(vectors: Tensor, clusters: np.ndarray) -> np.ndarray:
    """float32[items]: 1 / mean distance to the 20 nearest items of the same cluster; 0 for one that is alone in it."""
    typical = np.zeros(len(vectors), dtype=np.float32)
    for number in np.unique(clusters):
        members = np.flatnonzero(clusters == number)
        if len(members) > 1:
            typical[members] = 1 / np.maximum(_mean_distances(vectors[torch.from_numpy(members)]), 1e-6)
    return typical


def _mean_distances(vectors: Tensor) -> np.ndarray:
    """float32[items]: the mean distance of each of at least two unit vectors to its 20 nearest, in blocks."""
    count = min(NEIGHBOURS, len(vectors) - 1)
    means = []
    for start in range(0, len(vectors), BLOCK_ROWS):
        block = vectors[start : start + BLOCK_ROWS]
        cosines = block @ vectors.T
        cosines[torch.arange(len(block)), torch.arange(start, start + len(block))] = -torch.inf  # itself
        means.append((2 - 2 * cosines.topk(count, dim=1).values).clamp_(min=0).sqrt_().mean(dim=1))
    distances: np.ndarray = torch.cat(means).numpy()
    return distances
