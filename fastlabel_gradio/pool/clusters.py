"""Clusters of a pool: what kinds of items there are, for who does not know the classes yet. Nothing is labeled by them."""

from dataclasses import dataclass

import numpy as np
import torch

from fastlabel_gradio.clustering import nearest_centres, spherical_kmeans, spread_out
from fastlabel_gradio.types import Embeddings, Rows

ROUNDS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """Some items that are alike.

    Attributes:
        size: of so many.
        nearest: positions of those nearest to its centre, the nearest first.
    """

    size: int
    nearest: Rows


def clusters_of(vectors: Embeddings, wanted: int, examples: int, seed: int) -> list[Cluster]:
    """Up to `wanted` clusters by spherical k-means (`clustering.py`), the largest first; the same for the same seed.

    Args:
        vectors: float32[n, dim], unit vectors; none give no clusters.
        examples: the most items of a cluster that are named.
    """
    if not len(vectors):
        return []
    rng, directions = np.random.default_rng(seed), torch.from_numpy(np.array(vectors))
    centres = spread_out(directions, min(wanted, len(directions)), rng)
    centres = spherical_kmeans(directions, centres, ROUNDS, rng)
    nearest = nearest_centres(directions, centres).numpy()
    cosines = (directions * centres[torch.from_numpy(nearest)]).sum(1).numpy()
    members = [np.flatnonzero(nearest == number) for number in range(len(centres))]
    found = [
        Cluster(len(rows), rows[np.argsort(-cosines[rows], kind="stable")][:examples]) for rows in members if len(rows)
    ]
    return sorted(found, key=lambda cluster: -cluster.size)
