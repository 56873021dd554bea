"""Per-channel energy normalization by librosa: each band against its own recent loudness, so that wind and hum fade.

Source: Y. Wang et al., Trainable Frontend For Robust and Far-Field Keyword Spotting, ICASSP 2017, equation 1; for
bioacoustics V. Lostanlen et al., Per-Channel Energy Normalization: Why and How, IEEE SPL 2019.
"""

import threading

import numpy as np
from jaxtyping import Float32

GAIN = 0.98  # 1: how loud a band is all the time makes no difference
BIAS = 2.0
POWER = 0.25  # the fourth root keeps a loud call from darkening the others
MEMORY_S = 0.4  # how long a sound has to go on until it is usual
SILENCE = 1e-9  # power, 90 dB below full scale: what is quieter does not stand out

Spectrogram = Float32[np.ndarray, "frames bands"]


def pcen(power: Spectrogram, hop_s: float) -> Spectrogram:
    """How much each band stands out at each moment: 0 in silence, about 0.1 as usual, 1 at the beginning of a call.

    A band is taken to have been as loud before the first frame as it is in the middle of its levels, so that the
    beginning of a sound does not stand out.
    """
    from librosa import pcen as normalised
    from scipy.signal import lfilter_zi

    times = MEMORY_S / hop_s
    smoothing = (np.sqrt(1 + 4 * times**2) - 1) / (2 * times**2)
    usual = np.median(power, axis=0, keepdims=True)
    before = lfilter_zi([smoothing], [1, smoothing - 1]) * usual
    shown: Spectrogram = normalised(
        power, gain=GAIN, bias=BIAS, power=POWER, b=smoothing, eps=SILENCE, axis=0, zi=before
    ).astype(np.float32)
    return shown


def import_librosa() -> threading.Thread:
    """Begins to import librosa, which takes seconds, so that the first spectrogram need not wait as long."""

    def imports() -> None:
        from librosa import pcen  # noqa: F401

    thread = threading.Thread(target=imports, name="librosa", daemon=True)
    thread.start()
    return thread
