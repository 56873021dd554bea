"""Labeled rows are read once, however the set of them changes."""

import numpy as np

from fastlabel_gradio.pool.copied_rows import CopiedRows


class _Counting(np.ndarray):
    """An array that knows which rows were read of it."""

    read: list[int]

    def __getitem__(self, rows: object) -> np.ndarray:
        if isinstance(rows, np.ndarray):
            self.read += rows.tolist()
        return np.asarray(super().__getitem__(rows))


def _counting(rows: int) -> _Counting:
    vectors = np.random.default_rng(0).normal(size=(rows, 4)).astype(np.float32).view(_Counting)
    vectors.read = []
    return vectors


def test_only_new_rows_are_read() -> None:
    vectors, kept = _counting(50), CopiedRows()
    for rows in ([], [3, 8, 20], [3, 5, 8, 20, 49], [0, 5, 49], [0, 5, 49]):
        wanted = np.array(rows, dtype=np.int64)
        np.testing.assert_array_equal(kept.of(vectors, wanted), np.asarray(vectors)[wanted])
    assert vectors.read == [3, 8, 20, 5, 49, 0]


def test_nobody_can_change_what_is_kept() -> None:
    kept = CopiedRows().of(np.ones((4, 2), dtype=np.float32), np.array([1, 2]))
    assert not kept.flags.writeable
