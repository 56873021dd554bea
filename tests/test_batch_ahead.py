"""A batch that is claimed ahead: it is kept for its annotator, comes next, and goes back as every batch does."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.server.project import Project
from tests.pools import make_config, true_labels


@pytest.fixture
def labeler(pictures: Path, open_project: Callable[..., Project]) -> Labeler:
    """Of 60 pictures that nobody labeled yet."""
    return open_project(make_config(pictures, train_every=1000)).labeler("ann")


def test_the_batch_ahead_comes_next_and_the_open_one_stays_what_it_is(labeler: Labeler) -> None:
    shown = labeler.next_batch("ann", 6)
    ahead = labeler.batch_after("ann", shown.id, 6)
    ids = {item.id for item in ahead.items}
    assert len(ids) == 6
    assert not ids & {item.id for item in shown.items}
    assert labeler.batch_after("ann", shown.id, 6).items == ahead.items
    assert labeler.next_batch("ann").items == shown.items, "a reload shows the same batch"
    assert not ids & {item.id for item in labeler.next_batch("bob", 30).items}, "nobody else gets them"
    labeler.submit("ann", [(item.id, item.id.split("/")[0]) for item in shown.items], shown.id)
    assert labeler.next_batch("ann").id == ahead.id
    assert labeler.batch_after("ann", shown.id, 6).items == (), "nothing comes after a closed batch"


def test_a_newer_head_may_have_another_batch_claimed_in_its_place(labeler: Labeler) -> None:
    shown = labeler.next_batch("ann", 6)
    first = labeler.batch_after("ann", shown.id, 6)
    second = labeler.batch_after("ann", shown.id, 6, fresh=True)
    assert second.id not in ("", first.id, shown.id)
    assert labeler.counts().claimed == 12, "the first one went back"
    assert labeler.next_batch("ann").id == shown.id


def test_undo_and_a_fresh_batch_give_it_back_and_few_free_items_are_not_claimed_ahead(labeler: Labeler) -> None:
    labeler.submit("ann", true_labels(labeler, "ann", 6))
    shown = labeler.next_batch("ann", 6, fresh=True)
    assert labeler.batch_after("ann", shown.id, 6).id
    reopened = labeler.undo("ann").batch
    assert reopened
    assert labeler.counts().claimed == 6
    labeler.batch_after("ann", reopened.id, 6)
    labeler.next_batch("ann", 6, fresh=True)
    assert labeler.counts().claimed == 6
    shown = labeler.next_batch("ann", 40, fresh=True)
    assert labeler.batch_after("ann", shown.id, 10).items == ()
