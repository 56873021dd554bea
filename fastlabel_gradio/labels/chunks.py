"""Chunks: values in lists short enough for the parameters of one statement."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

CHUNK = 500  # databases limit the parameters of a statement, the tightest to 999

Value = TypeVar("Value")


def chunks(values: Iterable[Value]) -> Iterator[list[Value]]:
    """The values in their order, in lists of CHUNK at most."""
    rest = iter(values)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
