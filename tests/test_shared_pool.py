"""Several processes on one working directory: one fills the pool, the others see it grow, and one takes over after a kill."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastlabel_gradio.encoders import check_encoder
from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.pool.encoder_in_use import keep_encoder_in_use
from fastlabel_gradio.pool.lease import PoolLease
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import EmbeddedItem, Item
from tests.fork_server import Started
from tests.pools import make_config, wait_for

# Fills the pool of a folder of pictures until its input ends.
FILLING = """
import sys
from pathlib import Path
from fastlabel_gradio.server.project import Project
from tests.pools import make_config, wait_for
pictures, work, url = sys.argv[1:]
project = Project(make_config(Path(pictures), database=url), Path(work), Path(work))
project.start()
wait_for(lambda: project.pipeline.progress.state == "done")
print("done", flush=True)
sys.stdin.read()
project.close()
"""


@pytest.fixture
def filling(pictures: Path, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    arguments = [sys.executable, "-c", FILLING, str(pictures), str(tmp_path), database(tmp_path)]
    with Started(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "done\n"
        yield process
        process.kill()


def add_pictures(folder: Path, numbers: range) -> None:
    for number in numbers:
        Image.new("RGB", (24, 24), (20 * number, 90, 30)).save(folder / "red" / f"new {number}.png")


def database(folder: Path) -> str:
    return f"sqlite:///{folder}/shared.sqlite"


def test_one_process_fills_the_pool_and_another_takes_over_when_it_is_killed(
    pictures: Path, tmp_path: Path, filling: "subprocess.Popen[str]"
) -> None:
    with closing(Project(make_config(pictures, database=database(tmp_path)), tmp_path, tmp_path)) as project:
        project.start()
        wait_for(lambda: project.pipeline.progress.state == "done")
        assert project.pipeline.follows
        assert len(project.store) == 60
        batch = project.labeler("ann").next_batch("ann", 60)
        assert len(batch.items) == 60

        add_pictures(pictures, range(6))
        assert project.pipeline.rescan()  # the other process does it
        wait_for(lambda: len(project.store) == 66)
        wait_for(lambda: project.labeler("ann").counts().unlabeled == 66)
        assert project.pipeline.follows

        filling.send_signal(signal.SIGKILL)
        add_pictures(pictures, range(6, 9))
        wait_for(lambda: len(project.store) == 69)
        assert not project.pipeline.follows
        assert np.allclose(np.linalg.norm(project.store.embeddings, axis=1), 1, atol=1e-5)
        items = project.labeler("bob").next_batch("bob", 60).items
        assert len(items) == 9


def test_a_second_process_without_a_shared_database_is_refused(tmp_path: Path) -> None:
    first = PoolLease(tmp_path, may_follow=False)
    with pytest.raises(ConfigError, match="in use by another FastLabel"):
        PoolLease(tmp_path, may_follow=False)
    other = PoolLease(tmp_path, may_follow=True)
    assert (first.is_held, other.is_held, other.take()) == (True, False, False)
    first.release()
    assert other.take()
    other.release()


def test_who_follows_says_that_the_encoder_was_changed_and_goes_on(pictures: Path, tmp_path: Path) -> None:
    config = make_config(pictures, database=database(tmp_path))
    with closing(Project(config, tmp_path, tmp_path)) as first:
        first.start()
        wait_for(lambda: first.pipeline.progress.state == "done")
        with closing(Project(config, tmp_path, tmp_path)) as second:
            second.start()
            wait_for(lambda: second.pipeline.progress.state == "done")
            assert second.pipeline.follows
            assert second.pipeline.progress.notice == ""
            keep_encoder_in_use(first.folder, "offline", check_encoder("offline", {}, "image"))
            wait_for(lambda: "changed the encoder to 'offline'" in second.pipeline.progress.notice)
            assert "goes on with 'pixels'" in second.pipeline.progress.notice
            assert len(second.labeler("ann").next_batch("ann", 12).items) == 12


def test_who_follows_a_store_sees_rows_items_and_what_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastlabel_gradio.pool.space.GROWTH_ROWS", 16)
    with closing(EmbeddingStore(tmp_path)) as filled, closing(EmbeddingStore(tmp_path, follows=True)) as following:
        for store in (filled, following):
            store.use_encoder("pixels-1", 4)
        assert (len(following), following.total) == (0, 0)
        stored = [Item(f"{number}.png", "1") for number in range(70)]
        filled.begin_scan()
        filled.add_items(stored)
        for start in range(0, 70, 35):  # the file grows in between
            part = stored[start : start + 35]
            vectors = np.tile(np.float32([0.6, 0.8, 0, 0]), (len(part), 1))
            filled.append([EmbeddedItem(item, item.id) for item in part], vectors)
            following.follow()
            assert len(following) == start + 35
            assert following.embeddings[-1].tolist() == pytest.approx([0.6, 0.8, 0, 0])
        assert following.rows_of([stored[-1].id]) == filled.rows_of([stored[-1].id])
        before = following.revision
        filled.mark_unreadable([(stored[0], "damaged")])
        following.follow()
        assert (following.total, following.unreadable_count) == (70, 1)
        assert following.revision != before
        following.follow()  # nothing new
        assert following.revision == before + 1


def test_a_batch_of_rows_that_are_not_seen_yet_is_found(tmp_path: Path) -> None:
    with closing(EmbeddingStore(tmp_path)) as filled, closing(EmbeddingStore(tmp_path, follows=True)) as following:
        for store in (filled, following):
            store.use_encoder("pixels-1", 4)
        filled.begin_scan()
        filled.add_items([Item("a.png", "1")])
        filled.append([EmbeddedItem(Item("a.png", "1"), "key")], np.float32([[1, 0, 0, 0]]))
        assert len(following) == 0
        rows = following.rows_of(["a.png"])
        assert following.embeddings[rows["a.png"]].tolist() == [1, 0, 0, 0]
