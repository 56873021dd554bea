"""The loop: batches, claims, submits, undo, training and restarts, over a real pool of pictures."""

import ast
import gc
import os
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fastlabel_gradio.errors import InvalidLabelsError, StoreError, UnknownNameError
from fastlabel_gradio.head import HeadMaker
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.loop.batch_queue import Wish
from fastlabel_gradio.pool.ledger import __file__ as ledger_file
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.strategies import STRATEGIES, PoolView
from fastlabel_gradio.strategies.base import strategy
from fastlabel_gradio.types import Batch, Positions
from tests.pools import make_config, true_labels, wait_for, write_pictures

OpenProject = Callable[..., Project]


@pytest.fixture
def labeler(pictures: Path, open_project: OpenProject) -> Labeler:
    return open_project(make_config(pictures)).labeler("ann")


def _trained(labeler: Labeler, labels: int = 30) -> Labeler:
    labeler.submit("ann", true_labels(labeler, "ann", labels))
    assert labeler.wait_for_training(30)
    return labeler


def test_a_batch_has_the_wanted_size_and_no_predictions_before_the_first_head(labeler: Labeler) -> None:
    batch = labeler.next_batch("ann", 12)
    assert len({item.id for item in batch.items}) == 12
    assert list(batch.predictions) == [None] * 12
    assert batch.head_version == 0


def test_labels_make_predictions_better_than_chance(labeler: Labeler) -> None:
    _trained(labeler)
    batch = labeler.next_batch("ann", 30)
    names = labeler.schema.names
    right = [
        names[prediction.index] == item.id.split("/")[0]
        for item, prediction in zip(batch.items, batch.predictions, strict=True)
        if prediction
    ]
    assert len(right) == 30
    assert np.mean(right) > 0.9
    for prediction in batch.predictions:
        assert prediction
        assert sorted((prediction.index, *prediction.runners_up)) == [0, 1, 2], "the other classes are offered"


def test_every_strategy_gives_a_batch_with_and_without_a_head(labeler: Labeler) -> None:
    for name in STRATEGIES.names():
        cold = labeler.next_batch("ann", 9, name, fresh=True)
        assert len(cold.items) == 9, name
        assert bool(cold.notice) == (STRATEGIES.get(name).needs == "probabilities"), name
    _trained(labeler)
    for name in STRATEGIES.names():
        warm = labeler.next_batch("ann", 9, name, fresh=True)
        assert (len(warm.items), warm.strategy, warm.notice) == (9, name, "")


def test_an_unknown_strategy_is_refused(labeler: Labeler) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'margin'"):
        labeler.next_batch("ann", 9, "margn")


def test_asking_again_returns_the_same_batch_in_the_same_order(labeler: Labeler) -> None:
    first = labeler.next_batch("ann", 12)
    again = labeler.next_batch("ann", 12)
    assert (again.id, again.items) == (first.id, first.items)


def test_a_fresh_batch_gives_the_old_one_back(labeler: Labeler) -> None:
    first = labeler.next_batch("ann", 12)
    second = labeler.next_batch("ann", 12, fresh=True)
    assert second.id != first.id
    assert labeler.counts().claimed == 12


def test_items_left_open_come_again_only_when_there_is_nothing_else(labeler: Labeler) -> None:
    first = labeler.next_batch("ann", 20)
    labeler.submit("ann", [(first.items[0].id, "red")], first.id)
    left = {item.id for item in first.items[1:]}
    second = labeler.next_batch("ann", 20)
    assert not left & {item.id for item in second.items}
    third = labeler.next_batch("ann", 20, fresh=True)
    assert not (left | {item.id for item in second.items}) & {item.id for item in third.items}
    fourth = labeler.next_batch("ann", 60, fresh=True)
    assert {item.id for item in fourth.items} == left | {item.id for batch in (second, third) for item in batch.items}


def test_two_annotators_share_no_item(labeler: Labeler) -> None:
    ann, bob = labeler.next_batch("ann", 25), labeler.next_batch("bob", 25)
    assert not {item.id for item in ann.items} & {item.id for item in bob.items}
    assert labeler.claimed_by_others("ann") == 25
    assert len(labeler.next_batch("cat", 25).items) == 10
    nothing = labeler.next_batch("dan", 25)
    assert nothing.id == ""
    assert "other annotators" in nothing.notice


def test_only_labeled_items_leave_the_pool(labeler: Labeler) -> None:
    batch = labeler.next_batch("ann", 12)
    labels = [(item.id, "red") for item in batch.items[:5]]
    receipt = labeler.submit("ann", labels, batch.id)
    assert (receipt.accepted, receipt.training_triggered) == (5, False)
    counts = labeler.counts()
    assert (counts.labeled, counts.unlabeled, counts.claimed) == (5, 55, 0)
    everything = labeler.next_batch("ann", 100)
    assert {item.id for item in batch.items[5:]} <= {item.id for item in everything.items}
    assert not {item.id for item in batch.items[:5]} & {item.id for item in everything.items}


def test_a_submit_that_comes_twice_counts_once(labeler: Labeler) -> None:
    batch = labeler.next_batch("ann", 9)
    labels = [(item.id, 0) for item in batch.items]
    for _ in range(2):
        assert labeler.submit("ann", labels, batch.id).accepted == 9
    assert labeler.counts().labeled == 9
    assert len(list(labeler.export_rows())) == 9
    assert labeler.status().since_training == 9


@pytest.mark.parametrize(
    "bad", [("nowhere.png", "red"), ("red/0001.png", "purple"), ("red/0001.png", 3), ("red/0001.png", -1)]
)
def test_a_bad_label_stores_nothing_of_its_request(labeler: Labeler, bad: tuple[str, str | int]) -> None:
    with pytest.raises(InvalidLabelsError):
        labeler.submit("ann", [("red/0000.png", "red"), bad])
    assert labeler.counts().labeled == 0


def test_two_labels_for_one_item_are_refused(labeler: Labeler) -> None:
    with pytest.raises(InvalidLabelsError, match="two different labels"):
        labeler.submit("ann", [("red/0000.png", "red"), ("red/0000.png", "blue")])


def test_undo_opens_the_batch_again_with_its_labels(labeler: Labeler) -> None:
    batch = labeler.next_batch("ann", 8)
    labels = [(item.id, "green") for item in batch.items[:5]]
    labeler.submit("ann", labels, batch.id)
    labeler.next_batch("ann", 8)
    reopened = labeler.undo("ann")
    assert reopened.undone == 5
    assert reopened.batch is not None
    assert {item.id for item in reopened.batch.items} == {item_id for item_id, _ in labels}
    assert set(reopened.positions.values()) == {labeler.schema.names.index("green")}
    assert labeler.counts().labeled == 0
    assert labeler.next_batch("ann").id == reopened.batch.id
    assert labeler.undo("ann").undone == 0


def test_undo_takes_back_only_what_the_annotator_said(labeler: Labeler) -> None:
    labeler.submit("ann", [("red/0000.png", "red")])
    assert labeler.undo("bob").undone == 0
    assert labeler.counts().labeled == 1


def test_a_correction_replaces_and_its_undo_restores_the_previous_label(labeler: Labeler) -> None:
    labeler.submit("ann", [("red/0000.png", "blue")])
    labeler.submit("ann", [("red/0000.png", "red")])
    assert [row.label for row in labeler.export_rows()] == ["red"]
    reopened = labeler.undo("ann")
    assert [row.label for row in labeler.export_rows()] == ["blue"]
    assert reopened.batch is None


def test_claims_run_out_and_can_be_renewed(pictures: Path, open_project: OpenProject) -> None:
    now = [1000.0]
    project = open_project(make_config(pictures, claim_minutes=1))
    labeler = project.labeler("ann")
    labeler._desk.clock = lambda: now[0]
    batch = labeler.next_batch("ann", 60)
    now[0] += 50
    assert labeler.renew("ann", batch.id)
    assert not labeler.renew("bob", batch.id)
    now[0] += 50
    assert labeler.next_batch("bob", 60).items == ()
    now[0] += 50
    assert len(labeler.next_batch("bob", 60).items) == 60
    assert not labeler.renew("ann", batch.id)


def test_a_late_submit_is_kept_as_a_second_opinion(labeler: Labeler) -> None:
    labeler.submit("ann", [("red/0000.png", "red")])
    labeler.submit("bob", [("red/0000.png", "blue")])
    assert sorted((row.annotator, row.label) for row in labeler.export_rows()) == [("ann", "red"), ("bob", "blue")]
    assert labeler.counts().labeled == 1


def test_training_starts_after_train_every_labels_and_says_what_is_missing(
    pictures: Path, open_project: OpenProject
) -> None:
    labeler = open_project(make_config(pictures, train_every=4)).labeler("ann")
    labeler.train()
    assert labeler.wait_for_training(30)
    assert "two classes" in labeler.status().training.message
    assert not labeler.submit(
        "ann", [("red/0000.png", "red"), ("red/0001.png", "red"), ("blue/0000.png", "blue")]
    ).training_triggered
    assert labeler.submit("ann", [("blue/0001.png", "blue")]).training_triggered
    assert labeler.wait_for_training(30)
    status = labeler.status()
    assert status.head is not None
    assert (status.head.version, status.head.label_count, status.since_training) == (1, 4, 0)


def test_a_restart_brings_back_labels_batch_and_head(pictures: Path, open_project: OpenProject) -> None:
    config = make_config(pictures)
    project = open_project(config)
    labeler = _trained(project.labeler("ann"))
    batch = labeler.next_batch("ann", 7)
    before = labeler.predictions(np.arange(60))
    project.close()
    again = open_project(config).labeler("ann")
    assert again.counts().labeled == 30
    wait_for(lambda: again.head is not None)
    assert again.next_batch("ann", 7).items == batch.items
    assert again.predictions(np.arange(60)) == before
    assert again.head is not None
    assert again.head.info.version == 1


def test_a_batch_that_is_asked_for_before_the_encoder_is_loaded_is_kept(
    pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config(pictures)
    project = open_project(config)
    batch = project.labeler("ann").next_batch("ann", 7)
    project.close()
    may_load = threading.Event()

    def load(encoder: object, options: object) -> None:
        may_load.wait(30)

    monkeypatch.setattr("tests.pools.PixelEncoder.__init__", load)
    project = open_project(config, embed=False)
    early = project.labeler("ann").next_batch("ann", 7)
    assert (early.items, early.notice) == ((), "The first items are being embedded. This takes a moment.")
    may_load.set()
    wait_for(lambda: project.pipeline.progress.state == "done")
    again = project.labeler("ann").next_batch("ann", 7)
    assert (again.id, again.items) == (batch.id, batch.items)


def test_a_checkpoint_of_another_encoder_is_refused_and_a_new_head_is_trained(
    pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config(pictures)
    project = open_project(config)
    _trained(project.labeler("ann"))
    project.close()
    monkeypatch.setattr("tests.pools.PixelEncoder.fingerprint", "pixels-2")
    labeler = open_project(config).labeler("ann")
    wait_for(lambda: labeler.head is not None)
    assert labeler.head is not None
    assert labeler.head.info.encoder_fingerprint == "pixels-2"
    assert labeler.head.info.label_count == 30
    assert "pixels-1" in labeler.status().notice


def test_a_new_class_keeps_every_label(pictures: Path, open_project: OpenProject) -> None:
    project = open_project(make_config(pictures, classes=["red", "green", "blue"]))
    _trained(project.labeler("ann"))
    labels = {row.item_id: row.label for row in project.labeler("ann").export_rows()}
    project.close()
    again = open_project(make_config(pictures, classes=["violet", "blue", "green", "red"])).labeler("ann")
    assert again.schema.names == ("violet", "blue", "green", "red")
    assert {row.item_id: row.label for row in again.export_rows()} == labels


def test_files_added_before_a_restart_are_the_only_ones_embedded(pictures: Path, open_project: OpenProject) -> None:
    config = make_config(pictures)
    open_project(config).close()
    write_pictures(pictures, per_class=25)
    (pictures / "red" / "0000.png").unlink()
    project = open_project(config)
    assert project.labeler("ann").counts().unlabeled == 74
    assert len(project.store) <= 60 + 15 + 60


def test_unreadable_files_are_listed_and_left_out(pictures: Path, open_project: OpenProject) -> None:
    (pictures / "red" / "0000.png").write_bytes(b"")
    (pictures / "blue" / "0001.png").write_bytes((pictures / "blue" / "0002.png").read_bytes()[:200])
    project = open_project(make_config(pictures))
    labeler = project.labeler("ann")
    assert [item_id for item_id, _ in project.store.unreadable(10)] == ["blue/0001.png", "red/0000.png"]
    assert labeler.counts().unlabeled == 58
    ids = {item.id for item in labeler.next_batch("ann", 100).items}
    assert len(ids) == 58
    with pytest.raises(InvalidLabelsError, match=r"red/0000\.png"):
        labeler.submit("ann", [("red/0000.png", "red")])


def test_all_labeled_says_so(labeler: Labeler) -> None:
    labeler.submit("ann", true_labels(labeler, "ann", 100))
    batch = labeler.next_batch("ann")
    assert (batch.id, batch.items) == ("", ())
    assert "Every item is labeled" in batch.notice


def test_private_labelers_do_not_see_each_other(pictures: Path, open_project: OpenProject) -> None:
    project = open_project(make_config(pictures, sharing="private"))
    ann, bob = project.labeler("guest-ann1"), project.labeler("guest-bob1")
    ann.submit("guest-ann1", true_labels(ann, "guest-ann1", 30))
    assert (ann.counts().labeled, bob.counts().labeled) == (30, 0)
    assert ann.wait_for_training(30)
    assert ann.head is not None
    assert bob.head is None
    assert len(bob.next_batch("guest-bob1", 60).items) == 60


def test_threads_that_claim_and_submit_during_training_never_share_an_item(
    tmp_path: Path, open_project: OpenProject
) -> None:
    pictures = write_pictures(tmp_path / "many", per_class=80)
    labeler = open_project(make_config(pictures, train_every=1)).labeler("x")
    seen: list[str] = []
    errors: list[Exception] = []

    def annotate(name: str) -> None:
        try:
            while batch := labeler.next_batch(name, 5).items:
                seen.extend(item.id for item in batch)
                labeler.submit(name, [(item.id, item.id.split("/")[0]) for item in batch])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=annotate, args=(f"annotator-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert len(seen) == len(set(seen)) == 240
    assert labeler.counts().labeled == 240
    assert len(list(labeler.export_rows())) == 240


def test_who_was_slower_gets_a_whole_batch_of_other_items(pictures: Path, open_project: OpenProject) -> None:
    others: list[Batch] = []
    with STRATEGIES.preserved():

        @strategy("first_ones", needs="nothing")
        def first_ones(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
            """The first candidates; while they are picked for the first time, bob claims most of them."""
            if not others:
                others.append(Batch("", (), "", 0))
                others.append(labeler.next_batch("bob", 8))
            return np.arange(n)

        labeler = open_project(make_config(pictures, strategy="first_ones", audit_share=0.2)).labeler("x")
        batch = labeler.next_batch("ann", 10)
    assert len(batch.items) == 10
    assert len(others[1].items) == 8
    assert not {item.id for item in batch.items} & {item.id for item in others[1].items}
    assert labeler.counts().claimed == 18


def test_requests_of_one_annotator_at_the_same_time_get_the_same_batch(labeler: Labeler) -> None:
    batches: list[Batch] = []
    threads = [threading.Thread(target=lambda: batches.append(labeler.next_batch("ann", 10))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len({batch.id for batch in batches}) == 1
    assert len(batches) == 6
    assert labeler.counts().claimed == 10


def test_the_same_labels_once_more_add_nothing_to_the_learning_curve(labeler: Labeler) -> None:
    _trained(labeler)
    labeler.train()
    assert labeler.wait_for_training(30)
    assert [point.labels for point in labeler.evaluation(0.9).points] == [30]
    assert labeler.head
    assert labeler.head.info.version == 2


def test_a_head_that_cannot_be_saved_is_used_and_measured_and_the_reason_is_told(labeler: Labeler) -> None:
    labeler.checkpoint.mkdir(parents=True)  # nothing can be moved to where a folder is
    (labeler.checkpoint / "full").touch()
    _trained(labeler)
    assert labeler.head
    assert len(labeler.evaluation(0.9).points) == 1
    assert "could not be saved" in labeler.status().training.error


def test_a_head_begins_at_the_temperature_of_the_one_before(labeler: Labeler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastlabel_gradio.head.maker.fit_temperature", lambda logits, targets: 2.0)
    _trained(labeler)
    assert labeler.head
    assert labeler.head.info.temperature == 2.0
    monkeypatch.setattr(HeadMaker, "calibrate", lambda self, head, *others: head)
    _trained(labeler)
    assert (labeler.head.info.version, labeler.head.info.temperature) == (2, 2.0)


def test_files_that_were_touched_keep_their_labels_and_are_not_offered_again(
    pictures: Path, open_project: OpenProject
) -> None:
    config = make_config(pictures)
    project = open_project(config)
    _trained(project.labeler("ann"))
    labeled = {row.item_id for row in project.labeler("ann").export_rows()}
    project.close()
    for path in pictures.rglob("*.png"):
        os.utime(path, (1, 1))
    labeler = open_project(config).labeler("ann")
    batch = labeler.next_batch("ann", 20)
    assert len(batch.items) == 20
    assert not {item.id for item in batch.items} & labeled


def test_a_file_removed_from_an_open_batch_does_not_block_the_rest(pictures: Path, open_project: OpenProject) -> None:
    config = make_config(pictures)
    project = open_project(config)
    before = project.labeler("ann").next_batch("ann", 10)
    project.close()
    (pictures / before.items[3].id).unlink()
    labeler = open_project(config).labeler("ann")
    batch = labeler.next_batch("ann", 10)
    assert batch.items == before.items[:3] + before.items[4:]
    assert labeler.submit("ann", [(item.id, "red") for item in batch.items], batch.id).accepted == 9
    assert before.items[3].id not in {item.id for item in labeler.next_batch("ann", 100).items}


def test_removed_files_keep_their_labels_but_do_not_count_as_pool(pictures: Path, open_project: OpenProject) -> None:
    config = make_config(pictures)
    project = open_project(config)
    project.labeler("ann").submit("ann", [(f"red/{number:04d}.png", "red") for number in range(20)])
    project.close()
    for number in range(20):
        (pictures / "red" / f"{number:04d}.png").unlink()
    counts = open_project(config).labeler("ann").counts()
    assert (counts.labeled, counts.unlabeled) == (20, 40)


def test_changing_the_encoder_trains_on_every_label_once_all_are_embedded(
    pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config(pictures)
    project = open_project(config)
    _trained(project.labeler("ann"))
    project.close()
    monkeypatch.setattr("tests.pools.PixelEncoder.fingerprint", "pixels-3")
    labeler = open_project(config, embed=False).labeler("ann")
    wait_for(lambda: labeler.head is not None and labeler.head.info.label_count == 30)
    assert labeler.head is not None
    assert labeler.head.info.encoder_fingerprint == "pixels-3"


def test_a_batch_that_is_asked_for_again_names_the_head_whose_predictions_it_carries(labeler: Labeler) -> None:
    first = labeler.next_batch("bob", 6)
    assert first.head_version == 0
    _trained(labeler)
    again = labeler.next_batch("bob", 6)
    assert (again.id, again.head_version) == (first.id, 1)
    assert None not in again.predictions


def test_an_export_with_predictions_leaves_out_files_that_are_gone(pictures: Path, open_project: OpenProject) -> None:
    config = make_config(pictures)
    open_project(config).close()
    (pictures / "red" / "0000.png").unlink()
    rows = list(open_project(config).labeler("ann").export_rows(include_predictions=True))
    assert len(rows) == 59
    assert "red/0000.png" not in {row.item_id for row in rows}


def _with_small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastlabel_gradio.pool.candidates.WINDOW_ROWS", 15)
    monkeypatch.setattr("fastlabel_gradio.loop.learner.WINDOW_ROWS", 15)
    monkeypatch.setattr("fastlabel_gradio.pool.candidates.SHORTLIST_ROWS", 12)


def _labeled_in_order(labeler: Labeler) -> list[list[str]]:
    """The ids of each batch until the pool is at its end, with what comes after a training done before the next one."""
    batches = []
    while labels := true_labels(labeler, "ann", 6):
        batches.append([item_id for item_id, _ in labels])
        labeler.submit("ann", labels)
        assert labeler.wait_for_training(30)
    return batches


def test_a_pool_larger_than_the_window_is_labeled_to_its_end_and_the_same_seed_gives_the_same_batches(
    pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_small_windows(monkeypatch)
    project = open_project(
        make_config(pictures, train_every=1, strategy="balanced_margin", audit_share=0.2, sharing="private")
    )
    first, second = (_labeled_in_order(project.labeler(f"guest-{number}")) for number in (1, 2))
    ids = [item_id for batch in first for item_id in batch]
    assert len(ids) == len(set(ids)) == 60
    assert first == second


def test_a_submit_during_the_refresh_is_trained_at_once(
    pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_small_windows(monkeypatch)
    refreshing = threading.Event()

    def endless(shortlist: object, *arguments: object) -> None:
        refreshing.set()
        *_, checkpoint = arguments
        while True:
            checkpoint()  # type: ignore[operator]
            time.sleep(0.001)

    monkeypatch.setattr("fastlabel_gradio.pool.candidates.Shortlist.refresh", endless)
    labeler = open_project(make_config(pictures, train_every=1)).labeler("ann")
    for version in (1, 2, 3):
        refreshing.clear()
        labeler.submit("ann", true_labels(labeler, "ann", 12))
        assert refreshing.wait(10)
        assert labeler.head is not None
        assert labeler.head.info.version == version
        assert labeler.next_batch("ann", 5, fresh=True).head_version == version


def test_annotators_who_wait_together_get_whole_batches_with_their_share_of_random_items(
    pictures: Path, open_project: OpenProject
) -> None:
    labeler = open_project(make_config(pictures, audit_share=0.2, train_every=1000)).labeler("x")
    reserved = set(labeler._store.reserved_rows(0, 60, 0.2).tolist())
    picks = labeler._picker.pick([Wish(8, "auto"), Wish(4, "auto"), Wish(12, "auto")])
    assert [len(pick.rows) for pick in picks] == [8, 4, 12]
    rows = [int(row) for pick in picks for row in pick.rows]
    assert len(set(rows)) == 24
    assert 3 <= len(reserved & set(rows)) <= 6
    assert not set(rows) & {int(row) for pick in labeler._picker.pick([Wish(30, "auto")]) for row in pick.rows}


def test_rows_that_were_picked_and_not_claimed_are_picked_again(
    labeler: Labeler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patched, pytest.raises(StoreError):
        patched.setattr(labeler._label_store, "claim", full_disk)
        labeler.next_batch("ann", 60)
    assert len(labeler.next_batch("ann", 60).items) == 60


def test_an_undo_whose_batch_cannot_be_opened_stays_undone(labeler: Labeler, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    labeler.submit("ann", [("red/0000.png", "red")])
    monkeypatch.setattr(labeler._label_store, "claim", full_disk)
    reopened = labeler.undo("ann")
    assert (reopened.undone, reopened.batch, labeler.counts().labeled) == (1, None, 0)


def test_claims_made_by_a_clock_that_was_ahead_are_released(pictures: Path, open_project: OpenProject) -> None:
    now = [1_000_000.0]
    labeler = open_project(make_config(pictures)).labeler("x")
    labeler._desk.clock = lambda: now[0]
    early = labeler.next_batch("bob", 20)
    now[0] += 20 * 86_400
    labeler.next_batch("ann", 30)
    assert labeler.renew("ann", labeler.next_batch("ann").id)
    now[0] -= 20 * 86_400
    assert labeler.counts().claimed == 0
    assert len(labeler.next_batch("cat", 60, fresh=True).items) == 60
    assert early.items


def test_labels_of_a_time_that_no_calendar_has_are_exported_without_it(
    pictures: Path, open_project: OpenProject
) -> None:
    labeler = open_project(make_config(pictures)).labeler("ann")
    for number, now in enumerate([1e12, 1e300, -3e12, -1.0, 1_700_000_000.0]):
        labeler._desk.clock = lambda now=now: now  # type: ignore[misc]
        labeler.submit("ann", [(f"red/{number:04d}.png", "red")])
    times = {row.item_id: row.created_at for row in labeler.export_rows(include_predictions=True) if row.label}
    assert [bool(times[f"red/{number:04d}.png"]) for number in range(5)] == [False, False, False, True, True]


@pytest.mark.parametrize("tamper", ["head", "embeddings", "curve"])
def test_files_that_were_tampered_with_keep_nobody_from_labelling_or_exporting(
    pictures: Path, open_project: OpenProject, tamper: str
) -> None:
    config = make_config(pictures, audit_share=0.2)
    project = open_project(config)
    _trained(project.labeler("ann"), 40)
    folder = project.folder
    project.close()
    if tamper == "head":
        content = bytearray((folder / "head.safetensors").read_bytes())
        content[-2_000:] = np.full(500, np.nan, dtype="<f4").tobytes()
        (folder / "head.safetensors").write_bytes(content)
    elif tamper == "embeddings":
        vectors = np.memmap(folder / "pixels-1.f32", dtype=np.float32, mode="r+")
        vectors[:5] = np.nan
        vectors.flush()
    else:
        (folder / "learning_curve.jsonl").write_text('{"labels": 0, "audit_items": 5, "correct": 9, "agreement": NaN}')
    project = open_project(config)
    labeler = project.labeler("ann")
    assert len(list(labeler.export_rows())) == 40
    if tamper == "embeddings":
        assert "pixels-1.f32 is damaged" in project.pipeline.progress.error
        assert "damaged" in labeler.next_batch("ann", 5).notice
        return
    wait_for(lambda: labeler.head is not None)
    assert ("not a readable checkpoint" in labeler.status().notice) == (tamper == "head")
    predictions = labeler.next_batch("ann", 5, fresh=True).predictions
    assert all(prediction and np.isfinite(prediction.confidence) for prediction in predictions)
    assert labeler.evaluation(0.9).advice.text


def test_labels_that_are_gone_at_the_start_are_missed(pictures: Path, open_project: OpenProject) -> None:
    project = open_project(make_config(pictures))
    _trained(project.labeler("ann"), 40)
    folder = project.folder
    project.close()
    (folder / "labels.sqlite").write_bytes(b"")  # as a copy that found no room leaves it
    labeler = open_project(make_config(pictures)).labeler("ann")
    wait_for(lambda: "labels, and now there is none" in labeler.status().notice)
    assert labeler.counts().labeled == 0


def test_a_private_labeler_that_was_closed_is_let_go(pictures: Path, open_project: OpenProject) -> None:
    project = open_project(make_config(pictures, sharing="private"))
    labeler = project.labeler("guest-one1")
    _trained(labeler)
    closed = weakref.ref(labeler)
    del labeler
    gc.collect()
    gc.disable()  # what is let go only by looking for cycles stays for long
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("fastlabel_gradio.server.project.MAX_PRIVATE_LABELERS", 1)
            project.labeler("guest-two2")
        wait_for(lambda: closed() is None)
    finally:
        gc.enable()
    assert [path.name for path in (project.folder / "private").iterdir() if not any(path.iterdir())] == ["guest-two2"]


def test_nobody_reads_the_ledger_while_another_thread_changes_it() -> None:
    tree = ast.parse(Path(ledger_file).read_text(encoding="utf-8"))
    [ledger] = [one for one in tree.body if isinstance(one, ast.ClassDef) and one.name == "PoolLedger"]
    asked = [one for one in ledger.body if isinstance(one, ast.FunctionDef) and not one.name.startswith("_")]
    unlocked = {one.name for one in asked if "_locked" not in [ast.unparse(by) for by in one.decorator_list]}
    assert len(asked) > 30 and unlocked == {"is_this_audit", "audit_mark"}  # each reads one reference
