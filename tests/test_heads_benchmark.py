"""The pure parts of `benchmarks/heads.py`: what is taught to a head, and what is counted."""

import numpy as np
import pytest

from benchmarks.data import Split
from benchmarks.heads import TrainingRun, made_up_names, weighted_accuracy, with_wrong_labels
from fastlabel_gradio.head import HeadInfo, zero_shot_head
from fastlabel_gradio.types import Label


@pytest.fixture(scope="module")
def split() -> Split:
    """Three clusters on a sphere of eight dimensions."""
    rng = np.random.default_rng(0)
    targets = np.arange(900) % 3
    vectors = np.eye(8)[targets] + rng.normal(0, 0.2, (900, 8))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return Split(unit[:600], targets[:600], unit[600:], targets[600:], np.array([2]))


def test_wrong_labels_are_other_classes_and_as_many_as_asked(split: Split) -> None:
    training = TrainingRun(split, np.arange(600), split.pool_targets, 0)
    wrong = with_wrong_labels(training, 0.05)
    assert 15 <= (wrong.targets != training.targets).sum() <= 50
    assert set(wrong.targets.tolist()) == {0, 1, 2}
    np.testing.assert_array_equal(with_wrong_labels(training, 0.0).targets, training.targets)


def test_made_up_names_are_worse_with_more_noise(split: Split) -> None:
    info = HeadInfo(0, tuple(Label(number, str(number)) for number in range(3)), "", 0)
    shares = []
    for noise in (0.1, 3.0):
        head = zero_shot_head(made_up_names(split, noise, 0), info)
        shares.append((head.predict_proba(split.test).argmax(axis=1) == split.test_targets).mean())
    assert shares[0] > 0.95 > shares[1]


def test_classes_count_as_much_as_they_have_of_the_pool() -> None:
    right, targets = np.array([True, True, False, False]), np.array([0, 0, 1, 1])
    assert weighted_accuracy(right, targets, np.array([0, 0, 0, 1])) == 0.75
    assert weighted_accuracy(right, targets, np.array([0, 1])) == 0.5
