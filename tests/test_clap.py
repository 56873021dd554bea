"""CLAP through the real loading path, against transformers called directly."""

import json
import os
import pickle
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from fastlabel_gradio.encoders import Encoder, check_encoder
from fastlabel_gradio.encoders.clap import ClapEncoder
from fastlabel_gradio.encoders.clap_mel import ClapMel
from fastlabel_gradio.errors import ConfigError, EncoderUnavailableError
from fastlabel_gradio.types import Waveform
from tests.cases import each
from tests.tiny_models import CLAP_RATE_HZ, CLAP_SECONDS, fill_cache, noisy_tone, write_tiny_clap

LENGTHS_S = {"shorter": 0.7, "repeated once": 1.2, "equal": 2.0, "a little longer": 2.004, "longer": 5.3}
FILES = ("config.json", "processor_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")

pytestmark = pytest.mark.usefixtures("computing_as_the_app")


@pytest.fixture(scope="module")
def tiny_clap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_clap(tmp_path_factory.mktemp("clap"), seed=1)


@pytest.fixture(scope="module")
def fusing_clap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_clap(tmp_path_factory.mktemp("fusing"), seed=1, fuses=True)


@pytest.fixture
def middle_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the extractor's random cuts those in the middle."""
    monkeypatch.setattr(np.random, "randint", lambda low, high: (low + high - 1) // 2)
    monkeypatch.setattr(np.random, "choice", lambda places: places[len(places) // 2])


def open_clap(folder: Path) -> ClapEncoder:
    encoder, notice = check_encoder("clap", {"model": str(folder)}, "audio").open()
    assert isinstance(encoder, ClapEncoder)
    assert notice == ""
    return encoder


def tones() -> list[Waveform]:
    return [
        Waveform(noisy_tone(seed, seconds, CLAP_RATE_HZ), CLAP_RATE_HZ)
        for seed, seconds in enumerate(LENGTHS_S.values())
    ]


def embedded(encoder: Encoder, sounds: list[Waveform]) -> np.ndarray:
    return encoder.encode([encoder.prepare(sound) for sound in sounds])


def by_transformers(folder: Path, sounds: list[Waveform]) -> np.ndarray:
    """One sound at a time, as the model's documentation has it."""
    model, processor = (
        transformers.ClapModel.from_pretrained(folder),
        transformers.ClapProcessor.from_pretrained(folder),
    )
    vectors = []
    for sound in sounds:
        inputs = processor.feature_extractor(sound.samples, sampling_rate=CLAP_RATE_HZ, return_tensors="pt")
        # The extractor calls one sound of a batch longer than the model hears even where none is.
        inputs["is_longer"] = torch.tensor([[len(sound.samples) > CLAP_RATE_HZ * CLAP_SECONDS + 64]])
        with torch.inference_mode():
            vectors.append(model.eval().get_audio_features(**inputs).pooler_output[0].numpy())
    return np.stack(vectors)


@pytest.mark.usefixtures("middle_is_drawn")
@pytest.mark.parametrize("weights", ["tiny_clap", "fusing_clap"])
def test_clap_embeds_sounds_as_transformers_does(weights: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(weights)
    assert (embedded(open_clap(folder), tones()) * by_transformers(folder, tones())).sum(1).min() > 0.999


@pytest.mark.usefixtures("middle_is_drawn", "in_fp32")
@pytest.mark.parametrize("weights", ["tiny_clap", "fusing_clap"])
def test_clap_in_fp32_equals_transformers(weights: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(weights)
    np.testing.assert_allclose(embedded(open_clap(folder), tones()), by_transformers(folder, tones()), atol=2e-5)


@pytest.mark.usefixtures("middle_is_drawn")
@pytest.mark.parametrize("seconds", LENGTHS_S.values(), ids=LENGTHS_S.keys())
@pytest.mark.parametrize("padding", ["repeatpad", "repeat", "pad"])
@pytest.mark.parametrize("truncation", ["rand_trunc", "fusion"])
def test_the_mel_is_that_of_the_extractor(truncation: str, padding: str, seconds: float) -> None:
    extractor = transformers.ClapFeatureExtractor(
        sampling_rate=CLAP_RATE_HZ,
        max_length_s=CLAP_SECONDS,
        frequency_max=4000,
        truncation=truncation,
        padding=padding,
    )
    sound = Waveform(noisy_tone(3, seconds, CLAP_RATE_HZ), CLAP_RATE_HZ)
    expected = extractor(sound.samples, sampling_rate=CLAP_RATE_HZ, return_tensors="np")["input_features"][0]
    views = ClapMel.of(extractor).views(sound)
    np.testing.assert_allclose(np.broadcast_to(views, expected.shape), expected, atol=1e-3)


def test_a_sound_beside_silence_has_the_extractors_decibels_to_the_floor() -> None:
    """A pure loud tone: the empty bands lie 100 dB below it, where float32 would be all rounding."""
    extractor = transformers.ClapFeatureExtractor(truncation="rand_trunc")
    time_s = np.arange(480_000) / 48_000
    sound = Waveform(np.sin(2 * np.pi * 1000 * time_s).astype(np.float32), 48_000)
    expected = extractor(sound.samples, sampling_rate=48_000, return_tensors="np")["input_features"][0]
    np.testing.assert_allclose(ClapMel.of(extractor).views(sound), expected, atol=1e-3)


def test_of_a_long_sound_the_middle_is_heard(tiny_clap: Path) -> None:
    encoder = open_clap(tiny_clap)
    middle, ends = noisy_tone(1, 2.0, CLAP_RATE_HZ), noisy_tone(2, 1.5, CLAP_RATE_HZ)
    views = [
        encoder.prepare(Waveform(samples, CLAP_RATE_HZ)) for samples in (np.concatenate([ends, middle, ends]), middle)
    ]
    np.testing.assert_array_equal(*views)


def test_a_sound_of_another_rate_is_resampled(tiny_clap: Path) -> None:
    encoder = open_clap(tiny_clap)
    samples = noisy_tone(4, 1.0, 16_000)
    slow, fast = (encoder.prepare(Waveform(part, rate)) for part, rate in ((samples[::2], 8_000), (samples, 16_000)))
    assert encoder.resolution == CLAP_RATE_HZ
    assert slow.shape == fast.shape


def test_clap_embeds_texts_as_transformers_does(tiny_clap: Path) -> None:
    encoder = open_clap(tiny_clap)
    prompts = [encoder.prompt.format(label=word) for word in ("rain", "a dog", "naïve façade", "so " * 60)] * 5
    model, processor = (
        transformers.ClapModel.from_pretrained(tiny_clap),
        transformers.ClapProcessor.from_pretrained(tiny_clap),
    )
    tokens = processor.tokenizer(prompts, padding=True, truncation=True, max_length=38, return_tensors="pt")
    with torch.inference_mode():
        expected = model.eval().get_text_features(**tokens).pooler_output.numpy()
    found = encoder.encode_text(prompts)
    assert found.dtype == np.float32
    assert (found * expected).sum(1).min() > 0.999
    assert encoder.encode_text([]).shape == (0, encoder.dim)


def test_clap_knows_its_logit_scale(tiny_clap: Path) -> None:
    assert open_clap(tiny_clap).logit_scale == pytest.approx(1 / 0.07, rel=1e-4)


def test_bf16_keeps_the_embeddings(tiny_clap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exact, rounded = (_in(dtype, tiny_clap, monkeypatch) for dtype in (torch.float32, torch.bfloat16))
    assert (embedded(exact, tones()) * embedded(rounded, tones())).sum(1).min() > 0.999
    assert exact.fingerprint == rounded.fingerprint


def _in(dtype: torch.dtype, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ClapEncoder:
    monkeypatch.setattr("fastlabel_gradio.encoders.clap.matmul_dtype", lambda device: dtype)
    return open_clap(folder)


def test_the_fingerprint_follows_the_preprocessing(tiny_clap: Path, tmp_path: Path) -> None:
    other = write_tiny_clap(tmp_path / "other", seed=1, padding="pad")
    assert open_clap(other).fingerprint != open_clap(tiny_clap).fingerprint


def test_a_relative_folder_lies_beside_the_configuration(tiny_clap: Path, tmp_path: Path) -> None:
    (tmp_path / "weights").symlink_to(tiny_clap)
    for name in ("weights", "./weights", str(tiny_clap)):
        encoder, _ = check_encoder("clap", {"model": name}, "audio", tmp_path).open()
        assert encoder.name == "clap"


@pytest.mark.usefixtures("no_network")
def test_clap_is_read_from_the_cache_without_asking_the_hub(tiny_clap: Path) -> None:
    fill_cache("some/clap", {name: tiny_clap / name for name in FILES})
    encoder, notice = check_encoder("auto", {"model": "some/clap"}, "audio").open()
    assert (encoder.name, notice) == ("clap", "")
    assert encoder.fingerprint == open_clap(tiny_clap).fingerprint


@pytest.mark.usefixtures("no_network")
def test_without_weights_auto_is_the_encoder_in_the_box_with_the_reason() -> None:
    check_encoder("pretrained", {}, "audio").open()  # its libraries, which take seconds to load on a busy machine
    start = time.monotonic()
    encoder, notice = check_encoder("auto", {}, "audio").open()
    assert time.monotonic() - start < 8
    assert encoder.name == "pretrained"
    for part in ("CLAP is not available", "127.0.0.1:9", "`model`"):
        assert part in notice


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("model", ["laion/clap-htsat-unfused", "some--strange..id"])
def test_clap_by_name_without_weights_says_why_and_both_ways_out(model: str) -> None:
    with pytest.raises(EncoderUnavailableError) as caught:
        check_encoder("clap", {"model": model}, "audio")
    for part in ("its weights are not in the cache", "`model`", "--encoder offline"):
        assert part in str(caught.value)


@pytest.mark.parametrize("name", FILES[:3] + FILES[-1:])
def test_a_folder_that_lacks_a_file_is_told(name: str, tiny_clap: Path, tmp_path: Path) -> None:
    for file in FILES:
        if file != name:
            (tmp_path / file).symlink_to(tiny_clap / file)
    with pytest.raises(EncoderUnavailableError, match=f"there is no .*{tmp_path}"):
        check_encoder("clap", {"model": str(tmp_path)}, "audio")


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(EncoderUnavailableError, match="there is no folder /no/such/model"):
        check_encoder("clap", {"model": "/no/such/model"}, "audio")


def test_a_model_without_weights_of_the_sound_tower_is_refused(tiny_clap: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = _copy(tiny_clap, tmp_path / "cut")
    weights = load_file(folder / "model.safetensors")
    save_file({name: tensor for name, tensor in weights.items() if "audio_projection" not in name}, folder / FILES[-1])
    with pytest.raises(EncoderUnavailableError, match=r"is no CLAP: it has no audio_projection"):
        check_encoder("clap", {"model": str(folder)}, "audio").open()


@pytest.mark.parametrize("damage", ["cut", "another architecture"])
def test_a_damaged_model_is_told_and_auto_stands_in(damage: str, tiny_clap: Path, tmp_path: Path) -> None:
    folder = _copy(tiny_clap, tmp_path / "damaged")
    if damage == "cut":
        (folder / FILES[-1]).write_bytes((tiny_clap / FILES[-1]).read_bytes()[:2000])
    else:
        config = json.loads((folder / "config.json").read_text())
        config["audio_config"]["hidden_size"] = 32
        (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(EncoderUnavailableError, match="cannot be loaded"):
        check_encoder("clap", {"model": str(folder)}, "audio").open()
    encoder, notice = check_encoder("auto", {"model": str(folder)}, "audio").open()
    assert encoder.name == "pretrained"
    assert "cannot be loaded" in notice


def test_weights_in_a_bin_file_are_read_and_a_pickle_is_refused(tiny_clap: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    folder = _copy(tiny_clap, tmp_path / "bin")
    (folder / FILES[-1]).unlink()
    torch.save(load_file(tiny_clap / FILES[-1]), folder / "pytorch_model.bin")
    assert open_clap(folder).fingerprint == open_clap(tiny_clap).fingerprint
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(_Trap(str(tmp_path / "sprung"))))
    with pytest.raises(EncoderUnavailableError, match="cannot be loaded"):
        check_encoder("clap", {"model": str(folder)}, "audio").open()
    assert not (tmp_path / "sprung").exists()


@each("options", [{"model": ""}, {"modle": "x"}, {"batch_size": 0}])
def test_a_wrong_option_is_an_error(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        check_encoder("clap", options, "audio")


def _copy(source: Path, folder: Path) -> Path:
    folder.mkdir()
    for file in source.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


class _Trap:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (self.path,)
