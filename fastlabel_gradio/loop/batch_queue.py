"""BatchQueue: annotators who wait for a batch, in the order in which they came, picked for several at a time.

A pick takes about as long for twenty batches as for one: it scores the pool once, and it is the same head that is asked.
So whoever finds nobody picking picks for all who wait by then. Knows neither items nor labels, holds no lock while it picks.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Picked = TypeVar("Picked")

MOST_TOGETHER = 32  # batches; the first ones are served while others wait
MOST_ROWS_TOGETHER = 1_000


@dataclass(frozen=True, slots=True)
class Wish:
    """So many items, picked by a strategy."""

    size: int
    strategy: str


Pick = Callable[[Sequence[Wish]], Sequence[Picked]]


class BatchQueue(Generic[Picked]):
    """Answers wishes, first come, first served. May be used from any number of threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[_Place[Picked]] = deque()
        self._picking: int | None = None  # the thread that picks

    def picked(self, wish: Wish, pick: Pick[Picked]) -> Picked:
        """The answer to a wish. A thread that picks may ask itself, and is answered at once.

        Args:
            pick: answers some wishes that name the same strategy, in their order; the same function in every call. Where
                it raises, each who waits for it gets the error.
        """
        place: _Place[Picked] = _Place(wish)
        with self._changed:
            self._waiting.append(place)
        while not place.is_served:
            self._serve_or_wait(place, pick)
        return place.answer()

    def _serve_or_wait(self, place: "_Place[Picked]", pick: Pick[Picked]) -> None:
        me = threading.get_ident()
        with self._changed:
            self._changed.wait_for(lambda: place.is_served or self._picking in (None, me))
            if place.is_served:
                return
            before, self._picking = self._picking, me
            group = self._next_group()
        try:
            _serve(pick, group)
        finally:
            with self._changed:
                self._picking = before
                self._changed.notify_all()

    def _next_group(self) -> "list[_Place[Picked]]":
        """Those who came first and want the same strategy; the caller holds the lock."""
        group = [self._waiting.popleft()]
        rows = group[0].wish.size
        while self._waiting and len(group) < MOST_TOGETHER:
            wish = self._waiting[0].wish
            rows += wish.size
            if wish.strategy != group[0].wish.strategy or rows > MOST_ROWS_TOGETHER:
                break
            group.append(self._waiting.popleft())
        return group


class _Place(Generic[Picked]):
    """A place in the queue."""

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.is_served = False
        self._picked: Picked | None = None
        self._error: Exception | None = None

    def serve(self, picked: Picked | None, error: Exception | None = None) -> None:
        self._picked, self._error, self.is_served = picked, error, True

    def answer(self) -> Picked:
        if self._error:
            raise self._error
        assert self._picked is not None
        return self._picked


def _serve(pick: Pick[Picked], group: "list[_Place[Picked]]") -> None:
    try:
        answers = pick([place.wish for place in group])
    except Exception as error:  # told to each of those who wait for it
        for place in group:
            place.serve(None, error)
    else:
        for place, answer in zip(group, answers, strict=True):
            place.serve(answer)
