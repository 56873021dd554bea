"""Diversity sampling: items that represent the pool, whatever the head says."""

import warnings

import numpy as np

from fastlabel_gradio.strategies.base import PoolView, strategy
from fastlabel_gradio.types import Rows

LEAST_CANDIDATES = 2_000
CANDIDATES_PER_PICK = 10


@strategy("cluster", needs="nothing")
def cluster(pool: PoolView, n: int, rng: np.random.Generator) -> Rows:
    """The item nearest each of n k-means centroids, largest cluster first; good for a first batch, not for every one.

    Clusters a uniform sample of max(2,000, 10 n) items of the pool: the centroids of a sample that size represent the
    whole pool at a bounded cost.
    """
    sample = rng.permutation(len(pool))[: max(LEAST_CANDIDATES, CANDIDATES_PER_PICK * n)]
    if len(sample) <= n:
        return sample.astype(np.int64)
    representatives = _representatives(pool.embeddings(sample), n, int(rng.integers(2**31)))
    return np.asarray(sample[representatives], dtype=np.int64)


def _representatives(embeddings: np.ndarray, n: int, seed: int) -> Rows:
    """Positions of n distinct items: nearest each centroid, then (where duplicates left clusters empty) any others."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct items than clusters: filled up below
        model = KMeans(n_clusters=n, n_init=1, max_iter=10, random_state=seed).fit(embeddings)
    distances = np.linalg.norm(embeddings - model.cluster_centers_[model.labels_], axis=1)
    by_distance = np.argsort(distances, kind="stable")
    clusters, first = np.unique(model.labels_[by_distance], return_index=True)
    nearest = by_distance[first]
    sizes = np.bincount(model.labels_, minlength=n)[clusters]
    nearest = nearest[np.argsort(-sizes, kind="stable")]
    others = np.setdiff1d(np.arange(len(embeddings)), nearest)
    return np.concatenate([nearest, others])[:n].astype(np.int64)
