"""The pure parts of `benchmarks/label_efficiency.py`, and that a peer's query gives what was asked for."""

import importlib.util
from collections.abc import Iterator

import numpy as np
import pytest
import sklearn.cluster  # noqa: F401  # brings its OpenMP, which is then limited
import torch
from threadpoolctl import threadpool_limits

from benchmarks.contestants import (
    HEADS,
    LEFT_OUT,
    MODULES,
    Curve,
    HeadClassifier,
    classifier,
    contestants,
    play,
    with_yardsticks,
)
from benchmarks.data import SETS, Split, available, part_of
from benchmarks.efficiency_figures import (
    Key,
    Run,
    geometric_mean,
    median_labels,
    needed_labels,
    summary_tables,
    tables_of,
    worst_against,
)
from benchmarks.label_efficiency import keys_of
from benchmarks.peers import PEERS, ask, prepared
from tests.cases import each

CLASSES = 3


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """As in the benchmark: threads of torch and OpenMP would wait for each other where the cores are busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def split() -> Split:
    """Three clusters on a sphere of eight dimensions, 60 items to label and 30 to test on; class 2 counts as rare."""
    rng = np.random.default_rng(0)
    targets = np.arange(90) % CLASSES
    vectors = np.eye(8)[targets] + rng.normal(0, 0.3, (90, 8))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return Split(unit[:60], targets[:60], unit[60:], targets[60:], np.array([2]))


def _run(accuracy: list[float], contestant: str = "auto", name: str = "digits", seed: int = 0) -> Run:
    counts = [10 * (place + 1) for place in range(len(accuracy))]
    curve = Curve(counts, accuracy, [0.0] * len(counts), [0] * len(counts), [0.001] * len(counts))
    return Run(Key(name, contestant, seed, 10, counts[-1]), curve)


def test_a_miss_counts_as_the_whole_run_and_marks_the_mean() -> None:
    assert str(geometric_mean([40, 90], [300, 300])) == "60"
    missed = geometric_mean([40, 241], [300, 240])
    assert missed.censored
    assert missed.labels == pytest.approx((40 * 240) ** 0.5)
    assert str(missed) == "> 98"
    assert not geometric_mean([40, 240], [300, 240]).censored


def test_labels_to_a_target_that_is_missed_are_more_than_the_run_has() -> None:
    runs = [_run([0.5, 0.9, 0.9, 0.9]), _run([0.5, 0.9, 0.9, 0.5])]
    np.testing.assert_array_equal(needed_labels(runs, [0.9, 0.9]), [20, 41])
    assert median_labels(np.array([20.0, 41.0])) == 41
    assert median_labels(np.array([20.0, 30.0, 41.0])) == 30


def test_the_worst_difference_to_random_is_of_the_mean_over_seeds() -> None:
    runs, random = [_run([0.5, 0.7]), _run([0.6, 0.86])], [_run([0.6, 0.7]), _run([0.4, 0.8])]
    worst = worst_against(runs, random)
    assert (worst.points, worst.labels) == (pytest.approx(3.0), 20)
    assert worst.error == pytest.approx(3.0)
    assert str(worst) == "+3.0 ± 3.0 @20"


def test_the_summary_tells_ratios_and_what_was_missed() -> None:
    fast, slow, full = [0.5, 0.95, 0.95, 0.95], [0.5, 0.6, 0.7, 0.8], [0.96] * 4
    curves = {"all/mlp": full, "auto": fast, "random": slow, "modal.margin/mlp": fast}
    by_set = {
        name: {one: [_run(curve, one, name, seed) for seed in range(3)] for one, curve in curves.items()}
        for name in ("digits", "fsdd", "esc10")
    }
    aims, ranking = summary_tables(by_set)
    assert aims.rows[0][:4] == ("random", "random", "> 40", "< 0.50")
    assert aims.rows[1][3] == "1.00"
    assert [row[0] for row in ranking.rows] == ["auto", "modal.margin/mlp", "random"]
    assert not summary_tables({"digits": by_set["digits"]})


def test_a_seed_gives_all_contestants_the_same_pool_and_each_part_its_turn(split: Split) -> None:
    np.testing.assert_array_equal(available("digits", split, 3), available("digits", split, 3))
    assert len(available("digits", split, 3)) == 48
    assert set(available("digits", split, 3)) != set(available("digits", split, 4))
    np.testing.assert_array_equal(available("esc10", split, 3), np.arange(60))
    assert [part_of("esc10", seed) for seed in range(6)] == [0, 1, 2, 3, 0, 1]
    assert part_of("digits", 7) == 0


def test_the_same_seed_gives_the_same_curve_and_the_same_random_start(split: Split) -> None:
    rows = available("digits", split, 1)
    curves = [play(split, rows, name, 1, 6, 24) for name in ("random:margin", "random:margin", "random")]
    assert curves[0].accuracy == curves[1].accuracy
    assert curves[0].accuracy[0] == curves[2].accuracy[0]
    assert curves[0].counts == [6, 12, 18, 24]
    assert curves[0].rare_found == sorted(curves[0].rare_found)


def test_full_supervision_and_a_run_to_the_end_of_the_pool_learn_the_same_labels(split: Split) -> None:
    rows = available("digits", split, 0)
    [everything] = play(split, rows, "all/mlp", 0, 0, 0).accuracy
    run = play(split, rows, "random", 0, 20, 500)
    assert run.counts == [20, 40, 48]
    assert run.accuracy[-1] == everything


@each("head", HEADS)
def test_a_head_is_a_classifier_of_scikit_learn(head: str, split: Split) -> None:
    fitted = classifier(head, 8, CLASSES, 0).fit(split.pool, split.pool_targets)
    probabilities = fitted.predict_proba(split.test)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(fitted.classes_, range(CLASSES))
    assert (fitted.predict(split.test) == split.test_targets).mean() > 0.8


def test_our_head_has_a_column_for_a_class_that_it_never_saw(split: Split) -> None:
    known = split.pool_targets < 2
    fitted = HeadClassifier(CLASSES, 0).fit(split.pool[known], split.pool_targets[known])
    assert fitted.predict_proba(split.test).shape == (30, CLASSES)


def test_every_peer_picks_distinct_unlabeled_rows_with_either_head(split: Split) -> None:
    labels = np.full(60, np.nan)
    labels[:12] = split.pool_targets[:12]
    for head in HEADS:
        for name, peer in PEERS.items():
            module, package = MODULES[name.partition(".")[0]]
            if importlib.util.find_spec(module) is None:
                pytest.skip(f"{package} is not installed: pip install -e '.[bench]'")
            untrained = prepared(peer, classifier(head, 8, CLASSES, 0), CLASSES, 0)
            fitted = untrained.fit(split.pool[:12], split.pool_targets[:12])
            picked = ask(peer.query(CLASSES, 0), split.pool, labels, fitted, 5)
            assert len(set(picked.tolist())) == 5, (name, head)
            assert picked.min() >= 12, (name, head)


def test_a_peer_that_gives_labeled_rows_is_found_out(split: Split) -> None:
    labels = np.full(60, np.nan)
    labels[0] = 1
    with pytest.raises(RuntimeError, match="asked for 2 distinct unlabeled rows"):
        ask(lambda *_: np.array([0, 1]), split.pool, labels, None, 2)
    with pytest.raises(RuntimeError, match="asked for 2 distinct unlabeled rows"):
        ask(lambda *_: np.array([1, 1]), split.pool, labels, None, 2)


def test_contestants_are_chosen_by_pattern_and_compared_with_random_by_their_head() -> None:
    assert contestants(["auto", "random:margin", "modal.m*"]) == [
        *("auto", "modal.margin/mlp", "modal.margin/logistic", "random:margin")
    ]
    assert contestants(["nobody", "random:nobody"]) == []
    assert with_yardsticks(["auto"]) == ["all/mlp", "random", "auto"]
    assert with_yardsticks(["modal.margin/logistic"])[:4] == [
        *("all/mlp", "all/logistic", "random", "skactiveml.random/logistic")
    ]


def test_what_is_left_out_is_named_with_the_reason() -> None:
    keys, left_out = keys_of("cifar10", ["auto", "skactiveml.badge/mlp"], 2, 100, 2000)
    assert [(key.contestant, key.seed) for key in keys if key.contestant == "auto"] == [("auto", 0), ("auto", 1)]
    assert not [key for key in keys if "badge" in key.contestant]
    assert left_out["skactiveml.badge/mlp"]
    assert all(why for _, _, why in LEFT_OUT)


def test_every_set_says_how_it_is_labelled_by_default() -> None:
    for name, usual in SETS.items():
        assert usual.labels > 2 * usual.batch, name
        assert usual.about


def test_rare_classes_are_counted_at_some_numbers_of_labels_and_beside_random() -> None:
    def runs(contestant: str, found: list[int]) -> list[Run]:
        made = [_run([0.5] * 12, contestant, "cifar10_rare", seed) for seed in range(2)]
        for run in made:
            run.curve.rare_found[:] = [found[run.key.seed]] * 12
            run.curve.rare_recall[:] = [found[run.key.seed] / 100] * 12
            run.curve.accuracy[:] = [0.5 + found[0] / 100] * 12
        return made

    of_it = {"all/mlp": runs("all/mlp", [40, 40]), "random": runs("random", [2, 4]), "auto": runs("auto", [8, 6])}
    rare = next(table for table in tables_of("cifar10_rare", of_it, 10) if "rare classes" in table.title)
    at = {(row[0], row[1]): row[2:] for row in rare.rows}
    assert [count for name, count in at if name == "auto"] == [50, 100, 120]  # the last one is the end
    assert at["auto", 50] == ("7.0", "7.0", "58.0", "+4.0 ± 2.0", "+4.0 ± 2.0", "+6.0 ± 0.0")
    assert at["random", 50][:3] == ("3.0", "3.0", "52.0")
