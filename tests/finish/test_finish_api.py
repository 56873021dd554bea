"""Finishing a pool over REST, through a real server that is killed in the middle."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from fastlabel_gradio.app import create_app
from fastlabel_gradio.config import AppConfig
from tests.finish_pools import config_of, true_class
from tests.fork_server import Started
from tests.test_api import free_port

ROOT = Path(__file__).parent.parent.parent


@contextmanager
def served_here(folder: Path, workdir: Path) -> Iterator[httpx.Client]:
    """The app over the pool that was taught."""
    app = create_app(AppConfig(projects=(config_of(folder),)), workdir)
    try:
        address = app.serve(host="127.0.0.1", port=free_port(), share=False, open_browser=False, quiet=True)
        with httpx.Client(base_url=address, cookies={"fastlabel_annotator": "ann"}, timeout=60) as client:
            _wait_until_there(client, lambda: True)
            yield client
    finally:
        app.close()


@contextmanager
def served_apart(folder: Path, workdir: Path) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    """The app over the pool that was taught, in a process of its own."""
    port = free_port()
    code = (
        "import sys; import tests.pools; from pathlib import Path; from tests.finish_pools import config_of;"
        "from fastlabel_gradio.app import create_app; from fastlabel_gradio.config import AppConfig;"
        "folder, work, port = sys.argv[1:];"
        "app = create_app(AppConfig(projects=(config_of(Path(folder)),)), Path(work));"
        "app.serve(host='127.0.0.1', port=int(port), share=False, open_browser=False, quiet=True);"
        "import time; time.sleep(600)"
    )
    arguments = [sys.executable, "-c", code, str(folder), str(workdir), str(port)]
    process = Started(arguments, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", cookies={"fastlabel_annotator": "ann"}, timeout=60
        ) as client:
            _wait_until_there(client, lambda: process.poll() is None)
            yield client, process
    finally:
        process.kill()
        process.wait(30)


def _wait_until_there(client: httpx.Client, is_running: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and is_running():
        try:
            if client.get("/api/status").json()["head"]["version"]:
                return
        except httpx.TransportError:
            pass  # it is still starting
        time.sleep(0.02)
    raise AssertionError("the app did not come up")


def test_a_killed_server_goes_on_with_the_checks(taught: Path, workdir: Path) -> None:
    with served_apart(taught, workdir) as (client, process):
        assert client.get("/api/finish").json()["state"] == "none"
        planned = client.post("/api/finish/plan", json={"precision": 0.9}).json()
        assert planned["possible"]
        assert f"about {planned['items']} of 315 items can be accepted" in planned["words"]
        assert [one["precision"] for one in planned["curve"]] == pytest.approx([0.01 * p for p in range(80, 100)])
        started = client.post("/api/finish/start", json={"precision": 0.9}).json()
        assert (started["items"], started["checks"]) == (planned["items"], planned["checks"])
        _answer(client, _checks(client, 10))
        taken = _checks(client, 10)
        assert all(one["prediction"] is not None for one in taken["items"])
        before = client.get("/api/finish").json()
        assert (before["state"], before["checked"], before["wrong"]) == ("checking", 10, 0)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    with served_here(taught, workdir) as client:
        assert client.get("/api/finish").json() == before
        again = _checks(client, 10)
        assert [one["id"] for one in again["items"]] == [one["id"] for one in taken["items"]]
        assert client.get(f"/{again['sheet_url']}").status_code == 200
        while again["items"]:
            _answer(client, again)
            again = _checks(client, 50)
        proven = client.get("/api/finish").json()
        assert (proven["state"], proven["more_checks"]) == ("proven", 0)
        assert again["notice"] == proven["words"]
        _accept_and_take_back(client, proven)


def _accept_and_take_back(client: httpx.Client, proven: dict[str, object]) -> None:
    refused = client.post("/api/finish/accept", json={"precision": 0.999})
    assert refused.status_code == 409
    assert "99.9 % is not proven" in refused.json()["error"]
    accepted = client.post("/api/finish/accept", json={}).json()
    assert accepted["state"] == "accepted"
    found = client.post("/api/items", json={"query": {"sources": ["auto"]}, "size": 500}).json()
    assert found["total"] == accepted["accepted"]["items"]
    assert all(one["label"] == true_class(one["id"]) for one in found["items"])
    assert _promised(client)
    back = client.post("/api/finish/take_back").json()
    assert not _promised(client)
    assert (back["state"], back["items"]) == ("proven", proven["items"])
    assert client.post("/api/finish/take_back").status_code == 409
    assert client.post("/api/finish/give_up").json()["state"] == "none"


def _promised(client: httpx.Client) -> bool:
    """Whether the classifier that one takes along says what was proven, in its configuration and its card."""
    with zipfile.ZipFile(io.BytesIO(client.get("/api/model").content)) as archive:
        promise = json.loads(archive.read("model/config.json"))["promise"]
        return promise is not None and promise["words"] in archive.read("model/README.md").decode()


def _checks(client: httpx.Client, size: int) -> dict:  # type: ignore[type-arg]
    return dict(client.get("/api/finish/checks", params={"size": size}).json())


def _answer(client: httpx.Client, batch: dict) -> None:  # type: ignore[type-arg]
    labels = [{"id": one["id"], "label": true_class(one["id"])} for one in batch["items"]]
    assert client.post("/api/submit_labels", json={"batch_id": batch["batch_id"], "labels": labels}).status_code == 200


def test_a_screen_of_one_class_teaches_only_what_was_corrected(taught: Path, workdir: Path) -> None:
    with served_here(taught, workdir) as client:
        screen = client.get("/api/finish/verify", params={"label": "red", "size": 20}).json()
        assert len(screen["items"]) == 20
        assert {one["prediction"]["label"] for one in screen["items"]} == {"red"}
        sure = [one["prediction"]["confidence"] for one in screen["items"]]
        assert sure == sorted(sure, reverse=True)
        labels = [{"id": one["id"], "label": "red"} for one in screen["items"]]
        labels[0]["label"] = "blue"
        client.post("/api/submit_labels", json={"batch_id": screen["batch_id"], "labels": labels})
        by_source = {
            source: client.post("/api/items", json={"query": {"sources": [source]}}).json()["total"]
            for source in ("verify", "person")
        }
        assert by_source == {"verify": 19, "person": 46}
        assert client.get("/api/status").json()["since_training"] == 1
        unknown = client.get("/api/finish/verify", params={"label": "purple"})
        assert unknown.status_code == 422
        assert "'purple' is not known. Known: " in unknown.json()["error"]
        for wrong in ({"precision": 1.0}, {"precision": 0.2}, {"precision": "high"}, {"prec": 0.9}):
            assert client.post("/api/finish/plan", json=wrong).status_code == 422
