"""Standings: what stands of every row of a pool, and which of them are labeled, as values of one moment."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple, get_args

import numpy as np
from jaxtyping import Int64
from numpy.typing import DTypeLike

from fastlabel_gradio.labels import Standing
from fastlabel_gradio.types import Groups, LabelSchema, LabelSource, Rows, State, Targets

UNTAUGHT = -1  # in place of a label id
# What stands of a row: numbers from 1 in the order of `STATES` and `SOURCES`, 0 for nothing; the label's id where it has one.
SAID = np.dtype([("state", np.int8), ("source", np.int8), ("label", np.int32)])
STATES = tuple(State)
SOURCES: tuple[LabelSource, ...] = get_args(LabelSource)
SEARCHED = 1 + SOURCES.index("search")


class LabeledSet(NamedTuple):
    """Labeled rows, as of one moment. Ascending by row: the same labels give the same order.

    Attributes:
        targets: the position of each row's class in the schema.
        groups: a number for the group of each row, the same for the same group; None where there are no groups.
        schema: of that moment.
        changes: how many labels that teach had changed by then.
    """

    rows: Rows
    targets: Targets
    groups: Groups | None
    schema: LabelSchema
    changes: int


class Standings(NamedTuple):
    """What stands of every row, as of one moment.

    Attributes:
        said: SAID[rows].
        in_pool: bool[rows], False where the item is gone, unreadable, or has another row by now.
        groups: int64[rows], the key of each row's group (`group_key`), 0 where it is of none; None where there are no groups.
        event: a submission of the label store: all up to it is known here.
    """

    said: np.ndarray
    in_pool: np.ndarray
    groups: np.ndarray | None
    event: int = 0


class Spread(NamedTuple):
    """What stands of each of n items, as the different objects among them, which are few, and int64[n], the place of each."""

    distinct: list[Standing | None]
    places: Int64[np.ndarray, " items"]

    def each(self, of: Callable[[Standing | None], object], dtype: DTypeLike) -> np.ndarray:
        """What that says of each item, dtype[n]."""
        return np.asarray(np.array([of(one) for one in self.distinct], dtype=dtype)[self.places])


def spread_of(standings: Sequence[Standing | None]) -> Spread:
    """Most items share theirs."""
    marks = np.fromiter(map(id, standings), np.int64, len(standings))
    _, first, places = np.unique(marks, return_index=True, return_inverse=True)
    return Spread([standings[place] for place in first.tolist()], places)


class StandingNumbers:
    """How many items carry each state, and how many each label, also such that are not in the pool any more."""

    def __init__(self, standings: Sequence[Standing | None]) -> None:
        self.of_state: Counter[State] = Counter()
        self.of_label: Counter[int] = Counter()
        self.count(spread_of(standings), 1)

    def count(self, spread: Spread, sign: int) -> None:
        """Counts one more of each, or with the sign -1 one less."""
        counts = np.bincount(spread.places, minlength=len(spread.distinct)).tolist()
        for one, count in zip(spread.distinct, counts, strict=True):
            if one is not None:
                self.of_state[one.state] += sign * count
            if one is not None and one.label_id is not None:
                self.of_label[one.label_id] += sign * count


def label_taught(standing: Standing | None) -> int:
    """The id of the label that heads are trained or measured on; UNTAUGHT where there is none."""
    return standing.label_id if standing and standing.teaches and standing.label_id is not None else UNTAUGHT


def as_said(standing: Standing | None) -> tuple[int, int, int]:
    """As a row of SAID."""
    if standing is None:
        return 0, 0, UNTAUGHT
    label_id = UNTAUGHT if standing.label_id is None else standing.label_id
    return STATES.index(standing.state) + 1, SOURCES.index(standing.source) + 1, label_id


def targets_of(label_ids: np.ndarray, schema: LabelSchema) -> np.ndarray:
    """int64[n], the position in the schema of each label id; negative where it has none."""
    positions = schema.positions
    known = np.full(max([*positions, int(label_ids.max(initial=0))]) + 2, UNTAUGHT, dtype=np.int64)
    known[list(positions)] = list(positions.values())
    return np.asarray(known[label_ids])  # UNTAUGHT finds the last one, which no id has
