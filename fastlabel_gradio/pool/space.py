"""EmbeddingSpace: the vectors of one encoder in a memory-mapped file of float32 numbers. Of which items is not known here.

Rows are only ever appended. The file is sparse and has room for rows to come; only as many as the index names are shown.
"""

import mmap
import os
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.pool.device_rows import DeviceRows
from fastlabel_gradio.types import Embeddings

GROWTH_ROWS = 65_536
BLOCK_ROWS = 10_000
NO_EMBEDDINGS: Embeddings = np.empty((0, 0), dtype=np.float32)
LARGEST_NUMBER = 100.0  # of an embedding; those of length 1 stay below 1


@runtime_checkable
class Vectors(Protocol):
    """Vectors of one encoder, of an `EmbeddingSpace` or in memory."""

    @property
    def embeddings(self) -> Embeddings:
        """float32[rows, dim], L2-normalised, in random order of the items."""


class EmbeddingSpace:
    """The rows of one encoder. One writer thread at a time; readers in any number of threads.

    Attributes:
        name: of the encoder's `space`: vectors of one name may be compared.
        number: of the encoder in the index.
        dim: numbers of a vector.
        file: made if missing.

    Args:
        rows: how many the index names.
        grows: whether this process makes the file longer; another one does where it only follows.
        on_device: where a copy of the rows may lie; None for nowhere.

    Raises:
        StoreError: the file is shorter than that, or damaged. OSError.
    """

    def __init__(
        self,
        file: Path,
        name: str,
        number: int,
        dim: int,
        rows: int,
        *,
        grows: bool = True,
        on_device: DeviceRows | None = None,
    ) -> None:
        self.name, self.number, self.dim = name, number, dim
        self.on_device = on_device
        self.grows = grows
        self.file = file
        file.touch()
        if file.stat().st_size < rows * dim * 4:
            raise StoreError(
                f"{file} is shorter than its {rows} rows. Delete it and {file.parent / 'pool.sqlite'} to embed "
                "again; keep labels.sqlite."
            )
        self._pages: mmap.mmap | None = None
        self._map(rows)
        self._rows = rows
        self._check_numbers()

    def __len__(self) -> int:
        """Rows that are shown."""
        return self._rows

    @property
    def embeddings(self) -> Embeddings:
        """float32[len(self), dim], L2-normalised, memory-mapped and read-only; a snapshot that stays valid."""
        rows = self._rows
        return self._vectors[:rows]

    def write(self, vectors: Embeddings) -> None:
        """Puts vectors behind the rows, durably. They are shown once the index names them: `show`. Raises OSError."""
        start = self._rows
        if start + len(vectors) > len(self._vectors):
            self._map(start + len(vectors))
        with self.file.open("r+b") as file:
            file.seek(start * self.dim * 4)
            file.write(np.ascontiguousarray(vectors, dtype="<f4").data)
            file.flush()
            os.fdatasync(file.fileno()) if hasattr(os, "fdatasync") else os.fsync(file.fileno())

    def show(self, count: int) -> None:
        """Makes that many more rows visible."""
        self._rows += count

    def show_up_to(self, rows: int) -> None:
        """Makes rows visible that another process wrote and the index names."""
        if rows > len(self._vectors):
            self._map(rows)
        self._rows = max(self._rows, min(rows, len(self._vectors)))

    def release_pages(self) -> None:
        """Lets the system take back the memory of everything that was read of the file; reading it again maps it again.

        Pages that were read count as resident memory of this process until then, although the system could have them any
        time. Costs a millisecond; embeddings handed out before stay valid.
        """
        if self._pages and hasattr(mmap, "MADV_DONTNEED"):
            self._pages.madvise(mmap.MADV_DONTNEED)

    def leave_device(self) -> None:
        """Gives back the memory of the copy, for good."""
        if self.on_device is not None:
            self.on_device.clear()

    def _map(self, rows: int) -> None:
        """Maps the file with room for `rows` and some growth; the file is sparse, so room costs nothing on disk."""
        capacity = (rows // GROWTH_ROWS + 1) * GROWTH_ROWS
        size = self.file.stat().st_size
        if self.grows and size < capacity * self.dim * 4:
            os.truncate(self.file, capacity * self.dim * 4)
        elif size < capacity * self.dim * 4:
            capacity = size // (self.dim * 4)
        if not capacity:
            self._pages, self._vectors = None, np.empty((0, self.dim), dtype=np.float32)
            return
        with self.file.open("rb") as file:
            self._pages = mmap.mmap(file.fileno(), capacity * self.dim * 4, access=mmap.ACCESS_READ)
        self._vectors = np.frombuffer(self._pages, dtype=np.float32).reshape(capacity, self.dim)

    def _check_numbers(self) -> None:
        """One number that is none would make every prediction NaN. Reads the whole file, a second for 2 GB in memory."""
        for start in range(0, self._rows, BLOCK_ROWS):
            block = self._vectors[start : min(start + BLOCK_ROWS, self._rows)]
            if not (block.max() <= LARGEST_NUMBER and block.min() >= -LARGEST_NUMBER):  # False for NaN too
                raise StoreError(
                    f"{self.file} is damaged: rows {start} to {start + len(block) - 1} hold numbers that no embedding has. "
                    f"Delete it and {self.file.parent / 'pool.sqlite'} to embed again; keep labels.sqlite."
                )
            self.release_pages()
