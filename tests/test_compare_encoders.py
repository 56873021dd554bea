"""Would another encoder be better? The command answers it beside a running app, on the labels that people gave."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from fastlabel_gradio.command_line import main
from fastlabel_gradio.comparison import report as encoder_report
from fastlabel_gradio.comparison.judgement import LabeledItems, judge
from fastlabel_gradio.comparison.report import compare_encoders, duration
from fastlabel_gradio.config import LoopSettings, PartConfig
from fastlabel_gradio.encoders import Encoder
from fastlabel_gradio.encoders.listed import listed_encoders
from fastlabel_gradio.errors import ConfigError, StoreError, TooFewLabelsError
from fastlabel_gradio.head import HeadMaker
from fastlabel_gradio.loop.head_makers import Vectors, head_maker
from fastlabel_gradio.server.access import Person, Role, person_of
from fastlabel_gradio.server.api import create_api
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import LabelSchema
from tests.grey_encoder import ColourEncoder, GreyEncoder, only_these_encoders
from tests.pools import make_config, make_sound_config, true_labels, wait_for, write_sounds

OpenProject = Callable[..., Project]


def label(project: Project, labels: int) -> None:
    labeler = project.labeler("ann")
    labeler.submit("ann", true_labels(labeler, "ann", labels))


def test_the_command_compares_beside_a_running_app_and_embeds_the_labeled_items_and_a_sample_alone(
    pictures: Path,
    tmp_path: Path,
    open_project: OpenProject,
    no_network: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encoder_report, "SPREAD_ITEMS", 20)
    project = open_project(make_config(pictures, encoder="grey"))
    label(project, 30)
    sampled = {item.id for _, item in project.store.in_order(-1, 20)}
    embedded = 30 + len(sampled - project.labeler("ann")._ledger.labeled_ids())
    counted = GreyEncoder.encoded, ColourEncoder.encoded
    written = project.store._writer.total_changes
    out = tmp_path / "rows.json"
    words = ["compare-encoders", str(pictures), "--workdir", str(tmp_path / "work"), "--json", str(out)]
    main([*words, "--encoders", "full_colour,clip,grey,offline"])
    assert (GreyEncoder.encoded - counted[0], ColourEncoder.encoded - counted[1]) == (embedded, embedded)
    assert 30 < embedded < 50
    assert project.store._writer.total_changes == written
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("30 labeled items, each judged by a head that did not see it.")
    assert [line.split(" | ")[0] for line in lines[-4:]] == ["| grey (in use)", "| full_colour", "| clip", "| offline"]
    report = json.loads(out.read_text(encoding="utf-8"))
    assert (report["labels"], report["groups"], report["items"]) == (30, None, 60)
    grey, full_colour, clip, offline = report["rows"]
    assert grey["in_use"]
    assert grey["change"] is None
    assert full_colour["accuracy"] == 1.0 > grey["accuracy"]
    assert full_colour["change"]["low"] <= full_colour["change"]["change"] == pytest.approx(1 - grey["accuracy"])
    assert full_colour["pool_s"] == pytest.approx(60 / full_colour["items_per_s"])
    assert "is not available" in clip["problem"]
    assert offline["accuracy"] > 0.5
    label(project, 5)


def test_what_cannot_be_compared_says_why(pictures: Path, tmp_path: Path, open_project: OpenProject) -> None:
    config = make_config(pictures, encoder="grey")

    def compared() -> None:
        compare_encoders(config, tmp_path, tmp_path / "work")

    with pytest.raises(StoreError, match="no pool was embedded here yet"):
        compared()
    project = open_project(config)
    with pytest.raises(TooFewLabelsError, match="0 labels are too few to compare encoders: 20 are needed"):
        compared()
    labeler = project.labeler("ann")
    reds = [item.id for item in project.source.scan() if item.id.startswith("red/")]
    labeler.submit("ann", [(item_id, "red") for item_id in reds])
    labeler.submit("ann", [("blue/0001.png", "blue"), ("green/0001.png", "green")])
    with pytest.raises(TooFewLabelsError, match="Of 3 classes with labels 2 have only one"):
        compared()
    with pytest.raises(ConfigError, match="labels of each visitor"):
        compare_encoders(make_config(pictures, sharing="private"), tmp_path, tmp_path / "work")


def test_by_default_every_encoder_that_needs_no_options_is_compared(
    pictures: Path, tmp_path: Path, open_project: OpenProject, no_network: None
) -> None:
    config = make_config(pictures, encoder="grey")
    label(open_project(config), 24)
    report = compare_encoders(config, tmp_path, tmp_path / "work")
    assert {"grey", "full_colour", "pixels", "offline", "clip"} <= {row.encoder for row in report.rows}
    assert all(row.problem or row.accuracy is not None for row in report.rows)


def test_an_encoder_that_fails_is_a_row_with_the_reason_and_the_others_are_compared(
    pictures: Path, tmp_path: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: ColourEncoder, media: object) -> None:
        raise ArithmeticError("no such colour")

    config = make_config(pictures, encoder="grey")
    label(open_project(config), 24)
    monkeypatch.setattr(ColourEncoder, "prepare", fail)
    named = {name: PartConfig(kind=name) for name in (ColourEncoder.name, "pixels")}
    report = compare_encoders(config, tmp_path, tmp_path / "work", named)
    assert [row.problem for row in report.rows] == ["", "ArithmeticError: no such colour", ""]


def test_the_encoder_in_use_is_judged_by_heads_like_the_project_s_own(
    pictures: Path, tmp_path: Path, open_project: OpenProject
) -> None:
    config = make_config(pictures, encoder="grey")
    project = open_project(config)
    label(project, 40)
    labeler, space = project.labeler("ann"), project.store.space
    assert space is not None
    assert project.pipeline.encoder is not None
    given = labeler._ledger.labeled_ids()
    rows = [(row, item_id) for item_id, row in sorted(project.store.rows_of(list(given)).items())]
    targets = np.array([labeler.schema.names.index(item_id.split("/")[0]) for _, item_id in rows], dtype=np.int64)
    maker, _ = head_maker(project.pipeline.encoder, labeler.schema, space, project.config)
    found = judge(space.embeddings[[row for row, _ in rows]], LabeledItems(targets), maker, lambda: False)
    assert found is not None
    report = compare_encoders(config, tmp_path, tmp_path / "work", {})
    assert report.rows[0].accuracy == found.accuracy < 1


def test_windows_of_a_recording_are_judged_by_heads_that_saw_none_of_it(
    tmp_path: Path, open_project: OpenProject
) -> None:
    sounds = write_sounds(tmp_path / "sounds", per_class=5)
    source = {"kind": "audio_folder", "path": str(sounds), "window_s": 0.2}
    config = make_sound_config(sounds, source=source)
    label(open_project(config), 40)
    report = compare_encoders(config, tmp_path, tmp_path / "work", {})
    assert (report.labels, len(report.rows)) == (40, 1)
    assert report.groups is not None
    assert report.groups <= 15


def test_a_list_names_a_model_or_a_path_behind_a_colon() -> None:
    assert listed_encoders("clip:local-dir:weights, offline") == {
        "clip:local-dir:weights": {"kind": "clip", "model": "local-dir:weights"},
        "offline": {"kind": "offline"},
    }
    named = ["timm:test_vit.r160_in1k", "transformers:facebook/dinov2-small", "precomputed:own.npy", "clip:ViT-B-16"]
    assert [list(block.values()) for block in listed_encoders(",".join(named)).values()] == [
        name.split(":") for name in named
    ]
    assert listed_encoders(named[2])[named[2]].keys() == {"kind", "path"}
    with pytest.raises(ConfigError, match="'grey' has no model to name"):
        listed_encoders("grey:dark")


def test_durations_are_read_at_a_glance() -> None:
    assert [duration(seconds) for seconds in (3.2, 600, 9_000)] == ["3 s", "10 min", "2.5 h"]


def test_a_project_answers_it_in_the_background_and_ends_it_when_it_closes(
    pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    only_these_encoders(monkeypatch, GreyEncoder.name, ColourEncoder.name, "clip")
    project = open_project(make_config(pictures, encoder="grey"))
    api = create_api({"images": project})
    api.dependency_overrides[person_of] = lambda: Person("ann", Role.OWNER)
    with TestClient(api) as client:

        def found() -> dict[str, Any]:
            answer: dict[str, Any] = client.get("/api/encoders/compare").json()
            return answer

        def ask() -> dict[str, Any]:
            assert client.post("/api/encoders/compare", json={}).json() == {"requested": True}
            wait_for(
                lambda: found()["state"] != "running", timeout=120
            )  # at a low priority, which a busy machine starves
            return found()

        assert (found()["state"], found()["rows"]) == ("unasked", [])
        assert (found_first := ask())["state"] == "failed"
        assert "0 labels are too few to compare encoders: 20 are needed" in found_first["error"]
        label(project, 30)
        answer = ask()
    assert (answer["state"], answer["error"], answer["labels"], answer["items"]) == ("answered", "", 30, 60)
    assert answer["encoders"] == len(answer["rows"])
    rows = {row["encoder"]: row for row in answer["rows"]}
    assert answer["rows"][0] == rows["grey"]
    assert rows["grey"]["in_use"]
    assert rows["grey"]["change"] is None
    assert rows[ColourEncoder.name]["change"]["change"] == pytest.approx(1 - rows["grey"]["accuracy"])
    assert rows[ColourEncoder.name]["pool_s"] > 0
    assert "is not available" in rows["clip"]["problem"]
    project.close()
    assert not project.encoders_compared.ask()


def test_encoders_are_compared_by_the_heads_that_the_project_makes(
    pictures: Path, tmp_path: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config(pictures, encoder="grey", class_weighting=0.25, ensemble=2, seed=5)
    project = open_project(config)
    label(project, 24)
    made: list[LoopSettings] = []

    def noted(encoder: Encoder, schema: LabelSchema, space: Vectors, settings: LoopSettings) -> tuple[HeadMaker, str]:
        made.append(settings)
        return head_maker(encoder, schema, space, settings)

    monkeypatch.setattr(encoder_report, "head_maker", noted)
    compare_encoders(config, tmp_path, tmp_path / "work", {})
    assert made == [project.config]
