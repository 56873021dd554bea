"""Every registered strategy through one battery, and what each one prefers. The exact picks: `test_strategy_picks.py`."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from fastlabel_gradio.head import Head, HeadInfo
from fastlabel_gradio.head.model import MLPHead
from fastlabel_gradio.strategies import COLD_START, STRATEGIES, PoolView
from fastlabel_gradio.strategies.balance import balanced_margin
from fastlabel_gradio.strategies.herding import CANDIDATES
from fastlabel_gradio.strategies.uncertainty import entropy_score, least_confidence_score, margin_score, top
from fastlabel_gradio.types import Label
from tests.cases import each

DIM = 16
EVERY = each("name", STRATEGIES.names())
WITHOUT_A_HEAD = [name for name in STRATEGIES.names() if STRATEGIES.get(name).needs == "nothing"]
KEEPS_NEAR_DUPLICATES = {"random", "power_margin"}
MOST_TAKEN = 25_000  # rows of 66,000: DropQuery's 20,000 candidates and the nearest of them


def _head(classes: int) -> Head:
    torch.manual_seed(0)
    labels = tuple(Label(number, str(number)) for number in range(classes))
    return Head(MLPHead(DIM, classes), HeadInfo(1, labels, "", 5))


HEADS = {classes: _head(classes) for classes in (2, 4)}


def _vectors(rows: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _pool(items: int, classes: int = 4, seed: int = 0, labeled: int = 7) -> PoolView:
    rng = np.random.default_rng(seed)
    order = rng.permutation(items + labeled).astype(np.int64)
    probabilities = rng.dirichlet(np.ones(classes), size=items).astype(np.float32).reshape(items, classes)
    targets = rng.integers(classes, size=labeled).astype(np.int64)
    store, rows, known = _vectors(items + labeled, seed), np.sort(order[:items]), np.sort(order[items:])
    return PoolView(store, rows, probabilities, known, targets, classes, HEADS[classes])


def _pick(name: str, pool: PoolView, n: int, seed: int = 0) -> np.ndarray:
    return STRATEGIES.get(name).pick(pool, n, np.random.default_rng(seed))


def _equal_embeddings(pool: PoolView) -> PoolView:
    return replace(pool, vectors=np.full_like(pool.vectors, DIM**-0.5))


def _one_class_predicted(pool: PoolView) -> PoolView:
    said = pool.known_probabilities.copy()
    said[:, 0] += 2
    return replace(pool, probabilities=said / said.sum(axis=1, keepdims=True))


def _certain(pool: PoolView) -> PoolView:
    said = np.eye(pool.classes, dtype=np.float32)[pool.known_probabilities.argmax(axis=1)]
    return replace(pool, probabilities=said)


def _tied(pool: PoolView) -> PoolView:
    return replace(pool, probabilities=np.full_like(pool.known_probabilities, 1 / pool.classes))


def _without_labels(pool: PoolView) -> PoolView:
    return replace(pool, labeled=pool.labeled[:0], targets=pool.targets[:0])


@EVERY
def test_a_strategy_picks_distinct_positions_of_the_pool(name: str) -> None:
    for items, wanted in ((0, 5), (1, 5), (1, 1), (2, 1), (5, 5), (40, 10), (300, 1), (300, 300)):
        _assert_picks(_pick(name, _pool(items), wanted), items, wanted)


@EVERY
def test_a_strategy_bears_with_a_degenerate_pool(name: str) -> None:
    for change in (_equal_embeddings, _one_class_predicted, _certain, _tied, _without_labels):
        for wanted in (1, 12, 59):
            _assert_picks(_pick(name, change(_pool(60)), wanted), 60, wanted)


@EVERY
def test_a_strategy_works_with_two_classes_and_large_batches(name: str) -> None:
    _assert_picks(_pick(name, _pool(400, classes=2), 120), 400, 120)


@EVERY
def test_a_strategy_takes_few_embeddings_of_a_large_pool(name: str) -> None:
    pool = _pool(60_000, labeled=6_000)
    store = pool.vectors.view(_CountingStore)
    _assert_picks(_pick(name, replace(pool, vectors=store), 3), 60_000, 3)
    assert store.taken <= MOST_TAKEN
    assert (store.taken > 0) == (name not in KEEPS_NEAR_DUPLICATES)


class _CountingStore(np.ndarray):
    """An array that counts how many of its rows were taken, as a memory-mapped one reads them."""

    taken = 0

    def __getitem__(self, index: Any) -> Any:
        found = np.asarray(self)[index]
        self.taken += len(found)
        return found


def _assert_picks(picked: np.ndarray, items: int, wanted: int) -> None:
    assert picked.dtype == np.int64
    assert len(picked) == min(items, wanted)
    assert len(set(picked.tolist())) == len(picked)
    assert all(0 <= position < items for position in picked)


@EVERY
def test_the_same_seed_gives_the_same_picks_and_leaves_the_pool_untouched(name: str) -> None:
    pool, copy = _pool(200), _pool(200)
    picks = [_pick(name, pool, 20, seed=5).tolist() for _ in range(2)]
    assert picks[0] == picks[1]
    for field in ("store", "rows", "probabilities", "labeled", "targets"):
        np.testing.assert_array_equal(getattr(pool, field), getattr(copy, field))


@each("name", WITHOUT_A_HEAD)
def test_a_strategy_that_needs_nothing_runs_without_a_head(name: str) -> None:
    pool = _pool(50)
    _assert_picks(_pick(name, PoolView(pool.vectors, pool.rows), 10), 50, 10)
    _assert_picks(_pick(name, replace(pool, probabilities=None, head=None), 10), 50, 10)


@each("name", [name for name in STRATEGIES.names() if name not in KEEPS_NEAR_DUPLICATES])
def test_a_batch_has_no_near_duplicates_while_others_are_left(name: str) -> None:
    originals = _vectors(40, seed=3)
    store = np.repeat(originals, 3, axis=0)  # every picture three times
    said = np.repeat(np.random.default_rng(0).dirichlet(np.ones(4), size=40).astype(np.float32), 3, axis=0)
    nobody = np.zeros(0, dtype=np.int64)
    pool = PoolView(store, np.arange(120), said, nobody, nobody, 4, HEADS[4])
    picked = _pick(name, pool, 12)
    assert len({int(position) // 3 for position in picked}) == 12


def test_the_cold_start_needs_no_head() -> None:
    assert STRATEGIES.get(COLD_START).needs == "nothing"


def test_scores_agree_with_their_formulas() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2], [1, 0, 0], [1 / 3, 1 / 3, 1 / 3]], dtype=np.float32)
    np.testing.assert_allclose(margin_score(probabilities), [0.8, 0, 1], atol=1e-6)
    np.testing.assert_allclose(least_confidence_score(probabilities), [0.5, 0, 2 / 3], atol=1e-6)
    np.testing.assert_allclose(entropy_score(probabilities), [1.0297, 0, np.log(3)], atol=1e-3)


@each("name", ["margin", "least_confidence", "entropy"])
def test_uncertainty_picks_the_least_sure_items_first(name: str) -> None:
    probabilities = np.array([[0.9, 0.1], [0.5, 0.5], [0.6, 0.4], [0.99, 0.01]], dtype=np.float32)
    pool = PoolView(np.eye(4, dtype=np.float32), np.arange(4), probabilities)
    assert _pick(name, pool, 2).tolist() == [1, 2]


def test_ties_are_broken_at_random() -> None:
    firsts = {int(top(np.ones(50, dtype=np.float32), 1, np.random.default_rng(seed))[0]) for seed in range(30)}
    assert len(firsts) > 10


def test_power_margin_draws_by_the_fourth_power_of_the_margin_score() -> None:
    probabilities = np.array([[0.5, 0.5], [0.7, 0.3], [1.0, 0.0]], dtype=np.float32)  # scores 1, 0.6, 0
    pool = PoolView(np.eye(3, dtype=np.float32), np.arange(3), probabilities)
    firsts = np.array([_pick("power_margin", pool, 1, seed)[0] for seed in range(2_000)])
    share = 1 / (1 + 0.6**4)
    assert abs((firsts == 0).mean() - share) < 0.03
    assert not (firsts == 2).any()


@each("name", ["cluster", "representatives", "typiclust", "auto"])
def test_clusters_are_each_represented(name: str) -> None:
    rng = np.random.default_rng(0)
    store = (np.repeat(np.eye(8) * 10, 30, axis=0) + rng.normal(0, 0.4, size=(240, 8))).astype(np.float32)
    store /= np.linalg.norm(store, axis=1, keepdims=True)
    picked = _pick(name, PoolView(store, np.arange(240)), 8)
    assert {int(position) // 30 for position in picked} == set(range(8))


@each("name", ["representatives", "coreset", "typiclust", "auto"])
def test_what_is_labeled_is_not_represented_again(name: str) -> None:
    rng = np.random.default_rng(0)
    store = (np.repeat(np.eye(8) * 10, 30, axis=0) + rng.normal(0, 0.4, size=(240, 8))).astype(np.float32)
    store /= np.linalg.norm(store, axis=1, keepdims=True)
    labeled = np.arange(0, 150, 30)  # one of each of the first five clusters
    free = np.setdiff1d(np.arange(240), labeled)
    pool = PoolView(store, free, None, labeled, np.zeros(5, dtype=np.int64), 2)
    assert {int(row) // 30 for row in free[_pick(name, pool, 3)]} == {5, 6, 7}


def test_balanced_margin_takes_rare_predicted_classes_first_and_in_turn() -> None:
    common = np.tile(np.array([[0.55, 0.45, 0.0]], dtype=np.float32), (20, 1))
    rare = np.array([[0.1, 0.2, 0.7], [0.1, 0.0, 0.9]], dtype=np.float32)
    pool = PoolView(_vectors(22), np.arange(22), np.concatenate([common, rare]))
    picked = balanced_margin(pool, 4, np.random.default_rng(0))
    assert picked[0] == 20
    assert picked[2] == 21
    assert set(picked[[1, 3]]) <= set(range(20))


@each("name", ["balanced_margin", "balanced_clustered_margin", "balanced_uherding"])
def test_a_balanced_strategy_finds_a_rare_predicted_class(name: str) -> None:
    pool = _pool(2 * CANDIDATES, classes=2)
    said = np.tile(np.array([[0.6, 0.4]], dtype=np.float32), (len(pool), 1))
    said[:8] = [0.05, 0.95]
    picked = _pick(name, replace(pool, probabilities=said), 8)
    assert (picked < 8).sum() >= 3


def test_auto_with_a_head_but_no_labels_represents_each_predicted_class() -> None:
    pool = _without_labels(_pool(200))
    picked = _pick("auto", pool, 8)
    assert np.bincount(pool.known_probabilities[picked].argmax(axis=1)).tolist() == [2, 2, 2, 2]


@each("n", [20, 80])
def test_auto_asks_of_the_uncertain_part_of_the_pool(n: int) -> None:
    pool = _certain(_pool(400))
    said = pool.known_probabilities.copy()
    said[::4] = 0.4 * said[::4] + 0.15
    picked = _pick("auto", replace(pool, probabilities=said), n)
    assert (picked % 4 == 0).mean() > 0.5


TAKES_THE_SHORTLIST = {
    *("margin", "least_confidence", "entropy", "balanced_margin", "clustered_margin", "balanced_clustered_margin"),
}


def _with_shortlist(pool: PoolView, listed: int) -> PoolView:
    """The same candidates, of which the last ones are a shortlist; the head cannot tell their classes."""
    said = pool.known_probabilities.copy()
    said[-listed:] = 1 / pool.classes
    shortlisted = pool.vectors[pool.rows[-listed:]]
    return replace(pool, probabilities=said, shortlisted=shortlisted)


@EVERY
def test_a_strategy_picks_distinct_positions_where_there_is_a_shortlist(name: str) -> None:
    for items, listed, wanted in ((300, 40, 10), (300, 299, 10), (40, 39, 40), (3, 2, 2)):
        _assert_picks(_pick(name, _with_shortlist(_pool(items), listed), wanted), items, wanted)


@EVERY
def test_what_samples_uniformly_leaves_the_shortlist_out_and_what_ranks_by_uncertainty_takes_it(name: str) -> None:
    items, listed = 4_000, 40
    picks = _pick(name, _with_shortlist(_pool(items), listed), 20)
    from_shortlist = int((picks >= items - listed).sum())
    assert (from_shortlist > 0) == (name in TAKES_THE_SHORTLIST)


def test_auto_takes_the_shortlist_for_large_batches() -> None:
    picks = _pick("auto", _with_shortlist(_pool(4_000), 200), 100)
    assert (picks >= 3_800).any()


def test_a_view_of_some_candidates_keeps_the_shortlist_apart() -> None:
    pool = _with_shortlist(_pool(50), 10)
    some = pool.at(np.array([3, 8, 39, 41, 49]))
    assert (len(some), some.uniform) == (5, 3)
    positions = np.array([4, 0, 3, 2])
    np.testing.assert_array_equal(some.embeddings(positions), pool.vectors[some.rows[positions]])
    assert pool.store is pool.vectors  # the name before this one, which strategies of others may use
