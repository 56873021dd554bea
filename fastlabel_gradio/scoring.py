"""Scoring: what a head says of many rows of the pool, in blocks that all cores share.

Operations of torch run in the thread that asks for them (`devices.use_one_thread_per_operation`), so a window is scored by
threads of our own. Knows no labels and picks nothing.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from jaxtyping import Float32

from fastlabel_gradio.head import Head
from fastlabel_gradio.types import Rows

BLOCK_ROWS = (
    2_048  # with 512 numbers a row 4 MiB of float32: a block stays in a core's cache on its way through the head
)
DENSE = 0.75  # a block of rows with no larger gaps than that leaves is read as one slice


def score_rows(
    head: Head, embeddings: Float32[np.ndarray, "rows dim"], rows: Rows
) -> Float32[np.ndarray, "picked classes"]:
    """Class probabilities of some rows of the embeddings, usually memory-mapped; as `Head.predict_proba_rows`, on all cores.

    Args:
        rows: any rows; ascending ones with few gaps are read as slices, which saves copying them.
    """
    probabilities = np.empty((len(rows), len(head.info.labels)), dtype=np.float32)

    def score_block(start: int) -> None:
        block = rows[start : start + BLOCK_ROWS]
        probabilities[start : start + BLOCK_ROWS] = _probabilities(head, embeddings, block)

    starts = range(0, len(rows), BLOCK_ROWS)
    _run(score_block, starts)
    return probabilities


def _run(score_block: Callable[[int], None], starts: range) -> None:
    """Calls it for each start, in all cores where that is worth it."""
    if len(starts) < 2:
        for start in starts:
            score_block(start)
    else:
        list(_threads().map(score_block, starts))


def _probabilities(
    head: Head, embeddings: Float32[np.ndarray, "rows dim"], rows: Rows
) -> Float32[np.ndarray, "picked classes"]:
    """Of one block, by a slice where the rows are ascending and fill most of it."""
    first, last = int(rows[0]), int(rows[-1])
    span = last - first + 1
    if len(rows) >= DENSE * span and (len(rows) == span or bool((np.diff(rows) > 0).all())):
        dense = head.predict_proba(embeddings[first : last + 1])
        return dense if len(rows) == span else np.asarray(dense[rows - first])
    return head.predict_proba(np.asarray(embeddings[rows]))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1, "score")
