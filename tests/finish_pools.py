"""A project whose pool can be finished: colours that the head knows, some of which lie in the wrong folder."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from fastlabel_gradio.config import ProjectConfig
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import Batch
from tests.pools import make_config, wait_for, write_pictures

Answer = Callable[[str], str]


def true_class(item_id: str) -> str:
    return item_id.split("/")[0]


def teach(labeler: Labeler, items: int = 45) -> None:
    """Labels some items as their folders say, and has a head trained on them."""
    batch = labeler.next_batch("ann", items, "random", fresh=True)
    labeler.submit("ann", [(item.id, true_class(item.id)) for item in batch.items], batch.id)
    labeler.train()
    assert labeler.wait_for_training(60)


def wait_until_ready(labeler: Labeler) -> None:
    """Until its pool is embedded and its head is there."""
    wait_for(lambda: labeler._pipeline.progress.state == "done" and labeler.head is not None)


def answer(labeler: Labeler, batch: Batch, right: Answer = true_class, annotator: str = "ann") -> None:
    """Submits what somebody says of every card of a batch."""
    labeler.submit(annotator, [(item.id, right(item.id)) for item in batch.items], batch.id)


def check_all(labeler: Labeler, right: Answer = true_class, annotator: str = "ann", size: int | None = None) -> int:
    """Answers checks until there are no more; returns how many."""
    count = 0
    while (batch := labeler.finisher.checks(annotator, size)).items:
        answer(labeler, batch, right, annotator)
        count += len(batch.items)
    return count


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 360 pictures in three class folders, `pool`, and a working directory with a head of 45 labels, `work`."""
    folder = tmp_path_factory.mktemp("taught")
    write_pictures(folder / "pool", per_class=120, side_px=8)
    project = Project(config_of(folder), folder, folder / "work")
    project.start()
    wait_for(lambda: project.pipeline.progress.state == "done")
    teach(project.labeler("ann"))
    project.close()
    return folder


def config_of(folder: Path, **settings: object) -> ProjectConfig:
    return make_config(folder / "pool", train_every=1_000_000, **settings)


@pytest.fixture
def workdir(taught: Path, tmp_path: Path) -> Path:
    """A copy of the working directory, of this test alone."""
    return Path(shutil.copytree(taught / "work", tmp_path / "work"))


@pytest.fixture
def reopen(taught: Path, workdir: Path) -> Iterator[Callable[[], Labeler]]:
    """Opens the project, after closing it where it is open, and gives its labeler."""
    opened: list[Project] = []

    def open_again(*, waits: bool = True) -> Labeler:
        while opened:
            opened.pop().close()
        opened.append(Project(config_of(taught), taught, workdir))
        opened[0].start()
        if waits:
            wait_until_ready(opened[0].labeler("ann"))
        opened[0].labeler("ann").finisher._rng = np.random.default_rng(0)
        return opened[0].labeler("ann")

    yield open_again
    while opened:
        opened.pop().close()


@pytest.fixture
def labeler(reopen: Callable[[], Labeler]) -> Labeler:
    """One whose head is taught."""
    return reopen()
