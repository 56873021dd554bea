"""Labels of a local disk that is emptied are put back from the bucket, however the process ended."""

import json
import logging
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fastlabel_gradio.app import App, create_app
from fastlabel_gradio.config import AppConfig
from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.finish.picked_out import PICKED_OUT, PickedOut
from fastlabel_gradio.labels import ClassEdit, LabelStore
from fastlabel_gradio.server import bucket as buckets
from fastlabel_gradio.server.access import Invites, Role
from fastlabel_gradio.server.access.invite_command import main as invite
from fastlabel_gradio.server.bucket import Sealer, keep_invites, keep_secret, restore_sealed
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.server.sealed_finish import apply_finish, write_finish
from fastlabel_gradio.server.stored_project import LABELS
from tests.finish_pools import config_of
from tests.fork_server import Started
from tests.pools import make_config, wait_for

# Labels pictures of a project, seals them every tenth of a second, and says when what it labeled is sealed.
LABELING = """
import sys
from pathlib import Path
from fastlabel_gradio.server import bucket
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.server.sealed_events import state_of
from tests.pools import make_config, wait_for
bucket.SEAL_EVERY_S = 0.1
pictures, work, mounted = map(Path, sys.argv[1:])
project = Project(make_config(pictures, train_every=1000), work, work, bucket=mounted)
project.start()
wait_for(lambda: project.pipeline.progress.state == "done")
labeler = project.labeler("ann")
for number in range(20):
    for name in ("red", "green", "blue"):
        labeler.submit("ann", [(f"{name}/{number:04d}.png", name)])
    wait_for(lambda: project._sealer._sealed == state_of(project.folder / "labels.sqlite"))
    print(number, flush=True)
sys.stdin.read()
"""


# Freezes a set of Finish behind the first snapshot, checks it, a card left open, and accepts it; says what is sealed.
CHECKING = """
import json, sys
from pathlib import Path
from fastlabel_gradio.server import bucket
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.server.sealed_events import state_of
from fastlabel_gradio.server.sealed_finish import files_seen
from tests.finish_pools import check_all, config_of, true_class, wait_until_ready
from tests.pools import wait_for
bucket.SEAL_EVERY_S = 0.1
taught, work, mounted = map(Path, sys.argv[1:])
project = Project(config_of(taught), work, work, bucket=mounted)
project.start()
labeler, folder = project.labeler("ann"), project.folder
def tell():
    sealer, now = project._sealer, labeler.finisher.state()
    wait_for(lambda: (sealer._sealed, sealer._finish) == (state_of(folder / "labels.sqlite"), files_seen(folder)))
    print(json.dumps([now.state, now.items, now.checked, now.wrong, now.more]), flush=True)
wait_until_ready(labeler)
tell()
labeler.finisher.start("ann", 0.8)
batch = labeler.finisher.checks("ann", 6)
labeler.submit("ann", [(item.id, true_class(item.id)) for item in batch.items[1:]], batch.id)
tell()
check_all(labeler)
labeler.finisher.accept("ann")
tell()
sys.stdin.read()
"""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "local"


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    return tmp_path / "bucket"


@pytest.fixture
def labels(pictures: Path, work: Path) -> Iterator[LabelStore]:
    """Those of a project that was opened before."""
    Project(make_config(pictures), work, work).close()
    store = LabelStore(f"sqlite:///{work}/images/labels.sqlite", "images")
    store.ensure_labels(["red", "green", "blue"])
    yield store
    store.close()


def put_back(mounted: Path, empty: Path) -> dict[str, int]:
    assert restore_sealed(mounted, empty, "images")
    with closing(LabelStore(f"sqlite:///{empty}/images/{LABELS}", "images")) as store:
        return store.current()


def test_a_killed_process_starts_on_an_emptied_disk_with_its_labels(pictures: Path, work: Path, mounted: Path) -> None:
    arguments = [sys.executable, "-c", LABELING, str(pictures), str(work), str(mounted)]
    with Started(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for number in range(12):
            assert process.stdout.readline() == f"{number}\n"
        process.send_signal(signal.SIGKILL)
    shutil.rmtree(work)
    with closing(Project(make_config(pictures, train_every=1000), work, work, bucket=mounted)) as project:
        project.start()
        counts = project.labeler("ann").counts()
        assert counts.labeled >= 36
        standing = {row.item_id: row.label for row in project.labeler("ann").export_rows()}
        wait_for(lambda: len(project.store) == 60)  # embedded again
    names = ("red", "green", "blue")
    assert {f"{name}/{number:04d}.png": name for number in range(12) for name in names}.items() <= standing.items()
    assert all(item_id.startswith(label) for item_id, label in standing.items())


def test_what_was_checked_and_accepted_in_finish_outlives_a_kill(
    taught: Path, workdir: Path, mounted: Path, tmp_path: Path
) -> None:
    """The set is frozen behind the first snapshot, so all of it is sealed with the events."""
    arguments = [sys.executable, "-c", CHECKING, str(taught), str(workdir), str(mounted)]
    with Started(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        before, checking, accepted = (json.loads(process.stdout.readline()) for _ in range(3))
        process.send_signal(signal.SIGKILL)
    assert (before[0], checking[0], checking[3], accepted[0]) == ("none", "checking", 1, "accepted")
    assert len(list(mounted.rglob("0*.fastlabel"))) == 1
    shutil.rmtree(workdir)
    with closing(Project(config_of(taught), workdir, workdir, bucket=mounted)) as project:
        project.start()
        labeler = project.labeler("ann")
        wait_for(lambda: project.pipeline.progress.state == "done")
        now = labeler.finisher.state()
        assert [now.state, now.items, now.checked, now.wrong, now.more] == accepted
        assert now.accepted is not None
        assert len(labeler.finisher.evidence()) == 1
        labeler.finisher.take_back("ann")
        assert labeler.finisher.state().state == "proven"


def test_what_was_picked_out_of_screens_is_sealed_with_the_labels(tmp_path: Path) -> None:
    for folder in ("one/finish", "one/private/ann/finish"):
        PickedOut(tmp_path / folder / PICKED_OUT).add("ann", 2, ["a.png"])
    seen = write_finish(tmp_path / "one", {}, tmp_path / "sealed")
    assert len(seen) == 2
    apply_finish(tmp_path / "sealed", tmp_path / "two")
    for folder in ("two/finish", "two/private/ann/finish"):
        assert PickedOut(tmp_path / folder / PICKED_OUT).of("ann", 2) == {"": frozenset({"a.png"})}


def test_everything_that_was_said_comes_back_from_a_snapshot_and_events(
    labels: LabelStore, work: Path, mounted: Path, tmp_path: Path
) -> None:
    sealer = Sealer(mounted, work, "images")
    labels.submit("ann", [("1", 0), ("2", 1)], now=1)
    sealer.seal()
    labels.submit("bob", [("2", 2), ("3", 2)], now=2)
    labels.edit_classes("bob", [ClassEdit("add", value="violet")], now=3)
    sealer.seal()
    labels.undo("ann", now=4)
    labels.check("bob", {"3": 2}, now=5)
    labels.submit("eve", [("4", 3)], now=6)
    sealer.seal()
    names = sorted(path.name for path in mounted.rglob("0*.*"))
    assert names == ["00000001.fastlabel", "00000002.events", "00000003.events"]
    assert put_back(mounted, tmp_path / "empty") == labels.current()
    with closing(LabelStore(f"sqlite:///{tmp_path}/empty/images/{LABELS}", "images")) as store:
        assert list(store.told()) == list(labels.told())
        assert (store.classes(), store.checked()) == (labels.classes(), labels.checked())
        assert store.undo("bob", now=9) is not None


def test_nothing_is_written_where_nothing_was_said(labels: LabelStore, work: Path, mounted: Path) -> None:
    sealer = Sealer(mounted, work, "images")
    labels.submit("ann", [("1", 0)], now=1)
    for _ in range(3):
        sealer.seal()
    assert len(list(mounted.rglob("0*.*"))) == 1


def test_a_damaged_end_costs_what_is_in_it_and_is_told(
    labels: LabelStore, work: Path, mounted: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sealer = Sealer(mounted, work, "images")
    for number in range(4):
        labels.submit("ann", [(str(number), 0)], now=number)
        sealer.seal()
    [second] = mounted.rglob("00000003.events")
    second.write_bytes(second.read_bytes()[:-9])
    with caplog.at_level(logging.ERROR):
        assert put_back(mounted, tmp_path / "empty") == {"0": 0, "1": 0}
    assert "00000003.events cannot be read" in caplog.text


def test_a_snapshot_replaces_the_events_before_it_and_starts_count_on(
    labels: LabelStore, work: Path, mounted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealer = Sealer(mounted, work, "images")
    labels.submit("ann", [("1", 0)], now=1)
    sealer.seal()
    labels.submit("ann", [("2", 0)], now=2)
    sealer.seal()
    monkeypatch.setattr(buckets, "SNAPSHOT_EVERY_S", 0.0)
    labels.submit("ann", [("3", 0)], now=3)
    sealer.seal()
    assert [path.name for path in mounted.rglob("0*.*")] == ["00000003.fastlabel"]
    for _ in range(3):
        later = Sealer(mounted, work, "images")
        later.seal()
    assert len([path for path in (mounted / "images").iterdir() if path.is_dir()]) == buckets.GENERATIONS_KEPT
    assert put_back(mounted, tmp_path / "empty") == {"1": 0, "2": 0, "3": 0}


def test_a_process_that_should_be_gone_sees_that_another_one_took_over(
    labels: LabelStore, work: Path, mounted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Sealer(mounted, work, "images")
    labels.submit("ann", [("1", 0)], now=1)
    old.seal()
    new = tmp_path / "new"
    assert put_back(mounted, new) == {"1": 0}
    Sealer(mounted, new, "images").seal()
    labels.submit("ann", [("2", 0)], now=2)
    with pytest.raises(StoreError, match="another process seals into"):
        old.seal()
    assert put_back(mounted, tmp_path / "third") == {"1": 0}


def test_a_bucket_that_is_away_is_tried_again_and_told_when_it_stays_away(
    labels: LabelStore, work: Path, mounted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "SEAL_EVERY_S", 0.01)
    monkeypatch.setattr(buckets, "LATE_S", 0.0)
    mounted.write_text("in place of a folder")
    sealer = Sealer(mounted, work, "images")
    labels.submit("ann", [("1", 0)], now=1)
    sealer.start()
    wait_for(lambda: bool(sealer._problem))
    with pytest.raises(StoreError, match="labels do not reach the bucket"):
        sealer.check()
    mounted.unlink()
    wait_for(lambda: bool(list(mounted.rglob("*.fastlabel"))))
    wait_for(lambda: not sealer._problem)
    sealer.check()
    sealer.close()


def test_the_secret_outlives_the_local_disk(work: Path, mounted: Path, tmp_path: Path) -> None:
    work.mkdir()
    (work / "secret").write_bytes(b"s" * 32)
    keep_secret(mounted, work)
    other = tmp_path / "other"
    other.mkdir()
    keep_secret(mounted, other)
    assert (other / "secret").read_bytes() == b"s" * 32


def test_invites_outlive_the_local_disk_and_revoked_ones_stay_revoked(
    pictures: Path, mounted: Path, tmp_path: Path
) -> None:
    config = AppConfig(projects=(make_config(pictures),), bucket=str(mounted))

    def opened(workdir: Path) -> App:
        return create_app(config, workdir, {"boss": "a secret"})

    with closing(opened(tmp_path / "first")) as app:
        tokens = {name: invites_in(app).add(name, Role.VIEWER, 1)[1] for name in ("ann", "bob", "eve")}
        invites_in(app).revoke("bob")
        invite(
            ["--workdir", str(app.workdir), "--revoke", "eve"]
        )  # beside the running app, which sees it when it looks
        assert [invites_in(app).open_for(token) is not None for token in tokens.values()] == [True, False, False]
    shutil.rmtree(tmp_path / "first")
    with closing(opened(tmp_path / "second")) as app:
        assert [invites_in(app).open_for(token) is not None for token in tokens.values()] == [True, False, False]
        assert (app.workdir / "invites.json").stat().st_mode & 0o077 == 0
        (app.workdir / "invites.json").unlink()
        assert invites_in(app).open_for(tokens["ann"]) is None
    with closing(opened(tmp_path / "third")) as app:
        assert invites_in(app).open_for(tokens["ann"]) is None


def test_an_invite_that_does_not_reach_the_bucket_is_good_and_told(
    work: Path, mounted: Path, caplog: pytest.LogCaptureFixture
) -> None:
    work.mkdir()
    mounted.write_text("in place of a folder")
    invites = Invites(work / "invites.json", b"secret", keep=lambda: keep_invites(mounted, work))
    with caplog.at_level(logging.ERROR):
        _, token = invites.add("ann", Role.VIEWER, 1)
    assert invites.open_for(token) is not None
    assert caplog.text.count("Invites did not reach the bucket") == 1


def invites_in(app: App) -> Invites:
    assert app.access.invites is not None
    return app.access.invites


def test_what_is_on_the_local_disk_stays(labels: LabelStore, work: Path, mounted: Path) -> None:
    sealer = Sealer(mounted, work, "images")
    labels.submit("ann", [("1", 0)], now=1)
    sealer.seal()
    labels.submit("ann", [("2", 0)], now=2)
    assert not restore_sealed(mounted, work, "images")
    assert labels.current() == {"1": 0, "2": 0}
    with closing(sqlite3.connect(work / "images" / LABELS)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
