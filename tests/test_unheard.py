"""The page says where most of the energy lies above what the encoder hears, and names the option."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fastlabel_gradio.encoders import check_encoder
from fastlabel_gradio.encoders.base import Encoder
from fastlabel_gradio.pool.unheard import unheard_notice
from fastlabel_gradio.server.project import Project
from tests.pools import BandEncoder, PixelEncoder, make_sound_config, wait_for
from tests.source_data import folder_source, opened
from tests.test_sound_options import save_tone

RATE_HZ = 44_100


def offline() -> Encoder:
    encoder, _ = check_encoder("offline", {}, "audio").open()
    return encoder


@pytest.fixture
def insects(tmp_path: Path) -> Path:
    """Three crickets at 15 kHz and a cow at 300 Hz."""
    for number, hz in enumerate((15_000, 15_500, 14_500, 300)):
        save_tone(tmp_path / "sounds" / f"{number}.wav", hz, RATE_HZ)
    (tmp_path / "sounds" / "broken.wav").write_bytes(b"no sound")
    return tmp_path


def test_an_encoder_that_draws_is_given_a_wider_range(insects: Path) -> None:
    source, encoder = opened("audio_folder", insects, path="sounds"), offline()
    encoder.attune(source.sound_view)
    notice = unheard_notice(source, encoder, list(source.scan()))
    assert notice == (
        "In 3 of 4 sounds listened to, more than half of the energy lies above 11,025 Hz, which encoder 'offline' does "
        "not hear. The source's option `top_hz: 22050` lets it hear all."
    )
    wider = opened("audio_folder", insects, path="sounds", top_hz=22_050)
    encoder.attune(wider.sound_view)
    assert unheard_notice(wider, encoder, list(wider.scan())) == ""


def test_an_encoder_of_one_range_is_given_slower_sounds(insects: Path) -> None:
    source = opened("audio_folder", insects, path="sounds")
    assert "above 4,000 Hz, which encoder 'bands'" in unheard_notice(source, BandEncoder(), list(source.scan()))
    assert "`expand: 6`" in unheard_notice(source, BandEncoder(), list(source.scan()))
    slower = opened("audio_folder", insects, path="sounds", expand=6)
    assert unheard_notice(slower, BandEncoder(), list(slower.scan())) == ""


def test_a_few_such_sounds_no_sounds_and_pictures_are_not_worth_a_word(insects: Path, tmp_path: Path) -> None:
    source = opened("audio_folder", insects, path="sounds")
    items = {item.id: item for item in source.scan()}
    few = [items["3.wav"], items["3.wav"], items["0.wav"]]
    assert unheard_notice(source, offline(), few) == unheard_notice(source, offline(), [items["broken.wav"]]) == ""
    pictures = folder_source(tmp_path)
    assert unheard_notice(pictures, PixelEncoder(), list(pictures.scan())) == ""


def test_the_page_is_told_once_also_after_a_restart(open_project: Callable[..., Project], insects: Path) -> None:
    for _ in range(2):
        project = open_project(make_sound_config(insects / "sounds", classes=("a", "b"), encoder="offline"))
        wait_for(lambda pipeline=project.pipeline: "`top_hz: 22050`" in pipeline.progress.notice)
        assert project.pipeline.progress.notice.count("`top_hz: 22050`") == 1
        project.close()


def test_the_page_is_told_that_bats_cannot_be_heard(open_project: Callable[..., Project], tmp_path: Path) -> None:
    save_tone(tmp_path / "bats" / "bat.wav", 45_000, 256_000)
    project = open_project(make_sound_config(tmp_path / "bats", classes=("a", "b"), encoder="offline"))
    assert "`expand: 10` plays them 10 times slower" in project.pipeline.progress.notice
    assert "more than half" not in project.pipeline.progress.notice
