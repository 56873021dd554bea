"""Items that get a state in place of a label: in the loop, in the status, in exports, by REST, and after a restart."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from fastlabel_gradio.errors import InvalidLabelsError
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import State
from tests.pools import make_config
from tests.test_api import start

OpenProject = Callable[..., Project]


def shown_in(labeler: Labeler, annotator: str = "bob") -> set[str]:
    """Every item that an annotator can get."""
    return {item.id for item in labeler.next_batch(annotator, 100, fresh=True).items}


def test_what_was_set_aside_does_not_come_again_also_after_a_restart(pictures: Path, open_project: OpenProject) -> None:
    project = open_project(make_config(pictures))
    labeler = project.labeler("ann")
    aside = {"red/0000.png": State.SKIP, "green/0001.png": State.UNSURE, "blue/0002.png": State.BAD}
    labeler.submit("ann", list(aside.items()))
    for again in (False, True):
        if again:
            project.close()
            project = open_project(make_config(pictures))
            labeler = project.labeler("ann")
        counts = labeler.counts()
        assert (counts.labeled, counts.unlabeled, counts.skip, counts.unsure, counts.bad) == (0, 57, 1, 1, 1)
        shown = shown_in(labeler)
        assert len(shown) == 57
        assert not shown & aside.keys()
    assert {item.id for item in labeler.undo("ann").batch.items} == aside.keys()  # type: ignore[union-attr]
    assert labeler.counts().unlabeled == 60
    assert labeler.redo("ann") == 3
    assert (labeler.redo("ann"), labeler.counts().unlabeled) == (0, 57)


def test_states_teach_nothing_and_ask_for_no_training(pictures: Path, open_project: OpenProject) -> None:
    labeler = open_project(make_config(pictures, train_every=6)).labeler("ann")
    labels = [(f"{name}/{number:04d}.png", name) for name in ("red", "green", "blue") for number in range(2)]
    assert labeler.submit("ann", labels).training_triggered
    assert labeler.wait_for_training(60)
    skipped = [(f"red/{number:04d}.png", State.SKIP) for number in range(10, 20)]
    assert not labeler.submit("ann", skipped).training_triggered
    assert labeler.submit("ann", [("red/0000.png", State.BAD)]).accepted == 1
    labeler.train()
    assert labeler.wait_for_training(60)
    assert labeler.head is not None
    assert labeler.head.info.label_count == 5


def test_a_bad_item_leaves_the_audit(pictures: Path, open_project: OpenProject) -> None:
    labeler = open_project(make_config(pictures, audit_share=0.3, train_every=60)).labeler("ann")
    batch = labeler.next_batch("ann", 60)
    labeler.submit("ann", [(item.id, item.id.split("/")[0]) for item in batch.items], batch.id)
    assert labeler.wait_for_training(60)
    audited = labeler.evaluation(0.9).report
    assert audited is not None
    rows = labeler._ledger.audit_set().rows
    item_id = batch.items[batch.rows.index(int(rows[0]))].id
    labeler.submit("ann", [(item_id, State.BAD)])
    after = labeler.evaluation(0.9).report
    assert after is not None and after.items == audited.items - 1


def test_a_pool_of_which_the_rest_was_set_aside_is_done(pictures: Path, open_project: OpenProject) -> None:
    labeler = open_project(make_config(pictures)).labeler("ann")
    batch = labeler.next_batch("ann", 60)
    labels: list[tuple[str, str | int | State]] = [(item.id, 0) for item in batch.items[:58]]
    labeler.submit("ann", [*labels, *((item.id, State.SKIP) for item in batch.items[58:])], batch.id)
    assert labeler.next_batch("ann").notice.startswith(
        "Every item is labeled or was set aside (2 skipped, unsure or bad)."
    )


def test_exports_leave_states_out_unless_they_are_asked_for(pictures: Path, open_project: OpenProject) -> None:
    labeler = open_project(make_config(pictures)).labeler("ann")
    labeler.submit("ann", [("red/0000.png", "red"), ("red/0001.png", State.SKIP), ("red/0002.png", State.BAD)])
    assert [(row.item_id, row.label, row.state) for row in labeler.export_rows()] == [("red/0000.png", "red", None)]
    assert [(row.item_id, row.label, row.state, row.source) for row in labeler.export_rows(include_states=True)] == [
        ("red/0000.png", "red", "label", "person"),
        ("red/0001.png", "", "skip", "person"),
        ("red/0002.png", "", "bad", "person"),
    ]
    assert len(list(labeler.export_rows(include_predictions=True))) == 60
    everything = list(labeler.export_rows(include_predictions=True, include_states=True))
    assert len({row.item_id for row in everything}) == len(everything) == 60
    assert [row.state for row in everything].count("") == 57


def test_a_state_by_rest_is_counted_taken_back_and_brought_back(tmp_path: Path) -> None:
    app, address = start(tmp_path)
    try:
        with httpx.Client(base_url=address, timeout=60) as client:
            batch = client.get("/api/next_batch", params={"size": 4}).json()
            ids = [item["id"] for item in batch["items"]]
            said = [{"id": ids[0], "label": 0}, {"id": ids[1], "state": "skip"}, {"id": ids[2], "state": "bad"}]
            answer = client.post("/api/submit_labels", json={"batch_id": batch["batch_id"], "labels": said}).json()
            assert (answer["accepted"], answer["labeled"]) == (3, 1)
            before = client.get("/api/status").json()
            assert before["set_aside"] == {"skip": 1, "unsure": 0, "bad": 1}
            assert before["total"] == before["labeled"] + before["unlabeled"] + 2
            undone = client.post("/api/undo", json={}).json()
            assert undone["undone"] == 3
            said_of = {
                item["id"]: item["label"] if item["state"] is None else item["state"]
                for item in undone["batch"]["items"]
            }
            assert said_of == {ids[0]: 0, ids[1]: "skip", ids[2]: "bad"}
            assert client.get("/api/status").json()["set_aside"] == {"skip": 0, "unsure": 0, "bad": 0}
            assert client.post("/api/redo", json={}).json()["redone"] == 3
            assert client.get("/api/status").json()["set_aside"] == before["set_aside"]
            table = client.get("/api/export", params={"states": True}).text.splitlines()
            assert table[0].endswith(",expand,state,source")
            assert sorted(line.rsplit(",", 2)[1] for line in table[1:]) == ["bad", "label", "skip"]
            assert len(client.get("/api/export").text.splitlines()) == 2
            for neither in ({}, {"state": "label"}, {"label": 0, "state": "skip"}, {"state": "later"}):
                refused = client.post("/api/submit_labels", json=[{"id": ids[3], **neither}])
                assert (refused.status_code, "'skip'" in refused.json()["error"]) == (422, True)
    finally:
        app.close()


def test_two_things_said_of_one_item_are_refused(pictures: Path, open_project: OpenProject) -> None:
    labeler = open_project(make_config(pictures)).labeler("ann")
    with pytest.raises(InvalidLabelsError, match=r"'red/0000\.png' has two different labels"):
        labeler.submit("ann", [("red/0000.png", "red"), ("red/0000.png", State.SKIP)])
    assert labeler.counts().unlabeled == 60
