"""Labels that come in over HTTP: what is sent, what is answered, and how much may be sent."""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import pytest

from fastlabel_gradio.imports import Matched
from fastlabel_gradio.server.access import body_limit
from fastlabel_gradio.server.import_job import ImportProgress
from tests.pools import wait_for, write_pictures
from tests.test_api import Serve, serve  # noqa: F401  # a fixture

TABLE = "path,label\nred/0000.png,red\nblue/0001.png,lilac\nnone.png,red\n"


@pytest.fixture
def client(tmp_path: Path, serve: Serve) -> httpx.Client:  # noqa: F811
    write_pictures(tmp_path / "pictures", per_class=4)
    client = serve(train_every=1000)
    wait_for(lambda: client.get("/api/status").json()["embedding"]["state"] == "done")
    return client


def test_a_file_is_taken_in_told_about_and_taken_back(client: httpx.Client) -> None:
    answer = client.post("/api/import", content=TABLE).json()
    assert (answer["added"], answer["new_classes"], answer["left_out_count"]) == (2, ["lilac"], 1)
    assert answer["left_out"][0]["what"] == "not in this project"
    assert "'none.png'" in answer["left_out"][0]["why"]
    exported = client.get("/api/export", params={"evidence": True})
    rows = list(csv.DictReader(io.StringIO(exported.text)))
    assert {(row["item_id"], row["label"], row["source"]) for row in rows} == {
        ("red/0000.png", "red", "import"),
        ("blue/0001.png", "lilac", "import"),
    }
    again = client.post("/api/import", params={"name": "labels.csv"}, content=exported.content).json()
    assert (again["added"], again["known"], again["id"]) == (0, 2, None)
    assert client.post("/api/import/take_back", json={"id": answer["id"]}).json() == {"taken_back": True}
    assert client.get("/api/status").json()["labeled"] == 0
    assert client.post("/api/import/take_back", json={"id": answer["id"]}).json() == {"taken_back": False}


def test_it_is_told_how_far_an_import_is(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, object]] = []

    def ask_between(self: ImportProgress, found: Iterable[Matched]) -> Iterator[Matched]:
        seen.append(client.get("/api/import").json())
        for one in counted(self, found):
            seen.append(client.get("/api/import").json())
            yield one

    counted = ImportProgress.storing
    monkeypatch.setattr(ImportProgress, "storing", ask_between)
    client.post("/api/import", content=TABLE)
    assert [(one["running"], one["read"], one["stored"]) for one in seen] == [(True, 3, 0), (True, 3, 1), (True, 3, 2)]
    assert client.get("/api/import").json() == {"running": False, "read": 0, "stored": 0}


def test_what_is_taken_as_what_and_unknown_classes_are_chosen(client: httpx.Client) -> None:
    refused = client.post("/api/import", params={"unknown_classes": "refuse"}, content=TABLE).json()
    assert (refused["added"], refused["new_classes"], refused["left_out_count"]) == (1, [], 2)
    guessed = client.post("/api/import", params={"as": "suggestions"}, content=TABLE).json()
    assert (guessed["added"], guessed["id"]) == (2, None)
    for params, content in (
        ({"as": "x"}, TABLE),
        ({"format": "x"}, TABLE),
        ({}, "nonsense"),
        ({"name": "a.png"}, "x"),
        ({}, ""),
    ):
        answer = client.post("/api/import", params=params, content=content)
        assert (answer.status_code in (400, 422), "error" in answer.json()) == (True, True), params


def test_a_file_may_be_larger_than_other_requests_and_is_bounded(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "path,label,note\n" + f"none.png,red,{'x' * 10_000}\n" * 250
    assert len(long) > body_limit.MAX_BODY_BYTES
    assert client.post("/api/import", content=long).json()["left_out_count"] == 250
    monkeypatch.setitem(body_limit.MOST_BYTES, "/api/import", 1_000_000)
    answer = client.post("/api/import", content=(part.encode() for part in (long,)))
    assert answer.status_code == 413
    assert "longer than 1,000,000 bytes" in answer.json()["error"]
