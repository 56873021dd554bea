"""Label probabilities: what the newest head gives to the label that stands of each row: the least likely may be wrong."""

import threading

import numpy as np

from fastlabel_gradio.head import Head
from fastlabel_gradio.pool.ground import Ground
from fastlabel_gradio.pool.scan import head_mark
from fastlabel_gradio.pool.scoring import score_rows

ROWS_AT_ONCE = 2_048  # each may map a quarter of a megabyte of the file
NO_CLASS = -1


class LabelProbabilities:
    """Follows one pool. What a head said of a label is kept while neither of the two changes. From any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mark = 0  # of the head
        self._places = np.zeros(0, dtype=np.int64)
        self._found = np.zeros(0, dtype=np.float32)

    def column(self, head: Head | None, ground: Ground, places: np.ndarray) -> np.ndarray:
        """float32[rows], NaN where there is no label or no head that knows it.

        Args:
            places: int64[rows], the position of each row's label among the classes of the head, NO_CLASS for none.
        """
        if head is None:
            return np.full(len(places), np.nan, dtype=np.float32)
        with self._lock:
            self._make_room(head, len(places))
            known = self._places[: len(places)]
            news = np.flatnonzero((places != known) & (places < len(head.info.classes)))
            for start in range(0, len(news), ROWS_AT_ONCE):
                self._look(head, ground, news[start : start + ROWS_AT_ONCE], places)
                if ground.space is not None:
                    ground.space.release_pages()
            return self._found[: len(places)].copy()

    def _look(self, head: Head, ground: Ground, rows: np.ndarray, places: np.ndarray) -> None:
        self._found[rows], self._places[rows] = np.nan, places[rows]
        labeled = rows[(places[rows] != NO_CLASS) & (rows < len(ground.embeddings))]
        if len(labeled):
            probabilities = score_rows(head, ground.embeddings, labeled)
            self._found[labeled] = probabilities[np.arange(len(labeled)), places[labeled]]

    def _make_room(self, head: Head, rows: int) -> None:
        mark = head_mark(head)
        if mark != self._mark:
            self._mark, self._places, self._found = mark, self._places[:0], self._found[:0]
        more = max(rows - len(self._places), 0)
        self._places = np.concatenate([self._places, np.full(more, NO_CLASS, dtype=np.int64)])
        self._found = np.concatenate([self._found, np.full(more, np.nan, dtype=np.float32)])
