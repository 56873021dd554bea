"""An encoder's way from prepared pixels to embeddings as one function of tensors, for programs without FastLabel."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class PixelGraph:
    """What an exporter needs.

    Attributes:
        embed: float32[n, dim] of the inputs, tensors on the CPU, in their order.
        examples: by the name of an input two prepared items.
        preparation: how a picture becomes the inputs, in sentences.
        sides: the inputs of which height and width may differ.
    """

    embed: Callable[..., Any]
    examples: Mapping[str, np.ndarray]
    preparation: str
    sides: frozenset[str] = field(default_factory=frozenset)
