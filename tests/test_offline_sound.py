"""The offline encoder of sounds: learned from a few tones, saved and loaded, robust against what pools hold."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fastlabel_gradio.encoders import FittedEncoder, check_encoder
from fastlabel_gradio.encoders.offline_sound import BLOCK_PATCHES, RECIPE, OfflineSoundEncoder
from fastlabel_gradio.errors import CheckpointError, EncoderUnavailableError
from fastlabel_gradio.media.sound_view import SoundView, as_heard
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import Waveform
from tests.cases import each
from tests.pools import make_sound_config, write_sounds
from tests.tiny_models import noisy_tone

RATE_HZ = 16_000
CLASSES = ("steady", "rising", "falling", "clicks")

pytestmark = pytest.mark.usefixtures("computing_as_the_app")


def offline() -> FittedEncoder:
    encoder, _ = check_encoder("offline", {}, "audio").open()
    assert isinstance(encoder, FittedEncoder)
    return encoder


def prepared(sounds: list[Waveform]) -> list[np.ndarray]:
    encoder = offline()
    return [encoder.prepare(sound) for sound in sounds]


def drawn(kind: str, seed: int) -> Waveform:
    """A second of one of CLASSES, at a random pitch and loudness, in noise."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(RATE_HZ) / RATE_HZ
    pitch_hz, bend_hz = rng.uniform(600, 1400), {"rising": 900, "falling": -500}.get(kind, 0)
    sound = np.sin(2 * np.pi * (pitch_hz * time_s + bend_hz * time_s**2 / 2))
    if kind == "clicks":
        sound = sound * (time_s * rng.uniform(6, 10) % 1 < 0.1)
    return Waveform((rng.uniform(0.1, 0.5) * sound + rng.normal(0, 0.01, RATE_HZ)).astype(np.float32), RATE_HZ)


@pytest.fixture(scope="module")
def sounds() -> list[Waveform]:
    return [drawn(kind, 10 * seed + position) for seed in range(30) for position, kind in enumerate(CLASSES)]


@pytest.fixture(scope="module")
def fitted(sounds: list[Waveform]) -> FittedEncoder:
    encoder = offline()
    encoder.fit(prepared(sounds[:60]), seed=0)
    return encoder


def test_its_embeddings_tell_courses_apart_that_pitch_does_not(fitted: FittedEncoder, sounds: list[Waveform]) -> None:
    from sklearn.linear_model import LogisticRegression

    embeddings, kinds = fitted.encode(prepared(sounds)), np.array(CLASSES * 30)
    classifier = LogisticRegression(C=10, max_iter=300).fit(embeddings[:60], kinds[:60])
    assert classifier.score(embeddings[60:], kinds[60:]) > 0.9


def test_the_same_sample_and_seed_give_the_same_encoder(fitted: FittedEncoder, sounds: list[Waveform]) -> None:
    again, other = offline(), offline()
    again.fit(prepared(sounds[:60]), seed=0)
    other.fit(prepared(sounds[:60]), seed=1)
    assert again.fingerprint == fitted.fingerprint != other.fingerprint


@each("count", [1, 2, 3])
def test_it_learns_from_tiny_samples(count: int, sounds: list[Waveform]) -> None:
    encoder = offline()
    encoder.fit(prepared(sounds[:count]), seed=0)
    embeddings = encoder.encode(prepared(sounds))
    assert embeddings.shape == (len(sounds), RECIPE.dim)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-3)
    assert embeddings[20] @ embeddings[21] < 0.999


@each("level", [0.0, 1.0])
def test_a_pool_of_equal_sounds_does_not_break_it(level: float) -> None:
    encoder = offline()
    equal = prepared([Waveform(np.full(8_000, level, dtype=np.float32), 8_000)] * 5)
    encoder.fit(equal, seed=0)
    np.testing.assert_allclose(np.linalg.norm(encoder.encode(equal), axis=1), 1, atol=1e-3)


@each("rate_hz", [1_000, 8_000, 22_050, 192_000])
@each("seconds", [0.0, 0.05, 0.3])
def test_short_sounds_and_silence_are_embedded(fitted: FittedEncoder, seconds: float, rate_hz: int) -> None:
    tone = noisy_tone(1, seconds, rate_hz)
    embeddings = fitted.encode(prepared([Waveform(tone, rate_hz), Waveform(0 * tone, rate_hz)]))
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-3)


def test_a_sound_that_repeats_itself_is_embedded_as_its_part_is(fitted: FittedEncoder) -> None:
    """So the blocks in which a long sound is pooled leave no trace."""
    part = prepared([Waveform(noisy_tone(2, 10.0, 8_000), 8_000)])[0]
    whole = np.tile(part, (2 + 2 * BLOCK_PATCHES // len(part), 1))
    assert len(whole) > 2 * BLOCK_PATCHES
    dictionary = fitted._dictionary  # type: ignore[attr-defined]
    one, other = dictionary.features([part, whole])[:, : 3 * RECIPE.words].numpy()
    assert np.linalg.norm(one - other) < 0.05 * np.linalg.norm(one)


def test_loudness_is_kept_and_order_matters(fitted: FittedEncoder) -> None:
    rising = drawn("rising", 3)
    backwards = Waveform(np.ascontiguousarray(rising.samples[::-1]), RATE_HZ)
    quiet = Waveform(rising.samples * np.float32(0.1), RATE_HZ)
    embeddings = fitted.encode(prepared([rising, backwards, quiet]))
    assert embeddings[0] @ embeddings[1] < 0.9
    assert embeddings[0] @ embeddings[2] < 0.99


def test_a_saved_encoder_gives_equal_embeddings(fitted: FittedEncoder, sounds: list[Waveform], tmp_path: Path) -> None:
    fitted.save(tmp_path / "offline.safetensors")
    loaded = offline()
    loaded.load(tmp_path / "offline.safetensors")
    assert (loaded.fingerprint, loaded.dim) == (fitted.fingerprint, fitted.dim)
    np.testing.assert_array_equal(loaded.encode(prepared(sounds[:9])), fitted.encode(prepared(sounds[:9])))
    assert [file.name for file in tmp_path.iterdir()] == ["offline.safetensors"]


@pytest.mark.parametrize("damage", ["missing", "cut", "rubbish", "of pictures"])
def test_a_damaged_file_is_refused(damage: str, fitted: FittedEncoder, tmp_path: Path) -> None:
    path = tmp_path / "offline.safetensors"
    if damage == "of pictures":
        of_pictures, _ = check_encoder("offline", {}, "image").open()
        assert isinstance(of_pictures, FittedEncoder)
        of_pictures.fit([np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)], seed=0)
        of_pictures.save(path)
    elif damage != "missing":
        fitted.save(path)
        path.write_bytes(path.read_bytes()[:5000] if damage == "cut" else b"x" * 5000)
    with pytest.raises(CheckpointError, match=r"offline\.safetensors"):
        offline().load(path)


def test_an_empty_sample_is_an_error() -> None:
    with pytest.raises(EncoderUnavailableError, match="no readable sound"):
        offline().fit([], seed=0)


def test_it_has_no_text_tower(fitted: FittedEncoder) -> None:
    with pytest.raises(EncoderUnavailableError, match="'clap'"):
        fitted.encode_text(["a dog"])


def test_each_way_of_hearing_has_a_fit_and_embeddings_of_its_own(
    open_project: Callable[..., Project], tmp_path: Path
) -> None:
    """Also after a change of options and back, and labels stay."""
    write_sounds(tmp_path / "sounds", per_class=3)
    spaces = []
    for options in ({}, {"low_hz": 1_000}, {"expand": 2}, {"top_hz": 2_000}, {}):
        source = {"kind": "audio_folder", "path": str(tmp_path / "sounds"), **options}
        project = open_project(make_sound_config(tmp_path, source=source, encoder="offline"))
        assert project.pipeline.progress.error == ""
        assert project.pipeline.encoder is not None
        spaces.append(project.pipeline.encoder.space)
        assert len(project.store) == 9
        assert project.labeler("ann").counts().labeled == len(spaces) - 1
        project.labeler("ann").submit("ann", [(project.labeler("ann").next_batch("ann", 1).items[0].id, 0)])
        project.close()
    fits = {file.name for file in (tmp_path / "work" / "audio").glob("offline*.safetensors")}
    assert fits == {f"offline{tag}.safetensors" for tag in ("", "-low1000", "-slower2", "-top2000")}
    assert spaces[0] == spaces[-1]
    assert len(set(spaces)) == 4
    assert spaces[0].startswith("offline-sound-")
    assert "-low" not in spaces[0]


def test_it_hears_bats_and_a_bird_in_wind(fitted: FittedEncoder) -> None:
    from tests.media.test_sound_view import bat, bird

    encoder = offline()
    assert isinstance(encoder, OfflineSoundEncoder)
    encoder.attune(SoundView(top_hz=128_000))
    assert encoder.resolution == 256_000
    places = [encoder.prepare(bat(hz)).max(axis=0).argmax() for hz in (25_000, 45_000, 100_000)]
    assert places == sorted(set(places))
    pcen = SoundView(contrast="pcen")
    encoder.attune(pcen)
    prepared = encoder.prepare(as_heard(bird(wind=1.0), pcen)).astype(float)
    assert prepared.shape[1] == RECIPE.bands
    assert prepared[:, 20:].max() > 0.8 * prepared.max() > 20
