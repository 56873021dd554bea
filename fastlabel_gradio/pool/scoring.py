"""Scoring: what a head says of many rows of the pool, and how alike they are to a vector, in blocks that all cores share.

Operations of torch run in the thread that asks for them (`devices.use_one_thread_per_operation`), so a window is scored by
threads of our own. Knows no labels and picks nothing.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from jaxtyping import Float32

from fastlabel_gradio.head import BLOCK_ROWS, Head
from fastlabel_gradio.pool.device_rows import DeviceRows
from fastlabel_gradio.types import Rows

DENSE = 0.5  # a slice of the embeddings of which at least so much is wanted is scored as a whole
# The library that multiplies compiles a kernel for every new shape, which takes longer than a block: so there are few shapes.
SHAPE_ROWS = 256
PARTS_BETWEEN_RELEASES = 128

AllRows = Float32[np.ndarray, "rows dim"]


def score_rows(
    head: Head, embeddings: AllRows, rows: Rows, on_device: DeviceRows | None = None
) -> Float32[np.ndarray, "picked classes"]:
    """Class probabilities of some rows of the embeddings, usually memory-mapped; as `Head.predict_proba_rows`, on all cores.

    Args:
        rows: any rows; ascending ones with few gaps are read as slices, which saves copying them.
        on_device: a copy of the embeddings, which is asked where it has all of the rows.
    """
    if on_device is not None and on_device.scores(head, rows):
        return on_device.probabilities(head, rows)
    probabilities = np.empty((len(rows), len(head.info.classes)), dtype=np.float32)

    def score(part: slice) -> None:
        probabilities[part] = _probabilities(head, embeddings, rows[part])

    parts = _parts(rows)
    if len(parts) > 1:
        list(_threads().map(score, parts))
    else:
        for part in parts:
            score(part)
    return probabilities


def similarities(
    vector: Float32[np.ndarray, " dim"], embeddings: AllRows, rows: Rows, release_pages: Callable[[], None]
) -> Float32[np.ndarray, " picked"]:
    """The product of some rows of the embeddings with a vector: of unit vectors their cosine, exact, on all cores.

    Args:
        rows: ascending.
        release_pages: called now and then, so that the rows that were read do not stay in memory.
    """
    found = np.empty(len(rows), dtype=np.float32)

    def multiply(part: slice) -> None:
        found[part] = _vectors(embeddings, rows[part]) @ vector

    parts = _parts(rows)
    for start in range(0, len(parts), PARTS_BETWEEN_RELEASES):
        list(_threads().map(multiply, parts[start : start + PARTS_BETWEEN_RELEASES]))
        release_pages()
    return found


def _vectors(embeddings: AllRows, rows: Rows) -> Float32[np.ndarray, "picked dim"]:
    """Without a copy where the rows are one run."""
    first, last = int(rows[0]), int(rows[-1])
    return embeddings[first : last + 1] if last - first + 1 == len(rows) else np.asarray(embeddings[rows])


def _parts(rows: Rows) -> list[slice]:
    """Cuts the rows into parts of up to BLOCK_ROWS, ascending ones so that most parts lie within as many rows of the pool."""
    ascending = bool((np.diff(rows) > 0).all())
    parts: list[slice] = []
    start = 0
    while start < len(rows):
        stop = min(start + BLOCK_ROWS, len(rows))
        if ascending:
            within = int(np.searchsorted(rows, rows[start] + BLOCK_ROWS))
            stop = within if within - start >= DENSE * BLOCK_ROWS else stop
        parts.append(slice(start, stop))
        start = stop
    return parts


def _probabilities(head: Head, embeddings: AllRows, rows: Rows) -> Float32[np.ndarray, "picked classes"]:
    """Of one part, by a slice of BLOCK_ROWS of the pool where the rows lie within one and fill most of it."""
    first = min(int(rows[0]), len(embeddings) - BLOCK_ROWS)
    dense = first >= 0 and len(rows) >= DENSE * BLOCK_ROWS and rows.min() >= first and rows.max() < first + BLOCK_ROWS
    if dense:
        return np.asarray(head.predict_proba(embeddings[first : first + BLOCK_ROWS])[rows - first])
    padded = np.concatenate([rows, np.repeat(rows[-1:], -len(rows) % SHAPE_ROWS)])
    return np.asarray(head.predict_proba(np.asarray(embeddings[padded]))[: len(rows)])


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1, "score")
