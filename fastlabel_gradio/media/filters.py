"""Filters of sounds: what lies below a frequency is taken out."""

import numpy as np
from jaxtyping import Float32

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.types import Waveform

ORDER = 4  # 48 dB an octave, because it is applied forwards and backwards
PADDED_CYCLES = 10  # of the limit, at both ends, in which the filter's beginning dies away
BLOCK_SAMPLES = 1 << 20  # scipy computes in float64: ten minutes at once would take gigabytes

Samples = Float32[np.ndarray, " samples"]


def high_passed(waveform: Waveform, low_hz: float) -> Waveform:
    """The sound without what lies below `low_hz`, by a Butterworth filter that delays nothing; -6 dB at `low_hz`.

    Raises:
        UnreadableItemError: it has so few samples a second that nothing can lie above.
    """
    from scipy.signal import butter

    if low_hz >= waveform.rate_hz / 2:
        most_hz = waveform.rate_hz / 2
        raise UnreadableItemError(f"nothing lies above low_hz {low_hz:g}: it has frequencies up to {most_hz:g} Hz")
    sections = butter(ORDER, low_hz, "highpass", fs=waveform.rate_hz, output="sos")
    padding = min(len(waveform.samples) - 1, round(PADDED_CYCLES * waveform.rate_hz / low_hz))
    padded = np.pad(waveform.samples, padding, mode="reflect", reflect_type="odd")
    forwards = _filtered(padded, sections)
    backwards = _filtered(forwards[::-1], sections)[::-1]
    samples = np.ascontiguousarray(backwards[padding : padding + len(waveform.samples)])
    return Waveform(samples, waveform.rate_hz, waveform.note)


def _filtered(samples: Samples, sections: np.ndarray) -> Samples:
    """Through the filter once, from a state in which the first sample has always been there."""
    from scipy.signal import sosfilt, sosfilt_zi

    state = sosfilt_zi(sections) * float(samples[0])
    filtered = np.empty(len(samples), dtype=np.float32)
    for start in range(0, len(samples), BLOCK_SAMPLES):
        block = samples[start : start + BLOCK_SAMPLES]
        filtered[start : start + len(block)], state = sosfilt(sections, block, zi=state)
    return filtered
