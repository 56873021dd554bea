"""The bundle beside the labels, which `export-model` takes: what was accepted stands in it as in that of the page."""

import json
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from benchmarks.load import held
from fastlabel_gradio.exports.row_stream import STATES, Choice
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.server.export_job import ExportOrder, export
from fastlabel_gradio.server.import_job import import_labels, take_back
from fastlabel_gradio.server.project import Project
from tests.finish_pools import check_all, config_of, teach, wait_until_ready
from tests.pools import wait_for


def promise_in(folder: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:  # not kept yet
        return None
    return content["promise"]


def accept(labeler: Labeler) -> None:
    labeler.finisher.start("ann", 0.9)
    check_all(labeler)
    assert labeler.finisher.accept("ann").state == "accepted"


def project_folder(workdir: Path) -> Path:
    [record] = workdir.glob("*/source.json")
    return record.parent


def test_what_was_accepted_since_the_last_training_is_in_the_kept_bundle(
    reopen: Callable[[], Labeler], workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastlabel_gradio.loop.learner.BUNDLE_WAIT_S", 60.0)  # on a busy machine, too
    labeler = reopen()
    kept = project_folder(workdir) / "model"
    accept(labeler)
    promise = promise_in(kept)  # there when the acceptance is answered: somebody may export at once
    assert promise is not None
    [proven] = promise["promises"]
    assert proven["precision"] == 0.9
    assert proven["wrong"] == 0
    assert f"{proven['checked']} random ones were checked" in promise["words"]
    assert promise["words"] in (kept / "README.md").read_text(encoding="utf-8")
    counts = json.loads((kept / "config.json").read_text(encoding="utf-8"))["counts"]
    assert sum(by_source.get("auto", 0) for by_source in counts.values()) == proven["items"] - proven["checked"]
    labeler = reopen()
    labeler.undo("ann")  # the same step, taken back as any other
    assert promise_in(kept) is None
    labeler.redo("ann")
    assert promise_in(kept) == promise
    labeler.finisher.take_back("ben")
    assert promise_in(kept) is None


def test_an_acceptance_says_where_the_kept_bundle_does_not_tell_of_it_yet(
    labeler: Labeler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastlabel_gradio.loop.learner.BUNDLE_WAIT_S", 0.01)
    labeler.finisher.start("ann", 0.9)
    check_all(labeler)
    with labeler._learner.paused():  # somebody waits for a batch, and the files wait for that
        accepted = labeler.finisher.accept("ann")
        assert (accepted.state, accepted.lines[-1].key) == ("accepted", "unbundled")
    wait_for(lambda: "unbundled" not in [line.key for line in labeler.finisher.state().lines])


def test_what_is_accepted_while_a_large_pool_is_looked_through_is_in_the_bundle_before_that_has_ended(
    labeler: Labeler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastlabel_gradio.pool.scan.BLOCK_ROWS", 64)
    learner, told = labeler._learner, list[bool]()

    def checkpoint() -> None:
        told.append(learner.is_bundled)
        if len(told) == 1:
            learner._bundler.ask_again()

    assert learner.settle(60)
    assert learner.head
    learner._scan(learner.ground_of(learner.head), learner.head, checkpoint)
    assert len(told) > 2
    assert all(told)


def test_who_asks_for_the_state_does_not_wait_for_an_acceptance(labeler: Labeler) -> None:
    labeler.finisher.start("ann", 0.9)
    check_all(labeler)
    accepting = threading.Thread(target=lambda: labeler.finisher.accept("ann"))
    with held(Path(labeler._label_store._database.where.removeprefix("sqlite:///"))):
        accepting.start()
        wait_for(lambda: not labeler._desk._writing.acquire(blocking=False) or bool(labeler._desk._writing.release()))
        assert labeler.finisher.state().state == "proven"
        assert labeler.finisher.evidence() == []
        assert labeler.finder.page(Query(sources=("auto",)), 0, 10).total == 0
        assert accepting.is_alive()
    accepting.join(60)
    assert labeler.finisher.state().state == "accepted"


def test_the_kept_bundle_and_that_of_the_page_say_the_same(taught: Path, workdir: Path, tmp_path: Path) -> None:
    project = Project(config_of(taught), taught, workdir)
    project.start()
    wait_for(lambda: project.pipeline.progress.state == "done" and project.labeler("ann").head is not None)
    try:
        accept(project.labeler("ann"))
        kept = project.folder / "model"
        assert promise_in(kept) is not None
        project.write_model("ann", tmp_path / "model")
        for name in ("config.json", "README.md"):
            assert (tmp_path / "model" / name).read_bytes() == (kept / name).read_bytes()
    finally:
        project.close()


def test_what_was_accepted_of_private_labels_is_in_the_bundle_of_these(taught: Path, tmp_path: Path) -> None:
    project = Project(config_of(taught, sharing="private"), taught, tmp_path / "work")
    project.start()
    wait_for(lambda: project.pipeline.progress.state == "done")
    try:
        teach(project.labeler("ann"))
        accept(project.labeler("ann"))
        wait_for(lambda: promise_in(project.folder / "private" / "ann" / "model") is not None)
    finally:
        project.close()


def test_promises_of_imported_labels_are_in_the_bundle_and_say_where_the_evidence_is(
    taught: Path, workdir: Path, tmp_path: Path
) -> None:
    file = tmp_path / "labels.csv"
    with closing(Project(config_of(taught), taught, workdir)) as project:
        project.start()
        labeler = project.labeler("ann")
        wait_until_ready(labeler)
        accept(labeler)
        [evidence] = labeler.finisher.evidence()
        assert labeler.finisher.brought() == []  # its own
        export(project, "ann", ExportOrder("csv", Choice("all", STATES)), file)
    with closing(Project(config_of(taught), taught, tmp_path / "other")) as other:
        other.start()
        wait_for(lambda: other.pipeline.progress.state == "done")
        done = import_labels(other, "zoe", file, file.name)
        labeler = other.labeler("zoe")
        labeler.train()
        assert labeler.wait_for_training(60)
        other.write_model("zoe", tmp_path / "model")
        promise = promise_in(tmp_path / "model")
        assert promise is not None
        figures = {"precision": 0.9, "checked": evidence.promise.checked, "wrong": 0}
        assert promise["promises"] == [{**figures, "items": evidence.accepted, "imported": True}]
        assert f"{evidence.accepted:,} labels were imported that had been accepted elsewhere" in promise["words"]
        assert promise["words"] in (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
        take_back(other, "zoe", done.id)
        assert labeler.finisher.brought() == []
