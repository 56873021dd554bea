"""Channels of a sound become one: their mean, one of them, or the loudest where their mean would be silence."""

from typing import Annotated, Literal, TypeAlias

import numpy as np
from jaxtyping import Float32, Float64
from pydantic import Field

Channel: TypeAlias = Literal["auto", "mix"] | Annotated[int, Field(ge=1)]

# The mean of N channels, of which all but one are dead, is 1/N² as strong as that one. Only where channels work against each
# other it is weaker still; 10 dB leave room for chance.
_CANCELLED = 0.1
_AS_LOUD = 0.99  # of channels so alike the first is taken


def mono(block: Float32[np.ndarray, "samples channels"], channel: Channel) -> Float32[np.ndarray, " samples"]:
    """The channel of that number, from 1, or the mean of all."""
    if block.shape[1] == 1 or isinstance(channel, int):
        return np.ascontiguousarray(block[:, channel - 1 if isinstance(channel, int) else 0])
    return np.asarray(block.mean(axis=1), dtype=np.float32)


class Levels:
    """How strong each channel is, and their mean, of all blocks that were added; a constant offset counts as nothing."""

    def __init__(self) -> None:
        self._count = 0
        self._sums: Float64[np.ndarray, " channels+1"] | float = 0.0
        self._squares: Float64[np.ndarray, " channels+1"] | float = 0.0

    def add(self, block: Float32[np.ndarray, "samples channels"], mean: Float32[np.ndarray, " samples"]) -> None:
        self._count += len(block)
        self._sums = self._sums + np.append(block.sum(axis=0, dtype=np.float64), mean.sum(dtype=np.float64))
        self._squares = self._squares + np.append(
            np.einsum("ij,ij->j", block, block, dtype=np.float64), np.einsum("i,i->", mean, mean, dtype=np.float64)
        )

    def instead_of_mean(self) -> int | None:
        """The number of the strongest channel, from 1, where the channels cancel each other; None where they do not."""
        if self._count == 0 or not isinstance(self._sums, np.ndarray):
            return None
        variances = self._squares / self._count - (self._sums / self._count) ** 2
        channels = variances[:-1]
        loudest = int((channels >= _AS_LOUD * channels.max()).argmax())
        cancelled = variances[-1] < _CANCELLED * channels[loudest] / len(channels) ** 2
        return loudest + 1 if cancelled else None
