"""Acting on many items at once: on all of a query, previewed, by REST, taken back and brought back; and what one did."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fastlabel_gradio.errors import ChangedMeanwhileError, InvalidLabelsError
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.labels import in_words
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import Said, State
from tests.pools import make_config
from tests.test_api import start

OpenProject = Callable[..., Project]
CLASSES = ("blue", "green", "red")


@pytest.fixture
def labeler(pictures: Path, open_project: OpenProject) -> Labeler:
    return open_project(make_config(pictures, train_every=1000)).labeler("ann")


def of_class(name: str, count: int = 20) -> list[str]:
    return [f"{name}/{number:04d}.png" for number in range(count)]


def stands(labeler: Labeler) -> dict[str, Any]:
    """What stands of every item, as the bookkeeping has it, and as the label store says from the beginning."""
    known = dict(labeler._ledger._standing)
    assert known == labeler._label_store.everything(now=0).standing
    said = labeler._ledger.standings().said
    rows = labeler._store.rows_of(sorted(known))
    assert {item_id for item_id, row in rows.items() if said[row]["state"]} == known.keys()
    assert int((said["state"] > 0).sum()) == len(known)
    return known


def test_a_label_is_given_to_all_items_of_a_query(labeler: Labeler) -> None:
    query = Query(text="red/")
    done = labeler.actions.apply("ann", query, ["red/0003.png"], Said(2))
    assert len(done.standing) == 19
    known = stands(labeler)
    assert {item_id: (one.label_id, one.source) for item_id, one in known.items()} == {
        item_id: (2, "search") for item_id in of_class("red") if item_id != "red/0003.png"
    }
    assert labeler.counts().labeled == 19
    assert labeler.actions.apply("ann", query, ["red/0003.png"], Said(2)).event is None
    assert labeler.undo("ann").undone == 19
    assert (stands(labeler), labeler.counts().unlabeled) == ({}, 60)
    assert labeler.redo("ann") == 19
    assert stands(labeler) == known


def test_whoever_acts_on_labels_of_others_is_a_reviewer_who_wins(labeler: Labeler) -> None:
    labeler.submit("bob", [("red/0000.png", "red"), ("red/0001.png", "red"), ("red/0002.png", State.SKIP)])
    labeler.submit("eve", [("red/0000.png", "blue"), ("red/0003.png", "blue")])
    labeler.submit("ann", [("red/0004.png", "red"), ("red/0005.png", "green")])
    labeler.actions.write("app", ["red/0006.png", "red/0007.png"], [0, 2], source="auto")
    query = Query(ids=tuple(of_class("red", 9)))
    preview = labeler.actions.preview("ann", query, [], Said(2))
    assert preview == {"bob": 1, "eve": 1, "ann": 1, "app": 2, None: 1}  # two of bob's are red already
    before = stands(labeler)
    done = labeler.actions.apply("ann", query, [], Said(2))
    assert len(done.standing) == sum(preview.values())
    known = stands(labeler)
    assert {known[item_id].label_id for item_id in of_class("red", 9)} == {2}
    assert {number for number in range(9) if known[f"red/{number:04d}.png"].source == "review"} == {3}
    assert [known[f"red/000{number}.png"].source for number in (0, 4)] == ["person", "person"]
    assert {known[f"red/000{number}.png"].source for number in (2, 5, 6, 7, 8)} == {"search"}  # a skip decides nothing
    labeler.submit("eve", [("red/0003.png", "green")])
    assert stands(labeler)["red/0003.png"].label_id == 2  # the reviewer's label stands
    assert labeler.undo("eve").undone == 1
    labeler.undo("ann")
    assert stands(labeler) == before


def test_what_a_head_accepted_by_itself_never_teaches_until_somebody_confirms_it(labeler: Labeler) -> None:
    labeler.actions.write("app", of_class("red", 5), 2, source="auto", head_version=3, confidences=[0.99] * 5)
    assert (labeler.counts().labeled, len(labeler._ledger.training_set().rows)) == (5, 0)
    labeler.actions.apply("ann", Query(sources=("auto",)), [], Said(2))
    assert len(labeler._ledger.training_set().rows) == 5
    labeler.undo("ann")
    assert len(labeler._ledger.training_set().rows) == 0


def test_labels_of_a_search_measure_no_head(pictures: Path, open_project: OpenProject) -> None:
    labeler = open_project(make_config(pictures, train_every=1000, audit_share=0.3)).labeler("ann")
    reserved = {item.id for item in labeler._store.items_at(labeler._ledger.audit_rows(60)).values()}
    assert 5 < len(reserved) < 40
    seen = sorted(reserved)[:3]
    labeler.submit("ann", [(item_id, item_id.split("/")[0]) for item_id in seen])
    for name in CLASSES:
        labeler.actions.apply("ann", Query(text=f"{name}/"), [], Said(CLASSES.index(name)))
    assert len(labeler._ledger.training_set().rows) == 60 - len(reserved)
    assert set(labeler._ledger.audit_set().rows.tolist()) == set(labeler._store.rows_of(seen).values())
    assert not labeler._ledger.waits_for_rows


def test_cleared_items_come_again(labeler: Labeler) -> None:
    labeler.submit("bob", [(item_id, "red") for item_id in of_class("red")])
    before = stands(labeler)
    query = Query(labels=("red",))
    assert labeler.actions.preview("ann", query, [], Said(state=State.CLEAR)) == {"bob": 20}
    labeler.actions.apply("ann", query, [], Said(state=State.CLEAR))
    assert (stands(labeler), labeler.finder.count(query)) == ({}, 0)
    assert len(labeler.next_batch("ann", 60, fresh=True).items) == 60
    assert list(labeler.export_rows()) == []
    labeler.submit("bob", [("red/0000.png", "red")])
    labeler.undo("ann")
    assert stands(labeler) == before


def test_the_later_of_two_reviewers_is_told_and_sees_both(labeler: Labeler) -> None:
    labeler.submit("eve", [("red/0000.png", "blue"), ("red/0001.png", "blue")])
    seen = labeler.finder.page(Query(), 0, 10).event
    labeler.submit("ann", [("green/0000.png", "green")])  # one's own changes are no surprise
    query = Query(ids=("red/0000.png", "red/0001.png", "green/0000.png"))
    assert labeler.actions.apply("bob", Query(ids=("red/0000.png",)), [], Said(2), seen).event
    with pytest.raises(
        ChangedMeanwhileError, match=r"'red/0000\.png' changed since you looked: bob says 'red'"
    ) as told:
        labeler.actions.apply("ann", query, [], Said(1), seen)
    assert told.value.conflicts == [
        {
            "id": "red/0000.png",
            "label": "red",
            "state": "label",
            "annotator": "bob",
            "wanted_label": "green",
            "wanted_state": "label",
        }
    ]
    assert stands(labeler)["red/0001.png"].label_id == 0  # nothing of it was stored
    assert labeler.actions.apply("ann", query, [], Said(2), seen).event  # wants what bob said
    labeler.undo("bob")
    with pytest.raises(ChangedMeanwhileError):  # an undo of somebody else is news too
        labeler.actions.apply("eve", query, [], Said(1), seen)
    assert labeler.actions.apply("eve", query, [], Said(1)).event
    assert {one.label_id for one in stands(labeler).values()} == {1}


def test_a_step_is_told_in_words(labeler: Labeler) -> None:
    names = labeler.schema.known_names
    labeler.submit("ann", [("red/0000.png", "red"), ("red/0001.png", "red"), ("red/0002.png", "blue")])
    labeler.submit("ann", [("red/0003.png", State.SKIP)])
    labeler.submit("bob", [("red/0004.png", "blue")])
    labeler.actions.apply("ann", Query(labels=("blue",)), [], Said(1))
    labeler.actions.apply("ann", Query(labels=("green",)), [], Said(state=State.CLEAR))
    labeler._label_store.check("ann", {"red/0000.png": 2}, now=9)
    labeler.undo("ann")
    assert [(in_words(step, names), step.undone) for step in labeler.actions.steps("ann", 10)] == [
        ("checked 1 item", True),
        ("cleared 2 items", False),
        ("relabeled 1 item green; labeled 1 item green", False),
        ("skipped 1 item", False),
        ("labeled 3 items: 2 red, 1 blue", False),
    ]
    assert [step.items for step in labeler.actions.steps("ann", 2)] == [1, 2]
    assert labeler.actions.steps("nobody", 10) == []


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    """Of a served project over 60 pictures, as a guest."""
    app, address = start(tmp_path, train_every=1000)
    with httpx.Client(base_url=address, cookies={"fastlabel_annotator": "guest-1111"}, timeout=30) as http:
        yield http
    app.close()


def test_rest_acts_on_a_query_and_tells_the_history(client: httpx.Client) -> None:
    def post(path: str, **body: Any) -> Any:
        answer = client.post(f"/api/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    post("submit_labels", labels=[{"id": "red/0000.png", "label": "blue"}])
    query = {"text": "red/"}
    preview = post("apply", query=query, label="red", exclude=["red/0019.png"], preview=True)
    assert preview == {
        "changed": 19,
        "event": None,
        "unlabeled": 18,
        "overruled": [{"annotator": "guest-1111", "items": 1}],
    }
    done = post("apply", query=query, label="red", exclude=["red/0019.png"])
    assert done["changed"] == 19
    assert client.get("/api/status").json()["labeled"] == 19
    undone = post("undo")
    assert (undone["undone"], undone["batch"], undone["labeled"]) == (19, None, 1)
    assert undone["step"] == {
        "event": done["event"],
        "created_at": undone["step"]["created_at"],
        "what": "labeled 19 items red",
        "undone": True,
        "items": 19,
        "parts": [{"label": "red", "state": "label", "source": "search", "items": 19, "predicted": False}],
        "checks": 0,
        "edits": [],
    }
    assert post("redo")["step"]["what"] == "labeled 19 items red"
    assert post("redo") | {"head_version": 0} == {
        "redone": 0,
        "step": None,
        "labeled": 19,
        "unlabeled": 41,
        "head_version": 0,
    }
    assert post("apply", query=query, state="bad")["changed"] == 20
    assert post("apply", query=query)["changed"] == 20  # cleared
    history = client.get("/api/history", params={"size": 3}).json()["steps"]
    assert [step["what"] for step in history] == ["cleared 20 items", "marked 20 items as bad", "labeled 19 items red"]
    assert client.get("/api/status").json()["unlabeled"] == 60


def test_predictions_of_several_classes_are_accepted_as_one_step(client: httpx.Client) -> None:
    def post(path: str, **body: Any) -> Any:
        return client.post(f"/api/{path}", json=body).json()

    post("submit_labels", labels=[{"id": "red/0000.png", "label": "blue"}, {"id": "blue/0000.png", "label": "blue"}])
    accepted = [
        {"id": f"{name}/{number:04d}.png", "label": name, "confidence": 0.9}
        for name in ("red", "green", "blue")
        for number in range(3)
    ]
    preview = post("apply", accepted=accepted, preview=True)
    assert (preview["changed"], preview["unlabeled"]) == (8, 7)
    assert preview["overruled"] == [{"annotator": "guest-1111", "items": 1}]
    assert post("apply", accepted=accepted)["changed"] == 8
    assert client.get("/api/status").json()["labeled"] == 9
    undone = post("undo")
    assert (undone["undone"], undone["labeled"]) == (8, 2)
    assert undone["step"]["what"] == "accepted 8 predictions: 3 green, 3 red, 2 blue"
    assert {part["predicted"] for part in undone["step"]["parts"]} == {True}
    assert post("redo")["step"]["what"] == "accepted 8 predictions: 3 green, 3 red, 2 blue"
    rows = client.get("/api/export", params={"format": "json"}).json()
    assert {row["label"] for row in rows if row["item_id"].startswith("red/")} == {"red"}
    first = accepted[0]
    for body, reason in (
        ({}, "name items by a query"),
        ({"accepted": accepted, "query": {}}, "name items by a query"),
        ({"accepted": accepted, "label": "red"}, "leave out 'label'"),
        ({"accepted": [first, {**first, "label": "blue"}]}, "has two labels in one request"),
        ({"accepted": [{**first, "id": "nowhere.png"}]}, "'nowhere.png' is not in this project and cannot be labeled"),
        ({"accepted": [{**first, "label": "violet"}]}, "'violet' is not known"),
        ({"accepted": [{**first, "confidence": 2}]}, "confidence"),
    ):
        refused = client.post("/api/apply", json=body)
        assert (refused.status_code, reason in refused.json()["error"]) == (422, True), (body, refused.text)


def test_rest_tells_of_conflicts_and_refuses_what_makes_no_sense(client: httpx.Client) -> None:
    seen = client.post("/api/items", json={}).json()["event"]
    labels = {"labels": [{"id": "red/0000.png", "label": "blue"}]}
    with httpx.Client(base_url=client.base_url, cookies={"fastlabel_annotator": "guest-2222"}) as bob:
        assert bob.post("/api/submit_labels", json=labels).status_code == 200
    act = {"query": {"ids": ["red/0000.png"]}, "label": "red", "seen": seen}
    refused = client.post("/api/apply", json=act)
    assert (refused.status_code, refused.json()["count"]) == (409, 1)
    assert refused.json()["conflicts"][0]["label"] == "blue"
    now = client.post("/api/items", json={}).json()["event"]
    assert client.post("/api/apply", json=act | {"seen": now}).json()["changed"] == 1
    for wrong, reason in (
        ({"label": "violet"}, "label 'violet' is not known"),
        ({"label": 7}, "label 7 is not known"),
        ({"label": "red", "state": "bad"}, "in place of one"),
        ({"state": "label"}, "in place of one"),
        ({"state": "later"}, "'skip'"),
        ({"query": {"labels": ["violet"]}}, "violet"),
        ({"query": {"colour": "red"}}, "colour"),
        ({"seen": -1}, "seen"),
    ):
        refused = client.post("/api/apply", json={"query": {}, **wrong})
        assert (refused.status_code, reason in refused.json()["error"]) == (422, True), (wrong, refused.text)


def test_a_name_that_no_class_has_is_refused_with_those_that_there_are(labeler: Labeler) -> None:
    with pytest.raises(InvalidLabelsError, match="0 blue, 1 green, 2 red"):
        labeler.actions.label_id("violet")
