"""The head learns, is deterministic, scores in blocks, and comes back from its checkpoint or is refused."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from fastlabel_gradio.errors import CheckpointError
from fastlabel_gradio.head import (
    HeadInfo,
    batch_rows,
    check_head,
    learning_rate,
    load_head,
    save_head,
    train_head,
    training_steps,
)
from fastlabel_gradio.types import Label, LabelSchema

DIGITS = tuple(Label(number + 1, str(number)) for number in range(10))


def _digits(count: int) -> tuple[np.ndarray, np.ndarray]:
    data = load_digits()
    vectors = data.data.astype(np.float32)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True))[:count], data.target[:count]


def _info(**fields: object) -> HeadInfo:
    return HeadInfo(**{"version": 1, "labels": DIGITS, "encoder_fingerprint": "abc", "label_count": 1, **fields})


def test_a_head_learns_digits() -> None:
    vectors, targets = _digits(1797)
    head = train_head(vectors[:1200], targets[:1200], _info())
    accuracy = (head.predict_proba(vectors[1200:]).argmax(axis=1) == targets[1200:]).mean()
    assert accuracy > 0.9


def test_probabilities_sum_to_one_and_an_empty_pool_gives_none() -> None:
    vectors, targets = _digits(100)
    head = train_head(vectors, targets, _info())
    probabilities = head.predict_proba(vectors)
    assert probabilities.shape == (100, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-3)
    assert head.predict_proba(vectors[:0]).shape == (0, 10)
    assert head.hidden(vectors).shape == (100, 512)


def test_the_same_labels_and_seed_give_the_same_head() -> None:
    vectors, targets = _digits(300)
    first, second = (train_head(vectors, targets, _info(seed=3)) for _ in range(2))
    other = train_head(vectors, targets, _info(seed=4))
    np.testing.assert_array_equal(first.predict_proba(vectors), second.predict_proba(vectors))
    assert not np.array_equal(first.predict_proba(vectors), other.predict_proba(vectors))


def test_rows_are_scored_as_the_whole_pool_is() -> None:
    vectors, targets = _digits(200)
    head = train_head(vectors, targets, _info())
    rows = np.array([199, 3, 3, 70])
    np.testing.assert_allclose(head.predict_proba_rows(vectors, rows), head.predict_proba(vectors)[rows], atol=1e-2)


def test_one_label_is_enough_to_train() -> None:
    vectors, targets = _digits(1)
    head = train_head(vectors, targets, _info())
    assert head.predict_proba(vectors).argmax() == targets[0]


def test_the_recipe_grows_with_the_labels() -> None:
    assert [training_steps(n) for n in (10, 300, 1_000, 20_000)] == [99, 63, 68, 420]
    assert [batch_rows(n) for n in (10, 1_000, 20_000)] == [10, 128, 256]
    rates = [learning_rate(step, 40, 1.0) for step in range(40)]
    assert max(rates) == 1.0
    assert rates.index(1.0) < 5
    assert rates[-1] < 0.01


def test_a_checkpoint_brings_the_same_head_back(tmp_path: Path) -> None:
    vectors, targets = _digits(150)
    head = train_head(vectors, targets, _info(version=7, label_count=150))
    save_head(head, tmp_path / "head.safetensors")
    loaded = load_head(tmp_path / "head.safetensors")
    assert loaded.info == head.info
    np.testing.assert_array_equal(loaded.predict_proba(vectors), head.predict_proba(vectors))
    assert [path.name for path in tmp_path.iterdir()] == ["head.safetensors"]


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "head.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="Train again"):
        load_head(path)


def test_a_truncated_checkpoint_is_refused(tmp_path: Path) -> None:
    vectors, targets = _digits(20)
    path = tmp_path / "head.safetensors"
    save_head(train_head(vectors, targets, _info()), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError):
        load_head(path)


def test_a_head_of_another_encoder_or_schema_is_refused_with_both_sides_named() -> None:
    schema = LabelSchema(DIGITS)
    check_head(_info(), schema, "abc")
    with pytest.raises(CheckpointError, match=r"abc.*xyz"):
        check_head(_info(), schema, "xyz")
    with pytest.raises(CheckpointError, match="classes"):
        check_head(_info(), LabelSchema(DIGITS[:5]), "abc")
    with pytest.raises(CheckpointError, match="classes"):
        check_head(_info(), LabelSchema(DIGITS[::-1]), "abc")
