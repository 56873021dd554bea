"""Labels that are likely to be wrong come first, are answered once and for all, and none of it is lost by a restart."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fastlabel_gradio.errors import InvalidLabelsError
from fastlabel_gradio.explore.doubts import logit_margins, rivals
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.server.project import Project
from tests.pools import make_config, wait_for

OpenProject = Callable[..., Project]
OTHER = {"red": "green", "green": "blue", "blue": "red"}


def all_ids(labeler: Labeler) -> list[str]:
    return [item_id for block in labeler._store.item_blocks() for _, item_id in block]


def listed(labeler: Labeler, order: str = "mistakes", size: int = 1000) -> list[str]:
    found = labeler.finder.page(Query.model_validate({"order": order}), 0, size)
    assert found.total == len(found.items)
    return [one.item.id for one in found.items]


def label_all(labeler: Labeler, wrong: int, *, train: bool = True) -> set[str]:
    """Labels the whole pool as its folders say, but the first ones of each class; returns these."""
    ids = all_ids(labeler)
    mistaken = {one for name in OTHER for one in sorted(i for i in ids if i.startswith(name))[:wrong]}
    true = {item_id: item_id.split("/")[0] for item_id in ids}
    labeler.submit("ann", [(one, OTHER[true[one]] if one in mistaken else true[one]) for one in ids])
    if train:
        labeler.train()
        assert labeler.wait_for_training(60)
    return mistaken


def relabel(labeler: Labeler, item_id: str, name: str) -> None:
    """As a reviewer."""
    label_id = labeler.schema.ids[labeler.schema.names.index(name)]
    labeler._label_store.submit("rita", [(item_id, label_id)], now=9e9, source="review")


@pytest.fixture
def project(pictures: Path, open_project: OpenProject) -> Project:
    return open_project(make_config(pictures, train_every=1000))


def test_the_margin_of_a_label_is_its_logit_less_the_largest_other_one() -> None:
    logits = np.array([[3.0, 1.0, 2.0], [3.0, 1.0, 2.0], [0.0, 0.0, 0.0]], dtype=np.float32)
    assert logit_margins(logits, np.array([0, 1, 2])).tolist() == [1.0, -2.0, 0.0]
    assert rivals(logits, np.array([0, 1, 2])).tolist() == [2, 0, 0]


def test_wrong_labels_come_first_also_those_of_the_audit_and_those_that_no_head_has_seen(
    pictures: Path, open_project: OpenProject
) -> None:
    labeler = open_project(make_config(pictures, train_every=1000, audit_share=0.3)).labeler("ann")
    assert listed(labeler) == []  # without a head nothing is doubted
    mistaken = label_all(labeler, wrong=1)
    found = listed(labeler)
    assert set(found[:3]) == mistaken
    assert sorted(found) == sorted(all_ids(labeler))
    assert labeler._ledger.audit_set().rows.size > 5
    late = next(one for one in found[5:] if one.startswith("red"))
    relabel(labeler, late, "green")
    assert late in listed(labeler)[:4]
    rows = labeler._store.rows_of([*mistaken, late])
    instead = labeler.suspects.instead("mistakes", np.array(list(rows.values()), dtype=np.int64))
    assert {item_id: instead[row] for item_id, row in rows.items()} == {one: one.split("/")[0] for one in rows}
    everyone = labeler.suspects.instead("mistakes", np.arange(len(all_ids(labeler))))
    assert set(everyone) == set(instead), "of a label that the heads agree with nothing else is said"


def test_what_is_right_is_never_asked_again_until_that_is_undone_or_the_label_changes(project: Project) -> None:
    labeler = project.labeler("ann")
    mistaken = label_all(labeler, wrong=1)
    first = listed(labeler)[0]
    assert first in mistaken
    said = OTHER[first.split("/")[0]]
    labeler.confirm("bob", [(first, said)])
    assert first not in listed(labeler)
    labeler.undo("bob")
    assert listed(labeler)[0] == first
    labeler.redo("bob")
    assert first not in listed(labeler)
    relabel(labeler, first, next(name for name in OTHER if name not in (said, first.split("/")[0])))
    assert first in listed(labeler)[:4]
    with pytest.raises(InvalidLabelsError, match="does not carry the label"):
        labeler.confirm("bob", [(first, said)])
    listing = labeler.suspects.listing("mistakes")
    assert (listing.right, listing.wrong, listing.doubted, listing.missing) == (1, 1, 60, 0)


def test_a_restart_and_a_correction_train_no_head_anew_to_rank_the_labels(
    pictures: Path, open_project: OpenProject
) -> None:
    first = open_project(make_config(pictures, train_every=1000))
    mistaken = label_all(first.labeler("ann"), wrong=1)
    before = listed(first.labeler("ann"))
    first.close()
    again = open_project(make_config(pictures, train_every=1000)).labeler("ann")
    wait_for(lambda: again.head is not None and again.head.info.version > 0, timeout=120)
    assert listed(again) == before
    one = before[0]
    relabel(again, one, one.split("/")[0])
    found = listed(again)
    assert set(found[:2]) == mistaken - {one}
    assert found.index(one) > 10
    assert again.suspects._mistakes.finding.state == "unasked"


def test_labels_that_no_head_left_out_yet_are_ranked_when_the_list_is_opened(project: Project) -> None:
    labeler = project.labeler("ann")
    mistaken = label_all(labeler, wrong=1)
    ground = labeler._learner.ground_of(labeler.head)
    ground.out_of_fold._rows = ground.out_of_fold._rows[:0]
    ground.out_of_fold._logits = ground.out_of_fold._logits[:0]
    ground.out_of_fold.version += 1
    wait_for(lambda: labeler.suspects.listing("mistakes").missing == 0, timeout=120)
    assert set(listed(labeler)[:3]) == mistaken
    assert labeler.suspects._mistakes.finding.state == "answered"


def test_a_damaged_file_of_left_out_labels_is_made_anew(pictures: Path, open_project: OpenProject) -> None:
    first = open_project(make_config(pictures, train_every=1000))
    mistaken = label_all(first.labeler("ann"), wrong=1)
    first.close()
    file = first.folder / "out_of_fold.safetensors"
    for content in (b"", b"rubbish", file.read_bytes()[:-5]):
        file.write_bytes(content)
        again = open_project(make_config(pictures, train_every=1000))
        labeler = again.labeler("ann")
        wait_for(lambda: labeler.head is not None and labeler.head.info.version > 0)  # noqa: B023
        wait_for(lambda: labeler.suspects.listing("mistakes").missing == 0)  # noqa: B023
        assert set(listed(labeler)[:3]) == mistaken
        again.close()
