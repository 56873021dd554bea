"""A bundle names the encoder's own files and says nothing of the folders that they lie in."""

from pathlib import Path

import numpy as np
import pytest

from fastlabel_gradio import load_classifier
from fastlabel_gradio.classifier.bundle import copy_bundle
from fastlabel_gradio.encoders.weights_named import named_files, options_to_take_along, weights_named
from fastlabel_gradio.errors import ConfigError, EncoderUnavailableError
from fastlabel_gradio.server.project import Project
from tests.classifier_pools import app_says, files_of, train
from tests.pools import make_config, wait_for, write_pictures
from tests.tiny_models import write_tiny_clip

pytestmark = pytest.mark.usefixtures("computing_as_the_app")


def test_files_and_folders_of_a_machine_are_only_named() -> None:
    kept = {"model": "RN50", "pretrained": "openai", "batch_size": 4, "size": None}
    assert options_to_take_along(kept) == kept
    for model in ("hf-hub:timm/vit", "facebook/dinov2-small", "./beside", "ViT-B-32"):
        assert options_to_take_along({"model": model}) == {"model": model}
    places = {
        "/home/ann/weights.pt": "./weights.pt",
        "local-dir:/home/ann/my model/": "local-dir:./my model",
        "C:\\Users\\ann\\weights.pt": "./weights.pt",
        "//server/share/ann/weights.pt": "./weights.pt",
    }
    for given, named in places.items():
        assert options_to_take_along({"pretrained": given}) == {"pretrained": named}
    joined = {"of": [{"kind": "clip", "model": "local-dir:/home/ann/tiny"}, {"kind": "offline"}], "weights": [1.0, 2.0]}
    taken = options_to_take_along(joined)
    assert taken == {"of": [{"kind": "clip", "model": "local-dir:./tiny"}, {"kind": "offline"}], "weights": [1.0, 2.0]}
    assert named_files(taken) == ["tiny"]
    assert weights_named("joined", joined) == "tiny"


def test_a_bundle_with_weights_of_ones_own_can_be_used_where_they_lie_beside(tmp_path: Path) -> None:
    write_tiny_clip(tmp_path / "secret-folder", 3)
    write_pictures(tmp_path / "pictures", per_class=8)
    encoder = {
        "kind": "joined",
        "of": [{"kind": "clip", "model": f"local-dir:{tmp_path / 'secret-folder'}"}, "offline"],
    }
    project = Project(make_config(tmp_path / "pictures", encoder=encoder), tmp_path, tmp_path / "work")
    project.start()
    try:
        wait_for(lambda: project.pipeline.progress.state in ("done", "failed"), 120)
        said = app_says(train(project, batches=1))
    finally:
        project.close()
    kept, taken = project.folder / "model", tmp_path / "taken" / "model"
    copy_bundle(kept, taken)
    for file in files_of(taken):
        assert str(tmp_path).encode() not in file.read_bytes()
    names = [tmp_path / "pictures" / item_id for item_id in said]
    here = load_classifier(kept).predict_proba(names)  # in the working directory the place is known
    np.testing.assert_array_equal(here.max(axis=1), [confidence for _, confidence in said.values()])
    with pytest.raises(EncoderUnavailableError, match=r"put secret-folder into .*taken.model, or say where"):
        load_classifier(taken)
    (tmp_path / "secret-folder").rename(taken / "secret-folder")
    np.testing.assert_array_equal(load_classifier(taken).predict_proba(names), here)


def test_of_vectors_of_ones_own_the_head_can_be_used_anywhere(tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures", per_class=8)
    ids = [path.relative_to(tmp_path / "pictures").as_posix() for path in files_of(tmp_path / "pictures")]
    vectors = np.random.default_rng(0).normal(size=(len(ids), 6)).astype(np.float32)
    np.save(tmp_path / "own.npy", vectors)
    (tmp_path / "own.txt").write_text("".join(f"{name}\n" for name in ids), encoding="utf-8")
    encoder = {"kind": "precomputed", "path": str(tmp_path / "own.npy")}
    project = Project(make_config(tmp_path / "pictures", encoder=encoder), tmp_path, tmp_path / "work")
    project.start()
    try:
        wait_for(lambda: project.pipeline.progress.state in ("done", "failed"), 120)
        train(project, batches=1, size=8)
    finally:
        project.close()
    copy_bundle(project.folder / "model", tmp_path / "model")
    (tmp_path / "own.npy").unlink()
    classifier = load_classifier(tmp_path / "model")
    assert classifier.head.predict_proba(vectors).shape == (len(ids), len(classifier.classes))
    with pytest.raises(ConfigError, match="it embeds no others"):
        classifier.predict([tmp_path / "pictures" / ids[0]])
