"""The fast forms of the strategies against slow, obvious ones: factorised, lazy and blockwise give the same picks."""

import numpy as np
import pytest
import torch

from fastlabel_gradio.clustering import nearest_centres, spherical_kmeans, spread_out
from fastlabel_gradio.head import HeadInfo, train_head
from fastlabel_gradio.strategies import STRATEGIES, PoolView
from fastlabel_gradio.strategies.balance import in_turn
from fastlabel_gradio.strategies.diversity import KMEANS_ROUNDS, nearest_to_centroids, typical_in_turn, typicality
from fastlabel_gradio.strategies.herding import bandwidth, evening, kernel, largest_cosines, lazy_greedy
from fastlabel_gradio.strategies.hybrid import gradient_factors, gradient_seeds
from fastlabel_gradio.strategies.near_duplicates import without_near_duplicates
from fastlabel_gradio.types import Label
from tests.cases import each

SEEDS = each("seed", range(4))


def _vectors(count: int, seed: int, dim: int = 8) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _squared_distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(((one.astype(np.float64) - other) ** 2).sum())


# UHerding


def _plain_greedy(
    candidates: np.ndarray, references: np.ndarray, weights: np.ndarray, labeled: np.ndarray, width: float, n: int
) -> list[int]:
    """UHerding as its paper writes it, all sums computed anew for every pick."""

    def cover(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.exp(-_squared_distance(one, other) / width**2))

    covered = [max((cover(item, known) for known in labeled), default=0.0) for item in references]
    values = [[cover(item, candidate) for item in references] for candidate in candidates]
    picks: list[int] = []
    while len(picks) < n:
        gains = [
            sum(u * max(0.0, value - now) for u, value, now in zip(weights, row, covered, strict=True))
            for row in values
        ]
        near = [any(candidates[place] @ candidates[pick] > 0.99 for pick in picks) for place in range(len(candidates))]
        open_places = [place for place in range(len(candidates)) if place not in picks and not near[place]]
        picks.append(max(open_places, key=lambda place: gains[place]))
        covered = [max(now, value) for now, value in zip(covered, values[picks[-1]], strict=True)]
    return picks


@SEEDS
@pytest.mark.parametrize("labels", [0, 5])
def test_lazy_greedy_picks_what_the_plain_greedy_algorithm_picks(seed: int, labels: int) -> None:
    candidates, references, labeled = _vectors(150, seed), _vectors(60, 10 + seed), _vectors(labels, 20 + seed)
    candidates[100:120] = candidates[:20]  # duplicates
    weights = np.random.default_rng(seed).random(60).astype(np.float32)
    width = 0.6
    expected = _plain_greedy(candidates, references, weights, labeled, width, 25)
    picked = _lazy(candidates, references, weights, labeled, width, 25)
    # The duplicates are equally good, so either may be picked.
    assert [place - 100 if 100 <= place < 120 else place for place in picked] == [
        place - 100 if 100 <= place < 120 else place for place in expected
    ]


def _lazy(
    candidates: np.ndarray, references: np.ndarray, weights: np.ndarray, labeled: np.ndarray, width: float, n: int
) -> list[int]:
    vectors, items, scale = torch.from_numpy(candidates), torch.from_numpy(references), torch.from_numpy(weights)
    covered = (
        kernel(largest_cosines(items, torch.from_numpy(labeled)), width) if len(labeled) else torch.zeros(len(items))
    )
    values = kernel(vectors @ items.T, width) * scale
    return lazy_greedy(values, covered * scale, vectors, n).tolist()


@SEEDS
def test_in_turn_each_pick_is_the_best_of_its_class(seed: int) -> None:
    candidates, references = _vectors(120, seed), _vectors(50, 10 + seed)
    classes = np.random.default_rng(seed).choice(3, size=120, p=[0.7, 0.27, 0.03])
    rarest_first = np.argsort(np.bincount(classes), kind="stable")
    values = kernel(torch.from_numpy(candidates @ references.T), 0.6)
    picked = lazy_greedy(values.clone(), torch.zeros(50), torch.from_numpy(candidates), 24, classes).tolist()
    covered, left, turn = np.zeros(50), set(range(120)), 0
    for pick in picked:
        while not (allowed := [place for place in left if classes[place] == rarest_first[turn % 3]]):
            turn += 1
        gains = {place: np.maximum(values[place].numpy() - covered, 0).sum() for place in allowed}
        assert pick == max(allowed, key=lambda place: gains[place])
        covered, turn = np.maximum(covered, values[pick].numpy()), turn + 1
        left.remove(pick)


@SEEDS
@pytest.mark.parametrize("name", ["representatives", "uherding", "auto"])
def test_the_whole_strategy_agrees_with_the_paper_on_a_small_pool(name: str, seed: int) -> None:
    """All of the pool is candidate and reference; `auto` weighs classes by the root of how many are expected."""
    store, free, labeled = _vectors(90, seed), np.arange(80), np.arange(80, 90)
    said = np.random.default_rng(seed).dirichlet([4, 2, 0.5], size=80).astype(np.float32)
    pool = PoolView(store, free, said, labeled, np.arange(10) % 3, 3)
    distances = np.sqrt([_squared_distance(a, b) for i, a in enumerate(store[:80]) for b in store[:i]])
    between = np.sqrt([_squared_distance(a, b) for i, a in enumerate(store[80:]) for b in store[80 : 80 + i]])
    width = float(np.clip(between.min(), *np.percentile(distances, [1, 50])))
    expected_of = [sum(row[number] for row in said) for number in range(3)]
    weights = {
        "representatives": [1.0] * 80,
        "uherding": [1 - (max(row) - sorted(row)[1]) for row in said],
        "auto": [
            (1 - (max(row) - sorted(row)[1]))
            * sum(share / count**0.5 for share, count in zip(row, expected_of, strict=True))
            for row in said
        ],
    }[name]
    # After a dozen picks two items that cover each other alone are equally good where weights are equal.
    expected = _plain_greedy(store[:80], store[:80], np.array(weights), store[80:], width, 12)
    assert STRATEGIES.get(name).pick(pool, 12, np.random.default_rng(0)).tolist() == expected


def test_rare_classes_count_more_as_far_as_the_head_is_sure_that_they_are_rare() -> None:
    """Of 100 items five are of a rare class; a head that cannot tell them from others evens nothing out."""
    rare = np.arange(100) < 5
    sure = np.where(rare[:, None], [0.02, 0.98], [0.98, 0.02]).astype(np.float32)
    unsure = np.where(rare[:, None], [0.48, 0.52], [0.52, 0.48]).astype(np.float32)
    ratios = [evening(said)[rare].mean() / evening(said)[~rare].mean() for said in (sure, unsure)]
    assert ratios[0] > 3
    assert 1 <= ratios[1] < 1.01
    nobody = np.column_stack([sure, np.zeros(100, dtype=np.float32)])
    np.testing.assert_allclose(evening(nobody), evening(sure), rtol=1e-6)


def test_the_bandwidth_is_the_least_distance_of_labels_within_limits() -> None:
    some = torch.from_numpy(_vectors(60, 0))
    distances = torch.pdist(some).numpy()
    lowest, median = np.percentile(distances, [1, 50])
    assert bandwidth(some, some[:0]) == pytest.approx(0.7 * median, rel=1e-4)
    assert bandwidth(some, some[:1]) == pytest.approx(0.7 * median, rel=1e-4)
    assert bandwidth(some, some[:1].repeat(2, 1)) == pytest.approx(lowest, rel=1e-4)
    assert bandwidth(some, torch.stack([some[0], -some[0]])) == pytest.approx(median, rel=1e-4)


# BADGE


@SEEDS
def test_factorised_badge_draws_what_k_means_plus_plus_on_whole_gradients_draws(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hidden = np.maximum(rng.normal(size=(60, 12)), 0).astype(np.float32)
    errors = gradient_factors(rng.dirichlet(np.ones(5), size=60).astype(np.float32))
    gradients = np.einsum("nc,nh->nch", errors.astype(np.float64), hidden).reshape(60, 60)
    picked = gradient_seeds(torch.from_numpy(hidden), torch.from_numpy(errors), 20, np.random.default_rng(seed))
    assert picked.tolist() == _seeds_of_whole_gradients(gradients, 20, np.random.default_rng(seed))


def _seeds_of_whole_gradients(gradients: np.ndarray, n: int, rng: np.random.Generator) -> list[int]:
    picks = [int((gradients**2).sum(axis=1).argmax())]
    while len(picks) < n:
        nearest = np.min([((gradients - gradients[pick]) ** 2).sum(axis=1) for pick in picks], axis=0)
        nearest[picks] = 0
        heights = np.cumsum(nearest)
        picks.append(int(np.searchsorted(heights, (1 - rng.random()) * heights[-1])))
    return picks


def test_badge_s_factors_are_the_gradient_of_the_last_layer() -> None:
    logits = torch.randn(6, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    torch.nn.functional.cross_entropy(logits, logits.argmax(1), reduction="sum").backward()
    assert logits.grad is not None
    factors = gradient_factors(logits.detach().softmax(1).numpy())
    np.testing.assert_allclose(factors, logits.grad.numpy(), atol=1e-6)


# The others


@SEEDS
def test_coreset_picks_the_farthest_item_each_time(seed: int) -> None:
    store = _vectors(70, seed)
    pool = PoolView(store, np.arange(60), None, np.arange(60, 70), np.zeros(10, dtype=np.int64), 2)
    centres, expected = list(range(60, 70)), []
    while len(expected) < 15:
        nearest = [min(_squared_distance(store[place], store[centre]) for centre in centres) for place in range(60)]
        expected.append(int(np.argmax(nearest)))
        centres.append(expected[-1])
    assert STRATEGIES.get("coreset").pick(pool, 15, np.random.default_rng(0)).tolist() == expected


@SEEDS
def test_typicality_is_the_inverse_mean_distance_to_the_nearest_of_the_cluster(seed: int) -> None:
    vectors = _vectors(90, seed)
    clusters = np.random.default_rng(seed).choice(4, size=90, p=[0.6, 0.37, 0.02, 0.01])
    found = typicality(torch.from_numpy(vectors), clusters)
    for place in range(90):
        others = [other for other in range(90) if clusters[other] == clusters[place] and other != place]
        nearest = sorted(np.sqrt(_squared_distance(vectors[place], vectors[other])) for other in others)[:20]
        assert found[place] == pytest.approx(1 / np.mean(nearest) if nearest else 0, rel=1e-3)


@SEEDS
def test_typical_items_come_from_the_clusters_with_fewest_labels_then_the_largest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors, clusters = _vectors(90, seed), rng.choice(5, size=90, p=[0.4, 0.3, 0.17, 0.1, 0.03])
    labeled = rng.integers(5, size=6)
    typical = typicality(torch.from_numpy(vectors), clusters)
    order = typical_in_turn(torch.from_numpy(vectors), clusters, labeled)
    large = [number for number in range(5) if (clusters == number).sum() >= 5]
    by_rank = sorted(large, key=lambda number: ((labeled == number).sum(), -(clusters == number).sum()))
    first = [max(np.flatnonzero(clusters == number), key=lambda place: typical[place]) for number in by_rank]
    assert order[: len(first)].tolist() == first
    assert sorted(order.tolist()) == list(range(90))


@SEEDS
def test_weighted_k_means_moves_a_centroid_to_the_weighted_mean_of_its_cluster(seed: int) -> None:
    vectors = _vectors(80, seed)
    weights = np.random.default_rng(seed).random(80).astype(np.float32)
    order = nearest_to_centroids(vectors, weights, 6, np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    centres = spread_out(torch.from_numpy(vectors), 6, rng).numpy()
    for _ in range(KMEANS_ROUNDS):
        nearest = (vectors @ centres.T).argmax(axis=1)
        sums = np.stack([(weights[:, None] * vectors)[nearest == number].sum(axis=0) for number in range(6)])
        centres = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    clusters = (vectors @ centres.T).argmax(axis=1)
    heaviest_first = sorted(range(6), key=lambda number: -weights[clusters == number].sum())
    expected = [
        max(np.flatnonzero(clusters == number), key=lambda place: vectors[place] @ centres[number])
        for number in heaviest_first
    ]
    assert order[:6].tolist() == expected
    assert sorted(order.tolist()) == list(range(80))


def test_clustered_margin_picks_only_among_the_twenty_n_smallest_margins() -> None:
    store, first = _vectors(500, 0), np.linspace(0.5, 1, 500, dtype=np.float32)
    pool = PoolView(store, np.arange(500), np.stack([first, 1 - first], axis=1))
    picked = STRATEGIES.get("clustered_margin").pick(pool, 10, np.random.default_rng(0))
    assert picked.max() < 200
    assert picked.max() > 50  # and is not the ten smallest


def test_dropquery_picks_among_the_items_whose_prediction_changes_under_dropout() -> None:
    store = _vectors(600, 0)
    targets = (store[:, 0] > 0).astype(np.int64)
    labels = (Label(1, "left"), Label(2, "right"))
    head = train_head(store[:100], targets[:100], HeadInfo(1, labels, "", 100))
    pool = PoolView(store, np.arange(100, 600), head.predict_proba(store[100:]), np.arange(100), targets[:100], 2, head)
    votes = head.dropout_predictions(store[100:], 3, seed=1)
    assert votes.shape == (3, 500)
    np.testing.assert_array_equal(votes, head.dropout_predictions(store[100:], 3, seed=1))
    picked = STRATEGIES.get("dropquery").pick(pool, 4, np.random.default_rng(0))
    assert (
        np.abs(pool.known_probabilities[picked, 0] - 0.5).mean() < np.abs(pool.known_probabilities[:, 0] - 0.5).mean()
    )


@SEEDS
def test_in_turn_gives_the_first_of_each_class_then_the_second(seed: int) -> None:
    rng = np.random.default_rng(seed)
    order, classes = rng.permutation(50), rng.choice(4, size=50, p=[0.5, 0.3, 0.15, 0.05])
    queues = {number: [place for place in order if classes[place] == number] for number in range(4)}
    rarest_first = sorted(queues, key=lambda number: len(queues[number]))
    expected = []
    while any(queues.values()):
        expected += [queues[number].pop(0) for number in rarest_first if queues[number]]
    assert in_turn(order, classes, 50).tolist() == expected
    assert in_turn(order, classes, 7).tolist() == expected[:7]


@SEEDS
def test_near_duplicates_are_left_out_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    store = _vectors(20, seed)[rng.integers(20, size=60)]
    wanted, kept = rng.permutation(60), []
    for place in wanted:
        if all(store[place] @ store[other] <= 0.99 for other in kept):
            kept.append(place)
    pool = PoolView(store, np.arange(60))
    assert without_near_duplicates(pool, wanted, 10).tolist() == kept[:10]
    filled = without_near_duplicates(pool, wanted, 40).tolist()
    assert filled == kept + [place for place in wanted.tolist() if place not in kept][: 40 - len(kept)]


def test_clusters_of_no_more_items_than_centres_keep_their_start() -> None:
    vectors = torch.from_numpy(_vectors(5, 0))
    centres = spherical_kmeans(vectors, vectors.clone(), 3, np.random.default_rng(0))
    assert sorted(nearest_centres(vectors, centres).tolist()) == list(range(5))
