"""The audit: random items that no head is trained on, and what is said of the head because of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.loop.learning_record import LearningPoint, LearningRecord
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import Said
from tests.pools import make_config, true_labels, wait_for, write_pictures

OpenProject = Callable[..., Project]


@pytest.fixture
def project(tmp_path: Path, open_project: OpenProject) -> Project:
    """300 pictures, of which about 30 are reserved for the audit."""
    return open_project(make_config(write_pictures(tmp_path / "pictures", per_class=100), audit_share=0.1))


def teach(labeler: Labeler, batches: int, size: int = 20) -> None:
    for _ in range(batches):
        labeler.submit("ann", true_labels(labeler, "ann", size))
        assert labeler.wait_for_training(30)


def reserved(project: Project) -> set[int]:
    return set(project.store.reserved_rows(0, len(project.store), 0.1).tolist())


def test_about_a_tenth_of_the_items_is_reserved_and_always_the_same(project: Project) -> None:
    rows = reserved(project)
    assert 10 <= len(rows) <= 60
    assert rows == reserved(project)
    half = set(project.store.reserved_rows(0, len(project.store), 0.5).tolist())
    assert rows < half


def test_a_tenth_of_each_batch_is_drawn_from_the_reserve_in_its_order(project: Project) -> None:
    labeler, rows = project.labeler("ann"), reserved(project)
    drawn: list[int] = []
    for _ in range(5):
        batch = labeler.next_batch("ann", 20)
        drawn += sorted(row for row in batch.rows if row in rows)
        labeler.submit("ann", [(item.id, item.id.split("/")[0]) for item in batch.items], batch.id)
    assert drawn == sorted(rows)[: len(drawn)]
    assert len(drawn) == 10


@pytest.mark.parametrize("strategy", ["random", "margin", "auto"])
def test_no_strategy_picks_from_the_reserve_and_no_head_is_trained_on_it(project: Project, strategy: str) -> None:
    labeler, rows = project.labeler("ann"), reserved(project)
    teach(labeler, 3)
    batch = labeler.next_batch("ann", 40, strategy, fresh=True)
    assert sum(row in rows for row in batch.rows) == 4
    labeler.submit("ann", [(item.id, item.id.split("/")[0]) for item in batch.items], batch.id)
    assert labeler.wait_for_training(30)
    report = labeler.evaluation(0.9).report
    assert labeler.head is not None
    assert report is not None
    assert labeler.head.info.label_count + report.items == labeler.counts().labeled == 100
    assert report.items == 10


def test_what_a_search_labeled_measures_once_each_card_is_confirmed(project: Project) -> None:
    labeler = project.labeler("ann")
    kept = [item_id for row, item_id in project.store.items_between(0, len(project.store)) if row in reserved(project)]
    whole = Said(labeler.schema.ids[labeler.schema.names.index("red")])
    labeler.actions.apply("ann", Query(ids=tuple(kept[:6])), (), whole)
    assert len(labeler._ledger.audit_set().rows) == 0  # chosen, not drawn, and nobody looked at each
    labeler.submit("ann", [(item_id, "red") for item_id in kept[:4]])
    assert len(labeler._ledger.audit_set().rows) == 4
    labeler.undo("ann")
    assert len(labeler._ledger.audit_set().rows) == 0


def test_the_report_is_what_counting_gives(project: Project) -> None:
    labeler = project.labeler("ann")
    teach(labeler, 5)
    rows = [row for row, item_id in project.store.items_between(0, len(project.store)) if row in reserved(project)]
    items = project.store.items_at(np.array(rows, dtype=np.int64))
    labeled = {row: items[row].id.split("/")[0] for row in sorted(rows)[:10]}
    said = labeler.predictions(np.array(list(labeled), dtype=np.int64))
    names = labeler.schema.names
    right = sum(names[entry.index] == label for entry, label in zip(said, labeled.values(), strict=True) if entry)
    report = labeler.evaluation(0.9).report
    assert report is not None
    assert (report.correct, report.items) == (right, 10)


def test_the_pool_can_be_labeled_to_its_end(project: Project) -> None:
    labeler = project.labeler("ann")
    while labels := true_labels(labeler, "ann", 70):
        labeler.submit("ann", labels)
    assert labeler.counts().labeled == 300


def test_the_record_grows_by_one_point_a_head_and_survives_a_restart(
    project: Project, tmp_path: Path, open_project: OpenProject
) -> None:
    teach(project.labeler("ann"), 3)
    points = project.labeler("ann").evaluation(0.9).points
    assert [point.labels for point in points] == [18, 36, 54]
    assert points[0].agreement is None
    assert all(point.agreement is not None and -1 <= point.agreement <= 1 for point in points[1:])
    project.close()
    again = open_project(make_config(tmp_path / "pictures", audit_share=0.1)).labeler("ann")
    wait_for(lambda: again.head is not None)
    assert again.evaluation(0.9).points == points


def test_without_a_share_there_is_no_audit(pictures: Path, open_project: OpenProject) -> None:
    labeler = open_project(make_config(pictures)).labeler("ann")
    teach(labeler, 1)
    evaluation = labeler.evaluation(0.9)
    assert evaluation.report is None
    assert "too early" in evaluation.advice.text


def test_a_damaged_line_of_the_record_is_left_out(tmp_path: Path) -> None:
    record = LearningRecord(tmp_path / "curve.jsonl")
    record.add(LearningPoint(10, 1, 1, None))
    with (tmp_path / "curve.jsonl").open("a", encoding="utf-8") as file:
        file.write('\n{"labels": 20, "aud')
    again = LearningRecord(tmp_path / "curve.jsonl")
    again.add(LearningPoint(30, 3, 2, 0.5))
    assert LearningRecord(tmp_path / "curve.jsonl").points == [
        LearningPoint(10, 1, 1, None),
        LearningPoint(30, 3, 2, 0.5),
    ]


def test_labels_of_one_class_alone_ask_for_another_and_not_for_patience(project: Project) -> None:
    labeler = project.labeler("ann")
    batch = labeler.next_batch("ann", 40)
    labeler.submit("ann", [(item.id, "red") for item in batch.items], batch.id)
    assert labeler.wait_for_training(30)
    assert "two classes" in labeler.status().training.message
