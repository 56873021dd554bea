"""What the view `explore` asks by REST: pages of a list, counts, sheets of rows, batches, sent vectors, saved filters."""

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from fastlabel_gradio.server.access.body_limit import MAX_BODY_BYTES, MAX_MEDIA_BYTES
from tests.pools import wait_for
from tests.test_api import start


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Of 60 pictures, 12 of which are labeled, and a head."""
    app, address = start(tmp_path_factory.mktemp("explore"), train_every=5)
    with httpx.Client(base_url=address, timeout=60) as opened:
        batch = opened.get("/api/next_batch", params={"size": 12}).json()
        said = [{"id": item["id"], "label": item["id"].split("/")[0]} for item in batch["items"]]
        opened.post("/api/submit_labels", json={"batch_id": batch["batch_id"], "labels": said})
        wait_for(lambda: bool(opened.get("/api/status").json()["head"]["settled"]))
        yield opened
    app.close()


def test_pages_of_one_list_fit_together_and_one_that_is_gone_is_said(client: httpx.Client) -> None:
    query = {"states": ["none"], "order": "-confidence"}
    first = client.post("/api/items", json={"query": query, "size": 20}).json()
    changed = first["items"][0]["id"]
    client.post("/api/submit_labels", json=[{"id": changed, "state": "skip"}])
    second = client.post("/api/items", json={"list_id": first["list_id"], "offset": 20, "size": 50}).json()
    assert [item["place"] for item in first["items"] + second["items"]] == list(range(48))
    assert len({item["row"] for item in first["items"] + second["items"]}) == 48
    again = client.post("/api/items", json={"list_id": first["list_id"], "size": 1}).json()
    assert (again["items"][0]["id"], again["items"][0]["state"], again["total"]) == (changed, "skip", 48)
    gone = client.post("/api/items", json={"list_id": "0" * 16})
    assert (gone.status_code, "not kept any more" in gone.json()["error"]) == (410, True)
    client.post("/api/undo", json={})


def test_counts_by_rest(client: httpx.Client) -> None:
    found = client.post("/api/items/counts", json={"query": {"labels": ["red"]}}).json()
    by_label = {one["value"]: one["count"] for one in found["labels"]}
    assert (sum(by_label.values()), found["total"]) == (12, by_label["red"])
    assert found["states"] == [{"value": "label", "count": by_label["red"]}]
    assert found["annotators"] == [{"value": "local", "count": by_label["red"]}]
    assert (len(found["confidence"]), found["groups"], found["reads_texts"]) == (10, [], False)
    refused = client.post("/api/items/counts", json={"query": {"labels": ["<img src=x onerror=alert(1)>"]}})
    assert (refused.status_code, "is not known. Known:" in refused.json()["error"]) == (422, True)


def test_a_sheet_of_rows_holds_their_pictures_in_that_order(client: httpx.Client) -> None:
    items = client.post("/api/items", json={"size": 12}).json()["items"]
    rows = [item["row"] for item in items]
    answer = client.get(f"/media/images/rows/{','.join(map(str, rows))},9999999.jpg")
    assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == ("image/jpeg", "nosniff")
    sheet = Image.open(io.BytesIO(answer.content))
    tile = sheet.width // 10
    for place, item in enumerate(items):
        row, column = divmod(place, 10)
        pixel = sheet.getpixel((column * tile + tile // 2, row * tile + tile // 2))
        assert isinstance(pixel, tuple)
        assert ["red", "green", "blue"][pixel.index(max(pixel))] == item["id"].split("/")[0]
    for wrong in ("", "1,", "-1", "a", "1;2", "../1", ",".join(["1"] * 201)):
        assert client.get(f"/media/images/rows/{wrong}.jpg").status_code in (404, 422), wrong


def test_a_found_batch_is_the_callers_next_one(client: httpx.Client) -> None:
    asked = {"query": {"states": ["none"], "predicted": ["blue"], "order": "confidence"}, "size": 3}
    ids = [item["id"] for item in client.post("/api/items", json=asked).json()["items"]]
    answer = client.post("/api/items/claim", json=asked).json()
    assert [item["id"] for item in answer["batch"]["items"]] == ids
    assert answer["left_out"] == client.post("/api/items", json=asked).json()["total"] - 3
    assert client.get("/api/next_batch").json()["batch_id"] == answer["batch"]["batch_id"]
    labels = [{"id": item_id, "label": "blue"} for item_id in ids]
    client.post("/api/submit_labels", json={"batch_id": answer["batch"]["batch_id"], "labels": labels})
    found = client.post("/api/items", json={"query": {"ids": ids}}).json()["items"]
    assert {item["source"] for item in found} == {"search"}
    nothing = client.post("/api/items/claim", json={"query": {"ids": ids}}).json()
    assert (nothing["batch"], nothing["left_out"]) == (None, 3)
    assert client.post("/api/items/claim", json={"query": {}, "size": 1001}).status_code == 422


def test_a_picture_that_is_sent_finds_itself_and_what_is_none_is_refused(client: httpx.Client, tmp_path: Path) -> None:
    item = client.post("/api/items", json={"size": 1}).json()["items"][0]
    picture = client.get(f"/{item['media_url']}").content
    sent = client.post("/api/vector", content=picture, params={"project": "images"}).json()["vector"]
    found = client.post("/api/items", json={"query": {"near": {"vectors": [sent]}}, "size": 1}).json()["items"][0]
    assert (found["id"], found["similarity"]) == (item["id"], pytest.approx(1, abs=0.02))
    large = io.BytesIO()
    Image.effect_noise((1_800, 1_800), 90).save(large, "PNG")
    assert MAX_BODY_BYTES < len(large.getvalue()) < MAX_MEDIA_BYTES
    assert client.post("/api/vector", content=large.getvalue()).status_code == 200
    for content, status in ((b"", 422), (b"<svg onload=alert(1)>", 422), (b"\0" * (MAX_MEDIA_BYTES + 1), 413)):
        refused = client.post("/api/vector", content=content)
        assert (refused.status_code, set(refused.json())) == (status, {"error"}), refused.text
    elsewhere = client.post("/api/vector", content=picture, headers={"Origin": "https://elsewhere.example"})
    assert elsewhere.status_code == 403
    damaged = client.post("/api/items", json={"query": {"near": {"vectors": [sent[:-9]]}}})
    assert (damaged.status_code, "damaged" in damaged.json()["error"]) == (422, True)


def test_filters_are_saved_for_everybody_and_dropped(client: httpx.Client) -> None:
    query = {"states": ["none"], "confidence": [0.2, 0.6], "order": "confidence"}
    saved = client.post("/api/filters", json={"name": "unsure ones", "query": query}).json()
    assert saved == {"filters": [{"name": "unsure ones", "query": query}]}
    assert client.get("/api/filters").json() == saved
    assert client.post("/api/filters", json={"name": "unsure ones"}).json() == {"filters": []}
    for body in ({"name": "", "query": {}}, {"name": "x" * 65, "query": {}}, {"name": "x", "query": {"nothing": 1}}):
        assert client.post("/api/filters", json=body).status_code == 422, body
    assert client.post("/api/filters", json={"name": "x"}).status_code == 422
