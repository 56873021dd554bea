"""Of a large pool a window and a shortlist are looked at; the shortlist is found in the background and gives way."""

import numpy as np
import pytest

from fastlabel_gradio.head import Head, HeadInfo, train_head
from fastlabel_gradio.pool import candidates, scan
from fastlabel_gradio.pool.candidates import Shortlist, candidates_of
from fastlabel_gradio.strategies.uncertainty import margin_score
from fastlabel_gradio.superseded import Superseded, unhurried
from fastlabel_gradio.types import Embeddings, Label, Rows
from tests.checkpoints import superseded_after

ITEMS, CLASSES, WINDOW, LISTED = 1_000, 3, 200, 60


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "WINDOW_ROWS", WINDOW)
    monkeypatch.setattr(candidates, "SHORTLIST_ROWS", LISTED)
    monkeypatch.setattr(scan, "BLOCK_ROWS", 64)


@pytest.fixture(scope="module")
def vectors() -> Embeddings:
    drawn = np.random.default_rng(0).normal(size=(ITEMS, 16)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


@pytest.fixture(scope="module")
def head(vectors: Embeddings) -> Head:
    return _head(vectors, 60)


def _head(vectors: Embeddings, labels: int) -> Head:
    schema = tuple(Label(number, str(number)) for number in range(CLASSES))
    return train_head(vectors[:labels], vectors[:labels, :CLASSES].argmax(axis=1), HeadInfo(1, schema, "test", labels))


def _free() -> Rows:
    """Every row but those of the labels and some gaps."""
    return np.setdiff1d(np.arange(60, ITEMS), np.arange(60, ITEMS, 7))


def _refreshed(head: Head, vectors: Embeddings, free: Rows) -> Shortlist:
    shortlist = Shortlist()
    shortlist.refresh(head, vectors, lambda: free, lambda: None, unhurried)
    return shortlist


def test_a_pool_within_the_window_is_looked_at_as_a_whole(head: Head, vectors: Embeddings) -> None:
    free = _free()[:WINDOW]
    found = candidates_of(head, vectors, free, _refreshed(head, vectors, _free()), np.random.default_rng(0))
    np.testing.assert_array_equal(found.rows, free)
    assert found.shortlisted is None


def test_a_window_and_a_shortlist_hold_free_rows_once_and_the_newest_head_scores_both(
    head: Head, vectors: Embeddings
) -> None:
    shortlist = _refreshed(head, vectors, _free())
    newer, free = _head(vectors, 40), _free()[::2]  # some of the shortlist were labeled since
    found = candidates_of(newer, vectors, free, shortlist, np.random.default_rng(0))
    assert len(set(found.rows.tolist())) == len(found.rows) > WINDOW
    assert set(found.rows.tolist()) <= set(free.tolist())
    assert found.shortlisted is not None
    assert len(found.rows) == WINDOW + len(found.shortlisted)
    np.testing.assert_array_equal(found.shortlisted, vectors[found.rows[WINDOW:]])
    assert found.probabilities is not None
    np.testing.assert_allclose(found.probabilities, newer.predict_proba(vectors)[found.rows], atol=0.02)


def test_the_shortlist_is_the_least_certain_of_each_predicted_class(head: Head, vectors: Embeddings) -> None:
    free = _free()
    rows, copies = _refreshed(head, vectors, free).outside(np.zeros(0, dtype=np.int64), free)
    np.testing.assert_array_equal(copies, vectors[rows])
    said = head.predict_proba(vectors)[free]
    predicted, uncertain = said.argmax(axis=1), margin_score(said)
    for number in range(CLASSES):
        of_class = predicted == number
        listed = np.isin(free, rows) & of_class
        assert listed.sum() == min(LISTED // CLASSES, of_class.sum())
        assert uncertain[listed].min() >= uncertain[of_class & ~listed].max() - 0.01  # margins are kept in 16 bits


def test_a_refresh_gives_way_and_goes_on_where_it_was(head: Head, vectors: Embeddings) -> None:
    shortlist = Shortlist()
    nothing = np.zeros(0, dtype=np.int64)
    with pytest.raises(Superseded):
        shortlist.refresh(head, vectors, _free, lambda: None, superseded_after(2))
    assert len(shortlist.outside(nothing, _free())[0]) == 0
    blocks = -(-ITEMS // 64)
    with pytest.raises(Superseded):
        shortlist.refresh(head, vectors, _free, lambda: None, superseded_after(blocks - 2))
    assert len(shortlist.outside(nothing, _free())[0]) == LISTED


def test_the_same_head_gives_the_same_shortlist(head: Head, vectors: Embeddings) -> None:
    first, second = (_refreshed(head, vectors, _free()) for _ in range(2))
    everything = np.arange(ITEMS)
    np.testing.assert_array_equal(
        first.outside(everything[:0], everything)[0], second.outside(everything[:0], everything)[0]
    )


def test_a_pool_that_grows_is_listed_to_its_end(head: Head, vectors: Embeddings) -> None:
    shortlist = Shortlist()
    for size in (300, ITEMS):
        shortlist.refresh(head, vectors[:size], lambda size=size: np.arange(size), lambda: None, unhurried)
    grown = shortlist.outside(np.zeros(0, dtype=np.int64), np.arange(ITEMS))[0]
    whole = _refreshed(head, vectors, np.arange(ITEMS)).outside(np.zeros(0, dtype=np.int64), np.arange(ITEMS))[0]
    np.testing.assert_array_equal(grown, whole)


def test_rows_that_the_same_head_has_scored_are_not_scored_again(head: Head, vectors: Embeddings) -> None:
    shortlist, free = Shortlist(), _free()[:WINDOW]
    first = candidates_of(head, vectors, free, shortlist, np.random.default_rng(0)).probabilities
    assert first is not None
    nothing_to_read = np.full_like(vectors, np.nan)
    again = candidates_of(head, nothing_to_read, free[1::3], shortlist, np.random.default_rng(0)).probabilities
    np.testing.assert_array_equal(again, first[1::3])
    other = candidates_of(_head(vectors, 40), vectors, free, shortlist, np.random.default_rng(0)).probabilities
    assert other is not None
    assert np.abs(other - first).max() > 0.01, "another head says something else"
    more = np.append(free, _free()[WINDOW])[1:]
    grown = candidates_of(head, vectors, more, Shortlist(), np.random.default_rng(0)).probabilities
    np.testing.assert_allclose(
        candidates_of(head, vectors, more, shortlist, np.random.default_rng(0)).probabilities, grown
    )
