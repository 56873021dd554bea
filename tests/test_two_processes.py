"""Two processes, each with its own working directory, label one pool through one database and see what the other does."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.labels import ClassEdit
from fastlabel_gradio.server.project import Project
from tests.fork_server import Started
from tests.pools import make_config, wait_for

# Opens the project at each address, and does what it is told by lines of JSON: [address, what, its arguments].
OTHER = """
import json, sys
from pathlib import Path
from fastlabel_gradio.labels import ClassEdit
from fastlabel_gradio.server.project import Project
from tests.pools import make_config, wait_for

pictures, work, *urls = sys.argv[1:]
projects = {}
for number, url in enumerate(urls):
    projects[url] = Project(make_config(Path(pictures), database=url), Path(work), Path(work) / str(number))
    projects[url].start()
    wait_for(lambda: projects[url].pipeline.progress.state == "done")
    projects[url].labeler("bob")

def told(url, what, *values):
    labeler = projects[url].labeler("bob")
    if what == "batch":
        return [item.id for item in labeler.next_batch("bob", values[0], fresh=True).items]
    if what == "submit":
        return labeler.submit("bob", [tuple(pair) for pair in values[0]]).accepted
    if what == "undo":
        return labeler.undo("bob").undone
    if what == "add":
        labels = projects[url]._label_store
        return labels.edit_classes("bob", [ClassEdit("add", value=values[0])], now=1.0).names
    if what == "train":
        labeler.train()
        return labeler.wait_for_training(60)
    if what == "head":
        return [labeler.head.info.trained_at, len(labeler.points)] if labeler.head else None
    return labeler.schema.names if what == "classes" else labeler.counts().labeled

print("ready", flush=True)
for line in sys.stdin:
    print(json.dumps(told(*json.loads(line))), flush=True)
for project in projects.values():
    project.close()
"""


class Other:
    """The other process."""

    def __init__(self, pictures: Path, work: Path, urls: list[str]) -> None:
        arguments = [sys.executable, "-c", OTHER, str(pictures), str(work), *urls]
        self.process = Started(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._read()

    def __call__(self, *told: Any) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(told) + "\n")
        self.process.stdin.flush()
        return json.loads(self._read())

    def _read(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the other process broke off"
        return line


@pytest.fixture
def urls(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """SQLite, and PostgreSQL where there is one; else the test is told as skipped once it passed with SQLite."""
    found, lacking = [f"sqlite:///{tmp_path}/shared.sqlite"], ""
    try:
        found.append(request.getfixturevalue("new_postgres")())
    except pytest.skip.Exception as reason:
        lacking = str(reason)
    yield found
    if lacking:
        pytest.skip(f"passed on SQLite only: {lacking}")


@pytest.fixture
def other(pictures: Path, tmp_path: Path, urls: list[str]) -> Iterator[Other]:
    started = Other(pictures, tmp_path, urls)
    yield started
    assert started.process.stdin is not None
    started.process.stdin.close()
    assert started.process.wait(60) == 0


def test_two_processes_see_each_others_labels_claims_and_classes(
    pictures: Path, tmp_path: Path, other: Other, urls: list[str]
) -> None:
    for number, url in enumerate(urls):
        config = make_config(pictures, database=url, train_every=5)
        with closing(Project(config, tmp_path, tmp_path / "mine" / str(number))) as project:
            project.start()
            labels_and_claims_are_seen(project.labeler("ann"), partial(other, url))
            heads_are_shared(project.labeler("ann"), partial(other, url))
            classes_are_seen(project, partial(other, url))


def labels_and_claims_are_seen(ann: Labeler, bob: Callable[..., Any]) -> None:
    labels = [(f"{name}/{place:04d}.png", name) for name in ("red", "green", "blue") for place in range(4)]
    assert bob("submit", labels) == 12
    wait_for(lambda: ann.status().embedding.state == "done")
    wait_for(lambda: ann.counts().labeled == 12)
    wait_for(lambda: ann.head is not None)  # it is trained on them by itself

    bobs = bob("batch", 20)
    bob("submit", [("red/0010.png", "red"), ("red/0011.png", "blue")])
    anns = {item.id for item in ann.next_batch("ann", 60, fresh=True).items}  # at once, without waiting for a look
    assert not anns & {*bobs, *(item_id for item_id, _ in labels), "red/0010.png", "red/0011.png"}
    assert len(anns) == 60 - len({*bobs, *(item_id for item_id, _ in labels), "red/0010.png", "red/0011.png"})
    assert ann.claimed_by_others("ann") == len({*bobs} - {"red/0010.png", "red/0011.png"})

    ann.train()
    assert ann.wait_for_training(60)
    assert ann.head is not None and ann.head.info.label_count == 14
    bob("undo")
    ann.train()
    assert ann.wait_for_training(60)
    assert ann.head.info.label_count == 12
    ann.submit("ann", [("red/0012.png", "red")])
    wait_for(lambda: bob("labeled") == 13)


def heads_are_shared(ann: Labeler, bob: Callable[..., Any]) -> None:
    """What one of them trains the other has, with its curve, and does not train again."""
    ann.train()
    assert ann.wait_for_training(60)
    assert ann.head is not None
    wait_for(lambda: bob("head") == [ann.head.info.trained_at, len(ann.points)])
    newest = ann.head.info.version
    bob("submit", [("green/0012.png", "green")])
    assert bob("train")
    wait_for(lambda: ann.head.info.version > newest)
    wait_for(lambda: bob("head") == [ann.head.info.trained_at, len(ann.points)])


def classes_are_seen(project: Project, bob: Callable[..., Any]) -> None:
    ann = project.labeler("ann")
    assert bob("add", "violet") == ["blue", "green", "red", "violet"]
    wait_for(lambda: ann.schema.names == ("blue", "green", "red", "violet"))
    bob("submit", [("red/0013.png", "violet"), ("red/0014.png", "violet")])
    ann.train()
    assert ann.wait_for_training(60)
    assert ann.head is not None
    assert (ann.head.info.label_count, len(ann.head.info.classes)) == (16, 4)
    batch = ann.next_batch("ann", 5, fresh=True)
    assert all(prediction is not None for prediction in batch.predictions)
    project._label_store.edit_classes("ann", [ClassEdit("merge", 3, 2)], now=2.0)
    wait_for(lambda: bob("classes") == ["blue", "green", "red"])
    wait_for(lambda: ann.head is not None and len(ann.head.info.classes) == 3)
    assert ann.wait_for_training(60)
    assert {row.label for row in ann.export_rows()} == {"blue", "green", "red"}
