"""A public page, where each visitor has labels of their own: what all of them together may take of the disk."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.exports import Exported
from fastlabel_gradio.exports.prepared import MOST_RUNNING, PreparedExports
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.server.routes import imports
from fastlabel_gradio.server.visitors import KEPT_SHARE, LOOK_EVERY_S, VisitorFolders
from fastlabel_gradio.types import Said
from tests.classifier_pools import train
from tests.pools import make_config, wait_for
from tests.test_predict_routes import client_of

MOST_TURNS = 60
OpenProject = Callable[..., Project]


@pytest.fixture
def private(pictures: Path, open_project: OpenProject) -> Project:
    return open_project(make_config(pictures, sharing="private", visitors_gb=0.001, train_every=1_000_000))


def label_until_full(project: Project, visitor: str) -> int:
    """How many labels were stored before not even one more was."""
    store, stored = project.label_store(visitor), 0
    item_ids = [item.id for item in project.labeler(visitor).next_batch(visitor, 60).items]
    for turn in range(MOST_TURNS):
        said = Said(turn % 3, note="x" * 1_000)
        try:
            store.submit(visitor, [(item_id, said) for item_id in item_ids], now=float(turn))
            stored += len(item_ids)
        except StoreError as error:
            assert "may take 0.001 GB" in str(error) and "`visitors_gb`" in str(error)
            if len(item_ids) == 1:
                return stored
            item_ids = item_ids[: len(item_ids) // 2]
    raise AssertionError("nothing was refused")


def test_labels_beyond_the_limit_are_refused_and_those_before_stay(private: Project) -> None:
    stored = label_until_full(private, "guest-ann1")
    assert stored > 0
    file = private.folder / "labels.sqlite"
    assert file.stat().st_size <= 1_000_000
    with pytest.raises(StoreError, match="full"):
        private.check_store()
    rows = list(private.export_rows("guest-ann1"))
    assert len(rows) == 60
    client = client_of(private)
    sent = {"labels": [{"id": row.item_id, "label": "red"} for row in rows]}
    refused = client.post("/api/submit_labels", json=sent)
    assert (refused.status_code, "`visitors_gb`" in refused.json()["error"]) == (503, True)
    assert client.get("/api/health").status_code == 503


def test_labels_of_people_who_share_a_pool_are_limited_by_the_disk_alone(
    pictures: Path, open_project: OpenProject
) -> None:
    project = open_project(make_config(pictures, visitors_gb=0.001, train_every=1_000_000))
    with pytest.raises(AssertionError, match="nothing was refused"):
        label_until_full(project, "ann")
    project.check_store()


def test_of_visitors_who_left_too_much_the_largest_go_first(tmp_path: Path) -> None:
    folders = VisitorFolders(tmp_path / "private", 1_000)
    assert folders.surplus((), now=0.0) == []
    for name, size in (("ann", 300), ("bob", 400), ("eve", 250), ("dan", 200)):
        (folders.of(name) / "deep").mkdir()
        (folders.of(name) / "deep" / "head").write_bytes(b"x" * size)
    assert folders.surplus(("bob",), now=1.0) == ["ann", "eve"]
    assert 400 + 200 <= KEPT_SHARE * 1_000 < 400 + 200 + 250
    assert folders.surplus((), now=2.0) == [], "looked at a moment ago"
    for name in ("ann", "eve"):
        folders.drop(name)
    assert sorted(path.name for path in (tmp_path / "private").iterdir()) == ["bob", "dan"]
    assert folders.surplus((), now=2.0 + LOOK_EVERY_S) == []


def test_a_visitor_whose_head_made_room_gets_it_again_from_the_labels(
    pictures: Path, open_project: OpenProject
) -> None:
    project = open_project(make_config(pictures, sharing="private", encoder="offline"))
    train(project, batches=1, annotator="guest-ann1")
    folder = project.folder / "private" / "guest-ann1"
    before = project.labeler("guest-ann1")
    (folder / "ballast").write_bytes(b"x" * 2_000_000)
    project._visitors = VisitorFolders(project.folder / "private", 1_000_000)
    project.labeler("guest-bob1")
    assert not folder.exists()
    after = project.labeler("guest-ann1")
    assert after is not before
    assert after.counts().labeled == 12
    wait_for(lambda: after.head is not None, 60)


def test_no_visitor_changes_what_another_is_shown(private: Project) -> None:
    client = client_of(private)
    for taken_as in ("suggestions", "references"):
        sent = client.post("/api/import", params={"as": taken_as, "name": "x.csv"}, content=b"item_id,label\na,b\n")
        assert (sent.status_code, "do not see each other" in sent.json()["error"]) == (403, True)


def test_files_that_are_sent_at_once_take_so_much_of_the_disk_together(
    private: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    item_id = private.labeler("guest-ann1").next_batch("guest-ann1", 1).items[0].id
    monkeypatch.setattr(imports, "MOST_SENT_BYTES", 10_000)
    client: TestClient = client_of(private)
    for _ in range(3):
        long = client.post("/api/import", params={"name": "x.csv"}, content=b"x" * 20_000)
        assert (long.status_code, "sent at once" in long.json()["error"]) == (503, True)
    short = client.post("/api/import", params={"name": "x.csv"}, content=f"item_id,label\n{item_id},red\n".encode())
    assert short.json()["added"] == 1


def test_few_exports_are_prepared_at_once() -> None:
    prepared, go_on = PreparedExports(), threading.Event()

    def work(path: Path, tell: Callable[[int], None]) -> Exported:
        assert go_on.wait(20)
        return Exported(0)

    running = [prepared.begin("ann", "x.csv", "text/csv", work) for _ in range(MOST_RUNNING)]
    with pytest.raises(StoreError, match="being prepared already"):
        prepared.begin("bob", "x.csv", "text/csv", work)
    go_on.set()
    wait_for(lambda: all(one.state == "ready" for one in running))
    assert prepared.begin("bob", "x.csv", "text/csv", work).annotator == "bob"
