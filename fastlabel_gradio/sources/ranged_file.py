"""RangedFile: a file of a bucket or web server as a stream. Only the blocks that are read of it are fetched."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from fastlabel_gradio.errors import UnavailableItemError
from fastlabel_gradio.media.sized_stream import SizedStream

BLOCK_BYTES = 1 << 18
KEPT_BLOCKS = 8  # of a file: its head, its end, and where a part of it is being read


class FileBlocks:
    """The blocks of one file, the newest of them in memory. May be used from several threads at once.

    Args:
        size: bytes of the file.
        fetch: gives the bytes from one place to before another. Raises UnavailableItemError.
    """

    def __init__(self, size: int, fetch: Callable[[int, int], bytes]) -> None:
        self.size, self.fetch = size, fetch
        self._block = lru_cache(KEPT_BLOCKS)(self._fetched)

    def read(self, start: int, end: int) -> bytes:
        """The bytes from one place to before another, fewer at the end of the file. Raises UnavailableItemError."""
        numbers = range(start // BLOCK_BYTES, (min(end, self.size) - 1) // BLOCK_BYTES + 1)
        first = start - start // BLOCK_BYTES * BLOCK_BYTES
        return b"".join(map(self._block, numbers))[first : first + end - start]

    def _fetched(self, number: int) -> bytes:
        start = number * BLOCK_BYTES
        return self.fetch(start, min(start + BLOCK_BYTES, self.size))


class RangedFile(SizedStream):
    """A stream of one's own over the blocks of a file."""

    name, mode = "", "rb"

    def __init__(self, blocks: FileBlocks) -> None:
        super().__init__(blocks.size)
        self._blocks = blocks
        self._fault: UnavailableItemError | None = None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While a decoder reads. Raises UnavailableItemError where a block did not come, and the file seemed to end."""
        try:
            yield
        finally:
            if self._fault:
                raise self._fault

    def read_at(self, place: int, wanted: memoryview) -> int:
        try:
            content = self._blocks.read(place, place + len(wanted))
        except UnavailableItemError as error:
            self._fault = error
            return 0
        wanted[: len(content)] = content
        return len(content)
