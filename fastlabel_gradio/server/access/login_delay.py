"""LoginDelay: whoever guesses passwords waits longer for each, and nobody else does."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE = {"name": 5, "address": 10, "token": 10}  # wrong ones before there is a delay; many people may share an address
HELD_S = 10.0  # a request that must wait longer is refused instead of held
LONGEST_S = 300.0
FORGOTTEN_S = 3600.0
KEPT = 10_000

Key = tuple[str, str]  # what is counted, one of FREE, and which one


@dataclass(slots=True)
class _Tries:
    count: int = 0
    next_at: float = 0.0
    last_at: float = 0.0


class LoginDelay:
    """Counts wrong logins. For one thread: nothing is waited for between asking and counting, so parallel guesses queue.

    At most 10,000 names and addresses are remembered, each for an hour, as hashes.

    Args:
        clock: seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[bytes, _Tries] = OrderedDict()

    def turn(self, *keys: Key) -> tuple[float, bool]:
        """Seconds until this login may be looked at, and whether it may be: one that waits too long must come again.

        It counts as a wrong one until `right` says otherwise. 0.5 s after the first that is not free, then twice as
        long each time.
        """
        now = self._clock()
        found = [self._of(key, now) for key in keys]
        wait_s = max(0.0, *(tries.next_at - now for tries in found))
        if wait_s > HELD_S:
            return wait_s, False
        for (what, _), tries in zip(keys, found, strict=True):
            tries.count += 1
            tries.last_at = now
            tries.next_at = now + wait_s + _delay_s(tries.count - FREE[what])
        return wait_s, True

    def wrong_count(self, key: Key) -> int:
        """How many of late."""
        return self._of(key, self._clock()).count

    def right(self, *keys: Key) -> None:
        """The login was right: forgets its name, and of its address this one try, or one good account would hide guesses."""
        for what, which in keys:
            if what == "name":
                self._tries.pop(_hash((what, which)), None)
            elif tries := self._tries.get(_hash((what, which))):
                tries.count = max(0, tries.count - 1)
                tries.next_at = min(tries.next_at, self._clock() + _delay_s(tries.count - FREE[what]))

    def _of(self, key: Key, now: float) -> _Tries:
        hashed = _hash(key)
        tries = self._tries.get(hashed)
        if tries is None or now - tries.last_at > FORGOTTEN_S:
            tries = self._tries[hashed] = _Tries()
        self._tries.move_to_end(hashed)
        while len(self._tries) > KEPT:
            self._tries.popitem(last=False)
        return tries


def _delay_s(over: int) -> float:
    """After so many more wrong ones than are free: none below 0."""
    return 0.0 if over < 0 else min(LONGEST_S, 0.5 * 2.0 ** min(over, 30))


def _hash(key: Key) -> bytes:
    return hashlib.blake2b("\0".join(key).encode("utf-8", "surrogatepass"), digest_size=16).digest()
