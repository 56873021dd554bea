"""Wishes are answered in the order in which they came, several together."""

import threading
from collections.abc import Sequence

import pytest

from fastlabel_gradio.loop.batch_queue import MOST_TOGETHER, BatchQueue, Wish
from tests.pools import wait_for


class Counter:
    """Answers wishes with numbers, one group at a time, once it is told to go on."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.groups: list[list[Wish]] = []
        self.queue: BatchQueue[int] = BatchQueue()

    def pick(self, wishes: Sequence[Wish]) -> list[int]:
        self.groups.append(list(wishes))
        assert self.go_on.wait(30)
        return list(range(len(wishes)))

    def asked(self, wishes: Sequence[Wish]) -> list[threading.Thread]:
        """Threads that ask, in this order."""
        threads = []
        for wish in wishes:
            waiting = len(self.queue._waiting) + len(self.groups)
            threads.append(threading.Thread(target=self.queue.picked, args=(wish, self.pick)))
            threads[-1].start()
            wait_for(lambda before=waiting: len(self.queue._waiting) + len(self.groups) > before)  # type: ignore[misc]
        return threads


def test_those_who_wait_are_answered_together_first_come_first_served() -> None:
    counter = Counter()
    wishes = [Wish(1 + number, "auto") for number in range(6)]
    threads = counter.asked(wishes)
    counter.go_on.set()
    for thread in threads:
        thread.join(30)
    assert counter.groups == [wishes[:1], wishes[1:]]


def test_a_group_has_one_strategy_and_a_limit_of_batches_and_rows() -> None:
    counter = Counter()
    wishes = [
        Wish(1, "first"),
        *[Wish(2, "auto")] * (MOST_TOGETHER + 1),
        Wish(2, "margin"),
        Wish(900, "margin"),
        Wish(900, "margin"),
    ]
    threads = counter.asked(wishes)
    counter.go_on.set()
    for thread in threads:
        thread.join(30)
    sizes = [(len(group), group[0].strategy) for group in counter.groups]
    assert sizes == [(1, "first"), (MOST_TOGETHER, "auto"), (1, "auto"), (2, "margin"), (1, "margin")]


def test_a_pick_that_fails_tells_each_who_waits_and_the_next_one_is_picked() -> None:
    fails = [True]

    def pick(wishes: Sequence[Wish]) -> list[str]:
        if fails.pop():
            raise ValueError("no pool")
        return ["picked"] * len(wishes)

    queue: BatchQueue[str] = BatchQueue()
    with pytest.raises(ValueError, match="no pool"):
        queue.picked(Wish(1, "auto"), pick)
    fails.append(False)
    assert queue.picked(Wish(1, "auto"), pick) == "picked"
