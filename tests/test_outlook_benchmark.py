"""`benchmarks/outlook.py`: the power law, what counts as off, and one short run through the real labeler."""

import numpy as np
import pytest

from benchmarks.coverage import Plan, Task
from benchmarks.data import Split
from benchmarks.outlook import Point, PowerLaw, fit_power_law, last_labels, next_labels, play

LAW = PowerLaw(0.93, 1.4, 0.6)


def followed(law: PowerLaw, labels: list[int]) -> list[Point]:
    """A run that follows a law to the letter."""
    return [Point(count, 100, law.accuracy(count), law.accuracy(count), None) for count in labels]


def test_a_power_law_is_found_again() -> None:
    found = fit_power_law(followed(LAW, [20, 40, 80, 160, 320]))
    assert found is not None
    assert found.accuracy(1000) == pytest.approx(LAW.accuracy(1000), abs=0.01)


def test_no_law_is_drawn_through_too_little_or_through_what_falls() -> None:
    assert fit_power_law(followed(LAW, [10, 20, 30])) is None
    falling = [Point(count, 9, accuracy, 0, None) for count, accuracy in ((10, 0.9), (20, 0.8), (30, 0.7), (40, 0.6))]
    assert fit_power_law(falling) is None


def test_of_a_run_that_follows_a_law_the_law_is_nearer() -> None:
    run = followed(LAW, [20, 30, 40, 50, 60, 80, 100, 120, 140, 160])
    assert [law < nothing for law, nothing in next_labels(run)] == [True] * 3


def test_what_the_last_labels_brought_is_held_against_the_truth_of_both_heads() -> None:
    run = [Point(100, 20, 0.7, 0.72, None), Point(200, 40, 0.8, 0.75, (100, 0.1, -0.05, 0.2))]
    assert last_labels(run) == [(0.1, pytest.approx(0.03), -0.05, 0.2)]


def test_a_run_says_what_its_last_labels_brought() -> None:
    rng = np.random.default_rng(0)
    targets = np.arange(600) % 3
    vectors = np.eye(8)[targets] + rng.normal(0, 0.4, (600, 8))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    split = Split(unit[:400], targets[:400], unit[400:], targets[400:])
    run = play(split, Task("digits", "random", 0), Plan(70, (210,), 0.2))
    assert [point.items for point in run] == [14, 28, 42]
    assert [point.brought is not None for point in run] == [False, False, True]
    [(_, true, low, high)] = last_labels(run)
    assert low <= true <= high
