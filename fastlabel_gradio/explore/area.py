"""Area: a part of the map that somebody drew, as a polygon."""

import numpy as np
from jaxtyping import Bool, Float32

Points = Float32[np.ndarray, "items 2"]


def is_within(points: Points, polygon: np.ndarray) -> Bool[np.ndarray, " items"]:
    """Whether each point lies in a polygon, by the even-odd rule: a ray to the right crosses an odd number of its edges.

    Args:
        polygon: float[corners, 2], closed by an edge from the last corner to the first.
    """
    found = np.zeros(len(points), dtype=bool)
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    near = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))
    x, y = points[near].astype(np.float64).T
    odd = np.zeros(len(near), dtype=bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        crosses = (y0 > y) != (y1 > y)
        if crosses.any():
            at = x0 + (y[crosses] - y0) * (x1 - x0) / (y1 - y0)
            odd[crosses] ^= x[crosses] < at
    found[near] = odd
    return found
