"""Layout: embeddings as points of a plane, by principal components at once, by neighbours in minutes. Pure arithmetic.

The neighbour layout is t-SNE (van der Maaten & Hinton, JMLR 2008) as openTSNE computes it (Linderman et al., Nature Methods
2019), of the first 50 principal components, begun from the first two.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from fastlabel_gradio.types import Embeddings

COMPONENTS = 50
BLOCK_ROWS = 10_000
PERPLEXITY = 30
ITERATIONS = 750  # of which a third with exaggerated attraction, as openTSNE has it
TOLD_EVERY = 5  # iterations: it is then paused, too, 0.2 s of 20,000 rows
NEAREST = 5  # that say where another item lies

Points = Float32[np.ndarray, "_ 2"]
Reduced = Float32[np.ndarray, "_ components"]


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """The first principal components of a sample. Attributes: `fitted` rows it was made of."""

    mean: Float32[np.ndarray, " dim"]
    axes: Float32[np.ndarray, "dim components"]
    fitted: int

    def of(self, embeddings: Float32[np.ndarray, "rows dim"]) -> Reduced:
        """Of any number of rows, in blocks; usually memory-mapped."""
        found = np.empty((len(embeddings), self.axes.shape[1]), dtype=np.float32)
        for start in range(0, len(embeddings), BLOCK_ROWS):
            found[start : start + BLOCK_ROWS] = (embeddings[start : start + BLOCK_ROWS] - self.mean) @ self.axes
        return found


def fit_projection(sample: Embeddings) -> Projection:
    """The same for the same sample: of each axis the number that is farthest from 0 is above it. At least one row."""
    mean = sample.mean(axis=0, dtype=np.float64)
    centred = sample - mean.astype(np.float32)
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    axes = axes[:, ::-1][:, :COMPONENTS]
    if axes.shape[1] < 2:  # vectors of a single number
        axes = np.pad(axes, ((0, 0), (0, 2 - axes.shape[1])))
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    axes = axes * np.where(largest < 0, -1, 1)
    return Projection(mean.astype(np.float32), np.ascontiguousarray(axes, dtype=np.float32), len(sample))


def neighbour_layout(
    reduced: Reduced,
    seed: int = 0,
    threads: int = 1,
    tell: Callable[[float], object] = lambda share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Points:
    """Points such that neighbours of the reduced vectors are neighbours; with one thread the same for the same seed.

    Too few items for neighbours to say anything lie as their first two components. Ended early it gives what there is.

    Args:
        tell: is told now and then what share of the work is done.
    """
    if len(reduced) < 3 * NEAREST:
        return np.ascontiguousarray(reduced[:, :2])
    from openTSNE import TSNE

    done = 0

    def told(iteration: int, error: float, points: np.ndarray) -> bool:
        nonlocal done
        done += TOLD_EVERY
        tell(min(done / ITERATIONS, 1.0))
        return is_stopped()

    perplexity = min(PERPLEXITY, (len(reduced) - 1) / 3)
    early = ITERATIONS // 3
    layout = TSNE(
        perplexity=perplexity,
        early_exaggeration_iter=early,
        n_iter=ITERATIONS - early,
        initialization="pca",
        random_state=seed,
        n_jobs=threads,
        callbacks=told,
        callbacks_every_iters=TOLD_EVERY,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.ascontiguousarray(layout.fit(reduced), dtype=np.float32)


def placed(reduced: Reduced, anchors: Reduced, points: Points) -> Points:
    """Where other items lie: at the median of the points of their five nearest anchors, by number."""
    found = np.empty((len(reduced), 2), dtype=np.float32)
    lengths = (anchors**2).sum(axis=1)
    nearest = min(NEAREST, len(anchors))
    for start in range(0, len(reduced), 1_000):
        distances = lengths - 2 * reduced[start : start + 1_000] @ anchors.T
        chosen = np.argpartition(distances, nearest - 1, axis=1)[:, :nearest]
        found[start : start + 1_000] = np.median(points[chosen], axis=1)
    return found
