"""ONNX files of a bundle, run by onnxruntime, say what torch says."""

import re
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from fastlabel_gradio.classifier import load_classifier
from fastlabel_gradio.classifier.bundle import copy_bundle
from fastlabel_gradio.classifier.onnx_files import write_onnx
from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.server.project import Project
from tests.classifier_pools import files_of, train
from tests.pools import make_config, make_sound_config, wait_for, write_pictures, write_sounds
from tests.tiny_models import write_tiny_clip, write_tiny_timm

pytestmark = pytest.mark.usefixtures("computing_as_the_app")


def bundle(config: object, tmp_path: Path) -> Path:
    """The bundle of a project, trained on one batch."""
    project = Project(config, tmp_path, tmp_path / "work")  # type: ignore[arg-type]
    try:
        project.start()
        wait_for(lambda: project.pipeline.progress.state in ("done", "failed"), 120)
        train(project, batches=1)
        copy_bundle(project.folder / "model", tmp_path / "model")
    finally:
        project.close()
    return tmp_path / "model"


def run(path: Path, inputs: dict[str, np.ndarray]) -> np.ndarray:
    [probabilities] = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, inputs)
    return np.asarray(probabilities)


@pytest.mark.parametrize("name", ["pretrained", "offline", "timm", "clip"])
def test_the_whole_way_from_pixels_says_what_torch_says(name: str, tmp_path: Path) -> None:
    encoder: dict[str, object] = {"kind": name}
    beside = tmp_path / "model"  # where the bundle will lie: it names files of one's own, not their folder
    beside.mkdir()
    if name == "timm":
        encoder["model"] = f"local-dir:{write_tiny_timm(beside / 'timm', seed=1)}"
    elif name == "clip":
        encoder["model"] = f"local-dir:{write_tiny_clip(beside / 'clip', seed=1)}"
    pictures = write_pictures(tmp_path / "pictures", per_class=6)
    folder = bundle(make_config(pictures, encoder=encoder), tmp_path)
    write_onnx(folder)
    classifier = load_classifier(folder, device="cpu", precision="float32")
    files = files_of(pictures)[::5]
    expected, embeddings = classifier.predict_proba(files), classifier.embed(files)
    np.testing.assert_allclose(run(folder / "head.onnx", {"embedding": embeddings}), expected, atol=1e-5)
    assert classifier.encoder
    prepared = [classifier.encoder.prepare(Image.open(file)) for file in files]
    graph = classifier.encoder.pixel_graph()
    assert graph
    inputs = {key: np.stack([item[key] if item.dtype.names else item for item in prepared]) for key in graph.examples}
    np.testing.assert_allclose(run(folder / "model.onnx", inputs), expected, atol=1e-3)
    one = {key: value[:1] for key, value in inputs.items()}
    np.testing.assert_allclose(run(folder / "model.onnx", one), expected[:1], atol=1e-3)
    card = (folder / "README.md").read_text()
    for key, value in inputs.items():
        assert re.search(rf"`{key}` is uint8\[n, [\w, ]+, 3\]", card)
        assert value.dtype == np.uint8
    assert "## ONNX" in card
    np.testing.assert_array_equal(load_classifier(folder, precision="float32").predict_proba(files), expected)


def test_of_sounds_there_is_the_head_and_a_word_on_why(tmp_path: Path) -> None:
    folder = bundle(make_sound_config(write_sounds(tmp_path / "sounds", per_class=6)), tmp_path)
    write_onnx(folder)
    assert (folder / "head.onnx").exists()
    assert not (folder / "model.onnx").exists()
    assert "There is no `model.onnx`: what encoder `bands` does" in (folder / "README.md").read_text()


def test_a_missing_package_is_named_with_what_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ConfigError, match=r"needs the package onnx,.*pip install 'fastlabel-gradio\[onnx\]'"):
        write_onnx(tmp_path)
