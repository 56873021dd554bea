"""DeviceRows: vectors of a pool in the memory of a GPU, where a head scores a million of them while a few blocks are read.

The window that a batch is picked from and the scan of the whole pool are scored there as far as the rows are copied; all
others as without a GPU. What the rows are of, and when to copy them, is not known here.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from fastlabel_gradio.head import Head
from fastlabel_gradio.types import Embeddings, Positions, Probabilities, Rows

CHUNK_ROWS = 65_536  # of 512 numbers: 64 MiB, and while they are scored 300 more
CUDA = "cuda"

log = logging.getLogger(__name__)


def device_rows(device: str, share: float) -> "DeviceRows | None":
    """A place for the vectors of one encoder: up to that share of what is free in the device's memory now.

    None where the share is 0, and on a device that has no memory of its own: copying would only cost there.
    """
    if device != CUDA or not share:
        return None
    free_bytes, _ = torch.cuda.mem_get_info()
    return DeviceRows(device, int(share * free_bytes))


class DeviceRows:
    """A copy of the first rows of a pool in float16, in chunks: rows are only ever appended, so what is there stays right.

    A number of a unit vector keeps eleven bits, so cosines are right to some 0.0001. May be read in any thread.

    Args:
        device: that of the heads which score.
        room_bytes: what the copy may take.
    """

    def __init__(self, device: str, room_bytes: int) -> None:
        self.device = device
        self._room_bytes = room_bytes
        self._lock = threading.Lock()  # of whoever writes
        self._chunks: tuple[Tensor, ...] = ()

    def __len__(self) -> int:
        """Rows that are there."""
        return sum(map(len, self._chunks))

    def fill(self, embeddings: Embeddings, between: Callable[[], object] = lambda: None) -> None:
        """Copies those rows that are not there yet, as many as there is room for.

        Args:
            between: called after each chunk; what it raises ends the copying, and what is there stays.
        """
        with self._lock:
            most = self._room_bytes // (2 * max(1, embeddings.shape[1]))
            for start in range(len(self) // CHUNK_ROWS * CHUNK_ROWS, min(len(embeddings), most), CHUNK_ROWS):
                stop = min(start + CHUNK_ROWS, len(embeddings), most)
                if stop <= len(self):
                    continue
                try:
                    chunk = torch.from_numpy(embeddings[start:stop]).to(self.device).half()
                except torch.OutOfMemoryError:
                    log.warning(
                        "the GPU has no room for more than %s rows of the pool; others are scored from memory", start
                    )
                    self._room_bytes = 0
                    return
                self._chunks = (*self._chunks[: start // CHUNK_ROWS], chunk)
                between()

    def clear(self) -> None:
        """Gives the memory back, for good."""
        with self._lock:
            self._room_bytes, self._chunks = 0, ()
        if self.device == CUDA:
            torch.cuda.empty_cache()

    def scores(self, head: Head, rows: Rows) -> bool:
        """Whether that head computes here and all of those rows are there."""
        return head.device == self.device and len(rows) > 0 and int(rows.max()) < len(self)

    def probabilities(self, head: Head, rows: Rows) -> Float32[np.ndarray, "picked classes"]:
        """As `score_rows`, of rows that are there, in any order."""
        chunks, said = self._chunks, np.empty((len(rows), len(head.info.classes)), dtype=np.float32)
        order = None if (np.diff(rows) >= 0).all() else np.argsort(rows)
        ascending, into = rows if order is None else rows[order], torch.from_numpy(said)
        ends = np.searchsorted(ascending, CHUNK_ROWS * np.arange(1, len(chunks) + 1))
        for number, (start, stop) in enumerate(pairwise([0, *ends.tolist()])):
            if start < stop:
                into[start:stop] = _said(head, _picked(chunks[number], ascending[start:stop] - number * CHUNK_ROWS))
        return said if order is None else _put_back(said, order)

    def all_probabilities(self, head: Head) -> Iterator[tuple[slice, Tensor]]:
        """What the head says of all rows that are there, chunk by chunk, on the device: float32[rows, classes]."""
        start = 0
        for chunk in self._chunks:
            yield slice(start, start + len(chunk)), _said(head, chunk)
            start += len(chunk)


def _picked(chunk: Tensor, places: Positions) -> Tensor:
    """Without a copy where the places, ascending, are one run."""
    first, last = int(places[0]), int(places[-1])
    if last - first + 1 == len(places) and (np.diff(places) == 1).all():
        return chunk[first : last + 1]
    return chunk.index_select(0, torch.from_numpy(places).to(chunk.device))


def _put_back(said: Probabilities, order: Positions) -> Probabilities:
    """What was said of rows in another order, in their own."""
    found = np.empty_like(said)
    found[order] = said
    return found


def _said(head: Head, vectors: Tensor) -> Tensor:
    return head.said(vectors.float())
