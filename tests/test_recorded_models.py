"""A project goes on with the model that it began with, whatever the default of its encoder is by then."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastlabel_gradio.encoders import ENCODERS, Encoder, check_encoder, clip_weights, hub
from fastlabel_gradio.encoders.base import EncoderOptions
from fastlabel_gradio.encoders.clip import ClipOptions
from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.pool.encoder_in_use import RECORD, keep_encoder_in_use, recorded_encoder, recorded_models
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import Embeddings
from tests.pools import make_config, true_labels, write_pictures

EARLIER = ("ViT-B-32", "laion2b_s34b_b79k")


@pytest.fixture(autouse=True)
def hub_within_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "why_unreachable", lambda file: None)


def chosen(folder: Path, kind: str = "clip", **options: object) -> tuple[str, str]:
    parsed = check_encoder(kind, options, "image", recorded=recorded_models(folder)).options
    assert isinstance(parsed, ClipOptions)
    return parsed.model, parsed.pretrained


def keep(folder: Path, **options: object) -> None:
    keep_encoder_in_use(folder, "clip", check_encoder("clip", options, "image", recorded=recorded_models(folder)))


def test_a_new_project_gets_the_default_of_now(tmp_path: Path) -> None:
    assert chosen(tmp_path) == chosen(tmp_path, "auto") == (clip_weights.DEFAULT_MODEL, clip_weights.DEFAULT_TAG)


def test_a_project_with_embeddings_of_the_earlier_default_goes_on_with_it(tmp_path: Path) -> None:
    (tmp_path / "clip-0123.f32").touch()
    assert chosen(tmp_path) == chosen(tmp_path, "auto") == EARLIER


def test_a_recorded_model_outlasts_another_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path)
    began_with = chosen(tmp_path)
    monkeypatch.setitem(ClipOptions.model_fields, "model", ClipOptions.model_fields["model"])
    monkeypatch.setattr(ClipOptions.model_fields["model"], "default", "ViT-L-14")
    ClipOptions.model_rebuild(force=True)
    try:
        assert ClipOptions().model == "ViT-L-14"
        assert chosen(tmp_path) == began_with
        keep(tmp_path)
        assert chosen(tmp_path) == began_with
    finally:
        monkeypatch.undo()
        ClipOptions.model_rebuild(force=True)


def test_a_model_that_is_named_wins_and_is_not_kept_where_it_is_named_no_more(tmp_path: Path) -> None:
    named = {"model": "ViT-B-16", "pretrained": "datacomp_xl_s13b_b90k"}
    (tmp_path / "clip-0123.f32").touch()
    assert chosen(tmp_path, **named) == ("ViT-B-16", "datacomp_xl_s13b_b90k")
    keep(tmp_path, **named)
    assert recorded_encoder(tmp_path) == ("clip", named)
    assert chosen(tmp_path) == (clip_weights.DEFAULT_MODEL, clip_weights.DEFAULT_TAG)


def test_the_earlier_default_may_be_named_without_its_tag(tmp_path: Path) -> None:
    assert chosen(tmp_path, model="ViT-B-32") == EARLIER


@pytest.mark.parametrize("content", ["{", "[]", '{"clip": 3}'])
def test_a_damaged_record_is_named_with_the_way_out(content: str, tmp_path: Path) -> None:
    (tmp_path / RECORD).write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"encoder_in_use\.json is damaged.*Delete it"):
        recorded_models(tmp_path)


def test_a_project_goes_on_with_the_model_that_it_was_not_told(
    tmp_path: Path, open_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Options(EncoderOptions):
        model: str = "first"

    class MeanColour(Encoder):
        name = "mean_colour"
        dim, fingerprint, batch_size, resolution = 3, "mean-colour", 8, 8

        def __init__(self, options: Options) -> None:
            pass

        def prepare(self, media: Image.Image) -> np.ndarray:
            return np.asarray(media.convert("RGB"), dtype=np.float32).mean(axis=(0, 1)) + 1

        def encode(self, batch: Sequence[np.ndarray]) -> Embeddings:
            colours = np.array(batch, dtype=np.float32).reshape(-1, 3)
            return np.asarray(colours / np.linalg.norm(colours, axis=1, keepdims=True))

    MeanColour.Options = Options
    monkeypatch.setattr(ENCODERS["image"], "_parts", {**ENCODERS["image"]._parts, MeanColour.name: MeanColour})
    write_pictures(tmp_path / "pictures", per_class=2)
    project = open_project(make_config(tmp_path / "pictures", encoder=MeanColour.name))
    assert project.pipeline.progress.state == "done", project.pipeline.progress.error
    assert recorded_models(project.folder) == {MeanColour.name: {"model": "first"}}
    project.labeler("ann").submit("ann", true_labels(project.labeler("ann"), "ann", 3))
    project.close()
    monkeypatch.setattr(Options.model_fields["model"], "default", "second")
    Options.model_rebuild(force=True)
    assert Options().model == "second"
    again = open_project(make_config(tmp_path / "pictures", encoder=MeanColour.name))
    assert again.pipeline.progress.change is None
    assert recorded_models(project.folder) == {MeanColour.name: {"model": "first"}}
