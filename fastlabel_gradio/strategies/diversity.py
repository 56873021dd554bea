"""Diversity sampling: items that represent the pool, whatever the head says."""

import numpy as np

from fastlabel_gradio.clustering import nearest_centres, spherical_kmeans, spread_out
from fastlabel_gradio.strategies.base import PoolView, strategy
from fastlabel_gradio.types import Embeddings, Rows

LEAST_CANDIDATES = 2_000
CANDIDATES_PER_PICK = 10
KMEANS_ROUNDS = 10


@strategy("cluster", needs="nothing")
def cluster(pool: PoolView, n: int, rng: np.random.Generator) -> Rows:
    """The item nearest each of n k-means centroids, largest cluster first; good for a first batch, not for every one.

    Clusters a uniform sample of max(2,000, 10 n) items of the pool: the centroids of a sample that size represent the
    whole pool at a bounded cost.
    """
    sample = rng.permutation(len(pool))[: max(LEAST_CANDIDATES, CANDIDATES_PER_PICK * n)]
    if len(sample) <= n:
        return sample.astype(np.int64)
    representatives = _representatives(pool.embeddings(sample), n, rng)
    return np.asarray(sample[representatives], dtype=np.int64)


def _representatives(embeddings: Embeddings, n: int, rng: np.random.Generator) -> Rows:
    """Positions of n distinct items: nearest each centroid, then (where duplicates left clusters empty) any others."""
    import torch

    directions = torch.from_numpy(embeddings)
    centres = spherical_kmeans(directions, spread_out(directions, n, rng), KMEANS_ROUNDS, rng)
    clusters = nearest_centres(directions, centres)
    cosines = (directions * centres[clusters]).sum(1).numpy()
    by_closeness = np.argsort(-cosines, kind="stable")
    found, first = np.unique(clusters.numpy()[by_closeness], return_index=True)
    sizes = np.bincount(clusters.numpy(), minlength=n)[found]
    nearest = by_closeness[first][np.argsort(-sizes, kind="stable")]
    others = np.setdiff1d(np.arange(len(embeddings)), nearest)
    return np.concatenate([nearest, others])[:n].astype(np.int64)
