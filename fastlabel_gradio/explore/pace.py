"""Pace: labels a minute of each person, from when they submitted. Kept up to date act by act; nothing is read twice."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from fastlabel_gradio.labels import Act, LabelStore

LONGEST_S = 60.0  # a label: who takes longer was away

Numbers = Int64[np.ndarray, " acts"]


@dataclass(frozen=True, slots=True)
class PersonPace:
    """How fast one person labels.

    Attributes:
        label_count: that they submitted and did not undo.
        timed: of those, the ones that are in `seconds`.
        seconds: that these took: from the submission before to their own, where that is at most 60 s a label. What took
            longer was a break; what was submitted first has no beginning.
    """

    annotator: str
    label_count: int
    timed: int
    seconds: float

    @property
    def per_minute(self) -> float | None:
        """Labels a minute; None where none was timed."""
        return 60 * self.timed / self.seconds if self.seconds > 0 else None


def timed(
    people: Numbers, times: Float64[np.ndarray, " acts"], labels: Numbers
) -> tuple[Bool[np.ndarray, " acts"], Float64[np.ndarray, " acts"]]:
    """Which acts are timed, and how many seconds each took.

    Args:
        people: the number of who did it.
        times: seconds since the epoch, those of one person in order.
        label_count: at least one each.
    """
    order = np.argsort(people, kind="stable")
    gaps = np.diff(times[order], prepend=np.nan)
    gaps[np.flatnonzero(np.diff(people[order], prepend=-1))] = np.nan  # the first act of each person
    seconds = np.empty(len(order))
    seconds[order] = gaps
    with np.errstate(invalid="ignore"):
        is_timed = (seconds >= 0) & (seconds <= LONGEST_S * labels)
    return is_timed, seconds


class Pace:
    """The pace of everybody in one label store. All methods may be called from any thread."""

    def __init__(self, label_store: LabelStore) -> None:
        self._label_store = label_store
        self._lock = threading.Lock()
        self._names: dict[str, int] = {}
        self._acts = np.zeros(0, dtype=[("id", np.int64), ("who", np.int64), ("at", np.float64), ("labels", np.int64)])
        self._is_undone = np.zeros(0, dtype=bool)
        self._newest = 0

    def people(self) -> list[PersonPace]:
        """Everybody who labeled, by name."""
        with self._lock:
            self._take_in(self._label_store.acts(self._newest))
            acts, names = self._acts[~self._is_undone], list(self._names)
        acts = acts[acts["labels"] > 0]
        is_timed, seconds = timed(acts["who"], acts["at"], acts["labels"])
        sums = [
            np.bincount(acts["who"], weights=weights, minlength=len(names))
            for weights in (acts["labels"], acts["labels"] * is_timed, np.where(is_timed, seconds, 0.0))
        ]
        found = (PersonPace(name, int(sums[0][n]), int(sums[1][n]), float(sums[2][n])) for n, name in enumerate(names))
        return sorted((one for one in found if one.label_count), key=lambda one: one.annotator)

    # Private; the caller holds the lock

    def _take_in(self, acts: Sequence[Act]) -> None:
        if not acts:
            return
        self._newest = acts[-1].submission
        said = [one for one in acts if one.original is None]
        new = np.zeros(len(said), dtype=self._acts.dtype)
        new["id"], new["at"] = [one.submission for one in said], [one.created_at for one in said]
        new["labels"] = [one.label_count for one in said]
        new["who"] = [self._names.setdefault(one.annotator, len(self._names)) for one in said]
        self._acts = np.concatenate([self._acts, new])
        self._is_undone = np.concatenate([self._is_undone, np.zeros(len(said), dtype=bool)])
        for one in acts:
            if one.original is not None:  # undone and brought back by turns
                place = int(np.searchsorted(self._acts["id"], one.original))
                self._is_undone[place] = not self._is_undone[place]
