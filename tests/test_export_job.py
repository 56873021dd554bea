"""Exports of a project, by REST and by its own methods: what is chosen, how it is split, how it is fetched."""

import csv
import io
import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.exports import parse_shares, split_items
from tests.cases import each
from tests.pools import wait_for
from tests.test_api import Serve, serve  # noqa: F401  # a fixture

LABELS = [{"id": f"{name}/{n:04d}.png", "label": name} for name in ("red", "green", "blue") for n in range(10)]


@pytest.fixture
def client(tmp_path: Path, serve: Serve) -> httpx.Client:  # noqa: F811
    from tests.pools import write_pictures

    write_pictures(tmp_path / "pictures", per_class=20)
    client = serve(train_every=1000)
    wait_for(lambda: client.get("/api/status").json()["embedding"]["state"] == "done")
    assert client.post("/api/submit_labels", json=LABELS).json()["accepted"] == 30
    client.post(
        "/api/submit_labels", json=[{"id": "red/0010.png", "state": "skip"}, {"id": "red/0011.png", "state": "bad"}]
    )
    return client


def rows_of(client: httpx.Client, **params: object) -> list[dict[str, str]]:
    answer = client.get("/api/export", params=params)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_what_is_exported_can_be_chosen(client: httpx.Client) -> None:
    assert len(rows_of(client)) == 30
    assert {row["state"] for row in rows_of(client, states=True)} == {"label", "skip", "bad"}
    assert [row["item_id"] for row in rows_of(client, states=True, only_states="skip")] == ["red/0010.png"]
    assert rows_of(client, only_sources="auto,review") == []
    assert rows_of(client, only_sources="person") == []
    assert len(rows_of(client, only_sources="group", standing=True)) == 30  # of one request without a batch
    reds = rows_of(client, query=json.dumps({"labels": ["red"], "text": "000"}))
    assert {row["item_id"] for row in reds} == {f"red/{n:04d}.png" for n in range(10)}
    everything = rows_of(client, evidence=True, predictions=True)
    assert Counter(row["state"] for row in everything) == {"label": 30, "skip": 1, "bad": 1, "": 28}
    assert everything[0]["stands"] == "True"
    for wrong in (
        {"only_states": "later"},
        {"query": "{"},
        {"query": '{"labels": ["x"]}'},
        {"splits": "a"},
        {"format": "x"},
    ):
        refused = client.get("/api/export", params=wrong)
        assert (refused.status_code in (400, 422), "error" in refused.json()) == (True, True), wrong


def test_an_export_is_prepared_watched_and_fetched_in_parts(client: httpx.Client) -> None:
    begun = client.post("/api/export", params={"format": "hf", "splits": "train=0.8,test=0.2"}).json()
    wait_for(lambda: client.get(f"/api/export/{begun['id']}").json()["state"] == "ready")
    ready = client.get(f"/api/export/{begun['id']}").json()
    assert (ready["rows"], ready["unreadable_count"]) == (30, 0)
    url = f"/{ready['url']}"
    whole = client.get(url).content
    first = client.get(url, headers={"Range": "bytes=0-99"})
    rest = client.get(url, headers={"Range": "bytes=100-"})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.content + rest.content == whole
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert Counter(name.split("/")[0] for name in archive.namelist()) == {"train": 25, "test": 7, "README.md": 1}
    assert client.get("/api/export/none").status_code == 404
    failed = client.post("/api/export", params={"format": "raven"}).json()
    wait_for(lambda: client.get(f"/api/export/{failed['id']}").json()["state"] == "failed")
    assert "formats for labels of sounds" in client.get(f"/api/export/{failed['id']}/file").json()["error"]


def test_the_same_class_is_split_by_its_share_and_groups_stay_together() -> None:
    items = [(f"{n}.wav", "owl" if n % 10 else "bat", f"site {n // 4}" if n < 400 else None) for n in range(1000)]
    shares = parse_shares("train=0.7, validation=0.1,test=0.2")
    split_of = split_items(items, shares)
    parts = {item_id: split_of(item_id, group) for item_id, _, group in items}
    counts = Counter((label, parts[item_id]) for item_id, label, _ in items)
    assert 0.65 < counts["owl", "train"] / 900 < 0.75
    assert counts["bat", "test"] > 0
    for group in range(100):
        assert len({parts[f"{n}.wav"] for n in range(4 * group, 4 * group + 4)}) == 1
    again = split_items(reversed(items), shares)
    assert parts == {item_id: again(item_id, group) for item_id, _, group in items}
    other = split_items(items, shares, seed=1)
    assert parts != {item_id: other(item_id, group) for item_id, _, group in items}
    more: Any = [*items, *((f"new {n}.wav", "owl", None) for n in range(100))]
    grown = split_items(more, shares)
    assert sum(parts[item_id] != grown(item_id, group) for item_id, _, group in items) < 50


@each("text", ["", "train", "train=0", "a=1,a=1", "a b=1", "x=nan", "../x=1"])
def test_shares_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"train=0\.8,test=0\.2"):
        parse_shares(text)
