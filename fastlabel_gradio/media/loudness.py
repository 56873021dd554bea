"""How loud a sound is, by how much a quiet one is turned up, and how much of its energy lies above a frequency."""

import math

import numpy as np

from fastlabel_gradio.types import Waveform

QUIET_DBFS = -20.0  # a peak below this is turned up
LOUD_DBFS = -3.0  # to this
MOST_GAIN_DB = 60.0  # more would turn up the noise of the converter
BLOCK_SAMPLES = 4096
LISTENED_S = 60.0  # of a long sound, from its middle


def peak_dbfs(waveform: Waveform) -> float | None:
    """Its largest sample in decibels, 0 at full scale; None for digital silence."""
    peak = waveform.peak
    if peak is None:
        peak = float(np.abs(waveform.samples).max(initial=0.0))
    return 20 * math.log10(peak) if peak > 0 else None


def gain_db(peak: float | None) -> int:
    """By how many whole decibels a sound with that peak, in dBFS, is turned up; 0 where it is loud enough, or silence."""
    if peak is None or peak >= QUIET_DBFS:
        return 0
    return round(min(LOUD_DBFS - peak, MOST_GAIN_DB))


def share_above(waveform: Waveform, hz: float) -> float:
    """The part of a sound's energy that lies above a frequency, 0 to 1; 0 for silence."""
    around = round(LISTENED_S * waveform.rate_hz / 2)
    middle = len(waveform.samples) // 2
    samples = waveform.samples[max(0, middle - around) : middle + around]
    blocks = np.pad(samples, (0, -len(samples) % BLOCK_SAMPLES)).reshape(-1, BLOCK_SAMPLES)
    spectrum = np.fft.rfft(blocks * np.hanning(BLOCK_SAMPLES).astype(np.float32))
    energy = (spectrum.real**2 + spectrum.imag**2).sum(0)[1:]  # without a constant, which nobody hears
    frequencies = np.arange(1, len(energy) + 1) * (waveform.rate_hz / BLOCK_SAMPLES)
    total = float(energy.sum())
    return float(energy[frequencies > hz].sum()) / total if total > 0 else 0.0
