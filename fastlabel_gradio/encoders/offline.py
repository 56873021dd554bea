"""The encoder that needs no weights: features learned from the project's own pool, as Coates & Ng did before CLIP.

Coates, Ng & Lee, "An Analysis of Single-Layer Networks in Unsupervised Feature Learning" (AISTATS 2011) and
Coates & Ng, "Learning Feature Representations with K-means" (2012). The steps on a picture of 32x32:

    patches 6x6, stride 2 -> contrast normalised -> ZCA -> triangle activation against a dictionary of 400, and of the
    mirrored picture -> pooled on a 3x3 grid -> signed square root -> PCA to 512, not whitened -> L2-normalised

The activation is the triangle of dot products, max(0, s_k - mean of s), where the paper has distances. All of it but
the maximum is linear in the patch, so ZCA, dictionary and mean are one matrix and the encoder is two products with a
ReLU between.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from fastlabel_gradio.clustering import spherical_kmeans
from fastlabel_gradio.devices import matmul_dtype, pick_device
from fastlabel_gradio.encoders.base import ENCODERS, EncoderOptions
from fastlabel_gradio.encoders.dictionary_encoder import DictionaryEncoder, Learned
from fastlabel_gradio.encoders.linear_maps import principal_directions, projected, random_directions, zca
from fastlabel_gradio.encoders.pixel_graph import PixelGraph
from fastlabel_gradio.errors import EncoderUnavailableError
from fastlabel_gradio.types import Embeddings

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Recipe:
    """The numbers of the recipe; another one makes another fingerprint."""

    version: int = 1
    size_px: int = 32
    patch_px: int = 6
    stride_px: int = 2
    words: int = 400
    grid: int = 3
    dim: int = 512
    contrast_floor: float = 10.0  # added to a patch's variance (grey levels squared), as in the paper
    whitening_floor: float = 0.1  # added to the eigenvalues, as in the paper

    @property
    def positions(self) -> int:
        """Patches along a side."""
        return (self.size_px - self.patch_px) // self.stride_px + 1

    @property
    def patch_numbers(self) -> int:
        return 3 * self.patch_px**2

    @property
    def features(self) -> int:
        return self.grid**2 * self.words


RECIPE = Recipe()
OWN_PREPARATION = (
    "`{name}` is uint8[n, {side}, {side}, 3]: the picture in RGB, `picture.resize(({side}, {side}), "
    "Image.Resampling.BILINEAR, reducing_gap=3.0)` in Pillow."
)
FIT_PATCHES = 60_000
KMEANS_ROUNDS = 10
BATCH_SIZES = {"cpu": 64, "cuda": 1024, "mps": 512}


@ENCODERS["image"].register("offline")
class OfflineEncoder(DictionaryEncoder):
    """Coates & Ng features of the whole picture, squeezed to 32x32. 512 numbers however small the sample."""

    recipe = RECIPE
    prefix = "offline"
    sample_size = 3000

    def __init__(self, options: EncoderOptions) -> None:
        self._device = pick_device()
        self.batch_size = BATCH_SIZES[self._device]
        self.resolution = 2 * RECIPE.size_px

    def fit(self, sample: Sequence[np.ndarray], seed: int) -> None:
        """Raises EncoderUnavailableError for an empty sample."""
        if not len(sample):
            raise EncoderUnavailableError("encoder 'offline' learns from the pool, which has no readable picture yet")
        rng = np.random.default_rng(seed)
        pictures = np.stack(sample)
        dictionary, dictionary_bias = _learn_dictionary(pictures, rng)
        features = _Network(dictionary, dictionary_bias, self._device).features_in_blocks(pictures, self.batch_size)
        projection = principal_directions(features, RECIPE.dim, rng)
        self._use(Learned(dictionary, dictionary_bias, projection, -projection @ features.mean(0)))

    def prepare(self, media: Image.Image) -> np.ndarray:
        """uint8[32, 32, 3]: the whole picture, its sides squeezed to a square."""
        side = RECIPE.size_px
        picture = media if media.mode == "RGB" else media.convert("RGB")
        if picture.size != (side, side):
            picture = picture.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=3.0)
        return np.asarray(picture)

    def encode(self, batch: Sequence[np.ndarray]) -> Embeddings:
        return self._network.embed(np.stack(batch)) if len(batch) else np.empty((0, self.dim), dtype=np.float32)

    def embedded(self, pixels: "torch.Tensor") -> "torch.Tensor":
        """float32[n, dim] of prepared pictures on the device, as a network."""
        network = self._network
        return projected(network.features_of(pixels), *network.projection, in_any_batch=False)

    def pixel_graph(self) -> PixelGraph:
        side = RECIPE.size_px
        example = np.zeros((2, side, side, 3), dtype=np.uint8)
        return PixelGraph(self.embedded, {"pixels": example}, OWN_PREPARATION.format(name="pixels", side=side))

    def _compute_with(self, learned: Learned) -> None:
        self._network = _Network(learned.dictionary, learned.dictionary_bias, self._device)
        self._network.use_projection(learned.projection, learned.projection_bias)


class _Network:
    """The learned arrays on the device, in the precision that it is fastest at."""

    def __init__(self, dictionary: np.ndarray, bias: np.ndarray, device: str) -> None:
        import torch

        self._device = device
        self._dtype = matmul_dtype(device)
        both = np.concatenate([dictionary, dictionary[:, _mirrored_patch()]])  # of the picture, and of its mirror image
        self._words = torch.from_numpy(both).to(device, self._dtype)
        self._words_bias = torch.from_numpy(np.concatenate([bias, bias])).to(device, self._dtype)
        self._pooling = torch.from_numpy(_pooling_windows()).to(device, self._dtype)
        cells = torch.arange(RECIPE.grid**2, device=device).reshape(RECIPE.grid, RECIPE.grid)
        self._mirrored_cells = cells.flip(1).flatten()

    def use_projection(self, projection: np.ndarray, bias: np.ndarray) -> None:
        import torch

        self.projection = (torch.from_numpy(projection).to(self._device), torch.from_numpy(bias).to(self._device))

    def features(self, batch: np.ndarray) -> "torch.Tensor":
        """uint8[n, 32, 32, 3] to float32[n, features] on the device."""
        import torch

        return self.features_of(torch.from_numpy(batch).to(self._device))

    def features_of(self, pixels: "torch.Tensor") -> "torch.Tensor":
        """The same of pixels on the device."""
        import torch
        from torch.nn.functional import linear

        patches = _contrast_normalised(_patches(pixels).to(self._dtype))
        activations = linear(patches, self._words, self._words_bias).relu_()
        pooled = torch.matmul(self._pooling, activations).float()
        plain, mirrored = pooled[..., : RECIPE.words], pooled[..., RECIPE.words :]
        # What the mirror image has in the left column, the picture has in the right one.
        return (plain + mirrored[:, self._mirrored_cells]).sqrt_().flatten(1)

    def features_in_blocks(self, pictures: np.ndarray, block: int) -> np.ndarray:
        import torch

        with torch.inference_mode():
            parts = [self.features(pictures[start : start + block]) for start in range(0, len(pictures), block)]
            pooled: np.ndarray = torch.cat(parts).cpu().numpy()
            return pooled

    def embed(self, batch: np.ndarray) -> Embeddings:
        import torch

        with torch.inference_mode():
            embeddings: Embeddings = projected(self.features(batch), *self.projection).cpu().numpy()
            return embeddings


def _patches(pictures: "torch.Tensor") -> "torch.Tensor":
    """[n, side, side, 3] to [n, positions, patch numbers]; the numbers of a patch in the order channel, row, column."""
    size, step = RECIPE.patch_px, RECIPE.stride_px
    windows = pictures.unfold(1, size, step).unfold(2, size, step)
    return windows.reshape(-1, RECIPE.positions**2, RECIPE.patch_numbers)


def _contrast_normalised(patches: "torch.Tensor") -> "torch.Tensor":
    """Each patch less its mean, over its deviation: (x - mean) / sqrt(variance + 10), Coates & Ng 2012, section 3."""
    from torch.nn.functional import layer_norm

    return layer_norm(patches, (RECIPE.patch_numbers,), eps=RECIPE.contrast_floor)


def _mirrored_patch() -> np.ndarray:
    """Where each number of a patch comes from when the patch is mirrored left to right."""
    size = RECIPE.patch_px
    return np.ascontiguousarray(np.arange(RECIPE.patch_numbers).reshape(3, size, size)[..., ::-1]).ravel()


def _pooling_windows() -> np.ndarray:
    """float32[cells, positions]: overlapping windows that fall off linearly towards the neighbours' centres.

    They gain a point over cells with hard borders, at the same cost.
    """
    width = RECIPE.positions / RECIPE.grid
    centres = (np.arange(RECIPE.grid) + 0.5) * width
    places = np.clip(np.arange(RECIPE.positions) + 0.5, centres[0], centres[-1])
    side = np.maximum(0, 1 - np.abs(places - centres[:, None]) / width)
    cells: np.ndarray = np.einsum("ai,bj->abij", side, side).reshape(RECIPE.grid**2, RECIPE.positions**2)
    return cells.astype(np.float32)


def _learn_dictionary(pictures: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The dictionary as one affine map of contrast-normalised patches: [words, patch numbers] and [words]."""
    import torch
    from torch.nn.functional import normalize

    with torch.inference_mode():
        patches = _contrast_normalised(_some_patches(pictures, rng).float())
        mean, whitening = zca(patches, RECIPE.whitening_floor)
        directions = normalize((patches - mean) @ whitening)
        start = random_directions(RECIPE.words, RECIPE.patch_numbers, rng)
        words = spherical_kmeans(directions, start, KMEANS_ROUNDS, rng)  # Coates & Ng 2012, section 2
        dictionary = (words - words.mean(0)) @ whitening
        return dictionary.numpy(), -(dictionary @ mean).numpy()


def _some_patches(pictures: np.ndarray, rng: np.random.Generator) -> "torch.Tensor":
    import torch

    patches = _patches(torch.from_numpy(pictures)).flatten(0, 1)
    picked = np.sort(rng.choice(len(patches), min(FIT_PATCHES, len(patches)), replace=False))
    return patches[torch.from_numpy(picked)]
