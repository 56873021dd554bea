"""Campaign: a set of proposed labels that is frozen before the first of them is checked, and the order of the checks.

Items are ranked, surest first; a set is the first so many of a part of the ranking. Each item has one random number: a set is
checked in the order of these, and so is a larger one that it grows to. Nothing here changes once it is made.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Float64, Int32, Int64

GROWTH = 1.3


@dataclass(frozen=True, slots=True)
class Part:
    """Items with a promise of their own: all, or those of one predicted class.

    Attributes:
        label_id: None for all.
        start, stop: its places in the ranking.
        items: of its first set.
    """

    label_id: int | None
    start: int
    stop: int
    items: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What is promised, and on what.

    Attributes:
        number: of the campaign in its project, from 1.
        attempt: how many in a row, this one counted, are without success.
        pool: unlabeled items when it began.
        pool_rows: rows of the pool then; later ones are not covered.
    """

    number: int
    attempt: int
    alpha: float
    precision: float
    head_version: int
    started_at: float
    started_by: str
    pool: int
    pool_rows: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Items in the order of their parts and, inside one, surest first.

    Attributes:
        rows: in which they lay when they were frozen; the journal names them by these.
        label_ids: of the proposed labels.
        numbers: the random number of each item, 0 to 1.
    """

    rows: Int64[np.ndarray, " items"]
    label_ids: Int32[np.ndarray, " items"]
    confidences: Float32[np.ndarray, " items"]
    numbers: Float64[np.ndarray, " items"]


@dataclass(frozen=True, slots=True, eq=False)
class Campaign:
    """Terms and ranking; `order` is looked up again and again, and kept.

    Attributes:
        rows: int64[items], in which row of the pool each item of the ranking lies now; -1 where it does not.
    """

    terms: Terms
    ranking: Ranking
    rows: Int64[np.ndarray, " items"]
    _orders: dict[tuple[int, int], Int64[np.ndarray, " drawn"]] = field(default_factory=dict)

    def order(self, part: Part, items: int) -> Int64[np.ndarray, " drawn"]:
        """Places in the ranking of the part's first so many items, in the order in which they are checked."""
        key = (part.start, items)
        if key not in self._orders:
            drawn = np.argsort(self.ranking.numbers[part.start : part.start + items], kind="stable")
            self._orders[key] = (part.start + drawn).astype(np.int64)
        return self._orders[key]


def ranked(
    rows: Int64[np.ndarray, " items"],
    label_ids: Int32[np.ndarray, " items"],
    confidences: Float32[np.ndarray, " items"],
    errors: Float64[np.ndarray, " items"],
    sizes: Sequence[tuple[int | None, int]],
    rng: np.random.Generator,
) -> tuple[Ranking, tuple[Part, ...]]:
    """The ranking and its parts, with a fresh random number for each item.

    Args:
        errors: how likely each proposed label is wrong.
        sizes: the label id and the size of the first set of each part: one of None, for all, or one a class.
    """
    by_class = sizes[0][0] is not None
    order = np.lexsort((errors, label_ids)) if by_class else np.argsort(errors, kind="stable")
    in_order = label_ids[order]
    parts = []
    for label_id, items in sizes:
        start, stop = (0, len(rows)) if label_id is None else _run(in_order, label_id)
        parts.append(Part(label_id, start, stop, items))
    ranking = Ranking(rows[order], in_order, confidences[order], rng.random(len(rows)))
    return ranking, tuple(parts)


def grown(part: Part, items: int) -> int:
    """The size of the next larger set of a part; the same where it has no more items."""
    return min(part.stop - part.start, int(np.ceil(GROWTH * items)))


def _run(in_order: Int32[np.ndarray, " items"], label_id: int) -> tuple[int, int]:
    start, stop = np.searchsorted(in_order, [label_id, label_id + 1])
    return int(start), int(stop)
