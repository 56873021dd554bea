"""Copies of the embeddings of the labeled rows in memory, so that a training reads nothing of the file.

A row at a random place of a memory-mapped file costs a page fault and, for a while, the memory of all the pages that the
system maps around it, hundreds of times its own size. Knows neither labels nor items.
"""

import numpy as np
from jaxtyping import Float32, Int64

from fastlabel_gradio.types import Rows


class CopiedRows:
    """The rows of one embedding store that were asked for last. May be used from several threads at once."""

    def __init__(self) -> None:
        self._copied: tuple[Int64[np.ndarray, " copied"], Float32[np.ndarray, "copied dim"]] | None = None

    def of(self, embeddings: Float32[np.ndarray, "rows dim"], rows: Rows) -> Float32[np.ndarray, "picked dim"]:
        """The embeddings of some rows, read-only. Reads only those that were not asked for last time: rows never change.

        Args:
            embeddings: all that the store has.
            rows: ascending.
        """
        known_rows, known = self._copied or (rows[:0], embeddings[:0])
        if not np.array_equal(known_rows, rows):
            known = _gathered(embeddings, rows, known_rows, known)
            known.flags.writeable = False
            self._copied = rows.copy(), known
        return known


def _gathered(
    embeddings: Float32[np.ndarray, "rows dim"],
    rows: Rows,
    known_rows: Int64[np.ndarray, " known"],
    known: Float32[np.ndarray, "known dim"],
) -> Float32[np.ndarray, "picked dim"]:
    """The embeddings of the rows, those of known rows copied from memory."""
    is_known = np.isin(rows, known_rows, assume_unique=True)
    found = np.empty((len(rows), embeddings.shape[1]), dtype=np.float32)
    found[is_known] = known[np.searchsorted(known_rows, rows[is_known])]
    found[~is_known] = embeddings[rows[~is_known]]
    return found
