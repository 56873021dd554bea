"""Second opinions, agreement, adjudication and other people's batches over a real server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fastlabel_gradio.app import App
from fastlabel_gradio.opinions import drawn_by
from tests.test_api import start

PEOPLE = ("anna", "bert", "ella")


class Person:
    """What one annotator asks of the server."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str, **query: Any) -> Any:
        answer = self._client.get(f"/api/{path}", params=query)
        return answer.raise_for_status().json()

    def post(self, path: str, **body: Any) -> Any:
        return self._client.post(f"/api/{path}", json=body).raise_for_status().json()

    def refused(self, path: str, **body: Any) -> tuple[int, str]:
        answer = self._client.post(f"/api/{path}", json=body)
        return answer.status_code, answer.json()["error"]

    def like(self, file: Path) -> set[str]:
        """The labeled items that the server says are most like a picture."""
        answer = self._client.post("/api/predict/media", content=file.read_bytes()).raise_for_status()
        return {item["id"] for item in answer.json()["nearest"]}

    def label(self, size: int, said: str | None = None) -> list[str]:
        """A fresh batch, submitted as its folders say, or all of it as one class; its ids."""
        batch = self.get("next_batch", size=size, fresh=True)
        ids = [item["id"] for item in batch["items"]]
        labels = [{"id": id_, "label": said or id_.split("/")[0]} for id_ in ids]
        self.post("submit_labels", batch_id=batch["batch_id"], labels=labels)
        return ids

    def items(self, *ids: str) -> dict[str, dict[str, Any]]:
        return {one["id"]: one for one in self.post("items", query={"ids": ids}, size=100)["items"]}


@pytest.fixture(params=("sqlite", "postgresql"))
def served(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[App, dict[str, Person]]]:
    database = request.getfixturevalue("new_postgres")() if request.param == "postgresql" else None
    app, address = start(tmp_path, second_opinions=0.5, train_every=1000, labels_per_person=35, database=database)
    clients = [
        httpx.Client(base_url=address, cookies={"fastlabel_annotator": f"guest-{one}"}, timeout=30) for one in PEOPLE
    ]
    yield app, dict(zip(PEOPLE, map(Person, clients), strict=True))
    for client in clients:
        client.close()
    app.close()


def test_second_opinions_agreement_and_decisions_from_the_first_label_to_the_undo(
    served: tuple[App, dict[str, Person]], tmp_path: Path
) -> None:
    app, people = served
    pictures = tmp_path / "pictures"
    ann, bob, eve = people.values()
    [labeler] = [project.labeler("") for project in app.projects.values()]
    assert ann.get("agreement")["overall"] == {
        "name": "",
        "items": 0,
        "agreed": {"value": None, "low": None, "high": None},
        "alpha": {"value": None, "low": None, "high": None},
    }
    first = ann.label(30)
    drawn = {id_ for id_ in first if drawn_by("images", id_) < 0.5}
    labeler.train()
    assert labeler.wait_for_training(60)
    labeler.catch_up()
    assert bob.get("status")["second_opinions"] == {
        "share": 0.5,
        "given": 0,
        "waiting": len(drawn),
        "for_annotator": len(drawn),
    }
    assert ann.get("status")["second_opinions"]["for_annotator"] == 0

    batch = bob.get("next_batch", size=50)
    asked = drawn & {item["id"] for item in batch["items"]}
    assert asked == drawn
    assert all(item["prediction"] is None and item["label"] is None for item in batch["items"] if item["id"] in asked)
    for shown in bob.items(*asked).values():
        hidden = ("label", "state", "source", "annotator", "created_at", "known_label", "prediction")
        assert [shown[field] for field in hidden] == [None] * len(hidden)
    assert {one["annotator"] for one in eve.items(*asked).values()} == {"guest-anna"}
    for name in ("red", "green", "blue"):
        found = bob.post("items", query={"labels": [name]}, size=100)["items"]
        assert asked.isdisjoint(one["id"] for one in found)
        preview = bob.post("apply", query={"ids": sorted(asked)}, label=name, preview=True)
        assert (preview["changed"], preview["overruled"]) == (0, [])
    one = min(asked)
    status, error = bob.refused("checks", labels=[{"id": one, "label": one.split("/")[0]}])
    assert (status, "opinion of your own" in error) == (422, True)
    status, error = bob.refused("predict", ids=[min(set(first) - drawn), one])
    assert (status, one in error, "opinion of your own" in error) == (422, True, True)
    assert eve.post("predict", ids=[one])["predictions"][0]["id"] == one
    assert one in eve.like(pictures / one)
    assert asked.isdisjoint(bob.like(pictures / one))

    wrong = sorted(asked)[:4]
    said = {id_: ("red" if id_.startswith("blue") else "blue") if id_ in wrong else id_.split("/")[0] for id_ in asked}
    bob.post("submit_labels", batch_id=batch["batch_id"], labels=[{"id": i, "label": c} for i, c in said.items()])
    assert {one["annotator"] for one in bob.items(*asked).values()} == {"guest-anna"}, "the first one's label stands"
    assert one in bob.like(pictures / one), "their own answer is given"
    agreement = eve.get("agreement")
    agreed = 1 - len(wrong) / len(asked)
    assert agreement["overall"]["items"] == len(asked)
    assert agreement["overall"]["agreed"]["value"] == pytest.approx(agreed, abs=1e-6)
    assert agreement["pairs"][0]["people"] == ["guest-anna", "guest-bert"]
    assert agreement["label_accuracy"]["low"] < agreement["label_accuracy"]["value"] < 1
    people_agree = eve.get("evaluation")["people"]
    assert (people_agree["items"], people_agree["agreed"]) == (len(asked), pytest.approx(agreed, abs=1e-6))
    assert "no head can be measured" in people_agree["text"]
    who = {one["annotator"]: one for one in eve.get("progress")["people"]}
    assert (who["guest-bert"]["shared"], who["guest-bert"]["agreed"]) == (len(asked), pytest.approx(agreed, abs=1e-6))

    queue = eve.get("adjudication")
    assert (queue["blind"], queue["waiting"], {item["id"] for item in queue["items"]}) == (True, 4, set(wrong))
    assert all(item["opinions"] is None and item["prediction"] is None for item in queue["items"])
    told_nothing = ("label", "state", "source", "annotator", "prediction", "known_label")
    for shown in eve.items(*wrong).values():
        assert [shown[field] for field in told_nothing] == [None] * len(told_nothing), "hidden until she decided"
    assert eve.refused("predict", ids=wrong)[0] == eve.refused("checks", labels=[{"id": one, "label": "red"}])[0] == 422
    assert set(wrong).isdisjoint(eve.like(pictures / wrong[0]))
    assert {shown["annotator"] for shown in ann.items(*wrong).values()} == {"guest-anna"}, (
        "who answered sees what stands"
    )
    decision = eve.post("adjudication", id=wrong[0], label="green")
    assert decision["waiting"] == 3
    told = {one["annotator"]: one["label"] for one in decision["opinions"]}
    assert told == {"guest-anna": wrong[0].split("/")[0], "guest-bert": said[wrong[0]]}
    stands = eve.items(wrong[0])[wrong[0]]
    assert (stands["label"], stands["source"], stands["annotator"]) == ("green", "review", "guest-ella")
    [settled] = eve.get("adjudication", decided=True)["items"]
    assert (settled["id"], settled["decided"]["label"], len(settled["opinions"])) == (wrong[0], "green", 2)
    assert eve.post("undo")["undone"] == 1
    labeler.catch_up()
    assert eve.get("adjudication")["waiting"] == 4
    assert ann.items(wrong[0])[wrong[0]]["annotator"] == "guest-anna"
    assert eve.items(wrong[0])[wrong[0]]["label"] is None, "she may decide it anew"
    assert eve.post("apply", query={"ids": wrong[:1]}, label="green")["changed"] == 1, "in Explore, too"
    assert eve.items(wrong[0])[wrong[0]]["source"] == "review"
    eve.post("undo")
    for body in ({"id": sorted(drawn)[-1], "label": "red"}, {"id": "no such", "label": "red"}):
        assert eve.refused("adjudication", **body)[0] == 422
    assert eve.refused("adjudication", id=wrong[0], label="red", state="bad")[0] == 422


def test_a_batch_of_somebody_else_is_shown_and_given_back_and_its_labels_still_count(
    served: tuple[App, dict[str, Person]],
) -> None:
    _, people = served
    ann, bob, _ = people.values()
    batch = bob.get("next_batch", size=40)
    [held] = [one for one in ann.get("progress")["people"] if one["annotator"] == "guest-bert"]
    assert held["labels"] == 0
    assert [(one["batch_id"], one["items"]) for one in held["batches"]] == [(batch["batch_id"], 40)]
    assert held["batches"][0]["opened_at"] < held["batches"][0]["expires_at"]
    assert bob.get("status")["batches"] == [batch["batch_id"]]
    assert ann.post("release", annotator="guest-bert", batch_id="none such") == {"released": 0}
    assert ann.post("release", annotator="guest-bert", batch_id=batch["batch_id"]) == {"released": 40}
    status = bob.get("status")
    assert (status["batches"], status["taken_back"]) == ([], [{"batch_id": batch["batch_id"], "by": "guest-anna"}])
    assert len(ann.get("next_batch", size=60)["items"]) == 60
    late = [{"id": item["id"], "label": "red"} for item in batch["items"]]
    assert bob.post("submit_labels", batch_id=batch["batch_id"], labels=late)["accepted"] == 40
    assert set(bob.items(*(one["id"] for one in late))) == {one["id"] for one in late}

    limited = bob.get("next_batch", size=5, fresh=True)
    assert (limited["at_limit"], limited["items"], limited["batch_id"]) == (True, [], "")
    assert "40 labels" in limited["notice"]
    gone_on = bob.get("next_batch", size=5, go_on=True)
    assert (gone_on["at_limit"], bool(gone_on["batch_id"])) == (False, False), "ann holds the rest, but she may go on"
    assert not ann.get("next_batch", size=5)["at_limit"]
