"""Every registered encoder through one battery, then what is particular to CLIP, the offline encoder of pictures, the choice.

What is particular to sounds is in test_clap.py and test_offline_sound.py.
"""

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from fastlabel_gradio.devices import one_thread_per_operation
from fastlabel_gradio.encoders import ENCODERS, Encoder, EncoderChoice, FittedEncoder, check_encoder, clip_weights, hub
from fastlabel_gradio.encoders.dictionary_encoder import DictionaryEncoder
from fastlabel_gradio.encoders.known_vectors import KnownVectors
from fastlabel_gradio.encoders.linear_maps import principal_directions
from fastlabel_gradio.encoders.loaded_weights import weights_digest
from fastlabel_gradio.errors import CheckpointError, ConfigError, EncoderUnavailableError, UnknownNameError
from fastlabel_gradio.pool.encoder_in_use import plan_encoder
from fastlabel_gradio.types import Medium, Waveform
from tests.cases import each
from tests.tiny_models import (
    TINY_CLIP,
    TINY_PREPARATION,
    Trap,
    fill_cache,
    noisy_tone,
    write_tiny_clap,
    write_tiny_clip,
    write_tiny_timm,
    write_tiny_transformers,
)

BUILT_IN = [
    (medium, name)
    for medium, registry in ENCODERS.items()
    for name in registry.names()
    if registry.get(name).__module__.startswith("fastlabel_gradio.")
    and not issubclass(registry.get(name), KnownVectors)  # which embed nothing: test_precomputed.py
]
OF_PICTURES = [name for medium, name in BUILT_IN if medium == "image"]
OF_SOUNDS = [name for medium, name in BUILT_IN if medium == "audio"]
Open = Callable[..., Encoder]
OptionsOf = Callable[[str, Medium, bool], dict[str, Any]]

pytestmark = pytest.mark.usefixtures("computing_as_the_app")


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    """Sixty noisy gradients of several sizes, and a black, a white and a one-pixel picture."""
    rng = np.random.default_rng(7)
    shapes = [(32, 32), (48, 31), (20, 64)]
    drawn = [_gradient(rng, *shapes[index % 3]) for index in range(60)]
    return [*drawn, Image.new("RGB", (32, 32)), Image.new("RGB", (40, 40), "white"), Image.new("RGB", (1, 1), "red")]


@pytest.fixture(scope="module")
def sounds() -> list[Waveform]:
    """Thirty gliding tones in noise of several rates and lengths, a loud one, silence, and a single sample."""
    rates = (8_000, 16_000, 44_100)
    tones = [Waveform(noisy_tone(seed, 0.1 + 0.1 * seed, rates[seed % 3]), rates[seed % 3]) for seed in range(30)]
    loud = Waveform(np.sign(noisy_tone(31, 1.0, 8_000)), 8_000)
    return [*tones, loud, Waveform(np.zeros(8_000, dtype=np.float32), 8_000), Waveform(np.ones(1, np.float32), 8_000)]


def _gradient(rng: np.random.Generator, height: int, width: int) -> Image.Image:
    slopes = rng.uniform(-4, 4, (2, 3))
    rows, columns = np.mgrid[:height, :width]
    values = 128 + rows[..., None] * slopes[0] + columns[..., None] * slopes[1] + rng.normal(0, 20, (height, width, 3))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_clip(tmp_path_factory.mktemp("tiny"), seed=1)


@pytest.fixture(scope="module")
def options_of(tiny_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> OptionsOf:
    """What opens an encoder without a network: a tiny random model on disk, another one with other weights."""

    def one(name: str, medium: Medium, other: bool) -> dict[str, Any]:
        folder, seed = tmp_path_factory.mktemp(name), 2 if other else 1
        if name in ("clip", "clip_spectrogram"):
            return {"model": f"local-dir:{write_tiny_clip(folder, seed) if other else tiny_clip}"}
        if name == "clap":
            return {"model": str(write_tiny_clap(folder, seed))}
        if name == "timm":
            return {"model": f"local-dir:{write_tiny_timm(folder, seed)}"}
        if name == "transformers":
            architecture = "dinov2" if medium == "image" else "wav2vec2"
            return {"model": str(write_tiny_transformers(folder, architecture, seed))}
        if name == "joined":
            part = "clip" if medium == "image" else "clap"
            return {"of": [{"kind": part, **one(part, medium, other)}, "offline"], "weights": [1, 0.5]}
        return {}

    return cache(one)


@pytest.fixture(scope="module")
def items(pictures: list[Image.Image], sounds: list[Waveform]) -> dict[str, list[Any]]:
    return {"image": pictures, "audio": sounds}


@pytest.fixture(scope="module")
def open_anew(options_of: OptionsOf, items: dict[str, list[Any]], computing_as_the_app: None) -> Open:
    """Opens any registered encoder without a network; `other` gives it other weights, or another sample."""

    def open_one(name: str, medium: Medium = "image", other: bool = False) -> Encoder:
        encoder, _ = check_encoder(name, options_of(name, medium, other), medium).open()
        if isinstance(encoder, FittedEncoder):
            sample = items[medium]
            encoder.fit(prepared(encoder, sample[:20] if other else sample), seed=0)
        return encoder

    return open_one


@pytest.fixture(scope="module")
def open_tiny(open_anew: Open) -> Open:
    """The same, opened once."""
    return cache(open_anew)


@pytest.fixture(scope="module", params=BUILT_IN, ids="-".join)
def case(request: pytest.FixtureRequest, open_tiny: Open, items: dict[str, list[Any]]) -> tuple[Encoder, list[Any]]:
    """An encoder with items that it takes."""
    medium, name = request.param
    return open_tiny(name, medium), items[medium]


Case = tuple[Encoder, list[Any]]


def prepared(encoder: Encoder, media: list[Any]) -> list[np.ndarray]:
    return [encoder.prepare(item) for item in media]


def test_embeddings_are_unit_vectors_in_float32(case: Case) -> None:
    encoder, media = case
    embeddings = encoder.encode(prepared(encoder, media))
    assert embeddings.shape == (len(media), encoder.dim)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-3)


def test_an_item_gets_the_same_embedding_in_any_batch(case: Case) -> None:
    encoder, media = case
    batch = prepared(encoder, media)
    rows = [0, 7, len(media) - 3]
    with one_thread_per_operation():  # as the app computes: several threads round some sums otherwise
        together = encoder.encode(batch)
        alone = np.concatenate([encoder.encode(batch[row : row + 1]) for row in rows])
    assert (together[rows] * alone).sum(1).min() > 0.999
    if isinstance(encoder, DictionaryEncoder):
        np.testing.assert_array_equal(together[rows], alone)
    elif isinstance(encoder, FittedEncoder):  # with a network: in fp32, as without AVX-512, oneDNN sums otherwise
        np.testing.assert_allclose(together[rows], alone, rtol=0, atol=2e-6)


def test_different_items_get_different_embeddings(case: Case) -> None:
    encoder, media = case
    first, second = encoder.encode(prepared(encoder, media[:2]))
    assert first @ second < 0.9999


def test_an_empty_batch_gives_no_embeddings(case: Case) -> None:
    encoder, _ = case
    empty = encoder.encode([])
    assert empty.shape == (0, encoder.dim)
    assert empty.dtype == np.float32


def test_the_input_of_encode_is_left_alone(case: Case) -> None:
    encoder, media = case
    batch = prepared(encoder, media[:4])
    before = [array.copy() for array in batch]
    encoder.encode(batch)
    _assert_equal(batch, before)


def test_prepare_gives_the_same_from_many_threads(case: Case) -> None:
    encoder, media = case
    with ThreadPoolExecutor(8) as workers:
        from_threads = list(workers.map(encoder.prepare, media * 3))
    _assert_equal(from_threads, prepared(encoder, media) * 3)


def _assert_equal(found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_batch_and_the_resolution_are_stated(case: Case) -> None:
    encoder, _ = case
    assert encoder.batch_size >= 1
    assert encoder.resolution >= 1


def test_the_prompt_has_a_place_for_the_class(case: Case) -> None:
    encoder, _ = case
    assert "owl" in encoder.prompt.format(label="owl")


@each("medium, name", BUILT_IN)
def test_the_fingerprint_follows_the_weights(medium: Medium, name: str, open_tiny: Open, open_anew: Open) -> None:
    first, again, other = open_tiny(name, medium), open_anew(name, medium), open_anew(name, medium, True)
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert set(first.fingerprint) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")


def test_no_two_encoders_share_a_fingerprint(open_tiny: Open) -> None:
    assert len({open_tiny(name, medium).fingerprint for medium, name in BUILT_IN}) == len(BUILT_IN)


@each("mode", ["L", "P", "RGBA", "CMYK"])
@each("name", OF_PICTURES)
def test_prepare_takes_pictures_of_every_mode(
    name: str, mode: str, open_tiny: Open, pictures: list[Image.Image]
) -> None:
    encoder = open_tiny(name)
    assert encoder.prepare(pictures[0].convert(mode)).shape == encoder.prepare(pictures[0]).shape


@each("name", OF_PICTURES)
def test_prepare_survives_an_extremely_long_picture(name: str, open_tiny: Open) -> None:
    assert open_tiny(name).prepare(Image.new("RGB", (20_000, 1), "blue")).nbytes < 1_000_000


@each("name", OF_SOUNDS)
@each("rate_hz", [1_000, 8_000, 11_025, 44_100, 192_000])
def test_sounds_of_any_rate_and_length_are_embedded(name: str, rate_hz: int, open_tiny: Open) -> None:
    encoder = open_tiny(name, "audio")
    tones = [Waveform(noisy_tone(3, seconds, rate_hz), rate_hz) for seconds in (0.0, 0.05, 0.3, 4.0)]
    embeddings = encoder.encode(prepared(encoder, tones))
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-3)


@each("name", OF_SOUNDS)
def test_a_sound_of_ten_minutes_is_embedded(name: str, open_tiny: Open) -> None:
    encoder = open_tiny(name, "audio")
    sound = Waveform(np.tile(noisy_tone(5, 10.0, 8_000), 60), 8_000)
    assert np.isfinite(encoder.encode([encoder.prepare(sound)])).all()


def test_clip_embeds_pictures_as_open_clip_does(tiny_clip: Path, open_tiny: Open, pictures: list[Image.Image]) -> None:
    encoder = open_tiny("clip")
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{tiny_clip}")
    with torch.inference_mode():
        expected = model.eval().encode_image(torch.stack([preprocess(picture) for picture in pictures]), normalize=True)
    cosines = (encoder.encode(prepared(encoder, pictures)) * expected.numpy()).sum(1)
    assert cosines.min() > 0.999


@pytest.mark.usefixtures("in_fp32")
def test_clip_in_fp32_equals_open_clip(tiny_clip: Path, open_anew: Open, pictures: list[Image.Image]) -> None:
    encoder = open_anew("clip")
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{tiny_clip}")
    with torch.inference_mode():
        expected = model.eval().encode_image(torch.stack([preprocess(picture) for picture in pictures]), normalize=True)
    np.testing.assert_allclose(encoder.encode(prepared(encoder, pictures)), expected.numpy(), atol=2e-5)


def test_clip_embeds_texts_as_open_clip_does(tiny_clip: Path, open_tiny: Open) -> None:
    prompts = [f"a photo of a {word}" for word in ("cat", "dog", "naïve façade", "")] * 20
    encoder = open_tiny("clip")
    model, _ = open_clip.create_model_from_pretrained(f"local-dir:{tiny_clip}")
    with torch.inference_mode():
        tokens = open_clip.get_tokenizer(f"local-dir:{tiny_clip}")(prompts)
        expected = model.eval().encode_text(tokens, normalize=True).numpy()
    found = encoder.encode_text(prompts)
    assert found.dtype == np.float32
    assert (found * expected).sum(1).min() > 0.999
    assert encoder.encode_text([]).shape == (0, encoder.dim)


def test_clip_knows_its_logit_scale(open_tiny: Open) -> None:
    assert open_tiny("clip").logit_scale == pytest.approx(1 / 0.07, rel=1e-4)  # type: ignore[attr-defined]


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_clip_loads_a_named_model_from_a_checkpoint_file(
    suffix: str, tiny_clip: Path, tmp_path: Path, open_tiny: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add_model(tmp_path, monkeypatch)
    weights = open_clip.factory.load_state_dict(str(tiny_clip / clip_weights.WEIGHTS_NAMES[0]))
    file = tmp_path / f"weights{suffix}"
    save_file(weights, file) if suffix == ".safetensors" else torch.save({"state_dict": weights}, file)
    encoder, notice = check_encoder("clip", {"model": "tiny-test", "pretrained": file.name}, "image", tmp_path).open()
    assert notice == ""
    assert encoder.dim == 24
    moved = tmp_path / f"moved{suffix}"
    file.rename(moved)
    again, _ = check_encoder("clip", {"model": "tiny-test", "pretrained": str(moved)}, "image").open()
    assert again.fingerprint == encoder.fingerprint


def test_clip_reads_a_tag_from_the_cache_without_asking_the_hub(
    tiny_clip: Path, tmp_path: Path, no_network: None, monkeypatch: pytest.MonkeyPatch, pictures: list[Image.Image]
) -> None:
    _add_model(tmp_path, monkeypatch)
    entry = {"url": "", "hf_hub": "some/tiny/", "quick_gelu": True, **TINY_PREPARATION}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "tiny-test", {"some_tag": entry})
    fill_cache("some/tiny", {clip_weights.WEIGHTS_NAMES[0]: tiny_clip / clip_weights.WEIGHTS_NAMES[0]})
    start = time.monotonic()
    encoder, notice = check_encoder("auto", {"model": "tiny-test", "pretrained": "some_tag"}, "image").open()
    assert time.monotonic() - start < 5
    assert (encoder.name, notice) == ("clip", "")
    model, _, preprocess = open_clip.create_model_and_transforms(
        "tiny-test",
        pretrained=str(tiny_clip / clip_weights.WEIGHTS_NAMES[0]),
        force_quick_gelu=True,
        image_mean=tuple(TINY_PREPARATION["mean"]),
        image_std=tuple(TINY_PREPARATION["std"]),
    )
    with torch.inference_mode():
        expected = model.eval().encode_image(torch.stack([preprocess(picture) for picture in pictures]), normalize=True)
    assert (encoder.encode(prepared(encoder, pictures)) * expected.numpy()).sum(1).min() > 0.999


def _add_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "tiny-test", TINY_CLIP)


def test_the_default_weights_are_where_open_clip_has_them() -> None:
    entry = clip_weights.tag_entry(clip_weights.DEFAULT_MODEL, clip_weights.DEFAULT_TAG)
    assert clip_weights._hub_file(entry) == clip_weights.DEFAULT_FILE


def test_every_bit_of_the_weights_changes_their_digest() -> None:
    weights = {"a": torch.zeros(100_000), "b": torch.zeros(3)}
    before = weights_digest(weights)
    weights["a"][54_321] = 1e-30
    assert weights_digest(weights) != before


def test_a_pickle_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _add_model(tmp_path, monkeypatch)
    trap = tmp_path / "trap.pt"
    trap.write_bytes(pickle.dumps(Trap(str(tmp_path / "sprung"))))
    choice = check_encoder("clip", {"model": "tiny-test", "pretrained": str(trap)}, "image")
    with pytest.raises(EncoderUnavailableError, match=r"trap\.pt cannot be loaded"):
        choice.open()
    assert not (tmp_path / "sprung").exists()


def test_clip_by_name_without_weights_says_why_and_both_ways_out(no_network: None) -> None:
    start = time.monotonic()
    with pytest.raises(EncoderUnavailableError) as caught:
        check_encoder("clip", {}, "image")
    assert time.monotonic() - start < 8
    for part in ("127.0.0.1:9", "`pretrained`", "--encoder offline"):
        assert part in str(caught.value)


@pytest.mark.parametrize("medium", ["image", "audio"])
def test_auto_without_weights_is_the_encoder_in_the_box_with_a_line_and_the_reason(
    medium: Medium, no_network: None
) -> None:
    choice = check_encoder("auto", {}, medium)
    encoder, notice = choice.open()
    assert choice.name == encoder.name == "pretrained"
    line, why = notice.split("\n")
    assert "127.0.0.1:9" in why
    assert "lower accuracy" in line
    assert len(line) < 140


def test_a_pool_begun_with_the_offline_encoder_of_an_earlier_version_goes_on_with_it(
    no_network: None, tmp_path: Path
) -> None:
    def begins_with(kind: str, *embedded_by: str) -> EncoderChoice:
        folder = tmp_path / "-".join((kind, *embedded_by))
        folder.mkdir()
        for fingerprint in embedded_by:
            (folder / f"{fingerprint}.f32").touch()
        wanted = check_encoder(kind, {}, "image")
        return plan_encoder(folder, wanted, tmp_path, is_auto=kind == "auto", keeps_serving=True).begins_with

    choice = begins_with("auto", "offline-0123")
    assert choice.name == "offline"
    line, why = choice.notice.split("\n")
    assert line.startswith("This project goes on with encoder 'offline'")
    assert "`--encoder pretrained` embeds its pool anew and keeps its labels" in why
    for others in (["clip-0123"], ["offline-0123", "pretrained-0123"]):
        assert begins_with("auto", *others).name == "pretrained"
    assert begins_with("pretrained", "offline-0123").name == "pretrained"


def test_a_hub_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch, no_network: None) -> None:
    monkeypatch.setattr(hub, "PROBE_LIMIT_S", 0.05)
    monkeypatch.setattr(hub, "_ask_hub", lambda file: time.sleep(2))
    assert "no answer" in check_encoder("auto", {}, "image").notice


def test_loading_what_asks_a_server_is_not_counted_as_its_time(tmp_path: Path) -> None:
    script = (
        "import sys, threading\n"
        "from fastlabel_gradio.encoders import hub\n"
        "class Watch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if threading.current_thread() is not threading.main_thread():\n"
        "            loaded.append(name)\n"
        "loaded = []\n"
        "sys.meta_path.insert(0, Watch())\n"
        "why = hub.why_address_unreachable('http://127.0.0.1:9/x') if sys.argv[1] == 'address' else "
        "hub.why_unreachable(hub.HubFile('some/model', ('config.json',)))\n"
        'sys.stdout.write(f\'{why}|{[name for name in loaded if name.startswith(("http", "huggingface_hub"))]}\')'
    )
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path)}
    for asked in ("address", "hub"):
        ran = subprocess.run(
            [sys.executable, "-c", script, asked], env=environment, capture_output=True, text=True, check=True
        )
        why, loaded = ran.stdout.split("|")
        assert "127.0.0.1:9" in why
        assert loaded == "[]"


def test_the_environment_can_forbid_downloads(tmp_path: Path) -> None:
    script = (
        "from fastlabel_gradio.encoders import check_encoder\n"
        "import sys\nchoice = check_encoder('auto', {}, 'image')\n"
        "sys.stdout.write(f'{choice.name}|{choice.notice}|{\"torch\" in sys.modules}')"
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    name, notice, torch_was_imported = ran.stdout.split("|")
    assert name == "pretrained"
    assert "HF_HUB_OFFLINE" in notice
    assert torch_was_imported == "False"


def test_auto_with_a_damaged_file_is_the_encoder_in_the_box_with_the_reason(tiny_clip: Path, tmp_path: Path) -> None:
    folder = write_tiny_clip(tmp_path / "damaged", seed=1)
    weights = folder / clip_weights.WEIGHTS_NAMES[0]
    weights.write_bytes(weights.read_bytes()[:1000])
    encoder, notice = check_encoder("auto", {"model": f"local-dir:{folder}"}, "image").open()
    assert encoder.name == "pretrained"
    assert "cannot be loaded" in notice
    with pytest.raises(EncoderUnavailableError, match="--encoder offline"):
        check_encoder("clip", {"model": f"local-dir:{folder}"}, "image").open()


@each(
    "options, message",
    [
        ({"model": "ViT-B-23"}, "Did you mean 'ViT-B-32'"),
        ({"pretrained": "datacomp_s34b_b86q"}, "Did you mean 'datacomp_s34b_b86k'"),
        ({"model": "ViT-B-32", "pretrained": "laion2b_s34b_b79q"}, "Did you mean 'laion2b_s34b_b79k'"),
        ({"pretrained": ""}, "needs a tag or a checkpoint file"),
        ({"model": "hf-hub:a/b", "pretrained": "openai"}, "leave it out"),
        ({"modle": "ViT-B-32"}, "Its options: model, pretrained, batch_size"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
@each("kind", ["clip", "auto"])
def test_a_wrong_option_is_an_error_and_no_fallback(kind: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        check_encoder(kind, options, "image")


@each(
    "options, reason",
    [
        ({"pretrained": "/no/such.pt"}, "there is no file"),
        ({"model": "local-dir:/no/such"}, "there is no open_clip_config"),
    ],
)
def test_a_missing_file_is_named(options: dict[str, object], reason: str) -> None:
    with pytest.raises(EncoderUnavailableError, match=reason):
        check_encoder("clip", options, "image")


def test_an_unknown_encoder_is_named_with_the_nearest(no_network: None) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'clip'"):
        check_encoder("clpi", {}, "image")


def test_an_encoder_of_another_kind_of_media_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="clap"):
        check_encoder("clap", {}, "image")


def _offline() -> FittedEncoder:
    encoder, _ = check_encoder("offline", {}, "image").open()
    assert isinstance(encoder, FittedEncoder)
    return encoder


def test_a_saved_offline_encoder_gives_equal_embeddings(
    open_tiny: Open, tmp_path: Path, pictures: list[Image.Image]
) -> None:
    fitted = open_tiny("offline")
    assert isinstance(fitted, FittedEncoder)
    fitted.save(tmp_path / "offline.safetensors")
    loaded = _offline()
    loaded.load(tmp_path / "offline.safetensors")
    assert (loaded.fingerprint, loaded.dim) == (fitted.fingerprint, fitted.dim)
    batch = prepared(fitted, pictures)
    np.testing.assert_array_equal(loaded.encode(batch), fitted.encode(batch))
    assert [file.name for file in tmp_path.iterdir()] == ["offline.safetensors"]


@pytest.mark.parametrize("damage", ["missing", "cut", "rubbish", "another recipe"])
def test_a_damaged_offline_encoder_is_refused(damage: str, open_tiny: Open, tmp_path: Path) -> None:
    path = tmp_path / "offline.safetensors"
    fitted = open_tiny("offline")
    assert isinstance(fitted, FittedEncoder)
    fitted.save(path)
    content = path.read_bytes()
    damaged = {"cut": content[:5000], "rubbish": b"x" * 5000, "another recipe": content.replace(b"400", b"401", 1)}
    path.unlink() if damage == "missing" else path.write_bytes(damaged[damage])
    with pytest.raises(CheckpointError, match=r"offline\.safetensors"):
        _offline().load(path)


@each("count", [1, 2, 10])
def test_the_offline_encoder_learns_from_tiny_samples(count: int, pictures: list[Image.Image]) -> None:
    encoder = _offline()
    encoder.fit(prepared(encoder, pictures[:count]), seed=0)
    embeddings = encoder.encode(prepared(encoder, pictures))
    assert encoder.dim == 512
    assert np.isfinite(embeddings).all()
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-3)
    assert embeddings[20] @ embeddings[21] < 0.999


def test_the_small_principal_directions_do_not_drown_in_rounding() -> None:
    """The spectrum is that of CIFAR-10's features, where a careless float32 power iteration keeps 335 of 512 directions."""
    rng = np.random.default_rng(3)
    left, _ = np.linalg.qr(rng.standard_normal((700, 700), dtype=np.float32))
    right, _ = np.linalg.qr(rng.standard_normal((3600, 700), dtype=np.float32))
    sizes = (2000 * np.arange(1, 701, dtype=np.float32) ** -0.77)[:, None]
    features = left @ (sizes * right.T)
    directions = principal_directions(features, 512, rng)
    np.testing.assert_allclose(directions @ directions.T, np.eye(512), atol=1e-4)
    centred = features - features.mean(0)
    least_lost = (np.linalg.svd(centred, compute_uv=False)[512:] ** 2).sum()
    lost = (centred**2).sum() - ((centred @ directions.T) ** 2).sum()
    assert lost < 1.3 * least_lost


def test_pictures_of_one_colour_do_not_break_the_offline_encoder() -> None:
    encoder = _offline()
    plain = [Image.new("RGB", (32, 32), (grey, grey, grey)) for grey in range(0, 250, 10)]
    encoder.fit(prepared(encoder, plain), seed=0)
    embeddings = encoder.encode(prepared(encoder, plain))
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-3)


def test_an_empty_sample_is_an_error() -> None:
    with pytest.raises(EncoderUnavailableError, match="no readable picture"):
        _offline().fit([], seed=0)


def test_the_offline_encoder_has_no_text_tower(open_tiny: Open) -> None:
    with pytest.raises(EncoderUnavailableError, match="Use 'clip'"):
        open_tiny("offline").encode_text(["a cat"])


def test_offline_embeddings_of_digits_can_be_learned_from() -> None:
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    digits = load_digits()
    drawn = [Image.fromarray((values * 15.9).astype(np.uint8)).resize((32, 32)) for values in digits.images]
    encoder = _offline()
    encoder.fit(prepared(encoder, drawn[:500]), seed=0)
    embeddings = encoder.encode(prepared(encoder, drawn))
    classifier = LogisticRegression(C=10, max_iter=300).fit(embeddings[:500], digits.target[:500])
    assert classifier.score(embeddings[500:], digits.target[500:]) > 0.9
