"""Several encoders as one, against the parts themselves."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fastlabel_gradio.encoders import Encoder, EncoderChoice, FittedEncoder, check_encoder
from fastlabel_gradio.encoders.clip import ClipOptions
from fastlabel_gradio.encoders.joined import JoinedPictureOptions
from fastlabel_gradio.encoders.weights_named import weights_named
from fastlabel_gradio.errors import CheckpointError, ConfigError, EncoderUnavailableError, FastLabelError
from fastlabel_gradio.media.sound_view import SoundView
from fastlabel_gradio.pool.encoder_in_use import EncoderPlan, keep_encoder_in_use, plan_encoder, recorded_encoder
from fastlabel_gradio.types import Medium, Waveform
from tests.cases import each
from tests.tiny_models import noisy_tone, write_tiny_clip, write_tiny_timm, write_tiny_transformers

pytestmark = pytest.mark.usefixtures("computing_as_the_app")

OFFLINE = "offline"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"kind": "clip", "model": f"local-dir:{write_tiny_clip(tmp_path_factory.mktemp('clip'), seed=1)}"}


@pytest.fixture(scope="module")
def timm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"kind": "timm", "model": f"local-dir:{write_tiny_timm(tmp_path_factory.mktemp('timm'), 1, 'cc-by-nc-4.0')}"}


@pytest.fixture(scope="module")
def siglip(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = write_tiny_transformers(tmp_path_factory.mktemp("siglip"), "siglip")
    return {"kind": "transformers", "model": str(folder)}


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    rng = np.random.default_rng(5)
    return [Image.fromarray(rng.integers(0, 255, (40, 30 + n, 3), dtype=np.uint8)) for n in range(20)]


def joined(*parts: Any, medium: Medium = "image", **options: Any) -> Encoder:
    encoder, notice = check_encoder("joined", {"of": list(parts), **options}, medium).open()
    assert notice == ""
    return encoder


def alone(part: Any) -> Encoder:
    options = {key: value for key, value in part.items() if key != "kind"}
    return check_encoder(part["kind"], options, "image").open()[0]


def embedded(encoder: Encoder, media: list[Any]) -> np.ndarray:
    return encoder.encode([encoder.prepare(one) for one in media])


def test_the_parts_stand_side_by_side_with_their_weights(clip: Any, timm: Any, pictures: list[Image.Image]) -> None:
    encoder = joined(clip, timm, weights=[1, 0.5])
    found = embedded(encoder, pictures)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-3)
    assert encoder.dim == found.shape[1] == 24 + 48
    first, second = embedded(alone(clip), pictures), embedded(alone(timm), pictures)
    np.testing.assert_allclose(found @ found[0], (first @ first[0] + 0.25 * second @ second[0]) / 1.25, atol=1e-2)
    assert not isinstance(encoder, FittedEncoder)
    assert encoder.licence == "cc-by-nc-4.0"
    assert encoder.encode([]).shape == (0, encoder.dim)


def test_parts_and_weights_are_of_the_fingerprint(clip: Any, timm: Any) -> None:
    first = joined(clip, timm).fingerprint
    assert first == joined(clip, timm, weights=[2, 2]).fingerprint
    assert len({first, joined(timm, clip).fingerprint, joined(clip, timm, weights=[1, 2]).fingerprint}) == 3


def test_texts_are_read_where_every_part_reads_them(
    clip: Any, siglip: Any, timm: Any, pictures: list[Image.Image]
) -> None:
    parts, weights = [alone(clip), alone(siglip)], np.array([1.0, 0.25])  # squares of the weights
    encoder = joined(clip, siglip, weights=[1, 0.5])
    prompts = ["a so", "a th"]
    own = [part.logit_scale * embedded(part, pictures) @ part.encode_text(prompts).T for part in parts]  # type: ignore[operator]
    expected = (weights[0] * own[0] + weights[1] * own[1]) / weights.sum()
    assert encoder.logit_scale
    found = encoder.logit_scale * embedded(encoder, pictures) @ encoder.encode_text(prompts).T
    np.testing.assert_allclose(found, expected, atol=0.1)
    assert joined(clip, timm).logit_scale is None
    with pytest.raises(EncoderUnavailableError, match="no text tower"):
        joined(clip, timm).encode_text(prompts)


def test_parts_that_learn_are_kept_in_one_file(timm: Any, pictures: list[Image.Image], tmp_path: Path) -> None:
    fitted, loaded, other = joined(timm, OFFLINE), joined(timm, OFFLINE), joined(OFFLINE, timm)
    assert isinstance(fitted, FittedEncoder)
    assert isinstance(loaded, FittedEncoder)
    assert isinstance(other, FittedEncoder)
    fitted.fit([fitted.prepare(picture) for picture in pictures], seed=0)
    assert (fitted.learned_file, other.learned_file) == (
        "joined-timm-offline.safetensors",
        "joined-offline-timm.safetensors",
    )
    fitted.save(tmp_path / "joined.safetensors")
    loaded.load(tmp_path / "joined.safetensors")
    assert (loaded.fingerprint, loaded.dim) == (fitted.fingerprint, 48 + 512)
    np.testing.assert_array_equal(embedded(loaded, pictures), embedded(fitted, pictures))
    with pytest.raises(CheckpointError, match="1-offline learned, now 0-offline"):
        other.load(tmp_path / "joined.safetensors")
    (tmp_path / "joined.safetensors").write_bytes(b"rubbish")
    with pytest.raises(CheckpointError, match=r"joined\.safetensors"):
        loaded.load(tmp_path / "joined.safetensors")


def test_what_is_joined_with_the_encoder_in_the_box_learns_for_each_part(pictures: list[Image.Image]) -> None:
    encoder = joined("pretrained", OFFLINE)
    assert isinstance(encoder, FittedEncoder)
    encoder.fit([encoder.prepare(picture) for picture in pictures], seed=0)
    assert embedded(encoder, pictures[:3]).shape == (3, 512 + 512)
    assert encoder.licence == "Apache-2.0"


def test_a_project_knows_its_joined_encoder_again(timm: Any, tmp_path: Path) -> None:
    def chosen(weight: float) -> EncoderChoice:
        return check_encoder("joined", {"of": [{**timm, "img_size": 64}, OFFLINE], "weights": [1, weight]}, "image")

    def planned(weight: float) -> EncoderPlan:
        return plan_encoder(tmp_path, chosen(weight), tmp_path, is_auto=False, keeps_serving=True)

    keep_encoder_in_use(tmp_path, "joined", chosen(0.5))
    assert planned(0.5) == EncoderPlan(chosen(0.5))
    assert planned(0.25) == EncoderPlan(chosen(0.5), chosen(0.25))


def test_the_model_of_a_part_is_recorded_also_where_it_is_the_default(tmp_path: Path) -> None:
    options = JoinedPictureOptions.model_validate({"of": ["clip", OFFLINE]})
    keep_encoder_in_use(tmp_path, "joined", EncoderChoice("image", "joined", options))
    recorded = recorded_encoder(tmp_path)
    assert recorded is not None
    [part, offline] = recorded[1]["of"]  # type: ignore[misc]
    assert part == {"kind": "clip", **ClipOptions().model_dump(include={"model", "pretrained"})}
    assert offline == {"kind": OFFLINE}
    assert JoinedPictureOptions.model_validate(recorded[1]) == options
    assert ClipOptions().model in weights_named("joined", recorded[1])


def test_sounds_are_joined_as_they_are_heard(tmp_path: Path) -> None:
    model = {"kind": "transformers", "model": str(write_tiny_transformers(tmp_path, "wav2vec2"))}
    encoder = joined(model, OFFLINE, medium="audio")
    assert isinstance(encoder, FittedEncoder)
    encoder.attune(SoundView(top_hz=4_000))
    sounds = [Waveform(noisy_tone(seed, 0.5, 16_000), 16_000) for seed in range(8)]
    encoder.fit([encoder.prepare(sound) for sound in sounds], seed=0)
    np.testing.assert_allclose(np.linalg.norm(embedded(encoder, sounds), axis=1), 1, atol=1e-3)
    assert encoder.follows_view
    assert "top4000" in encoder.space


@each(
    "options, message",
    [
        ({}, "of: Field required"),
        ({"of": ["offline"]}, "at least 2"),
        ({"of": ["offline", "clpi"]}, "Did you mean 'clip'"),
        ({"of": ["offline", "auto"]}, "'auto' cannot be a part"),
        ({"of": ["offline", {"model": "x"}]}, "is no encoder"),
        ({"of": ["offline", {"kind": "clip", "modle": "x"}]}, "encoder 'clip': modle"),
        ({"of": ["offline", "offline"], "weights": [1]}, "1 numbers for 2 encoders"),
        ({"of": ["offline", "offline"], "weights": [1, 0]}, "greater than 0"),
    ],
)
def test_what_cannot_be_joined_is_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_encoder("joined", options, "image")


def test_a_part_without_weights_is_named(tmp_path: Path) -> None:
    parts = ["offline", {"kind": "timm", "model": "local-dir:nothing"}]
    with pytest.raises(FastLabelError, match=r"of its part 'timm', there is no config\.json"):
        check_encoder("joined", {"of": parts}, "image", tmp_path)
