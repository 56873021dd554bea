"""How a head is trained, as numbers: one recipe from 1 to 100,000 labels, its parts functions of their count."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

RECIPE = "mlp512-ridge-5"  # part of every checkpoint; changes with anything in this room that changes a trained head
DROPOUT = 0.2
WEIGHT_DECAY = 1e-2
PEAK_RATE = 4e-3
HIDDEN_GAIN = 2.0  # times nn.Linear's own start: with few labels a head is little more than that
RATE_DIM = 512  # the longest embeddings that learn at the peak rate
LINEAR_LEAD = 1.5  # times its own strength at 20 labels
LINEAR_SHARE = 0.6
NAMES_LEAD = 2.0  # labels of a class


@dataclass(frozen=True, slots=True)
class HeadRecipe:
    """What a project may choose about its head.

    Attributes:
        class_weighting: each label counts by (1 / labels of its class) to this power, 0 to 1: at 0 all count the same,
            at 1 all classes do. More finds more of the rare classes, and says more often that an item is of one.
        ensemble: how many networks are trained, each with its own start, to answer as one.
    """

    class_weighting: float = 0.5
    ensemble: int = 1


DEFAULT_RECIPE = HeadRecipe()


def training_steps(label_count: int) -> int:
    """Optimiser steps for that many labels: 48 at 50, 50 at 1,000, 130 at 5,000, 430 at 20,000."""
    return max(50 - label_count // 25, 30 + label_count // 50)


def batch_rows(label_count: int) -> int:
    """Rows of a training batch: all below 128, then 128, 256 from 10,000 labels on."""
    return min(label_count, 256 if label_count >= 10_000 else 128)


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Linear warm-up over the first tenth of the steps, then a cosine to 0."""
    warm_up = max(1, steps // 10)
    if step < warm_up:
        return peak * (step + 1) / warm_up
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm_up) / (steps - warm_up)))


def peak_rate(dim: int) -> float:
    """4e-3 up to 512 numbers in an embedding, then falling as 1 / sqrt(dim).

    Adam changes each weight by about the rate, so what a unit adds up changes by rate times dim: longer embeddings would be
    learned by heart in a few steps (Yang et al., "Tensor Programs V", 2022, arXiv 2203.03466, table 3, has 1 / dim; the
    root did better on photos with many labels, `benchmarks/heads.py`).
    """
    return PEAK_RATE * min(1.0, math.sqrt(RATE_DIM / dim))


def linear_weight(label_count: int, dim: int) -> float:
    """What the linear part counts beside the MLP: 1.5 at 20 labels, 0.8 at 100, 0.6 from 200 on.

    It is the better part while labels are few; with more of them than numbers in an embedding the MLP knows more and more
    that no linear map does, so that it falls as 1 / sqrt(labels).
    """
    return max(LINEAR_LEAD * math.pow(20 / label_count, 0.4), LINEAR_SHARE) * min(1.0, math.sqrt(dim / label_count))


def sum_temperature(label_count: int, dim: int) -> float:
    """What both together are divided by, 2 at 20 labels, 1 from some 300 on: each alone is about as sure as it is right."""
    return max(1.0, 0.5 + linear_weight(label_count, dim))


def usual_temperature(label_count: int) -> float:
    """What the logits that so many labels taught are divided by: 7.4 at 10, 4.6 at 50, 1.9 at 1,000, 1 from 8,000 on.

    With few labels a network is far surer than it is right. This is about what temperature scaling finds
    (`benchmarks/heads.py`), so that what labels say and what class names say can be added up.
    """
    return max(1.0, 6.0 * math.pow(20 / label_count, 0.3))


def names_lead(label_count: int, classes: int) -> float:
    """What learned logits are divided by besides, where class names have their say too: 3 at one label a class, 1.2 at ten.

    The first few labels say less than good names do (`benchmarks/heads.py`).
    """
    return 1 + NAMES_LEAD * classes / label_count


def label_weights(targets: Int64[np.ndarray, " labels"], classes: int, power: float) -> Float32[np.ndarray, " labels"]:
    """How much each label counts: (1 / labels of its class)^power, 1 on average."""
    counts = np.bincount(targets, minlength=classes)
    weights = counts[targets].astype(np.float64) ** -power
    return np.asarray(weights / weights.mean(), dtype=np.float32)
