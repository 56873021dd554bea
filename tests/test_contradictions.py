"""Items of one content with different labels are counted and named."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fastlabel_gradio.labels import ClassEdit
from fastlabel_gradio.labels.contradictions import Contradiction, contradiction_among
from fastlabel_gradio.server.access import Person, Role, person_of
from fastlabel_gradio.server.api import create_api
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import Item
from tests.pools import make_config, wait_for

OpenProject = Callable[..., Project]


def test_contents_whose_items_disagree_are_counted_with_one_example() -> None:
    labeled = [
        *(("1", "a", "cat"), ("2", "b", "cat"), ("2", "c", "cat"), ("3", "d", "cat"), ("3", "e", "cat")),
        *(("3", "f", "dog"), ("4", "g", "cat"), ("4", "h", "dog")),
    ]
    found = contradiction_among(labeled)
    assert found == Contradiction(2, (("d", "cat"), ("f", "dog")))
    assert found.text("The labels") == (
        "The labels contradict each other: 'd' is 'cat', 'f' with the same content is 'dog', and so in 1 more."
    )


def test_labels_that_agree_are_no_contradiction() -> None:
    assert contradiction_among([]) is None
    assert contradiction_among([("1", "a", "cat"), ("1", "b", "cat"), ("2", "c", "dog")]) is None


def test_one_file_in_two_class_folders_is_said_when_all_is_embedded(
    pictures: Path, open_project: OpenProject, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copy(pictures / "red" / "0003.png", pictures / "blue" / "copy.png")
    shutil.copy(pictures / "red" / "0004.png", pictures / "red" / "copy.png")
    with caplog.at_level(logging.WARNING):
        project = open_project(make_config(pictures))
        wait_for(lambda: project.contradiction is not None)
        project._compare_reference_labels()  # as behind every scan
    assert caplog.text.count("contradict each other") == 1
    assert project.contradiction == Contradiction(1, (("blue/copy.png", "blue"), ("red/0003.png", "red")))
    assert "'blue/copy.png' is 'blue', 'red/0003.png' with the same content is 'red'." in project.notice
    assert project.notice in caplog.text


def test_classes_that_were_merged_or_renamed_since_do_not_contradict_each_other(
    pictures: Path, open_project: OpenProject, tmp_path: Path
) -> None:
    shutil.copy(pictures / "red" / "0003.png", pictures / "blue" / "copy.png")
    project = open_project(make_config(pictures))
    wait_for(lambda: project.contradiction is not None)
    ids = dict(zip(project.schema.names, project.schema.ids, strict=True))
    labeler = project.labeler("ann")
    labeler.actions.change_classes("ann", lambda _: [ClassEdit("merge", ids["blue"], ids["red"])])
    labeler.actions.change_classes("ann", lambda _: [ClassEdit("rename", ids["red"], "warm")])
    told = {project.reference_label(Item(id_)) for id_ in ("red/0003.png", "blue/copy.png")}
    assert told == {labeler.known_label("red/0003.png")} == {"warm"}
    project.close()
    again = open_project(make_config(pictures))
    wait_for(lambda: again.pipeline.progress.state == "done")
    again._compare_reference_labels()
    assert again.contradiction is None
    assert again.reference_label(Item("green/0000.png")) == "green"


def test_an_example_does_not_tell_what_the_source_says_of_an_item_that_is_to_be_judged_blind(
    pictures: Path, open_project: OpenProject
) -> None:
    shutil.copy(pictures / "red" / "0003.png", pictures / "blue" / "copy.png")
    project = open_project(make_config(pictures, second_opinions=1.0))
    wait_for(lambda: project.contradiction is not None)
    labeler = project.labeler("ann")
    labeler.submit("ann", [("red/0003.png", "red")])
    batch = labeler.next_batch("bob", 61)
    assert "red/0003.png" in [item.id for item in batch.items]
    api = create_api({project.name: project})

    def status_of(name: str) -> dict[str, Any]:
        api.dependency_overrides[person_of] = lambda: Person(name, Role.ANNOTATOR)
        return dict(TestClient(api).get("/api/status").json())

    assert status_of("ann")["contradictions"]["known"]["count"] == 1
    told = status_of("bob")
    assert (told["contradictions"]["known"], "0003.png" in told["notice"]) == (None, False)


def test_a_pool_without_contradictions_says_nothing(pictures: Path, open_project: OpenProject) -> None:
    shutil.copy(pictures / "red" / "0004.png", pictures / "red" / "copy.png")
    project = open_project(make_config(pictures))
    project.close()  # waits for the pipeline's thread
    assert (project.contradiction, project.notice) == (None, "")


def test_different_labels_that_people_gave_to_copies_are_said_after_a_training(
    pictures: Path, open_project: OpenProject
) -> None:
    shutil.copy(pictures / "red" / "0003.png", pictures / "red" / "copy.png")
    labeler = open_project(make_config(pictures)).labeler("ann")
    labels: list[tuple[str, str | int]] = [
        ("red/0003.png", "red"),
        ("blue/0001.png", "blue"),
        ("green/0001.png", "green"),
    ]
    labeler.submit("ann", [*labels, ("red/copy.png", "red")])
    labeler.train()
    assert labeler.wait_for_training(30)
    assert labeler.status().contradiction is None
    labeler.submit("bob", [("red/copy.png", "blue")])
    labeler.submit("ann", [("red/copy.png", "green")])
    labeler.train()
    assert labeler.wait_for_training(30)
    assert labeler.status().contradiction == Contradiction(1, (("red/0003.png", "red"), ("red/copy.png", "green")))


def test_given_labels_are_compared_again_after_a_restart(pictures: Path, open_project: OpenProject) -> None:
    shutil.copy(pictures / "red" / "0003.png", pictures / "copy.png")
    first = open_project(make_config(pictures, classes=["red", "blue"]))
    first.labeler("ann").submit("ann", [("red/0003.png", "red"), ("copy.png", "blue")])
    first.close()
    again = open_project(make_config(pictures, classes=["red", "blue"])).labeler("ann")
    wait_for(lambda: again.status().contradiction is not None)
