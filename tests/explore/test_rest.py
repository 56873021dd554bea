"""The routes of mistakes, checks, figures and the map: what they answer, and what they refuse."""

from collections.abc import Iterator

import httpx
import pytest

from fastlabel_gradio.ui.plotly_file import plotly_url
from tests.explore.test_map import read_map
from tests.explore.test_mistakes import OTHER
from tests.pools import wait_for
from tests.test_api import start


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """60 pictures, 30 of them labeled and three of these wrong, a head."""
    app, address = start(tmp_path_factory.mktemp("rest"), train_every=1000)
    [project] = app.projects.values()
    labeler = project.labeler("local")
    ids = sorted(item_id for block in project.store.item_blocks() for _, item_id in block)
    true = {item_id: item_id.split("/")[0] for item_id in ids[::2]}
    wrong = [next(one for one in true if one.startswith(name)) for name in OTHER]
    labeler.submit("ann", [(one, OTHER[name] if one in wrong else name) for one, name in true.items()])
    labeler.train()
    assert labeler.wait_for_training(60)
    with httpx.Client(base_url=address, timeout=60) as opened:
        yield opened
    app.close()


def page(client: httpx.Client, order: str) -> list[str]:
    return [one["id"] for one in client.post("/api/items", json={"query": {"order": order}}).json()["items"]]


def test_the_list_of_mistakes_and_the_answer_that_a_label_is_right(client: httpx.Client) -> None:
    listing = client.get("/api/mistakes").json()
    assert listing == {
        "list": "mistakes",
        "doubted": 30,
        "missing": 0,
        "working": False,
        "right": 0,
        "wrong": 0,
        "known": True,
        "problem": "",
    }
    ids = page(client, "mistakes")
    assert len(ids) == 30
    first = ids[0]
    answer = client.post("/api/checks", json={"labels": [{"id": first, "label": OTHER[first.split("/")[0]]}]})
    assert answer.json() == {"right": 1}
    assert first not in page(client, "mistakes")
    assert client.get("/api/mistakes").json()["right"] == 1
    client.post("/api/undo", json={})
    assert page(client, "mistakes") == ids


def test_labels_that_the_source_knows_are_listed_and_become_ones_own_where_they_are_right(client: httpx.Client) -> None:
    wait_for(lambda: client.get("/api/mistakes", params={"list": "known_labels"}).json()["doubted"] == 30, timeout=120)
    found = client.post("/api/items", json={"query": {"order": "known_labels"}}).json()["items"]
    assert all(one["known_label"] == one["id"].split("/")[0] and one["label"] is None for one in found)
    one = found[0]
    client.post("/api/checks", json={"labels": [{"id": one["id"], "label": one["known_label"]}]})
    again = client.post("/api/items", json={"query": {"ids": [one["id"]]}}).json()["items"]
    assert [again[0]["label"]] == [one["known_label"]]
    assert one["id"] not in page(client, "known_labels")
    client.post("/api/undo", json={})
    assert one["id"] in page(client, "known_labels")


def test_wrong_requests_are_refused_with_a_reason(client: httpx.Client) -> None:
    first = page(client, "mistakes")[0]
    for labels, reason in (
        ([{"id": first, "label": "purple"}], "does not carry the label 'purple'"),
        ([{"id": first, "label": ""}], "does not carry the label"),
        ([{"id": "nowhere.png", "label": "red"}], "does not carry the label"),
        ([], "at least 1"),
        ([{"id": first}], "label"),
        ([{"id": first, "label": "red", "note": "x"}], "note"),
        ([{"id": 3, "label": "red"}], "item '3'"),
    ):
        refused = client.post("/api/checks", json={"labels": labels})
        assert (refused.status_code, reason in refused.json()["error"]) == (422, True), refused.text
    assert client.get("/api/mistakes", params={"list": "others"}).status_code == 422
    assert client.post("/api/checks", json={"project": "x", "labels": [{"id": "a", "label": "b"}]}).status_code == 404
    assert client.get("/api/mistakes").json()["right"] == 0


def test_the_figures_of_progress(client: httpx.Client) -> None:
    answer = client.get("/api/progress").json()
    assert [one["label"] for one in answer["classes"]] == ["blue", "green", "red"]
    assert sum(one["labels"] for one in answer["classes"]) == 30
    assert sum(one["predicted"] for one in answer["classes"]) == answer["looked_at"] == answer["pool"] == 60
    assert answer["confusion"] is None  # no audit here
    people = {one["annotator"]: (one["labels"], one["per_minute"]) for one in answer["people"]}
    assert people.pop("local", (0, None)) == (0, None)  # who asks, where an earlier test left a batch open
    assert people == {"ann": (30, None)}
    assert answer["embedding"] == {"state": "done", "done": 60, "total": 60, "unreadable": 0}
    assert [point["labels"] for point in answer["curve"]] == [30]
    assert client.get("/api/progress", params={"project": "none"}).status_code == 404


def test_the_map_comes_as_bytes_and_its_points_only_once(client: httpx.Client) -> None:
    answer = client.get("/api/map", params={"layout": "pca"})
    assert answer.headers["content-type"] == "application/octet-stream"
    header, arrays = read_map(answer.content)
    assert (header["layout"], header["points"], header["places"]) == ("pca", 60, True)
    assert (arrays[3] >= 0).sum() == 30  # labels
    assert (arrays[5] < 255).all()  # confidences
    known = {"layout": "pca", "since": header["version"], "points": 60}
    again, colours = read_map(client.get("/api/map", params=known).content)
    assert again["places"] is False
    assert len(colours) == 4
    for params in ({"layout": "tsne"}, {"points": -1}, {"since": "x" * 65}):
        assert client.get("/api/map", params=params).status_code == 422
    wait_for(lambda: read_map(client.get("/api/map").content)[0]["layout"] == "neighbours", timeout=120)
    area = {"map": header["version"], "polygon": [[-9, -9], [9, -9], [9, 9], [-9, 9]]}
    assert client.post("/api/items", json={"query": {"area": area}, "size": 1}).json()["total"] == 60


def test_plotly_comes_from_this_app_for_good(client: httpx.Client) -> None:
    script = client.get(f"/{plotly_url()}")
    assert script.headers["cache-control"].endswith("immutable")
    assert script.headers["content-type"].startswith("text/javascript")
    assert len(script.content) > 1_000_000
    assert client.get("/web/plotly-0.0/plotly.min.js").status_code == 404


def test_labels_that_the_source_knows_are_checked_where_their_class_was_renamed_or_merged(client: httpx.Client) -> None:
    def found() -> dict[str, str]:
        listing = client.get("/api/mistakes", params={"list": "known_labels"}).json()
        items = client.post("/api/items", json={"query": {"order": "known_labels"}}).json()["items"]
        return {one["id"]: one["known_label"] for one in items} if not listing["missing"] else {}

    wait_for(lambda: len(found()) == 30, timeout=120)
    client.post("/api/classes", json={"rename": ["green", "colour/green"]})
    client.post("/api/classes", json={"rename": ["colour/green", "colour/moss"]})
    wait_for(lambda: len(found()) == 30, timeout=120)
    called = {"red": "red", "blue": "blue", "green": "colour/moss"}
    assert all(known == called[id_.split("/")[0]] for id_, known in found().items())
    moss = next(id_ for id_, known in found().items() if known == "colour/moss")
    stale = client.post("/api/checks", json={"labels": [{"id": moss, "label": "green"}]})
    assert stale.status_code == 422
    assert client.post("/api/checks", json={"labels": [{"id": moss, "label": "colour/moss"}]}).json() == {"right": 1}
    assert client.post("/api/items", json={"query": {"ids": [moss]}}).json()["items"][0]["label"] == "colour/moss"
    client.post("/api/undo", json={})
    client.post("/api/classes", json={"merge": ["blue", "red"]})
    client.post("/api/train", json={})
    wait_for(lambda: len(found()) == 30, timeout=120)
    assert sum(known == "red" for known in found().values()) == 20
    for _ in range(3):
        client.post("/api/undo", json={})
    wait_for(lambda: set(found().values()) == {"red", "blue", "green"}, timeout=120)
