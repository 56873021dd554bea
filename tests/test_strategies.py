"""Every registered strategy through one battery, and what each one prefers."""

import numpy as np
import pytest

from fastlabel_gradio.strategies import COLD_START, STRATEGIES, PoolView
from fastlabel_gradio.strategies.hybrid import balanced_margin
from fastlabel_gradio.strategies.uncertainty import entropy_score, least_confidence_score, margin_score, top


def _pool(items: int, classes: int = 4, seed: int = 0) -> PoolView:
    rng = np.random.default_rng(seed)
    store = rng.normal(size=(items + 7, 16)).astype(np.float32)
    store /= np.linalg.norm(store, axis=1, keepdims=True)
    rows = np.sort(rng.permutation(items + 7)[:items]).astype(np.int64)
    probabilities = rng.dirichlet(np.ones(classes), size=items).astype(np.float32)
    return PoolView(store, rows, probabilities.reshape(items, classes))


@pytest.mark.parametrize("name", STRATEGIES.names())
@pytest.mark.parametrize(("items", "wanted"), [(0, 5), (1, 5), (5, 5), (40, 10), (300, 1), (300, 300)])
def test_a_strategy_picks_distinct_positions_of_the_pool(name: str, items: int, wanted: int) -> None:
    picked = STRATEGIES.get(name).pick(_pool(items), wanted, np.random.default_rng(0))
    assert len(picked) == min(items, wanted)
    assert len(set(picked.tolist())) == len(picked)
    assert all(0 <= position < items for position in picked)


@pytest.mark.parametrize("name", STRATEGIES.names())
def test_the_same_seed_gives_the_same_picks_and_leaves_the_pool_untouched(name: str) -> None:
    pool, copy = _pool(200), _pool(200)
    picks = [STRATEGIES.get(name).pick(pool, 20, np.random.default_rng(5)).tolist() for _ in range(2)]
    assert picks[0] == picks[1]
    np.testing.assert_array_equal(pool.store, copy.store)
    np.testing.assert_array_equal(pool.rows, copy.rows)
    np.testing.assert_array_equal(pool.probabilities, copy.probabilities)


@pytest.mark.parametrize("name", [name for name in STRATEGIES.names() if STRATEGIES.get(name).needs == "nothing"])
def test_a_strategy_that_needs_nothing_runs_without_a_head(name: str) -> None:
    pool = _pool(50)
    assert len(STRATEGIES.get(name).pick(PoolView(pool.store, pool.rows), 10, np.random.default_rng(0))) == 10


def test_the_cold_start_needs_no_head() -> None:
    assert STRATEGIES.get(COLD_START).needs == "nothing"


def test_scores_agree_with_their_formulas() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2], [1, 0, 0], [1 / 3, 1 / 3, 1 / 3]], dtype=np.float32)
    np.testing.assert_allclose(margin_score(probabilities), [0.8, 0, 1], atol=1e-6)
    np.testing.assert_allclose(least_confidence_score(probabilities), [0.5, 0, 2 / 3], atol=1e-6)
    np.testing.assert_allclose(entropy_score(probabilities), [1.0297, 0, np.log(3)], atol=1e-3)


@pytest.mark.parametrize("name", ["entropy", "margin", "least_confidence"])
def test_uncertainty_picks_the_least_sure_items_first(name: str) -> None:
    probabilities = np.array([[0.9, 0.1], [0.5, 0.5], [0.6, 0.4], [0.99, 0.01]], dtype=np.float32)
    pool = PoolView(np.eye(4, dtype=np.float32), np.arange(4), probabilities)
    assert STRATEGIES.get(name).pick(pool, 2, np.random.default_rng(0)).tolist() == [1, 2]


def test_ties_are_broken_at_random() -> None:
    firsts = {int(top(np.ones(50, dtype=np.float32), 1, np.random.default_rng(seed))[0]) for seed in range(30)}
    assert len(firsts) > 10


def test_clusters_are_each_represented() -> None:
    rng = np.random.default_rng(0)
    centres = np.eye(8, dtype=np.float32) * 10
    store = (np.repeat(centres, 30, axis=0) + rng.normal(0, 0.1, size=(240, 8))).astype(np.float32)
    picked = STRATEGIES.get("cluster").pick(PoolView(store, np.arange(240)), 8, rng)
    assert {int(position) // 30 for position in picked} == set(range(8))


def test_duplicates_do_not_shorten_a_batch_of_representatives() -> None:
    store = np.ones((100, 8), dtype=np.float32)
    assert len(set(STRATEGIES.get("cluster").pick(PoolView(store, np.arange(100)), 10, np.random.default_rng(0)))) == 10


def test_balanced_margin_takes_rare_predicted_classes_first_and_in_turn() -> None:
    common = np.tile(np.array([[0.55, 0.45, 0.0]], dtype=np.float32), (20, 1))
    rare = np.array([[0.1, 0.2, 0.7], [0.1, 0.0, 0.9]], dtype=np.float32)
    picked = balanced_margin(np.concatenate([common, rare]), 4, np.random.default_rng(0))
    assert picked[0] == 20
    assert picked[2] == 21
    assert set(picked[[1, 3]]) <= set(range(20))
