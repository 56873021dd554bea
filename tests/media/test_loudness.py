"""How loud a sound is, by how much it is turned up, and what lies above a frequency."""

import numpy as np
import pytest

from fastlabel_gradio.media.loudness import gain_db, peak_dbfs, share_above
from fastlabel_gradio.types import Waveform
from tests.cases import each

RATE_HZ = 44_100


def tones(*parts: tuple[float, float], seconds: float = 0.5) -> Waveform:
    """A sum of sines of (frequency, level)."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return Waveform(sum(level * np.sin(2 * np.pi * hz * time_s) for hz, level in parts).astype(np.float32), RATE_HZ)


def test_the_peak_is_that_of_the_recording_where_it_was_measured() -> None:
    quiet = tones((440, 0.001))
    assert peak_dbfs(quiet) == pytest.approx(-60, abs=0.01)
    assert peak_dbfs(Waveform(quiet.samples, RATE_HZ, peak=0.1)) == pytest.approx(-20)
    assert peak_dbfs(Waveform(np.zeros(9, dtype=np.float32), RATE_HZ)) is None
    assert peak_dbfs(Waveform(np.zeros(0, dtype=np.float32), RATE_HZ)) is None


@each("peak, gain", [(None, 0), (0.0, 0), (-20.0, 0), (-20.1, 17), (-60.0, 57), (-63.0, 60), (-90.0, 60)])
def test_a_quiet_sound_is_turned_up_to_just_below_full_scale_but_not_without_end(peak: float, gain: int) -> None:
    assert gain_db(peak) == gain


def test_the_share_of_the_energy_above_a_frequency() -> None:
    both = tones((1_000, 0.1), (15_000, 0.2))
    assert share_above(both, 11_025) == pytest.approx(0.8, abs=0.01)
    assert share_above(both, 500) == pytest.approx(1, abs=0.01)
    assert share_above(both, RATE_HZ / 2) == 0
    assert share_above(Waveform(np.zeros(100, dtype=np.float32), RATE_HZ), 100) == 0
