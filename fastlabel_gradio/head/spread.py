"""Where the embeddings of a pool lie, and how widely: what a head's inputs are standardised by, as a whole."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from fastlabel_gradio.types import Embeddings

SAMPLE_ROWS = 2_048


@dataclass(frozen=True, slots=True)
class Spread:
    """A point and a distance. CLIP's embeddings, for one, lie in a narrow cone: their mean is two thirds as long as they are.

    One distance for all dimensions: standardising each by itself would blow up those that hold only noise.

    Attributes:
        mean: float32[dim].
        distance: the root mean square distance from it.
    """

    mean: Float32[np.ndarray, " dim"]
    distance: float

    @staticmethod
    def around_origin(dim: int) -> "Spread":
        """That of unit vectors in all directions: standardising changes nothing."""
        return Spread(np.zeros(dim, dtype=np.float32), 1.0)

    @staticmethod
    def of(sample: Embeddings) -> "Spread":
        """That of a random sample of a pool; around the origin where all of it is one point."""
        mean = np.asarray(sample.mean(axis=0), dtype=np.float32)
        distance = float(np.sqrt(np.square(sample - mean).sum(axis=1).mean()))
        return Spread(mean, distance) if distance > 1e-6 else Spread.around_origin(sample.shape[1])

    def standardised(self, embeddings: Embeddings) -> Embeddings:
        """float32[n, dim]: mean 0, and 1 the root mean square length, over the pool."""
        return np.asarray((embeddings - self.mean) / self.distance, dtype=np.float32)
