"""The generated sounds: the same for the same seed, six classes that a spectrogram tells apart."""

from pathlib import Path

import numpy as np
import pytest

from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.sources.demo_sounds import RATE_HZ, demo_sound
from fastlabel_gradio.types import Item
from tests.cases import each
from tests.source_data import ids, opened

CLASSES = ("tone", "rising chirp", "falling chirp", "warble", "clicks", "noise")


def pitches_hz(samples: np.ndarray) -> np.ndarray:
    """The loudest frequency of each 32 ms from 0.35 s on, where all sounds have begun."""
    frames = samples[int(0.35 * RATE_HZ) :]
    frames = frames[: len(frames) // 512 * 512].reshape(-1, 512)
    return np.abs(np.fft.rfft(frames * np.hanning(512), axis=1)).argmax(axis=1) * (RATE_HZ / 512)


def test_600_sounds_are_the_pool_and_150_more_are_held_out(tmp_path: Path) -> None:
    source = opened("demo_sounds", tmp_path)
    assert ids(source) == [str(number) for number in range(600)]
    assert [item.id for item in source.held_out()] == [str(number) for number in range(600, 750)]
    assert source.classes() == CLASSES
    labels = [source.reference_label(item) for item in source.scan()]
    assert {label: labels.count(label) for label in CLASSES} == dict.fromkeys(CLASSES, 100)


def test_a_sound_depends_on_its_seed_and_number_alone(tmp_path: Path) -> None:
    first, again, other = (opened("demo_sounds", tmp_path, seed=seed) for seed in (3, 3, 4))
    assert first.content_key(Item("7")) == again.content_key(Item("7"))
    keys = {source.content_key(Item(str(number))) for source in (first, other) for number in range(24)}
    assert len(keys) == 48
    assert next(first.scan()).stamp == next(again.scan()).stamp != next(other.scan()).stamp


@each("number", range(24))
def test_length_and_level_are_those_that_are_announced(number: int) -> None:
    samples = demo_sound(0, number)
    assert RATE_HZ <= len(samples) <= 2 * RATE_HZ
    assert -24.1 < 20 * np.log10(np.abs(samples).max()) < -2.9
    assert 0 < np.abs(samples[:300]).max() < np.abs(samples).max() / 8  # background before the onset


@each("seed", range(4))
def test_the_classes_look_as_they_are_called(seed: int) -> None:
    tone, rising, falling, warble, clicks, noise = (demo_sound(seed, number) for number in range(6))
    assert np.ptp(pitches_hz(tone)[:-1]) <= RATE_HZ / 512
    assert pitches_hz(rising)[-3] > 1.5 * pitches_hz(rising)[0]
    assert pitches_hz(falling)[-3] < pitches_hz(falling)[0] / 1.5
    swings = np.diff(np.sign(np.diff(pitches_hz(warble))))
    assert np.count_nonzero(swings) >= 4
    assert np.median(np.abs(clicks)) < np.abs(clicks).max() / 20
    assert np.ptp(pitches_hz(noise)) > 1000


def test_a_negative_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="seed"):
        opened("demo_sounds", tmp_path, seed=-1)
