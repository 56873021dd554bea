"""`/api/health`: asks for no login, says little, and is 503 where labels cannot be stored."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from fastlabel_gradio.labels import outages
from fastlabel_gradio.server.routes import health
from tests.postgres import PostgresServer
from tests.test_api import start

OK = {"status": "ok", "reason": ""}
FAILED = {"status": "failed", "reason": health.NOT_STORED}


@pytest.fixture(autouse=True)
def asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "GOOD_FOR_S", 0.0)


@pytest.fixture
def running(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    yield postgres_server
    postgres_server.ensure_running()


def test_a_database_that_goes_away_is_told_and_labels_go_on_when_it_is_back(
    tmp_path: Path, running: PostgresServer, new_postgres: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "RECONNECT_S", 0.2)
    app, address = start(tmp_path, {"ann": "secret-a"}, database=new_postgres())
    token = {"Authorization": f"Bearer {app.access.token('ann')}"}
    try:
        with httpx.Client(base_url=address, timeout=60) as anybody, httpx.Client(base_url=address, timeout=60) as ann:
            ann.headers.update(token)
            assert anybody.get("/api/status").status_code == 401
            assert anybody.get("/api/health").json() == OK

            def submit(item: str) -> httpx.Response:
                return ann.post("/api/submit_labels", json=[{"id": item, "label": "red"}])

            assert submit("red/0000.png").status_code == 200
            running.stop()
            refused = submit("red/0001.png")
            assert refused.status_code == 503
            assert "goes on by itself once the server answers" in refused.json()["error"]
            answer = anybody.get("/api/health")
            assert (answer.status_code, answer.json()) == (503, FAILED)
            running.start()
            assert submit("red/0001.png").status_code == 200
            assert anybody.get("/api/health").json() == OK
            exported = ann.get("/api/export", params={"format": "json"}).json()
            assert {row["item_id"] for row in exported} == {"red/0000.png", "red/0001.png"}
    finally:
        app.close()


def test_a_label_file_that_is_gone_is_told(tmp_path: Path) -> None:
    app, address = start(tmp_path)
    [project] = app.projects.values()
    file = project.folder / "labels.sqlite"
    try:
        assert httpx.get(f"{address}/api/health").json() == OK
        file.rename(file.with_name("moved.sqlite"))
        answer = httpx.get(f"{address}/api/health")
        assert (answer.status_code, answer.json()) == (503, FAILED)
        file.with_name("moved.sqlite").rename(file)
        assert httpx.get(f"{address}/api/health").json() == OK
    finally:
        app.close()


def test_however_many_ask_the_store_is_asked_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "GOOD_FOR_S", 600.0)
    app, address = start(tmp_path)
    [project] = app.projects.values()
    asked: list[None] = []
    monkeypatch.setattr(project._label_store, "check_storing", lambda: asked.append(None))
    try:
        for _ in range(5):
            assert httpx.get(f"{address}/api/health").status_code == 200
        assert len(asked) == 1
    finally:
        app.close()
