"""While another program holds the label file, only what needs it waits."""

import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from benchmarks.load import held
from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.server.project import Project
from tests.pools import make_config, true_labels, wait_for
from tests.test_api import start

OpenProject = Callable[..., Project]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for the file waits longer than any of these tests looks at the rest."""
    monkeypatch.setattr("fastlabel_gradio.labels.database.LOCK_WAIT_S", 120.0)
    monkeypatch.setattr("fastlabel_gradio.pool.desk.TURN_WAIT_S", 120.0)


def test_the_status_is_told_while_labels_wait_for_the_file(pictures: Path, open_project: OpenProject) -> None:
    project = open_project(make_config(pictures))
    labeler = project.labeler("ann")
    labels = true_labels(labeler, "ann", 12)
    calls = [
        lambda: labeler.submit("ann", labels),
        lambda: labeler.next_batch("bob", 5),
        lambda: labeler.undo("cat"),
        lambda: labeler.renew("dan", "none"),
    ]
    threads = [threading.Thread(target=call) for call in calls]
    with held(project.folder / "labels.sqlite"):
        for thread in threads:
            thread.start()
        for _ in range(20):
            assert labeler.status().counts.labeled == 0
            assert labeler.claimed_by_others("bob") == 12
        assert project.labeler("eve") is labeler
        assert labeler.finder.page(Query(), 0, 10).total == 60
        assert labeler.finisher.state().state == "none"
        assert all(thread.is_alive() for thread in threads)
    for thread in threads:
        thread.join(60)
    assert labeler.counts().labeled == 12
    assert labeler.claimed_by_others("ann") == 5


def test_routes_that_need_no_label_file_answer_while_sixty_requests_wait_for_it(tmp_path: Path) -> None:
    app, address = start(tmp_path)
    [project] = app.projects.values()
    answers: list[int] = []

    def submit() -> None:
        body = [{"id": "red/0000.png", "label": "red"}]
        answers.append(others.post("/api/submit_labels", json=body).status_code)

    threads = [threading.Thread(target=submit) for _ in range(60)]  # more than the other routes have threads
    try:
        with (
            httpx.Client(base_url=address, timeout=60) as client,
            httpx.Client(base_url=address, timeout=120) as others,
        ):
            batch = client.get("/api/next_batch", params={"size": 4}).json()
            with held(project.folder / "labels.sqlite"):
                for thread in threads:
                    thread.start()
                for path in ("api/status", batch["sheet_url"], batch["items"][0]["media_url"], "api/evaluation"):
                    assert client.get(path).status_code == 200
                assert answers == []
            for thread in threads:
                thread.join(120)
        assert answers == [200] * 60
    finally:
        app.close()


def test_a_new_private_visitor_keeps_nobody_waiting(pictures: Path, open_project: OpenProject) -> None:
    project = open_project(make_config(pictures, sharing="private"))
    known = project.labeler("guest-one1")
    batch = known.next_batch("guest-one1", 5)
    newcomer = threading.Thread(target=lambda: project.labeler("guest-two2"))
    with held(project.folder / "labels.sqlite"):
        newcomer.start()
        assert project.labeler("guest-one1") is known
        assert project.batch_items(batch.id) == batch.items
        assert newcomer.is_alive()
    newcomer.join(60)
    assert project.labeler("guest-two2") is not known


def test_who_waits_too_long_is_told_and_nothing_is_stored(
    pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastlabel_gradio.pool.desk.TURN_WAIT_S", 0.1)
    project = open_project(make_config(pictures))
    labeler = project.labeler("ann")
    first = threading.Thread(target=lambda: labeler.submit("ann", [("red/0000.png", "red")]))
    with held(project.folder / "labels.sqlite"):
        first.start()
        wait_for(lambda: not labeler._desk._writing.acquire(blocking=False) or bool(labeler._desk._writing.release()))
        with pytest.raises(StoreError, match=r"busy.*Nothing of this request was stored. Send it again"):
            labeler.submit("bob", [("red/0001.png", "red")])
    first.join(60)
    assert labeler.counts().labeled == 1
