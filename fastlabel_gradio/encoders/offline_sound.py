"""The encoder of sounds that needs no weights: features learned from the project's own pool.

The steps of `offline`, after Coates & Ng (2012), on log-mel spectrograms of any length:

    patches of the whole band, 8 frames wide -> contrast normalised -> ZCA -> triangle activation against a dictionary of
    512 -> mean, deviation and maximum over time, and the mean in each quarter of it -> square root

joined with statistics of the decibels themselves: mean, deviation, maximum, minimum and change of each band, and its
course over the four quarters. Each of these parts gets a weight, then PCA to 512, not whitened, and length 1. The means in
quarters carry the order of what is heard, which spoken words need.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float16, Float32

from fastlabel_gradio.clustering import spherical_kmeans
from fastlabel_gradio.encoders.base import ENCODERS, EncoderOptions
from fastlabel_gradio.encoders.dictionary_encoder import DictionaryEncoder, Learned
from fastlabel_gradio.encoders.linear_maps import principal_directions, projected, random_directions, zca
from fastlabel_gradio.errors import EncoderUnavailableError
from fastlabel_gradio.media.pcen import pcen
from fastlabel_gradio.media.sound_view import SoundView, as_drawn
from fastlabel_gradio.media.spectrograms import mel_power
from fastlabel_gradio.types import Embeddings, Waveform

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Recipe:
    """The numbers of the recipe; another one makes another fingerprint."""

    version: int = 1
    rate_hz: int = 22_050  # for the default range
    window_s: float = 0.046
    hop_s: float = 0.0232
    bands: int = 40
    quietest: float = 1e-8  # power that counts as silence
    patch_frames: int = 8
    words: int = 512
    quarters: int = 4
    dim: int = 512
    contrast_floor: float = 100.0  # added to a patch's variance (square decibels)
    whitening_floor: float = 0.1  # added to the eigenvalues
    words_weight: float = 1.0
    words_in_quarters_weight: float = 0.5
    levels_weight: float = 0.5
    levels_in_quarters_weight: float = 0.5

    @property
    def patch_numbers(self) -> int:
        return self.patch_frames * self.bands

    @property
    def part_sizes(self) -> tuple[int, ...]:
        """Features of each part, in the order of the weights above."""
        return 3 * self.words, self.quarters * self.words, 6 * self.bands, self.quarters * self.bands

    @property
    def part_weights(self) -> tuple[float, ...]:
        return (
            self.words_weight,
            self.words_in_quarters_weight,
            self.levels_weight,
            self.levels_in_quarters_weight,
        )

    @property
    def features(self) -> int:
        return sum(self.part_sizes)


RECIPE = Recipe()
PCEN_DECIBELS = 60.0  # for 1, the beginning of a call, so that the floors above mean as much
FIT_PATCHES = 20_000
KMEANS_ROUNDS = 10
BATCH_SIZE = (
    16  # the network is small and decoding takes most of the time, so that a batch only has to be worth a thread
)
BLOCK_PATCHES = 2048  # bounds the memory that a sound of ten minutes takes

Decibels = Float16[np.ndarray, "frames bands"]


@ENCODERS["audio"].register("offline")
class OfflineSoundEncoder(DictionaryEncoder):
    """Patches and levels of the log-mel spectrogram. 512 numbers however small the sample or short the sound."""

    recipe = RECIPE
    prefix = "offline-sound"
    sample_size = 400
    follows_view = True

    def __init__(self, options: EncoderOptions) -> None:
        self.batch_size = BATCH_SIZE
        self.attune(SoundView())

    def attune(self, view: SoundView) -> None:
        self._view = view
        self.heard_as = view.tag
        self.resolution = view.enough_rate_hz

    def fit(self, sample: Sequence[np.ndarray], seed: int) -> None:
        """Raises EncoderUnavailableError for an empty sample."""
        if not len(sample):
            raise EncoderUnavailableError("encoder 'offline' learns from the pool, which has no readable sound yet")
        rng = np.random.default_rng(seed)
        dictionary, dictionary_bias = _learn_dictionary(sample, rng)
        features = _Dictionary(dictionary, dictionary_bias).features(sample).numpy()
        scales = _part_scales(features)
        projection = principal_directions(features * scales, RECIPE.dim, rng) * scales
        self._use(Learned(dictionary, dictionary_bias, projection, -projection @ features.mean(0)))

    def prepare(self, media: Waveform) -> Decibels:
        """Decibels of each mel band over time; with PCEN how much it stands out, in as wide a range."""
        low_hz, top_hz = self._view.drawn_range_hz
        power = mel_power(
            as_drawn(media, self._view),
            window_s=RECIPE.window_s,
            hop_s=RECIPE.hop_s,
            bands=RECIPE.bands,
            top_hz=top_hz,
            low_hz=low_hz,
        )
        if self._view.contrast == "pcen":
            return (PCEN_DECIBELS * pcen(power, RECIPE.hop_s)).astype(np.float16)
        decibels: Decibels = (10 * np.log10(np.maximum(power, RECIPE.quietest))).astype(np.float16)
        return decibels

    def encode(self, batch: Sequence[np.ndarray]) -> Embeddings:
        import torch

        if not len(batch):
            return np.empty((0, self.dim), dtype=np.float32)
        with torch.inference_mode():
            features = self._dictionary.features(batch)
            embeddings: Embeddings = projected(features, self._projection, self._projection_bias).numpy()
            return embeddings

    def _compute_with(self, learned: Learned) -> None:
        import torch

        self._dictionary = _Dictionary(learned.dictionary, learned.dictionary_bias)
        self._projection = torch.from_numpy(learned.projection)
        self._projection_bias = torch.from_numpy(learned.projection_bias)


class _Dictionary:
    """Turns spectrograms into features, on the CPU: reading a sound takes several times as long."""

    def __init__(self, words: np.ndarray, bias: np.ndarray) -> None:
        import torch

        self._words = torch.from_numpy(words)
        self._bias = torch.from_numpy(bias)

    def features(self, batch: Sequence[np.ndarray]) -> "torch.Tensor":
        """Spectrograms [frames, bands] of any lengths to float32[n, features]."""
        import torch

        with torch.inference_mode():
            return torch.stack([self._features_of(torch.from_numpy(decibels).float()) for decibels in batch])

    def _features_of(self, decibels: "torch.Tensor") -> "torch.Tensor":
        import torch

        return torch.cat([*self._word_features(_at_least_a_patch(decibels)), *_level_features(decibels)])

    def _word_features(self, decibels: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor]":
        """Square roots of mean, deviation and maximum over time, and of the mean in each quarter, of every word."""
        import torch
        from torch.nn.functional import linear

        patches = decibels.unfold(0, RECIPE.patch_frames, 1)  # [positions, bands, frames of a patch]
        windows = _time_windows(len(patches))
        means = decibels.new_zeros(len(windows), RECIPE.words)
        squares, highest = decibels.new_zeros(RECIPE.words), decibels.new_zeros(RECIPE.words)
        for start in range(0, len(patches), BLOCK_PATCHES):
            block = _contrast_normalised(patches[start : start + BLOCK_PATCHES].flatten(1))
            activations = linear(block, self._words, self._bias).relu_()
            means += windows[:, start : start + BLOCK_PATCHES] @ activations
            highest = torch.maximum(highest, activations.amax(0))
            squares += activations.square_().sum(0) / len(patches)
        deviation = (squares - means[0] ** 2).clamp_(min=0).sqrt_()
        return torch.cat([means[0], deviation, highest]).sqrt_(), means[1:].flatten().sqrt_()


def _level_features(decibels: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor]":
    """Of every band mean, deviation, maximum, minimum, deviation and size of the change; and its course, less the mean."""
    import torch

    mean = decibels.mean(0)
    changes = decibels.diff(dim=0) if len(decibels) > 1 else torch.zeros_like(decibels)
    deviations = decibels.std(0, correction=0), changes.std(0, correction=0)
    extremes = decibels.amax(0), decibels.amin(0)
    course = _time_windows(len(decibels))[1:] @ (decibels - mean)
    return torch.cat([mean, *extremes, *deviations, changes.abs().mean(0)]), course.flatten()


def _time_windows(count: int) -> "torch.Tensor":
    """float32[1 + quarters, count], rows that sum to 1: all of the time, then overlapping quarters of it.

    A quarter's window falls off linearly towards its neighbours' centres.
    """
    import torch

    centres = (torch.arange(RECIPE.quarters) + 0.5) * (count / RECIPE.quarters)
    places = (torch.arange(count) + 0.5).clamp(float(centres[0]), float(centres[-1]))
    distances = (places - centres[:, None]).abs() / max(count / RECIPE.quarters, 1.0)
    windows = torch.cat([torch.ones(1, count), (1 - distances).clamp_(min=0)])
    return windows / windows.sum(1, keepdim=True)


def _at_least_a_patch(decibels: "torch.Tensor") -> "torch.Tensor":
    """The spectrogram, repeated where it is shorter than a patch."""
    times = -(-RECIPE.patch_frames // len(decibels))
    return decibels if times == 1 else decibels.repeat(times, 1)[: RECIPE.patch_frames]


def _contrast_normalised(patches: "torch.Tensor") -> "torch.Tensor":
    """Each patch less its mean, over its deviation: (x - mean) / sqrt(variance + 100)."""
    from torch.nn.functional import layer_norm

    return layer_norm(patches, (RECIPE.patch_numbers,), eps=RECIPE.contrast_floor)


def _learn_dictionary(sample: Sequence[np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The dictionary as one affine map of contrast-normalised patches: [words, patch numbers] and [words]."""
    import torch
    from torch.nn.functional import normalize

    with torch.inference_mode():
        patches = _contrast_normalised(_some_patches(sample, rng))
        mean, whitening = zca(patches, RECIPE.whitening_floor)
        directions = normalize((patches - mean) @ whitening)
        start = random_directions(RECIPE.words, RECIPE.patch_numbers, rng)
        words = spherical_kmeans(directions, start, KMEANS_ROUNDS, rng)
        dictionary = (words - words.mean(0)) @ whitening
        return dictionary.numpy(), -(dictionary @ mean).numpy()


def _some_patches(sample: Sequence[np.ndarray], rng: np.random.Generator) -> "torch.Tensor":
    """float32[patches, patch numbers]: about FIT_PATCHES, as many of each sound as it has or its share allows."""
    import torch

    share = max(1, FIT_PATCHES // len(sample))
    picked = []
    for decibels in sample:
        patches = _at_least_a_patch(torch.from_numpy(decibels)).unfold(0, RECIPE.patch_frames, 1)
        rows = np.sort(rng.choice(len(patches), min(share, len(patches)), replace=False))
        picked.append(patches[torch.from_numpy(rows)].flatten(1).float())
    return torch.cat(picked)


def _part_scales(features: np.ndarray) -> "Float32[np.ndarray, ' features']":
    """What each feature is multiplied with, so that every part deviates from its mean by its weight."""
    scales, start = [], 0
    for size, weight in zip(RECIPE.part_sizes, RECIPE.part_weights, strict=True):
        part = features[:, start : start + size]
        start += size
        length = float(np.linalg.norm(part)) / len(part) ** 0.5
        deviation = float(np.linalg.norm(part - part.mean(0))) / len(part) ** 0.5
        spread = deviation if deviation > 1e-4 * length else max(length, 1.0)  # of one sound, or of equal ones
        scales.append(np.full(size, weight / spread, dtype=np.float32))
    return np.concatenate(scales)
