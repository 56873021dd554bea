"""VectorRows: rows of a file of numbers, read one by one at any place.

A row at a random place of a memory-mapped file has the system map the pages around it too, hundreds of times its size, and
costs twice the time.
"""

import os
import tempfile
import weakref
from collections.abc import Iterable
from io import FileIO
from pathlib import Path
from threading import Lock

import numpy as np

from fastlabel_gradio.types import Rows


class VectorRows:
    """[rows, dim] of a file that stays open. May be used from several threads at once.

    Args:
        file: unbuffered. offset: of its first number. dtype: of its numbers, row after row.
    """

    def __init__(self, file: FileIO, offset: int, dtype: np.dtype, dim: int) -> None:
        self._file, self._offset, self._dtype, self._dim = file, offset, dtype, dim
        self._lock = Lock()
        weakref.finalize(self, file.close)

    def at(self, rows: Rows) -> np.ndarray:
        """The numbers of those rows, in their order. Raises OSError where the file is shorter by now."""
        found = np.empty((len(rows), self._dim), dtype=self._dtype)
        with self._lock:
            for place, row in zip((self._offset + rows * found.itemsize * self._dim).tolist(), found, strict=True):
                self._file.seek(place)
                if self._file.readinto(row) != row.nbytes:
                    raise OSError(f"the file of vectors ends before byte {place + row.nbytes:,}: it was written over")
        return found


def opened_rows(array: np.memmap) -> VectorRows:
    """Those of an array in a file, whose rows lie one behind the other."""
    assert array.filename is not None
    return VectorRows(FileIO(array.filename), array.offset, array.dtype, array.shape[1])


def copied_rows(blocks: Iterable[np.ndarray], dim: int, folder: Path) -> VectorRows:
    """All of some blocks as float32, in an unnamed file that is gone with this process. Raises OSError (full disk)."""
    with tempfile.TemporaryFile(dir=folder) as file:
        for block in blocks:
            with np.errstate(over="ignore"):  # rows that float32 cannot hold are nobody's vector
                rows = np.ascontiguousarray(block, dtype=np.float32)
            file.write(rows.data)
        file.flush()
        return VectorRows(FileIO(os.dup(file.fileno()), "rb"), 0, np.dtype(np.float32), dim)
