"""What visitors of a public page leave on the disk beside their labels: a folder each, with a head and lists of Finish."""

import os
import shutil
import time
from collections.abc import Collection
from pathlib import Path

PRIVATE = "Visitors of this page do not see each other, so none of them adds to what all of them get."
LOOK_EVERY_S = 30.0
KEPT_SHARE = 0.8  # of the limit, after room was made


class VisitorFolders:
    """The folders below one. They can be made again of the labels, but for saved filters and what Finish was doing.

    Args:
        most_bytes: all together; looked after every LOOK_EVERY_S, so it may be exceeded for that long.
    """

    def __init__(self, folder: Path, most_bytes: float) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._looked_at = -LOOK_EVERY_S

    def of(self, visitor: str) -> Path:
        """Where the visitor's things lie; made where it is missing."""
        folder = self._folder / visitor
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def surplus(self, spared: Collection[str], now: float | None = None) -> list[str]:
        """Visitors whose folders have to go, the largest first; none while all together are small enough.

        Args:
            spared: whose folders stay.
        """
        now = time.monotonic() if now is None else now
        if now - self._looked_at < LOOK_EVERY_S or not self._folder.is_dir():
            return []
        self._looked_at = now
        sizes = {path.name: _bytes_below(path) for path in self._folder.iterdir()}
        left = sum(sizes.values())
        going: list[str] = []
        if left <= self._most_bytes:
            return []
        for visitor in sorted(sizes.keys() - set(spared), key=lambda name: -sizes[name]):
            if left <= KEPT_SHARE * self._most_bytes:
                break
            going.append(visitor)
            left -= sizes[visitor]
        return going

    def drop(self, visitor: str) -> None:
        """Deletes a folder."""
        shutil.rmtree(self._folder / visitor, ignore_errors=True)


def _bytes_below(folder: Path) -> int:
    """Files that go meanwhile count as nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118  # of each file of each visitor
            except OSError:
                continue
    return total
