"""Classes that are edited while people label: by REST, with the head, the open batch, the exports and undo following."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from fastlabel_gradio.errors import FastLabelError, InvalidLabelsError
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.labels import ClassEdit, class_changes, in_words
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.server.project import Project
from tests.pools import make_config, wait_for
from tests.test_api import start

OpenProject = Callable[..., Project]
BLUE, GREEN, RED = range(3)


@pytest.fixture
def labeler(pictures: Path, open_project: OpenProject) -> Labeler:
    """With a head of three colours."""
    opened = open_project(make_config(pictures, train_every=1000)).labeler("ann")
    names = ("red", "green", "blue")
    opened.submit("ann", [(f"{name}/{number:04d}.png", name) for name in names for number in range(4)])
    opened.train()
    assert opened.wait_for_training(60)
    return opened


def edit(labeler: Labeler, *edits: ClassEdit) -> int:
    return labeler.actions.change_classes("ann", lambda _: list(edits))


def says(labeler: Labeler) -> np.ndarray:
    """float32[60, classes], of every row."""
    head = labeler.head
    assert head is not None
    return labeler._learner.ground_of(head).says(head, np.arange(60))


def test_a_merge_adds_probabilities_up_until_the_next_training(labeler: Labeler) -> None:
    labeler._learner._trainer.close()  # there is no next training
    before = says(labeler)
    edit(labeler, ClassEdit("merge", BLUE, RED))
    assert labeler.schema.names == ("green", "red")
    merged = says(labeler)
    assert np.allclose(merged[:, 1], before[:, BLUE] + before[:, RED], atol=1e-6)
    assert np.allclose(merged[:, 0], before[:, GREEN], atol=1e-6)
    labeler.undo("ann")
    assert np.array_equal(says(labeler), before)
    labeler.redo("ann")
    assert np.array_equal(says(labeler), merged)


def test_no_suggestion_is_of_a_dead_class_and_a_new_one_joins_with_its_first_labels(labeler: Labeler) -> None:
    batch = labeler.next_batch("ann", 20, fresh=True)
    edit(labeler, ClassEdit("archive", RED, True))
    assert labeler.wait_for_training(60)
    assert says(labeler).shape == (60, 2)
    again = labeler.next_batch("ann")
    assert (again.id, again.schema.names) == (batch.id, ("blue", "green"))  # the open batch stays
    assert {one.index for one in again.predictions if one} <= {0, 1}
    edit(labeler, ClassEdit("add", value="crimson"))
    labeler.submit("ann", [(f"red/{number:04d}.png", "crimson") for number in range(6, 12)])
    labeler.train()
    assert labeler.wait_for_training(60)
    found = says(labeler)
    reds = labeler._store.rows_of([f"red/{number:04d}.png" for number in range(12, 20)])
    assert (found[list(reds.values())].argmax(axis=1) == 2).all()


def test_dropout_votes_are_for_the_classes_that_there_are(labeler: Labeler) -> None:
    head = labeler.head
    assert head is not None
    embeddings = np.asarray(labeler._store.embeddings)
    votes = head.dropout_predictions(embeddings, 3, seed=1)
    edit(labeler, ClassEdit("merge", BLUE, RED))
    merged = head.seen_through(labeler.schema)
    assert merged is not None
    assert merged.dropout_predictions(embeddings, 3, seed=1).max() == 1
    assert np.array_equal(merged.on("cpu").predict_proba(embeddings), merged.predict_proba(embeddings))
    assert head.seen_through(labeler.schema) is not head
    assert np.array_equal(head.dropout_predictions(embeddings, 3, seed=1), votes)
    one_left = labeler._label_store.edit_classes("ann", [ClassEdit("archive", GREEN, True)], now=1)
    assert head.seen_through(one_left) is None  # with one class there is nothing to tell apart


def test_the_open_batch_takes_labels_by_the_names_and_places_it_was_shown_with(labeler: Labeler) -> None:
    batch = labeler.next_batch("bob", 6, fresh=True)
    ids = [item.id for item in batch.items]
    edit(labeler, ClassEdit("rename", BLUE, "azure"))
    edit(labeler, ClassEdit("merge", GREEN, RED))
    edit(labeler, ClassEdit("order", RED, [RED, BLUE]))
    assert labeler.schema.names == ("red", "azure")
    given: list[tuple[str, str | int]] = [
        (ids[0], "blue"),
        (ids[1], "green"),
        (ids[2], 0),
        (ids[3], 1),
        (ids[4], "azure"),
    ]
    labeler.submit("bob", [*given], batch.id)
    known = labeler._label_store.standing(ids)
    assert [known[item_id] for item_id in ids[:5]] == [BLUE, RED, BLUE, RED, BLUE]
    labeler.submit("bob", [(ids[5], 0)])  # without the batch the places are those of now
    assert labeler._label_store.standing(ids[5:]) == {ids[5]: RED}
    with pytest.raises(InvalidLabelsError, match="'violet' is not known"):
        labeler.submit("bob", [(ids[5], "violet")], batch.id)


def test_a_step_names_the_class_as_it_was_called_when_it_was_renamed(labeler: Labeler) -> None:
    def rename(old: str, new: str) -> str:
        labeler.actions.change_classes("ann", lambda classes: class_changes.rename(classes, old, new))
        return told(1)[0]

    def told(count: int) -> list[str]:
        return [in_words(step, labeler.schema.known_names) for step in labeler.actions.steps("ann", count)]

    assert rename("red", "ruby") == "renamed red to ruby"
    assert rename("ruby", "wine") == "renamed ruby to wine"
    labeler.undo("ann")
    assert rename("ruby", "rust") == "renamed ruby to rust"  # "wine" was undone before
    for _ in range(2):
        labeler.undo("ann")
    assert told(3) == ["renamed ruby to rust", "renamed ruby to wine", "renamed red to ruby"]


def test_every_edit_is_undone_and_told_in_words(labeler: Labeler) -> None:
    before = labeler.actions.classes()
    changes: list[tuple[Callable[[Any], list[ClassEdit]], str]] = [
        (lambda _: class_changes.add("violet"), "added the class violet"),
        (lambda c: class_changes.rename(c, "violet", "purple"), "renamed violet to purple"),
        (lambda c: class_changes.merge(c, "purple", "blue"), "merged purple into blue"),
        (lambda c: class_changes.archive(c, "green", archived=True), "archived the class green"),
        (lambda c: class_changes.archive(c, "green", archived=False), "took the class green back"),
        (lambda c: class_changes.order(c, ["red"]), "ordered the classes"),
        (
            lambda c: class_changes.look(c, "red", {"key": "d", "colour": "#ff0000"}),
            "changed the colour of the class red",
        ),
    ]
    states = [before]
    for change, words in changes:
        labeler.actions.change_classes("ann", change)
        states.append(labeler.actions.classes())
        [step] = labeler.actions.steps("ann", 1)
        assert in_words(step, labeler.schema.known_names).startswith(words)
    for state in reversed(states[:-1]):
        assert labeler.undo("ann").undone > 0
        assert labeler.actions.classes() == state
    for state in states[1:]:
        assert labeler.redo("ann") > 0
        assert labeler.actions.classes() == state
    while labeler.actions.classes() != before:
        labeler.undo("ann")
    labeler.actions.change_classes("ann", lambda _: class_changes.add("violet"))  # again, as the class that it was
    assert labeler.schema.ids == (BLUE, GREEN, RED, 3)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    app, address = start(tmp_path, train_every=1000)
    with httpx.Client(base_url=address, cookies={"fastlabel_annotator": "guest-1111"}, timeout=30) as http:
        yield http
    app.close()


def test_rest_changes_classes_and_everybody_sees_it(client: httpx.Client) -> None:
    def change(**body: Any) -> list[dict[str, Any]]:
        answer = client.post("/api/classes", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json() == client.get("/api/classes").json()
        status = client.get("/api/status").json()
        assert status["classes_version"] == answer.json()["event"]
        assert status["classes"] == [one["name"] for one in answer.json()["classes"] if one["index"] is not None]
        found: list[dict[str, Any]] = answer.json()["classes"]
        return found

    labels = [{"id": f"{name}/0000.png", "label": name} for name in ("red", "green", "blue")]
    client.post("/api/submit_labels", json={"labels": labels})
    assert [one["name"] for one in change(add=" animal/cat ")] == ["blue", "green", "red", "animal/cat"]
    assert next(one["name"] for one in change(rename=["blue", "azure"])) == "azure"
    found = change(merge=["green", "red"])
    assert [(one["name"], one["index"], one["labels"], one["part_of"]) for one in found] == [
        ("azure", 0, 1, None),
        ("red", 1, 2, None),
        ("animal/cat", 2, 0, None),
        ("green", None, 0, "red"),
    ]
    assert [one["name"] for one in change(order=["animal/cat", "red"])][:3] == ["animal/cat", "red", "azure"]
    assert change(archive="azure")[-2]["archived"] or change(archive="azure")[-1]["archived"]
    assert change(restore="azure")[2]["index"] == 2
    look = {
        "colour": "#112233",
        "key": "ß",
        "description": "<b>all\nreds</b>",
        "examples": ["red/0000.png", "red/0001.png"],
    }
    red = change(set={"name": "red", **look})[1]
    assert {key: red[key] for key in ("colour", "key", "description")} == {
        key: look[key] for key in ("colour", "key", "description")
    }
    assert [one["id"] for one in red["examples"]] == look["examples"]
    assert client.get("/" + red["examples"][0]["media_url"]).status_code == 200
    status = client.get("/api/status").json()
    assert (status["class_keys"], status["class_colours"]) == ({"red": "ß"}, {"red": "#112233"})
    undone = client.post("/api/undo", json={}).json()
    assert (undone["undone"], undone["batch"], len(undone["step"]["edits"])) == (4, None, 4)
    assert client.get("/api/classes").json()["classes"][1]["colour"] == ""
    status = client.get("/api/status").json()
    assert (status["class_keys"], status["class_colours"]) == ({}, {})
    assert client.post("/api/redo", json={}).json()["redone"] == 4
    assert client.get("/api/classes").json()["classes"][1] == red


def test_changes_that_make_no_sense_are_refused_and_change_nothing(client: httpx.Client) -> None:
    client.post("/api/classes", json={"archive": "blue"})
    client.post("/api/classes", json={"set": {"name": "red", "key": "w"}})
    before = client.get("/api/classes").json()
    for body, reason in (
        ({}, "one change at a time"),
        ({"add": "x", "archive": "red"}, "one change at a time"),
        ({"add": ""}, "is no name of a class"),
        ({"add": "two\nlines"}, "a text of one line"),
        ({"add": "nul\0"}, "a text of one line"),
        ({"add": "مرحبا\u202eabc"}, "U+202E, right-to-left override, would turn the words around it"),
        ({"rename": ["green", "green\u2067"]}, "U+2067, right-to-left isolate"),
        ({"add": "x" * 10_000}, "too long"),
        ({"add": "x" * 30_000}, "20000"),
        ({"add": "red"}, "there is a class 'red' already"),
        ({"add": 5}, "string"),
        ({"rename": ["violet", "x"]}, "'violet' is not known. Known: blue, green, red"),
        ({"rename": ["green", "red"]}, "there is a class 'red' already"),
        ({"rename": ["green"]}, "rename"),
        ({"merge": ["green", "green"]}, "cannot become a part of"),
        ({"merge": ["green", "blue"]}, "cannot become a part of"),
        ({"archive": "blue"}, "archived already"),
        ({"restore": "red"}, "not archived"),
        ({"rename": ["blue", "x"]}, "archived. Take it back first"),
        ({"order": []}, "lists none"),
        ({"order": ["red", "red"]}, "each once"),
        ({"set": {"name": "red"}}, "nothing is set"),
        ({"set": {"name": "green", "key": "w"}}, "is that of class 'red'"),
        ({"set": {"name": "green", "key": "s"}}, "the key 's' is one of the page's own: + , - . / = ? a b"),
        ({"set": {"name": "green", "key": "ab"}}, "Name one character"),
        ({"set": {"name": "green", "key": "\t"}}, "Name one character"),
        ({"set": {"name": "green", "colour": "red"}}, "#1f77b4"),
        ({"set": {"name": "green", "description": "x" * 5_000}}, "2,000 characters"),
        ({"set": {"name": "green", "examples": ["nowhere.png"]}}, "'nowhere.png' is not in this project"),
        ({"set": {"name": "green", "examples": ["red/0000.png"] * 5}}, "4 items at most"),
        ({"set": {"name": "green", "shape": "x"}}, "shape"),
    ):
        refused = client.post("/api/classes", json=body)
        assert (refused.status_code, reason in refused.json()["error"]) == (422, True), (body, refused.text)
    assert client.get("/api/classes").json() == before


def test_hostile_names_are_kept_as_they_are_and_break_nothing(client: httpx.Client) -> None:
    names = [
        "<img src=x onerror=alert(1)>",
        "مرحبا abc",
        "🐈‍⬛",
        "'; DROP TABLE x; --",
        "a/b//c",
        "=1+1",
        "x" * 255,
    ]
    for name in names:
        assert client.post("/api/classes", json={"add": name}).status_code == 200
    assert client.get("/api/status").json()["classes"][3:] == names
    ids = [f"red/{number:04d}.png" for number in range(len(names))]
    labels = [{"id": item_id, "label": name} for item_id, name in zip(ids, names, strict=True)]
    assert client.post("/api/submit_labels", json={"labels": labels}).json()["accepted"] == len(names)
    asked = client.post("/api/items", json={"query": {"labels": [names[0]]}}).json()
    assert [one["label"] for one in asked["items"]] == [names[0]]
    exported = client.get("/api/export", params={"format": "json"}).text
    assert "onerror" in exported and client.get("/api/history").json()["steps"][0]["items"] == len(names)


def test_two_people_edit_classes_and_label_at_once(labeler: Labeler) -> None:
    wrong: list[BaseException] = []
    ids = [f"{name}/{number:04d}.png" for name in ("red", "green", "blue") for number in range(4, 20)]

    def told(act: Callable[[], object]) -> None:
        try:
            act()
        except FastLabelError:
            pass  # the other one was faster
        except BaseException as error:
            wrong.append(error)

    def ann() -> None:
        for number in range(8):
            told(
                lambda number=number: labeler.actions.change_classes(
                    "ann", lambda _: class_changes.add(f"new {number}")
                )
            )
            told(lambda: labeler.actions.change_classes("ann", lambda c: class_changes.merge(c, "blue", "red")))
            told(lambda: labeler.undo("ann"))
            told(lambda number=number: labeler.actions.change_classes("ann", lambda c: class_changes.order(c, ["red"])))

    def bob() -> None:
        for number in range(12):
            told(lambda number=number: labeler.submit("bob", [(ids[number], "blue"), (ids[number + 12], "red")]))
            told(lambda: labeler.next_batch("bob", 5, fresh=True))
            told(lambda: labeler.finder.page(Query(predicted=("red",)), 0, 5))

    threads = [threading.Thread(target=one) for one in (ann, bob)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    assert labeler.schema == labeler._label_store.schema()
    assert labeler.actions.classes_version == labeler._label_store.classes_version()
    assert dict(labeler._ledger._standing) == labeler._label_store.everything(now=0).standing
    assert labeler.counts().labeled == 36
    assert {f"new {number}" for number in range(4)} <= set(labeler.schema.names)


def test_exports_name_classes_as_they_are_now_or_as_they_were_made(client: httpx.Client) -> None:
    labels = [{"id": f"{name}/0000.png", "label": name} for name in ("red", "green", "blue")]
    client.post("/api/submit_labels", json={"labels": labels})
    client.post("/api/classes", json={"rename": ["blue", "azure"]})
    client.post("/api/classes", json={"merge": ["green", "red"]})
    client.post("/api/classes", json={"archive": "azure"})

    def exported(**options: str) -> list[str]:
        rows = client.get("/api/export", params={"format": "json", **options}).json()
        return [row["label"] for row in rows]

    assert exported() == exported(class_names="now") == ["red", "red", "azure"]
    assert exported(class_names="as_made") == ["red", "green", "blue"]
    assert client.get("/api/export", params={"class_names": "then"}).status_code == 422


def test_a_project_without_classes_opens_and_is_given_some(pictures: Path, open_project: OpenProject) -> None:
    flat = pictures / "red"
    project = open_project(make_config(flat, train_every=6))
    labeler = project.labeler("ann")
    assert len(labeler.schema) == 0
    batch = labeler.next_batch("ann", 8)
    assert (len(batch.items), set(batch.predictions)) == (8, {None})
    assert labeler.evaluation(0.9).report is None
    assert next(iter(labeler.export_rows(include_predictions=True))).predicted_label == ""
    with pytest.raises(InvalidLabelsError, match="add a class first"):
        labeler.submit("ann", [(batch.items[0].id, 0)])
    for number, name in enumerate(("dark", "light")):
        assert labeler.actions.change_classes("ann", lambda _, name=name: class_changes.add(name)) > 0
        labeler.submit("ann", [(item.id, name) for item in batch.items[number * 3 : number * 3 + 3]])
        assert labeler.wait_for_training(60)
        assert (labeler.head is None) == (number == 0)
        assert bool(project.advice(labeler.schema)) == (number == 0)
    assert {one.index for one in labeler.next_batch("ann", 8, fresh=True).predictions if one} <= {0, 1}
    while labeler.schema.names:
        name = labeler.schema.names[0]
        labeler.actions.change_classes("ann", lambda c, name=name: class_changes.archive(c, name, archived=True))
    assert labeler.wait_for_training(60)
    assert (labeler.head, set(labeler.next_batch("ann", 8, fresh=True).predictions)) == (None, {None})
    assert labeler.counts().labeled == 6
    wait_for(lambda: labeler.status().training.state == "waiting")


def test_rest_shows_the_clusters_of_a_pool_to_who_names_them(tmp_path: Path) -> None:
    app, address = start(tmp_path, train_every=1000)
    with httpx.Client(base_url=address, cookies={"fastlabel_annotator": "guest-1111"}, timeout=30) as http:
        found = http.get("/api/clusters", params={"size": 3, "examples": 5}).json()
        assert (found["sample"], [one["size"] for one in found["clusters"]]) == (60, [20, 20, 20])
        for cluster in found["clusters"]:
            assert len({one["id"].split("/")[0] for one in cluster["items"]}) == 1
            assert cluster["query"] == {"ids": [one["id"] for one in cluster["items"]]}
        assert len({cluster["items"][0]["id"].split("/")[0] for cluster in found["clusters"]}) == 3
        first = found["clusters"][0]
        assert http.post("/api/apply", json={"query": first["query"], "label": 0}).json()["changed"] == 5
        assert http.get("/api/clusters").json()["sample"] == 55
        assert http.get("/api/clusters", params={"size": 0}).status_code == 422
    app.close()
