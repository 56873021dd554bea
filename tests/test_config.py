"""A configuration is validated once, and every error says what to do."""

from pathlib import Path

import pytest

from fastlabel_gradio.config import load_config
from fastlabel_gradio.errors import ConfigError
from tests.cases import each

CONFIGS = sorted((Path(__file__).parent.parent / "configs").glob("*.yaml"))
MINIMAL = "projects: [{name: images, source: {kind: demo}}]"


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@each("path", CONFIGS)
def test_the_configurations_that_come_along_are_valid(path: Path) -> None:
    assert load_config(path).projects


def test_defaults_are_the_documented_ones(tmp_path: Path) -> None:
    [project] = load_config(_write(tmp_path, MINIMAL)).projects
    assert (project.batch_size, project.train_every, project.strategy, project.encoder.kind) == (
        100,
        10,
        "auto",
        "auto",
    )
    assert (project.sharing, project.claim_minutes) == ("shared", 10)


def test_a_part_may_be_named_without_options(tmp_path: Path) -> None:
    [project] = load_config(_write(tmp_path, "projects: [{name: a, source: demo, encoder: clip}]")).projects
    assert (project.source.kind, project.encoder.kind) == ("demo", "clip")


def test_classes_are_the_text_that_was_written(tmp_path: Path) -> None:
    [project] = load_config(
        _write(tmp_path, "projects: [{name: a, source: demo, classes: [yes, no, 007, 1e3]}]")
    ).projects
    assert project.classes == ("yes", "no", "007", "1e3")


def test_options_of_a_part_are_kept_for_it(tmp_path: Path) -> None:
    [project] = load_config(_write(tmp_path, "projects: [{name: a, source: {kind: table, path: t.csv}}]")).projects
    assert project.source.options == {"path": "t.csv"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("projects: [", "not a readable YAML"),
        ("just text", "mapping"),
        ("projects: []", "projects"),
        ("colour: blue\n" + MINIMAL, "colour: unknown key"),
        ("projects: [{name: images, source: demo, batchsize: 5}]", "batch_size"),
        ("projects: [{name: images, source: demo, batch_size: 0}]", "got 0"),
        ("projects: [{name: 'Two Words', source: demo}]", "small letters"),
        ("projects: [{name: a, source: demo}, {name: a, source: demo}]", "same name"),
        ("projects: [{name: a}]", "source"),
        ("projects: [{name: 7, source: demo}]", "projects.0.name: 7 is no text in YAML: put quotes around it$"),
        ("title: yes\n" + MINIMAL, "title: True is no text in YAML: put quotes around it$"),
        ("projects: [{name: a, source: demo, classes: cat}]", r"classes: write a list, for example \[cat, other\]$"),
        ("projects: [{name: a, source: demo, classes: [{cat: 1}, dog]}]", "classes.0: .* is no text"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        load_config(_write(tmp_path, text))
    assert "x.yaml" in str(caught.value)


def test_a_missing_file_points_to_the_examples(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="configs/"):
        load_config(tmp_path / "none.yaml")
