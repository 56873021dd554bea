"""timm's models through the real loading path, against timm called directly."""

import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from fastlabel_gradio.encoders import Encoder, check_encoder
from fastlabel_gradio.errors import ConfigError, EncoderUnavailableError
from fastlabel_gradio.server.project import Project
from tests.cases import each
from tests.pools import make_config, write_pictures
from tests.tiny_models import Trap, fill_cache, write_tiny_timm

pytestmark = pytest.mark.usefixtures("computing_as_the_app")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_timm(tmp_path_factory.mktemp("timm"), seed=1, licence="cc-by-nc-4.0")


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    rng = np.random.default_rng(5)
    shapes = [(40, 30, 3), (32, 32, 3), (64, 90, 3)]
    return [Image.fromarray(rng.integers(0, 255, shape, dtype=np.uint8)) for shape in shapes]


def opened(**options: object) -> Encoder:
    encoder, notice = check_encoder("timm", options, "image").open()
    assert notice == ""
    return encoder


def embedded(encoder: Encoder, pictures: list[Image.Image]) -> np.ndarray:
    return encoder.encode([encoder.prepare(picture) for picture in pictures])


def by_timm(folder: Path, pictures: list[Image.Image], size_px: int) -> np.ndarray:
    """As timm's documentation has it."""
    model = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0, img_size=size_px).eval()
    settings = {**timm.data.resolve_model_data_config(model), "input_size": (3, size_px, size_px)}
    transform = timm.data.create_transform(**settings, is_training=False)
    with torch.inference_mode():
        features = model(torch.stack([transform(picture) for picture in pictures])).numpy()
    return np.asarray(features / np.linalg.norm(features, axis=1, keepdims=True))


@pytest.mark.usefixtures("in_fp32")
def test_timm_in_fp32_equals_timm_at_any_size(folder: Path, pictures: list[Image.Image]) -> None:
    for size_px in (32, 48):
        encoder = opened(model=f"local-dir:{folder}", img_size=size_px)
        expected = by_timm(folder, pictures, size_px)
        np.testing.assert_allclose(embedded(encoder, pictures), expected, atol=2e-5)
        assert encoder.resolution == size_px


def test_the_size_is_of_the_fingerprint(folder: Path) -> None:
    own, same, other = (
        opened(model=f"local-dir:{folder}", **size) for size in ({}, {"img_size": 32}, {"img_size": 48})
    )
    assert own.fingerprint == same.fingerprint != other.fingerprint


def test_a_model_made_for_large_pictures_gets_them_at_224_px(tmp_path: Path) -> None:
    large = write_tiny_timm(tmp_path, seed=1, size_px=518, patch_px=14)
    assert opened(model=f"local-dir:{large}").resolution == 224


def test_a_checkpoint_file_of_any_number_of_classes_is_loaded(tmp_path: Path, pictures: list[Image.Image]) -> None:
    torch.manual_seed(1)
    model = timm.create_model("test_resnet.r160_in1k", num_classes=5)
    torch.save({"state_dict": model.state_dict()}, tmp_path / "tuned.pth")
    without = {name: value for name, value in model.state_dict().items() if not name.startswith("fc.")}
    save_file(without, tmp_path / "features.safetensors")
    tuned, features = (
        check_encoder("timm", {"model": "test_resnet.r160_in1k", "pretrained": name}, "image", tmp_path).open()[0]
        for name in ("tuned.pth", "features.safetensors")
    )
    assert tuned.fingerprint == features.fingerprint
    np.testing.assert_allclose(np.linalg.norm(embedded(tuned, pictures), axis=1), 1, atol=1e-3)


def test_a_checkpoint_without_some_weights_is_refused(folder: Path, tmp_path: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["blocks.0.attn.qkv.weight"]
    save_file(weights, tmp_path / "part.safetensors")
    options = {"model": "vit_tiny_patch16_224", "pretrained": str(tmp_path / "part.safetensors")}
    with pytest.raises(EncoderUnavailableError, match=r"part\.safetensors cannot be loaded"):
        check_encoder("timm", options, "image").open()


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    trap = tmp_path / "trap.pth"
    trap.write_bytes(pickle.dumps(Trap(str(tmp_path / "sprung"))))
    choice = check_encoder("timm", {"model": "test_resnet.r160_in1k", "pretrained": str(trap)}, "image")
    with pytest.raises(EncoderUnavailableError, match=r"trap\.pth cannot be loaded"):
        choice.open()
    assert not (tmp_path / "sprung").exists()


def test_the_licence_is_that_of_the_weights(folder: Path) -> None:
    assert opened(model=f"local-dir:{folder}").licence == "cc-by-nc-4.0"


def test_a_project_says_the_licence_on_screen_in_the_status_and_in_the_terminal(
    folder: Path, tmp_path: Path, open_project: Callable[..., Project], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    write_pictures(tmp_path / "pictures", per_class=2)
    project = open_project(make_config(tmp_path / "pictures", encoder={"kind": "timm", "model": f"local-dir:{folder}"}))
    progress = project.pipeline.progress
    assert (progress.encoder, progress.licence, progress.error) == ("timm", "cc-by-nc-4.0", "")
    assert "licence cc-by-nc-4.0, which is not free for every use" in progress.notice
    assert "encoder 'timm', licence of its weights: cc-by-nc-4.0" in caplog.text


def test_a_model_of_the_hub_is_read_from_the_cache(folder: Path, no_network: None, pictures: list[Image.Image]) -> None:
    fill_cache("some/vit", {name: folder / name for name in ("config.json", "model.safetensors")})
    start = time.monotonic()
    encoder = opened(model="hf-hub:some/vit")
    assert time.monotonic() - start < 5
    assert encoder.fingerprint == opened(model=f"local-dir:{folder}").fingerprint


def test_without_weights_the_reason_comes_within_seconds(no_network: None) -> None:
    for model in ("vit_small_patch14_dinov2.lvd142m", "hf-hub:some/vit"):
        start = time.monotonic()
        with pytest.raises(EncoderUnavailableError, match=r"127\.0\.0\.1:9.*`pretrained`"):
            check_encoder("timm", {"model": model}, "image")
        assert time.monotonic() - start < 8


@each(
    "options, message",
    [
        ({}, "model: Field required"),
        ({"model": "vit_smal_patch14_dinov2.lvd142m"}, "Did you mean 'vit_small_patch14_dinov2.lvd142m'"),
        ({"model": "vit_tiny_patch16_224.nothing"}, "no weights for 'vit_tiny_patch16_224.nothing'"),
        ({"model": "botnet50ts_256"}, "no weights for"),
        ({"model": "hf-hub:a/b", "pretrained": "x.pth"}, "leave it out"),
        ({"model": "test_vit.r160_in1k", "img_size": 3}, "img_size"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_encoder("timm", options, "image")


def test_missing_files_are_named(tmp_path: Path) -> None:
    for options in ({"model": "test_vit.r160_in1k", "pretrained": "no.pth"}, {"model": "local-dir:no"}):
        with pytest.raises(EncoderUnavailableError, match="there is no"):
            check_encoder("timm", options, "image", tmp_path)
