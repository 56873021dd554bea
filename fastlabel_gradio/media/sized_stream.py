"""SizedStream: bytes of a known number that are read from any place, as decoders ask for them."""

import io
from abc import abstractmethod
from typing import Any


class SizedStream(io.RawIOBase):
    """A stream to read; a subclass gives what stands at a place.

    Attributes:
        size: bytes from its start to its end.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._at = 0

    @abstractmethod
    def read_at(self, place: int, wanted: memoryview) -> int:
        """Fills what is wanted from there on; returns how many bytes it gave, 0 at the end."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        count = self.read_at(self._at, memoryview(buffer).cast("B"))
        self._at += count
        return count
