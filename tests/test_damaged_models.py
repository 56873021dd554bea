"""Damaged models on disk, of every kind that is loaded by name: one line that says so, before an item is embedded."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from fastlabel_gradio.encoders import check_encoder
from fastlabel_gradio.errors import EncoderUnavailableError
from fastlabel_gradio.types import Medium
from tests.tiny_models import write_tiny_clap, write_tiny_clip, write_tiny_timm, write_tiny_transformers

WRITERS: dict[tuple[str, Medium], Callable[[Path], object]] = {
    ("clip", "image"): lambda folder: write_tiny_clip(folder, seed=1),
    ("timm", "image"): lambda folder: write_tiny_timm(folder, seed=1),
    ("transformers", "image"): lambda folder: write_tiny_transformers(folder, "vit"),
    ("clap", "audio"): lambda folder: write_tiny_clap(folder, seed=1),
    ("transformers", "audio"): lambda folder: write_tiny_transformers(folder, "wav2vec2"),
}

pytestmark = pytest.mark.usefixtures("computing_as_the_app")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, Medium], Path]:
    made = {kind: tmp_path_factory.mktemp("-".join(kind)) for kind in WRITERS}
    for kind, folder in made.items():
        WRITERS[kind](folder)
    return made


def open_at(folder: Path, kind: str, medium: Medium) -> None:
    model = f"local-dir:{folder}" if kind in ("clip", "timm") else str(folder)
    check_encoder(kind, {"model": model}, medium).open()


def copied(folder: Path, other: Path) -> Path:
    other.mkdir()
    for file in folder.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    return other


@pytest.mark.parametrize("kind", WRITERS, ids="-".join)
def test_a_model_that_gives_no_numbers_is_refused(
    kind: tuple[str, Medium], folders: dict[tuple[str, Medium], Path], tmp_path: Path
) -> None:
    name, medium = kind
    for level, message in ((float("nan"), "no finite numbers"), (0.0, "gives zeros|no finite numbers")):
        folder = copied(folders[kind], tmp_path / str(level))
        file = next(path for path in folder.iterdir() if path.suffix == ".safetensors")
        weights = load_file(file)
        for key, tensor in weights.items():
            if tensor.is_floating_point() and "logit" not in key:
                weights[key] = torch.full_like(tensor, level)
        save_file(weights, file, metadata={"format": "pt"})
        with pytest.raises(EncoderUnavailableError, match=message):
            open_at(folder, name, medium)


@pytest.mark.parametrize("kind", WRITERS, ids="-".join)
@pytest.mark.parametrize("content", ["null", "[]", "[" * 100_000, "1", '"text"'], ids=lambda text: text[:6])
def test_settings_that_are_no_object_are_told_in_one_line(
    kind: tuple[str, Medium], content: str, folders: dict[tuple[str, Medium], Path], tmp_path: Path
) -> None:
    name, medium = kind
    written = [file.name for file in folders[kind].iterdir() if file.name.endswith("config.json")]
    for number, setting in enumerate(file for file in written if "tokenizer" not in file):
        folder = copied(folders[kind], tmp_path / str(number))
        (folder / setting).write_text(content, encoding="utf-8")
        with pytest.raises(EncoderUnavailableError) as caught:
            open_at(folder, name, medium)
        assert "\n" not in str(caught.value)


def test_a_setting_of_another_type_and_a_deviation_of_0_are_told(
    folders: dict[tuple[str, Medium], Path], tmp_path: Path
) -> None:
    for number, (file, key, level) in enumerate(
        (("config.json", "hidden_size", "x"), ("preprocessor_config.json", "image_std", [0, 0, 0]))
    ):
        folder = copied(folders[("transformers", "image")], tmp_path / str(number))
        content = json.loads((folder / file).read_text(encoding="utf-8"))
        (folder / file).write_text(json.dumps({**content, key: level}), encoding="utf-8")
        with pytest.raises(EncoderUnavailableError):
            open_at(folder, "transformers", "image")
