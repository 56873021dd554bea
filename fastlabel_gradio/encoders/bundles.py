"""Several arrays as one: a prepared item of more than one part travels from `prepare` to `encode` as a single array."""

from collections.abc import Sequence

import numpy as np


def bundle(parts: Sequence[np.ndarray]) -> np.ndarray:
    """A 0-d structured array with one field for each part, in their order; copies them."""
    fields = [(f"part{number}", part.dtype, part.shape) for number, part in enumerate(parts)]
    bundled = np.zeros((), dtype=fields)
    for (name, *_), part in zip(fields, parts, strict=True):
        bundled[name] = part
    return bundled


def unbundled(bundled: np.ndarray) -> list[np.ndarray]:
    """The parts that `bundle` got."""
    return [np.asarray(bundled[name]) for name in bundled.dtype.names or ()]
