"""Candidates: which rows of the pool are looked at for one batch. All of a small pool, a window and a shortlist of a large.

The store's rows are shuffled, so the window, a run of free rows from a random place, is a uniform sample. The shortlist is
what the head before the newest one held least certain in the whole pool, found in the background; the newest one scores both.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from fastlabel_gradio.head import Head
from fastlabel_gradio.pool.scan import Scan
from fastlabel_gradio.pool.scanned import UNSEEN
from fastlabel_gradio.pool.scoring import score_rows
from fastlabel_gradio.superseded import Checkpoint
from fastlabel_gradio.types import Embeddings, Probabilities, Rows

WINDOW_ROWS = 32_768
SHORTLIST_ROWS = 4_096  # shared evenly by the predicted classes
MOST_SCORES = 4_194_304  # 16 MiB of them are kept
COPIED_AT_ONCE = 256  # rows at random places, each of which maps many pages

FreeRows = Int64[np.ndarray, " free"]
AllRows = Float32[np.ndarray, "rows dim"]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The rows that a strategy may pick from.

    Attributes:
        rows: int64[items], those of the window ascending, then those of the shortlist.
        probabilities: float32[items, classes], None without a head.
        shortlisted: float32[shortlisted, dim], the embeddings of the last rows, in memory; None without a shortlist.
    """

    rows: Int64[np.ndarray, " items"]
    probabilities: Probabilities | None
    shortlisted: Float32[np.ndarray, "shortlisted dim"] | None = None


def candidates_of(
    head: Head | None, embeddings: AllRows, free: FreeRows, shortlist: "Shortlist", rng: np.random.Generator
) -> Candidates:
    """All free rows, or a random window of WINDOW_ROWS of them with what else is on the shortlist; scored by `head`.

    Args:
        free: ascending.
    """
    window = _window(free, rng)
    probabilities = None if head is None else shortlist.scored(head, embeddings, window)
    if head is None or probabilities is None or len(window) == len(free):
        return Candidates(window, probabilities)
    listed, vectors = shortlist.outside(window, free)
    if not len(listed):
        return Candidates(window, probabilities)
    said = score_rows(head, vectors, np.arange(len(vectors)))
    return Candidates(np.concatenate([window, listed]), np.concatenate([probabilities, said]), vectors)


class Shortlist:
    """The rows of one pool that are held least certain, as many of each predicted class, so that rare ones are among them.

    Reads what a scan has of the pool, and keeps copies of the embeddings of SHORTLIST_ROWS rows at most, and the newest
    scores. `outside` and `scored` may be called while `refresh` runs in another thread.

    Attributes:
        scan: what heads said of every row.
    """

    def __init__(self, scan: Scan | None = None) -> None:
        self.scan = scan or Scan()
        self._scored: tuple[Head, Rows, Probabilities] | None = None  # the newest head's, of a small pool
        self._listed: tuple[Rows, Embeddings] = np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.float32)

    def outside(self, window: Int64[np.ndarray, " window"], free: FreeRows) -> tuple[Rows, Embeddings]:
        """Rows of the list, ascending, that are free and not in the window, with their embeddings."""
        rows, vectors = self._listed
        wanted = among(rows, free) & ~among(rows, window)
        return rows[wanted], vectors[wanted]

    def scored(self, head: Head, embeddings: AllRows, window: Int64[np.ndarray, " window"]) -> Probabilities:
        """What a head says of ascending rows. Asked again of some of them, as for the next batch, it scores nothing anew."""
        last = self._scored
        if last and last[0] is head and among(window, last[1]).all():
            return np.asarray(last[2][np.searchsorted(last[1], window)])
        said = score_rows(head, embeddings, window, self.scan.on_device)
        self._scored = (head, window, said) if said.size <= MOST_SCORES else None
        return said

    def refresh(
        self,
        head: Head,
        embeddings: AllRows,
        free_rows: Callable[[], Rows],
        release_pages: Callable[[], None],
        checkpoint: Checkpoint,
    ) -> None:
        """Scans the whole pool and makes a new list. Raises Superseded, by `checkpoint`.

        With an annotator in a hurry the list is made from what several heads said.

        Args:
            free_rows: gives the rows that may be on the list, ascending; called when the scores are there.
            release_pages: called now and then, so that the rows that were read do not stay in memory.
        """
        label_ids = head.info.label_ids

        def make_list() -> None:
            self._make_list(label_ids, embeddings, free_rows(), release_pages)

        self.scan.refresh(head, embeddings, release_pages, checkpoint, make_list)

    def _make_list(
        self, label_ids: tuple[int, ...], embeddings: AllRows, free: Rows, release_pages: Callable[[], None]
    ) -> None:
        found = self.scan.view(label_ids)
        free = free[free < min(len(embeddings), len(found.classes))]
        free = free[found.classes[free] != UNSEEN]
        rows = np.sort(free[_least_certain(found.margins[free], found.classes[free], SHORTLIST_ROWS)])
        vectors = np.empty((len(rows), embeddings.shape[1]), dtype=np.float32)
        for start in range(0, len(rows), COPIED_AT_ONCE):
            vectors[start : start + COPIED_AT_ONCE] = embeddings[rows[start : start + COPIED_AT_ONCE]]
            release_pages()
        self._listed = rows, vectors


def _window(free: FreeRows, rng: np.random.Generator) -> Rows:
    """All free rows, or a run of WINDOW_ROWS of them from a random start: rows are shuffled, so a run is a sample."""
    if len(free) <= WINDOW_ROWS:
        return free
    start = int(rng.integers(len(free)))
    return np.sort(np.take(free, np.arange(start, start + WINDOW_ROWS), mode="wrap"))


def _least_certain(margins: np.ndarray, classes: np.ndarray, most: int) -> np.ndarray:
    """Places of the smallest margins, as many of each class that occurs, `most` in all; a rare class may have fewer.

    Args:
        margins: float16[n], at least 0: their bits are in the order of the numbers.
        classes: int16[n], at least 0.
    """
    order = np.argsort(classes.astype(np.uint32) << 16 | margins.view(np.uint16), kind="stable")
    counts = np.bincount(classes)
    first = np.cumsum(counts) - counts
    rank = np.arange(len(order)) - first[classes[order]]
    chosen: np.ndarray = order[rank < most // max(1, int((counts > 0).sum()))]
    return chosen


def among(rows: Rows, others: Int64[np.ndarray, " others"]) -> np.ndarray:
    """bool[n], which of the rows are in `others`, an ascending array."""
    if not len(others):
        return np.zeros(len(rows), dtype=bool)
    places = np.minimum(np.searchsorted(others, rows), len(others) - 1)
    return np.asarray(others[places] == rows)
