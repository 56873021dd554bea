"""Scoring in blocks on all cores says of each row what the head says of it alone."""

import numpy as np
import pytest

from fastlabel_gradio.head import Head, HeadInfo, train_head
from fastlabel_gradio.pool.scoring import BLOCK_ROWS, score_rows
from fastlabel_gradio.types import Embeddings, Label
from tests.cases import each

CLASSES = 3


@pytest.fixture(scope="module")
def vectors() -> Embeddings:
    """Unit vectors, read-only as the store's are; enough for several blocks."""
    drawn = np.random.default_rng(0).normal(size=(3 * BLOCK_ROWS + 70, 16)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    drawn.flags.writeable = False
    return drawn


@pytest.fixture(scope="module")
def head(vectors: Embeddings) -> Head:
    labels = tuple(Label(number, str(number)) for number in range(CLASSES))
    targets = vectors[:60, :CLASSES].argmax(axis=1)
    return train_head(vectors[:60], targets, HeadInfo(1, labels, "test", 60))


@each(
    "rows",
    [
        [],
        [5],
        range(3 * BLOCK_ROWS + 70),
        range(10, 2 * BLOCK_ROWS + 11),
        range(0, 3 * BLOCK_ROWS, 7),
        [*range(300), *range(320, 5_000)],
        range(3_000, -1, -1),
        [4, 4, 2, 6_000, 3],
    ],
)
def test_every_row_gets_what_the_head_says_of_it(vectors: Embeddings, head: Head, rows: list[int]) -> None:
    wanted = np.array(list(rows), dtype=np.int64)
    scored = score_rows(head, vectors, wanted)
    assert scored.shape == (len(wanted), CLASSES)
    np.testing.assert_allclose(scored, head.predict_proba(vectors)[wanted], atol=0.02)
    np.testing.assert_array_equal(scored, score_rows(head, vectors, wanted))
