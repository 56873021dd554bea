"""Spherical k-means: clusters of directions. Used for the offline encoder's dictionary and for representatives of a pool.

Dhillon & Modha, "Concept decompositions for large sparse text data using clustering" (Machine Learning 2001). Our own
forty lines, because scikit-learn's takes 3 s to import and the first batch waits for it, and because its threads wait for
each other where others compute at the same time.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

BLOCK_ROWS = 8192


def spherical_kmeans(directions: "Tensor", centres: "Tensor", rounds: int, rng: np.random.Generator) -> "Tensor":
    """Lloyd's algorithm by cosine: float32[k, dim], unit vectors.

    Args:
        directions: float32[n, dim], unit vectors.
        centres: float32[k, dim], where to start.
        rounds: passes over all directions, fewer where they stay with their centres.
        rng: gives a centre that lost all its directions another one to start from; while there are no more directions
            than centres, such a centre stays where it is.
    """
    import torch
    from torch.nn.functional import normalize

    before: Tensor | None = None
    for _ in range(rounds):
        nearest = nearest_centres(directions, centres)
        if before is not None and torch.equal(nearest, before):
            break  # further rounds would change nothing
        sums = torch.zeros_like(centres).index_add_(0, nearest, directions)
        idle = (torch.bincount(nearest, minlength=len(centres)) == 0).nonzero()[:, 0]
        if len(directions) > len(centres):
            sums[idle] = directions[torch.from_numpy(rng.integers(len(directions), size=len(idle)))]
        else:
            sums[idle] = centres[idle]
        centres, before = normalize(sums), None if len(idle) else nearest
    return centres


def nearest_centres(directions: "Tensor", centres: "Tensor") -> "Tensor":
    """int64[n]: the centre with the largest cosine to each direction."""
    import torch

    return torch.cat([(block @ centres.T).argmax(1) for block in torch.split(directions, BLOCK_ROWS)])


def spread_out(directions: "Tensor", k: int, rng: np.random.Generator) -> "Tensor":
    """float32[k, dim]: k of the directions by k-means++ (Arthur & Vassilvitskii, SODA 2007), far from one another.

    The squared distance of unit vectors is 2 - 2 cos. Where fewer than k directions differ, some come twice.
    """
    import torch

    picked = [int(rng.integers(len(directions)))]
    distances = torch.full((len(directions),), torch.inf)
    while len(picked) < k:
        distances = torch.minimum(distances, (2 - 2 * (directions @ directions[picked[-1]])).clamp_(min=0))
        heights = distances.double().cumsum(0)
        drawn = torch.tensor([rng.random() * float(heights[-1])], dtype=torch.float64)
        picked.append(min(int(torch.searchsorted(heights, drawn)), len(directions) - 1))
    return directions[picked].clone()
