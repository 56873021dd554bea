"""Near-duplicates with different labels: every pair above the limit is found, whichever blocks its items lie in."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastlabel_gradio.explore import near_duplicates
from fastlabel_gradio.explore.near_duplicates import ALIKE, conflicting_pairs
from fastlabel_gradio.server.project import Project
from tests.explore.test_mistakes import listed, relabel
from tests.pools import make_config

OpenProject = Callable[..., Project]


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_pairs_are_those_of_a_slow_obvious_search_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    far = rng.normal(size=(60, 16))
    vectors = unit(
        np.concatenate([far, far[:40] + rng.normal(0, 0.035, (40, 16)), far[:20] + rng.normal(0, 0.01, (20, 16))])
    )
    targets = rng.integers(0, 3, len(vectors))
    cosines = {
        (one, other): float(vectors[one] @ vectors[other])
        for one in range(len(vectors))
        for other in range(one + 1, len(vectors))
        if targets[one] != targets[other] and vectors[one] @ vectors[other] > ALIKE
    }
    wanted = sorted(cosines, key=lambda pair: -cosines[pair])
    assert len(wanted) > 20
    for block in (7, 50, 2_048):
        monkeypatch.setattr(near_duplicates, "BLOCK", block)
        pairs, alike = conflicting_pairs(vectors, targets)
        assert {tuple(pair) for pair in pairs.tolist()} == set(wanted)
        np.testing.assert_allclose(alike, [cosines[pair] for pair in wanted], atol=1e-6)
        assert (np.diff(alike) <= 0).all()


def test_of_too_many_pairs_the_most_alike_ones_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    vectors = unit(np.ones((30, 8)) + rng.normal(0, 0.02, (30, 8)))
    every, cosines = conflicting_pairs(vectors, np.arange(30) % 2)
    assert len(every) == 15 * 15
    monkeypatch.setattr(near_duplicates, "MOST_PAIRS", 10)
    monkeypatch.setattr(near_duplicates, "BLOCK", 4)
    kept, alike = conflicting_pairs(vectors, np.arange(30) % 2)
    assert kept.tolist() == every[:10].tolist()
    np.testing.assert_allclose(alike, cosines[:10], atol=1e-6)


def test_nothing_is_found_among_no_items_one_item_and_items_that_agree() -> None:
    same = unit(np.ones((5, 4)))
    for vectors, targets in ((same[:0], np.zeros(0)), (same[:1], np.zeros(1)), (same, np.zeros(5))):
        pairs, alike = conflicting_pairs(vectors, targets.astype(np.int64))
        assert pairs.shape == (0, 2)
        assert alike.shape == (0,)


def test_a_planted_pair_stands_side_by_side_until_its_labels_agree(pictures: Path, open_project: OpenProject) -> None:
    original = Image.open(pictures / "red" / "0003.png")
    original.point(lambda value: min(value + 2, 255)).save(pictures / "blue" / "copy.png")
    labeler = open_project(make_config(pictures, train_every=1000)).labeler("ann")
    others = ["red/0000.png", "red/0001.png", "green/0000.png", "blue/0000.png"]
    said = [(one, one.split("/")[0]) for one in [*others, "red/0003.png", "blue/copy.png"]]
    labeler.submit("ann", said)
    assert set(listed(labeler, "near_duplicates")[:2]) == {"red/0003.png", "blue/copy.png"}
    relabel(labeler, "blue/copy.png", "red")
    assert listed(labeler, "near_duplicates") == []
