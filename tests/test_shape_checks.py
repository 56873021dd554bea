"""What tests check of every call of the package: types, and shapes of arrays that fit each other."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import Float32, Int64

from fastlabel_gradio.head.evaluation import wilson_interval
from fastlabel_gradio.strategies import PoolView
from tests.shape_checks import checked

Vectors = Float32[np.ndarray, "items dim"]
VECTORS = np.zeros((3, 2), dtype=np.float32)


@checked
def targets_of(vectors: Vectors, targets: "Int64[np.ndarray, ' items'] | None" = None) -> Vectors:
    return vectors if targets is None else np.zeros((len(targets), len(targets)), dtype=np.float32)


@checked
@dataclass
class Known:
    vectors: Vectors
    targets: Int64[np.ndarray, " items"]


@checked
def doubled(number: float, of: "NotThere | None" = None) -> Iterator[float]:  # type: ignore[name-defined]  # noqa: F821
    yield 2 * number


def test_functions_of_the_package_take_no_other_types_and_no_other_shapes() -> None:
    with pytest.raises(BeartypeCallHintViolation):
        wilson_interval("1", 2)  # type: ignore[arg-type]
    assert wilson_interval(1, 2, z=2)  # an int is a float, too
    with pytest.raises(BeartypeCallHintViolation):
        PoolView(VECTORS.astype(np.float64), np.arange(3))
    with pytest.raises(BeartypeCallHintViolation):
        PoolView(VECTORS, np.arange(3), np.zeros((4, 2), dtype=np.float32))


def test_shapes_of_arguments_and_of_the_answer_must_fit_each_other() -> None:
    assert targets_of(VECTORS).shape == (3, 2)
    for targets in (
        np.zeros(4, dtype=np.int64),
        np.zeros((3, 1), dtype=np.int64),
        [0, 1, 2],
        np.zeros(3, dtype=np.int64),
    ):
        with pytest.raises(BeartypeCallHintViolation):
            targets_of(VECTORS, targets)  # type: ignore[arg-type]
    with pytest.raises(BeartypeCallHintViolation):
        Known(VECTORS, np.arange(2))
    assert len(Known(VECTORS, np.arange(3)).targets) == 3


def test_what_a_name_stands_for_that_is_not_known_is_not_checked() -> None:
    assert list(doubled(2, object())) == [4]
    with pytest.raises(BeartypeCallHintViolation):
        list(doubled("2"))  # type: ignore[arg-type]
