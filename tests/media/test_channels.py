"""Which channel is heard: the mean, one by its number, or the loudest where the channels cancel each other."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.sounds import open_sound
from fastlabel_gradio.types import TimeSpan
from tests.media.test_sounds import write_by_ffmpeg
from tests.source_data import RATE_HZ

TIME_S = np.arange(RATE_HZ) / RATE_HZ
TONE = (0.5 * np.sin(2 * np.pi * 440 * TIME_S)).astype(np.float32)
NOISE = np.random.default_rng(0).standard_normal((3, RATE_HZ)).astype(np.float32) / 10


def write(folder: Path, *channels: np.ndarray, suffix: str = "wav") -> Path:
    path = folder / f"a.{suffix}"
    soundfile.write(path, np.stack(channels, axis=1), RATE_HZ)
    return path


@pytest.mark.parametrize(
    ("channels", "loudest"),
    [
        ((0.9 * TONE, -TONE), 2),
        ((TONE, -0.9 * TONE), 1),
        ((TONE + 0.1, -TONE + 0.1), 1),
        ((TONE, -TONE + NOISE[0] / 20), 1),
        ((TONE + NOISE[0], -TONE - NOISE[0], NOISE[1] / 50), 1),
    ],
    ids=["second louder", "first louder", "offset", "a little noise", "three"],
)
@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_of_channels_that_cancel_each_other_the_loudest_is_taken_and_said(
    tmp_path: Path, channels: tuple[np.ndarray, ...], loudest: int, suffix: str
) -> None:
    path = write(tmp_path, *channels, suffix=suffix)
    waveform = open_sound(path)
    np.testing.assert_allclose(waveform.samples, channels[loudest - 1], atol=1e-4)
    assert waveform.note == f"its channels cancel each other, channel {loudest} of {len(channels)} is taken"


@pytest.mark.parametrize(
    "channels",
    [
        (TONE, TONE),
        (TONE, np.zeros_like(TONE)),
        (TONE, -0.3 * TONE),
        (NOISE[0], NOISE[1]),
        (np.zeros_like(TONE), np.zeros_like(TONE)),
        (TONE, *np.zeros((7, RATE_HZ), np.float32)),
    ],
    ids=["equal", "one dead", "partly", "independent", "silence", "one of eight"],
)
def test_the_mean_is_taken_of_channels_that_do_not_cancel_each_other(
    tmp_path: Path, channels: tuple[np.ndarray, ...]
) -> None:
    waveform = open_sound(write(tmp_path, *channels))
    np.testing.assert_allclose(waveform.samples, np.mean(channels, axis=0), atol=1e-4)
    assert waveform.note == ""


def test_a_chosen_channel_and_a_chosen_mean_are_taken_as_they_are(tmp_path: Path) -> None:
    path = write(tmp_path, TONE, -TONE)
    for channel, expected in ((1, TONE), (2, -TONE), ("mix", 0 * TONE)):
        waveform = open_sound(path, channel=channel)
        np.testing.assert_allclose(waveform.samples, expected, atol=1e-4)
        assert waveform.note == ""


def test_a_channel_that_is_not_there_gives_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UnreadableItemError, match=r"has no channel 3, only 2.*`channel`"):
        open_sound(write(tmp_path, TONE, TONE), channel=3)


def test_each_part_has_the_channel_that_fits_it(tmp_path: Path) -> None:
    half = RATE_HZ // 2
    second = np.concatenate([-TONE[:half], TONE[half:]])
    path = write(tmp_path, TONE, second)
    assert "channel 1 of 2" in open_sound(path, TimeSpan(0.0, 0.5)).note
    assert open_sound(path, TimeSpan(0.5, 1.0)).note == ""


def test_channels_that_ffmpeg_decodes_are_chosen_alike(tmp_path: Path) -> None:
    stereo = np.stack([np.repeat(TONE, 3), -np.repeat(TONE, 3)], axis=1)
    path = write_by_ffmpeg(tmp_path / "a.m4a", "mp4", "aac", stereo, 48_000)
    waveform = open_sound(path)
    assert "channel 1 of 2" in waveform.note or "channel 2 of 2" in waveform.note
    assert np.abs(waveform.samples).max() > 0.3
