"""Models of transformers through the real loading path, against transformers called directly."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file

from fastlabel_gradio.encoders import Encoder, check_encoder
from fastlabel_gradio.errors import ConfigError, EncoderUnavailableError
from fastlabel_gradio.types import Medium, Waveform
from tests.tiny_models import fill_cache, noisy_tone, write_tiny_transformers

OF_PICTURES = ("dinov2", "vit", "siglip")
OF_SOUNDS = ("ast", "wav2vec2", "whisper")
RATE_HZ = 16_000

pytestmark = pytest.mark.usefixtures("computing_as_the_app")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    names = OF_PICTURES + OF_SOUNDS
    return {name: write_tiny_transformers(tmp_path_factory.mktemp(name), name) for name in names}


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    rng = np.random.default_rng(5)
    shapes = [(40, 30, 3), (32, 32, 3), (64, 90, 3)]
    return [Image.fromarray(rng.integers(0, 255, shape, dtype=np.uint8)) for shape in shapes]


@pytest.fixture(scope="module")
def sounds() -> list[Waveform]:
    lengths_s = (0.4, 1.0, 1.2, 1.0)
    return [Waveform(noisy_tone(seed, s, RATE_HZ), RATE_HZ) for seed, s in enumerate(lengths_s)]


def opened(folder: Path, medium: Medium, **options: object) -> Encoder:
    encoder, notice = check_encoder("transformers", {"model": str(folder), **options}, medium).open()
    assert notice == ""
    return encoder


def embedded(encoder: Encoder, media: list[Any]) -> np.ndarray:
    return encoder.encode([encoder.prepare(one) for one in media])


def unit(features: torch.Tensor) -> np.ndarray:
    return torch.nn.functional.normalize(features, dim=-1).numpy()


def outputs(folder: Path, media: list[Any]) -> list[Any]:
    """What the model gives for one item after the other, as its documentation has it."""
    model = transformers.AutoModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        if isinstance(media[0], Image.Image):
            processor = transformers.AutoImageProcessor.from_pretrained(folder)
            see = getattr(model, "get_image_features", model)
            return [see(**processor(images=[picture], return_tensors="pt")) for picture in media]
        extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
        hear = model.get_encoder() if model.config.is_encoder_decoder else model
        made = [extractor(sound.samples, sampling_rate=RATE_HZ, return_tensors="pt") for sound in media]
        return [hear(inputs[extractor.model_input_names[0]]) for inputs in made]


@pytest.mark.usefixtures("in_fp32")
@pytest.mark.parametrize("name", OF_PICTURES)
def test_pictures_in_fp32_are_embedded_as_transformers_does(
    name: str, folders: dict[str, Path], pictures: list[Image.Image]
) -> None:
    expected = outputs(folders[name], pictures)
    poolers = {"pooler": [output.pooler_output for output in expected]}
    poolers["mean"] = [output.last_hidden_state.mean(1) for output in expected]
    if name != "siglip":
        poolers["cls"] = [output.last_hidden_state[:, 0] for output in expected]
    for pooling, features in poolers.items():
        encoder = opened(folders[name], "image", pooling=pooling)
        np.testing.assert_allclose(embedded(encoder, pictures), unit(torch.cat(features)), atol=2e-5)
        assert encoder.resolution == 32
    by_default = opened(folders[name], "image")
    np.testing.assert_allclose(embedded(by_default, pictures), unit(torch.cat(poolers["pooler"])), atol=2e-5)


@pytest.mark.usefixtures("in_fp32")
@pytest.mark.parametrize("name", OF_SOUNDS)
def test_sounds_in_fp32_are_embedded_as_transformers_does(
    name: str, folders: dict[str, Path], sounds: list[Waveform]
) -> None:
    expected = outputs(folders[name], sounds)
    if name == "ast":
        features = [output.pooler_output for output in expected]
    elif name == "whisper":  # 50 steps a second; what stands for padding is left out
        heard = [round(50 * sound.seconds) for sound in sounds]
        features = [output.last_hidden_state[:, :steps].mean(1) for output, steps in zip(expected, heard, strict=True)]
    else:
        features = [output.last_hidden_state.mean(1) for output in expected]
    encoder = opened(folders[name], "audio")
    np.testing.assert_allclose(embedded(encoder, sounds), unit(torch.cat(features)), atol=5e-5)
    assert encoder.resolution == RATE_HZ


def test_a_device_with_bf16_gives_nearly_the_same(
    folders: dict[str, Path], pictures: list[Image.Image], sounds: list[Waveform]
) -> None:
    for name in OF_PICTURES + OF_SOUNDS:
        medium: Medium = "image" if name in OF_PICTURES else "audio"
        media: list[Any] = pictures if name in OF_PICTURES else sounds
        encoder = opened(folders[name], medium, pooling="mean")
        precise = opened(folders[name], medium, pooling="mean")
        precise._dtype = torch.float32  # type: ignore[attr-defined]
        precise._model.float()  # type: ignore[attr-defined]
        assert (embedded(encoder, media) * embedded(precise, media)).sum(1).min() > 0.998
        assert encoder.fingerprint == precise.fingerprint


@pytest.mark.usefixtures("in_fp32")
def test_texts_are_embedded_as_transformers_does(folders: dict[str, Path]) -> None:
    encoder = opened(folders["siglip"], "image")
    model = transformers.AutoModel.from_pretrained(folders["siglip"])
    tokenizer = transformers.AutoTokenizer.from_pretrained(folders["siglip"])
    prompts = ["so", "a th", "This is a photo of " + 40 * "so "]
    tokens = tokenizer(prompts, padding="max_length", truncation=True, max_length=16, return_tensors="pt")
    with torch.inference_mode():
        expected = unit(model.eval().get_text_features(**tokens).pooler_output)
    np.testing.assert_allclose(encoder.encode_text(prompts), expected, atol=2e-5)
    assert encoder.logit_scale == pytest.approx(float(model.logit_scale.exp()))
    assert encoder.encode_text([]).shape == (0, encoder.dim)
    with pytest.raises(EncoderUnavailableError, match="has no text tower"):
        opened(folders["dinov2"], "image").encode_text(["a cat"])


def test_an_untrained_pooler_is_not_used(folders: dict[str, Path], tmp_path: Path) -> None:
    """transformers fills it with random numbers, other ones at each start."""
    folder = copy_of(folders["vit"], tmp_path / "without", leave_out="pooler")
    first, again = opened(folder, "image"), opened(folder, "image")
    assert first.fingerprint == again.fingerprint == opened(folder, "image", pooling="cls").fingerprint
    with pytest.raises(EncoderUnavailableError, match=r"no pooling 'pooler'\. It offers: cls, mean"):
        opened(folder, "image", pooling="pooler")


def test_the_pooling_is_of_the_fingerprint(folders: dict[str, Path]) -> None:
    assert opened(folders["vit"], "image", pooling="mean").fingerprint != opened(folders["vit"], "image").fingerprint


def test_a_checkpoint_without_some_weights_is_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = copy_of(folders["dinov2"], tmp_path / "part", leave_out="attention")
    with pytest.raises(EncoderUnavailableError, match="not all the weights"):
        opened(folder, "image")


def test_only_the_encoder_of_an_encoder_decoder_is_needed(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = copy_of(folders["whisper"], tmp_path / "encoder", leave_out="decoder")
    assert opened(folder, "audio").fingerprint == opened(folders["whisper"], "audio").fingerprint


def test_code_of_a_repository_is_never_run(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = copy_of(folders["vit"], tmp_path / "own-code")
    (folder / "own.py").write_text(
        f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\n", encoding="utf-8"
    )
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    own = {"model_type": "own", "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModel": "own.OwnModel"}}
    (folder / "config.json").write_text(json.dumps({**config, **own}), encoding="utf-8")
    with pytest.raises(EncoderUnavailableError, match="cannot be loaded"):
        opened(folder, "image")
    assert not (tmp_path / "ran").exists()


def test_a_model_of_the_hub_is_read_from_the_cache_with_its_licence(
    folders: dict[str, Path], no_network: None, tmp_path: Path
) -> None:
    card = tmp_path / "card.md"
    card.write_text("---\nlicense: other\nlicense_name: dinov3-license\n---\n", encoding="utf-8")
    files = {name: folders["vit"] / name for name in ("config.json", "preprocessor_config.json", "model.safetensors")}
    fill_cache("some/vit", {**files, "README.md": card})
    start = time.monotonic()
    encoder, _ = check_encoder("transformers", {"model": "some/vit"}, "image").open()
    assert time.monotonic() - start < 5
    assert encoder.fingerprint == opened(folders["vit"], "image").fingerprint
    assert encoder.licence == "dinov3-license"


def test_without_weights_the_reason_comes_within_seconds(no_network: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    for medium in ("image", "audio"):
        start = time.monotonic()
        with pytest.raises(EncoderUnavailableError, match=r"127\.0\.0\.1:9.*save_pretrained"):
            check_encoder("transformers", {"model": "some/model"}, medium)  # type: ignore[arg-type]
        assert time.monotonic() - start < 8
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderUnavailableError, match="HF_HUB_OFFLINE"):
        check_encoder("transformers", {"model": "some/model"}, "image")


def test_wrong_options_and_missing_files_are_named(folders: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="model: Field required"):
        check_encoder("transformers", {}, "image")
    with pytest.raises(ConfigError, match="pooling"):
        check_encoder("transformers", {"model": "a/b", "pooling": "max"}, "image")
    with pytest.raises(EncoderUnavailableError, match=r"there is no config\.json"):
        check_encoder("transformers", {"model": str(tmp_path)}, "audio")
    with pytest.raises(EncoderUnavailableError, match=r"no pooling 'cls'\. It offers: mean"):
        opened(folders["wav2vec2"], "audio", pooling="cls")


def copy_of(folder: Path, other: Path, leave_out: str = "no such weights") -> Path:
    """The same model without the weights that have this in their names."""
    other.mkdir()
    for file in folder.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    weights = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if leave_out not in name}
    save_file(kept, other / "model.safetensors", metadata={"format": "pt"})
    return other
