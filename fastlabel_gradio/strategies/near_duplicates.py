"""Near duplicates in one batch: a second label for the same picture teaches little."""

import numpy as np
import torch
from jaxtyping import Int64

from fastlabel_gradio.strategies.base import PoolView
from fastlabel_gradio.types import Positions

SAME_COSINE = 0.99
OVERDRAW = 4  # candidates looked at for each pick before near duplicates are taken after all


def without_near_duplicates(pool: PoolView, wanted: Int64[np.ndarray, " wanted"], n: int) -> Positions:
    """The first n of `wanted` whose cosine to each one before them is at most 0.99.

    Looks at the first 4 n. Where fewer than n of those are left, the dropped ones fill up in their order. Takes
    embeddings in blocks of n, so usually of n items.

    Args:
        wanted: distinct positions in the view, most wanted first; more than n where the strategy has more to offer.
    """
    wanted = wanted[: OVERDRAW * n]
    apart: list[int] = []
    vectors = torch.zeros((0, pool.vectors.shape[1]))
    for start in range(0, len(wanted), n):
        block = torch.from_numpy(pool.embeddings(wanted[start : start + n]))
        fresh = _first_of_their_kind(block, vectors)[: n - len(apart)]
        apart += [start + int(place) for place in fresh]
        vectors = torch.cat([vectors, block[torch.from_numpy(fresh)]])
        if len(apart) == n:
            break
    dropped = np.setdiff1d(np.arange(len(wanted)), apart)
    picked: Positions = wanted[np.concatenate([np.array(apart, dtype=np.int64), dropped])[:n]]
    return picked


def _first_of_their_kind(block: torch.Tensor, earlier: torch.Tensor) -> Positions:
    """Places in the block of vectors that have no near duplicate among `earlier` ones or before them in the block."""
    known = ((block @ earlier.T) > SAME_COSINE).any(dim=1).numpy() if len(earlier) else np.zeros(len(block), dtype=bool)
    same = ((block @ block.T) > SAME_COSINE).numpy()
    places = []
    for place in range(len(block)):
        if not known[place]:
            places.append(place)
            known |= same[place]
    return np.array(places, dtype=np.int64)
