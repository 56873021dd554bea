"""The high-pass takes out what is low, and leaves what is high where it was."""

import numpy as np
import pytest

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media import filters
from fastlabel_gradio.media.filters import high_passed
from fastlabel_gradio.types import Waveform
from tests.cases import each

RATE_HZ = 24_000


def tone(hz: float, seconds: float = 1.0, level: float = 1.0) -> np.ndarray:
    samples = level * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)
    return samples.astype(np.float32)


def test_what_is_low_is_gone_and_what_is_high_stays_where_it_was() -> None:
    chirp = tone(4_500, level=0.001)
    heard = high_passed(Waveform(tone(120) + chirp, RATE_HZ, "a note"), 2_000)
    assert (heard.rate_hz, heard.note, heard.samples.dtype) == (RATE_HZ, "a note", np.float32)
    np.testing.assert_allclose(heard.samples[100:-100], chirp[100:-100], atol=2e-6)
    assert np.abs(high_passed(Waveform(tone(120), RATE_HZ), 2_000).samples).max() < 1e-4  # also at both ends


def test_half_of_the_level_is_left_at_the_limit() -> None:
    middle = high_passed(Waveform(tone(2_000), RATE_HZ), 2_000).samples[6_000:18_000]
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.01)


@each("length", [1, 2, 100, 5_000])
@each("low_hz", [1, 20, 2_000, 11_900])
def test_short_sounds_and_extreme_limits_give_finite_sounds_of_the_same_length(length: int, low_hz: int) -> None:
    samples = high_passed(Waveform(tone(500)[:length], RATE_HZ), low_hz).samples
    assert len(samples) == length
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() < 3


def test_a_long_sound_in_blocks_is_the_same_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = Waveform(np.random.default_rng(0).normal(0, 0.1, 10_000).astype(np.float32), RATE_HZ)
    at_once = high_passed(sound, 1_000)
    monkeypatch.setattr(filters, "BLOCK_SAMPLES", 997)
    np.testing.assert_allclose(high_passed(sound, 1_000).samples, at_once.samples, atol=1e-6)


def test_a_sound_with_too_few_samples_a_second_says_so() -> None:
    with pytest.raises(UnreadableItemError, match="low_hz 12000: it has frequencies up to 12000 Hz"):
        high_passed(Waveform(tone(500), RATE_HZ), 12_000)
