"""Many people at work on one pool: how often a head is trained for them, and how often a batch is picked."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.loop import learner, picker
from fastlabel_gradio.loop.training_pace import labels_due
from fastlabel_gradio.server.project import Project
from tests.pools import make_config, true_labels, wait_for, write_pictures

NAMES = [f"person{number}" for number in range(8)]

OpenProject = Callable[..., Project]


@pytest.fixture
def labeler(tmp_path: Path, open_project: OpenProject) -> Labeler:
    """Of 150 pictures, with a head that learned 40 labels."""
    pictures = write_pictures(tmp_path / "pictures", per_class=50)
    opened = open_project(make_config(pictures, train_every=2)).labeler("ann")
    opened.submit("ann", true_labels(opened, "ann", 40))
    assert opened.wait_for_training(60)
    assert opened.head is not None and opened.head.info.label_count == 40
    return opened


def test_a_training_is_due_after_train_every_labels_of_each_person_or_a_fifth_more_labels() -> None:
    assert labels_due(10, people=0, learned=0) == labels_due(10, people=1, learned=5_000) == 10
    assert labels_due(10, people=50, learned=0) == labels_due(10, people=50, learned=50) == 10
    assert labels_due(10, people=50, learned=1_000) == 200
    assert labels_due(10, people=50, learned=5_000) == 500
    assert labels_due(10, people=3, learned=5_000) == 30


def test_a_head_is_trained_for_the_labels_of_several_people_and_soon_for_the_last_of_them(
    labeler: Labeler, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = {name: labeler.next_batch(name, 6) for name in NAMES}
    labels = [(item.id, item.id.split("/")[0]) for item in batches[NAMES[0]].items]
    assert not labeler.submit(NAMES[0], labels[:2]).training_triggered, "somebody alone would have a head trained"
    assert not labeler.submit(NAMES[0], labels[2:5]).training_triggered
    monkeypatch.setattr(learner, "LATEST_S", 0.01)
    second = [(item.id, item.id.split("/")[0]) for item in batches[NAMES[1]].items]
    assert labeler.submit(NAMES[1], second[:3]).training_triggered
    assert labeler.wait_for_training(60)
    assert labeler.status().since_training == 0
    assert not labeler.submit(NAMES[1], second[3:]).training_triggered
    wait_for(lambda: labeler.status().since_training == 0)


def test_batches_of_several_people_are_picked_in_one_go_until_there_is_another_head(
    labeler: Labeler, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, real = [], picker.candidates_of
    monkeypatch.setattr(picker, "candidates_of", lambda *given: looked.append(1) or real(*given))  # type: ignore[func-returns-value]
    given = [labeler.next_batch(name, 5) for name in NAMES[:2]]
    assert len(looked) == 2, "for somebody alone each is picked for itself"
    given += [labeler.next_batch(name, 5) for name in NAMES[2:]]
    assert len(looked) < 5
    items = [item.id for batch in given for item in batch.items]
    assert len(set(items)) == len(items) == 5 * len(NAMES)
    labeler.train()
    assert labeler.wait_for_training(60)
    monkeypatch.setattr(picker, "AHEAD_S", 0.0)
    before = len(looked)
    assert labeler.next_batch(NAMES[0], 5, fresh=True).head_version == 2
    assert len(looked) == before + 1
