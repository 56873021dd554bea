"""Planted checks: labeled items in a group of another class, of which no answer becomes a label."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.loop.planted_checks import MOST_PLANTED, PlantedChecks
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import (
    Batch,
    Card,
    Item,
    Label,
    LabelSchema,
    PlantedCounts,
    PoolItem,
    Prediction,
    Rows,
    State,
)
from tests.pools import make_config, true_labels, wait_for, write_pictures
from tests.test_api import start


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    config = make_config(write_pictures(tmp_path / "pictures", 24), planted_checks=1.0, train_every=1000)
    project = Project(config, tmp_path, tmp_path / "work")
    project.start()
    wait_for(lambda: project.pipeline.progress.state == "done")
    labeler = project.labeler("ann")
    labeler.submit("ann", true_labels(labeler, "ann", 30))
    labeler.train()
    assert labeler.wait_for_training(30)
    yield project
    project.close()


def _stored(labeler: Labeler) -> dict[str, str]:
    return {row.item_id: row.label for row in labeler.export_rows()}


def test_a_batch_holds_up_to_three_labeled_items_that_are_shown_as_the_class_of_its_largest_group(
    project: Project,
) -> None:
    labeler = project.labeler("ann")
    before = _stored(labeler)
    batch = labeler.next_batch("ann", 20, fresh=True)
    planted = labeler.planted.of(batch.id)
    assert 1 <= len(planted) <= MOST_PLANTED
    assert len(batch.items) == len(batch.rows) == len(batch.predictions) == 20, (
        "as many as were asked for: nobody is told"
    )
    shown = {item.id: one for item, one in zip(batch.items, batch.predictions, strict=True) if one}
    names = labeler.schema.names
    for one in planted:
        assert before[one.item_id] != names[shown[one.item_id].index]
        assert shown[one.item_id].index == labeler.schema.positions[one.shown_as]
        assert names[shown[one.item_id].runners_up[0]] == before[one.item_id], "as of a card that the head has wrong"
    assert {len(one.runners_up) for one in shown.values()} == {2}, "or what is planted could be told"
    assert labeler.next_batch("ann").items == batch.items, "a reload shows the same"
    assert labeler.batch_items(batch.id) == batch.items


def test_where_others_are_faster_with_its_items_a_batch_is_not_drawn_again_for_planting(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    labeler = project.labeler("ann")
    claim, others, drawn = labeler._claims.claim, [None, None], []
    monkeypatch.setattr(labeler._claims, "claim", lambda *args, **how: others.pop() if others else claim(*args, **how))
    monkeypatch.setattr(labeler.planted, "is_due", lambda: drawn.append(True) or drawn == [True])
    batch = labeler.next_batch("ann", 20, fresh=True)
    assert (len(batch.items), others, drawn) == (20, [], [True])
    assert labeler.planted.of(batch.id)


def test_no_answer_to_a_planted_item_changes_its_label_and_what_slipped_through_is_told_once(project: Project) -> None:
    labeler = project.labeler("ann")
    before = _stored(labeler)
    batch = labeler.next_batch("ann", 20, fresh=True)
    planted = labeler.planted.of(batch.id)
    names = labeler.schema.names
    accepted = [(item.id, names[one.index]) for item, one in zip(batch.items, batch.predictions, strict=True) if one]
    receipt = labeler.submit("ann", accepted, batch.id, {item_id for item_id, _ in accepted})
    assert receipt.accepted == 20 - len(planted)
    assert receipt.planted == PlantedCounts(len(planted), len(planted))
    assert before.items() <= _stored(labeler).items()
    again = labeler.submit("ann", accepted, batch.id)
    assert (again.planted, before.items() <= _stored(labeler).items()) == (None, True)
    assert labeler.planted.counts() == {"ann": PlantedCounts(len(planted), len(planted))}
    met = {one.item_id for one in planted}
    assert set(labeler.finder.item_ids(Query(planted=("ann",)))) == met
    assert set(labeler.finder.item_ids(Query(slipped=("ann",)))) == met
    assert labeler.finder.count(Query(planted=("bob",))) == labeler.finder.count(Query(slipped=("bob",))) == 0


def test_left_out_corrected_or_skipped_is_noticed_and_another_annotator_is_not_judged(project: Project) -> None:
    labeler = project.labeler("ann")
    batch = labeler.next_batch("bob", 20, fresh=True)
    planted = {one.item_id: one for one in labeler.planted.of(batch.id)}
    names, ids = labeler.schema.names, labeler.schema.ids
    said: list[tuple[str, str | int | State]] = [
        (item.id, names[one.index])
        for item, one in zip(batch.items, batch.predictions, strict=True)
        if one and item.id not in planted
    ]
    first = next(iter(planted.values()))
    right = names[ids.index(first.label_id)]
    assert labeler.submit("ann", [(first.item_id, right)], batch.id).planted is None
    receipt = labeler.submit("bob", [*said, (first.item_id, right)], batch.id)
    assert receipt.planted == PlantedCounts(len(planted), 0)
    assert labeler.planted.counts() == {"bob": PlantedCounts(len(planted), 0)}
    assert set(labeler.finder.item_ids(Query(planted=("bob",)))) == planted.keys()
    assert labeler.finder.count(Query(slipped=("bob",))) == 0


def test_what_was_planted_is_known_after_a_restart_and_a_broken_line_is_left_out(
    project: Project, tmp_path: Path
) -> None:
    labeler = project.labeler("ann")
    before = _stored(labeler)
    batch = labeler.next_batch("ann", 20, fresh=True)
    planted = labeler.planted.of(batch.id)
    file = next((tmp_path / "work").rglob("planted.jsonl"))
    config = project.config
    project.close()
    with file.open("a", encoding="utf-8") as lines:
        lines.write('{"batch_id": 3}\nnonsense\n')
    again = Project(config, tmp_path, tmp_path / "work")
    try:
        labeler = again.labeler("ann")
        assert labeler.planted.of(batch.id) == planted
        names, first = labeler.schema.names, planted[0]
        shown_as = names[labeler.schema.positions[first.shown_as]]
        receipt = labeler.submit("ann", [(first.item_id, shown_as)], batch.id)
        assert receipt.planted
        assert receipt.planted.slipped == 1
        assert before.items() <= _stored(labeler).items()
    finally:
        again.close()
    checks = PlantedChecks(file, 0.0)
    assert checks.counts()["ann"].slipped == 1
    assert checks.items_of(["ann"], slipped=True) == {planted[0].item_id}


def test_of_batches_before_items_were_written_down_all_that_was_planted_is_known(tmp_path: Path) -> None:
    file = tmp_path / "planted.jsonl"
    one = {"item_id": "1.png", "label_id": 0, "shown_as": 1, "confidence": 0.9, "place": 3}
    planted = {"batch_id": "b", "annotator": "ann", "at": 1.0, "planted": [one], "counts": None}
    judged = {"batch_id": "b", "annotator": "ann", "at": 2.0, "planted": [], "counts": {"shown": 1, "slipped": 1}}
    file.write_text(f"{json.dumps(planted)}\n{json.dumps(judged)}\n", encoding="utf-8")
    checks = PlantedChecks(file, 0.0)
    assert checks.counts() == {"ann": PlantedCounts(1, 1)}
    assert (checks.items_of(["ann"]), checks.items_of(["ann"], slipped=True)) == ({"1.png"}, set())


def test_rest_tells_who_let_planted_items_through_and_finds_them(tmp_path: Path) -> None:
    app, address = start(tmp_path, planted_checks=1.0, train_every=1000)
    try:
        with httpx.Client(base_url=address, cookies={"fastlabel_annotator": "guest-1111"}, timeout=30) as client:
            first = client.get("/api/next_batch", params={"size": 30}).json()
            labels = [{"id": item["id"], "label": item["id"].split("/")[0]} for item in first["items"]]
            client.post("/api/submit_labels", json={"batch_id": first["batch_id"], "labels": labels})
            client.post("/api/train", json={})
            wait_for(lambda: client.get("/api/status").json()["head"]["version"] == 1)
            batch = client.get("/api/next_batch", params={"size": 20}).json()
            known = {entry["id"] for entry in labels}
            planted = [item for item in batch["items"] if item["id"] in known]
            assert 1 <= len(planted) <= MOST_PLANTED
            shown = [
                {"id": item["id"], "label": item["prediction"]["label"], "source": "group"} for item in batch["items"]
            ]
            answer = client.post("/api/submit_labels", json={"batch_id": batch["batch_id"], "labels": shown}).json()
            assert answer["planted"] == {"shown": len(planted), "slipped": len(planted)}
            assert answer["accepted"] == 20 - len(planted)
            [me] = client.get("/api/progress").json()["people"]
            assert (me["planted"], me["slipped"]) == (len(planted), len(planted))
            for key in ("planted", "slipped"):
                found = client.post("/api/items", json={"query": {key: [me["annotator"]]}}).json()
                assert {item["id"] for item in found["items"]} == {item["id"] for item in planted}
                assert all(item["label"] == item["id"].split("/")[0] for item in found["items"]), "as before"
                counts = client.post("/api/items/counts", json={"query": {key: [me["annotator"]]}}).json()
                assert sum(one["count"] for one in counts["labels"]) == len(planted)
            assert client.post("/api/items", json={"query": {"planted": ["nobody"]}}).json().get("total", 0) == 0
    finally:
        app.close()


@pytest.mark.parametrize(("share", "predictions"), [(0.0, [Prediction(0, 0.9)] * 10), (1.0, [None] * 10)])
def test_without_the_option_or_a_head_nothing_is_planted(
    tmp_path: Path, share: float, predictions: list[Prediction | None]
) -> None:
    items = [PoolItem(place, f"{place}.png") for place in range(10)]
    batch = Batch("b1", tuple(map(Card, items, predictions)), "auto", 1)
    rows, schema = np.arange(20, 30), LabelSchema((Label(0, "a"), Label(1, "b")))
    checks = PlantedChecks(tmp_path / "planted.jsonl", share)
    labeled = (rows, np.ones(10, dtype=np.int64), schema)

    def says(rows: Rows) -> list[Prediction | None]:
        return predictions if rows[0] == 0 else [Prediction(1, 0.9)] * len(rows)

    chosen = checks.chosen(np.arange(10), labeled, says) if checks.is_due() else []
    checks.plant("ann", batch, chosen, lambda rows: {int(row): Item(f"{row}.png") for row in rows}, now=0.0)
    assert checks.into(batch, lambda ids: {}, lambda rows: {}) is batch
    assert not (tmp_path / "planted.jsonl").exists()
