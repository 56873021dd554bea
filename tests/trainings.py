"""Trainings of a few steps, for all tests but those of what a head learns: two fifths of their processor time was training.

A module of tests that asks how right a head is says `pytestmark = pytest.mark.usefixtures("whole_trainings")`.
"""

from collections.abc import Iterator

import pytest

from fastlabel_gradio.head import training

FEW_STEPS = 5
WHOLE = training.training_steps


@pytest.fixture(autouse=True, scope="session")
def short_trainings() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "training_steps", lambda labels: FEW_STEPS)
        yield


@pytest.fixture(scope="module")
def whole_trainings(short_trainings: None) -> Iterator[None]:
    """Heads are trained for as many steps as in the app."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "training_steps", WHOLE)
        yield
