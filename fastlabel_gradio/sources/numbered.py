"""Items known by their position alone: ids "0" to "count - 1". Shared by the sources that hold one array."""

import hashlib
from collections.abc import Iterator

import numpy as np

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.types import Item


def numbered_items(start: int, stop: int, stamp: str = "") -> Iterator[Item]:
    """Items `start` to `stop - 1`."""
    return (Item(str(position), stamp) for position in range(start, stop))


def position_of(item: Item, count: int) -> int:
    """The position that the item's id names. Raises UnreadableItemError for an id that no item of `count` has."""
    if item.id.isdecimal() and len(item.id) <= len(str(count)):
        position = int(item.id)
        if position < count and str(position) == item.id:
            return position
    raise UnreadableItemError(f"no item '{item.id[:40]}': ids are 0 to {count - 1}")


def array_key(array: np.ndarray) -> str:
    """BLAKE2b of an array's values, 32 hex digits. Keys of arrays of one shape can be compared, no others."""
    return hashlib.blake2b(array.tobytes(), digest_size=16).hexdigest()
