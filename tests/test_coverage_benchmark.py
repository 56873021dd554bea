"""`benchmarks/coverage.py`: its arithmetic, and one short run through the real labeler."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks.coverage import Checkpoint, Plan, Task, exact_truth, halves, play, wilson_coverage
from benchmarks.data import Split
from benchmarks.known_pool import number_of, opened_split, started
from fastlabel_gradio.head.evaluation import wilson_interval


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """As in the benchmark: threads of one operation would wait for each other where the cores are busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def split() -> Split:
    """Three clusters on a sphere of eight dimensions, 300 items."""
    rng = np.random.default_rng(0)
    targets = np.arange(300) % 3
    vectors = np.eye(8)[targets] + rng.normal(0, 0.3, (300, 8))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return Split(unit[:200], targets[:200], unit[200:], targets[200:])


def test_the_halves_have_every_item_once_and_differ_by_run(split: Split) -> None:
    pools = [halves(split, np.random.default_rng(seed)) for seed in (0, 1)]
    for pool in pools:
        both = np.concatenate([pool.pool, pool.test])
        assert len(np.unique(both, axis=0)) == 300
        assert len(pool.pool_targets) == len(pool.test_targets) == 150
    assert (pools[0].pool != pools[1].pool).any()


def test_the_coverage_of_wilsons_interval_is_what_drawing_gives() -> None:
    drawn = np.random.default_rng(0).binomial(30, 0.9, size=20_000)
    holds = [Checkpoint(0, 30, number, *wilson_interval(number, 30), 0.9, 1, 0.0).holds for number in range(31)]
    held = np.mean(np.array(holds)[drawn])
    assert wilson_coverage(0.9, 30) == pytest.approx(held, abs=0.01)


def test_an_exact_truth_is_nearer_than_one_from_a_sample_as_small_as_the_audit() -> None:
    assert exact_truth(0.8, 50, 0.9, 10**9) == pytest.approx(0.9)
    assert exact_truth(0.8, 50, 0.9, 50) == pytest.approx(0.8 + 0.1 / np.sqrt(2))


def test_groups_are_halved_as_a_whole_and_the_audit_counts_them(split: Split) -> None:
    groups = np.arange(300) // 10
    grouped = replace(split, pool_groups=groups[:200], test_groups=groups[200:])
    pool = halves(grouped, np.random.default_rng(0), truth_groups=0.5)
    assert len(set(pool.pool_groups)) == len(set(pool.test_groups)) == 15
    assert not set(pool.pool_groups) & set(pool.test_groups)
    plan = Plan(batch=20, checkpoints=(40,), audit_share=0.2, truth_groups=0.5)
    [found] = play(grouped, Task("digits", "margin", 0), plan)
    assert (found.items, found.groups, found.truth_groups) == (8, 5, 15)
    [by_items] = play(grouped, Task("digits", "margin", 0), replace(plan, by_items=True))
    assert by_items.groups is None
    assert len(set(halves(grouped, np.random.default_rng(0), truth_groups=0.0).test_groups)) == 1


def test_a_known_pool_is_a_project_over_the_vectors_of_a_set(split: Split) -> None:
    with opened_split(split, "7") as project:
        ids = {row: item_id for block in started(project).store.item_blocks() for row, item_id in block}
        numbers = [number_of(ids[row]) for row in range(len(ids))]
        assert sorted(numbers) == list(range(200))
        np.testing.assert_array_equal(project.store.embeddings[:], split.pool[numbers])
        tested = list(project.source.held_out())
        assert [number_of(item.id) for item in tested] == list(range(200, 300))
        assert [project.source.reference_label(item) for item in tested[:4]] == [
            "class-2",
            "class-0",
            "class-1",
            "class-2",
        ]


def test_a_run_reports_on_its_audit(split: Split) -> None:
    found = play(split, Task("digits", "margin", 0), Plan(batch=20, checkpoints=(40,), audit_share=0.2))
    assert [(one.labels, one.items, one.truth_items) for one in found] == [(40, 8, 150)]
    assert found[0].low <= found[0].reported <= found[0].high
    assert found[0].truth > 0.6


def test_every_run_has_an_audit_of_its_own() -> None:
    numbers = {Task("digits", strategy, seed).number for strategy in ("auto", "random") for seed in range(60)}
    assert len(numbers) == 120
