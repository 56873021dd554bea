"""SoundView: how the sounds of a pool are seen, heard and embedded. One for all of them, so that they compare."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from fastlabel_gradio.media.channels import Channel
from fastlabel_gradio.media.filters import high_passed
from fastlabel_gradio.types import Waveform

Contrast = Literal["decibels", "pcen"]

TOP_HZ = 11_025  # upper end of the pictures of music and speech
LEAST_TOP_HZ = 2_000  # pictures of less are drawn as if the sound were faster, or its pitches would be one blur
LEAST_RATE_HZ = 1_000  # fewer samples a second make no picture cheaper
HIGHEST_PLAIN_RATE_HZ = 96_000  # recorders of ultrasound take more
AUDIBLE_EXPAND = 10  # brings the calls of bats to where people hear best


@dataclass(frozen=True, slots=True)
class SoundView:
    """How the sounds of a pool are taken. Frequencies are those of the recording, also where it is played slower.

    Attributes:
        top_hz: upper end of the spectrograms.
        low_hz: lower end of the spectrograms; what lies below is filtered out of the sound. 0: nothing is.
        expand: how many times slower than it was recorded a sound is heard, by people and by encoders.
        contrast: how power becomes brightness: decibels, or PCEN, in which what goes on all the time is dark.
        channel: which of several channels is taken, as `open_sound` has it.
        rate_hz: samples a second that most recordings have; 0 where nobody looked.
    """

    top_hz: int = TOP_HZ
    low_hz: int = 0
    expand: int = 1
    contrast: Contrast = "decibels"
    channel: Channel = "auto"
    rate_hz: int = 0

    @property
    def changes_sound(self) -> bool:
        """Whether what is heard differs from the file."""
        return self.low_hz > 0 or self.expand > 1

    @property
    def sound_tag(self) -> str:
        """Names what is done to a sound before it is heard: letters, digits and '-'; "" where nothing is."""
        channel = f"-channel-{self.channel}" if self.channel != "auto" else ""
        low = f"-low{self.low_hz}" if self.low_hz else ""
        return channel + low + (f"-slower{self.expand}" if self.expand > 1 else "")

    @property
    def tag(self) -> str:
        """Names what is done to a sound and to its spectrogram; "" for the default."""
        top = f"-top{self.top_hz}" if self.top_hz != TOP_HZ else ""
        return top + self.sound_tag + ("-pcen" if self.contrast == "pcen" else "")

    @property
    def heard_top_hz(self) -> float:
        """Upper end of the spectrograms in the sound as it is heard."""
        return self.top_hz / self.expand

    @property
    def enough_rate_hz(self) -> int:
        """Samples a second of the sound as it is heard that are enough for its spectrogram."""
        return max(LEAST_RATE_HZ, round(2 * self.heard_top_hz))

    @property
    def stretch(self) -> float:
        """How many times slower than it was recorded a sound is drawn.

        The mel scale and the length of a window are made for what people hear. Bats are drawn as if they called slowly
        enough, and elephants as if they rumbled fast enough; ranges up to 2,000 to 11,025 Hz are drawn as they are heard.
        """
        heard = self.heard_top_hz
        return self.expand * max(min(heard / LEAST_TOP_HZ, 1.0), heard / TOP_HZ)

    @property
    def drawn_range_hz(self) -> tuple[float, float]:
        """Lower and upper end of the spectrograms in the sound as it is drawn."""
        return self.low_hz / self.stretch, self.top_hz / self.stretch

    @property
    def notice(self) -> str:
        """What to say of recordings that nobody hears as they are; "" where people hear them."""
        if self.rate_hz <= HIGHEST_PLAIN_RATE_HZ or self.expand > 1:
            return ""
        return (
            f"The recordings have {self.rate_hz:,} samples a second: what they hold above 20,000 Hz cannot be heard. "
            f"The source's option `expand: {AUDIBLE_EXPAND}` plays them {AUDIBLE_EXPAND} times slower."
        )


def default_top_hz(rate_hz: int, low_hz: int) -> int:
    """Where spectrograms end: at 11,025 Hz, or at half of the rate where that is ultrasound, or `low_hz` leaves little."""
    half_hz = rate_hz // 2
    leaves_little = 2 * low_hz > TOP_HZ and half_hz > max(low_hz, TOP_HZ)
    return half_hz if rate_hz > HIGHEST_PLAIN_RATE_HZ or leaves_little else TOP_HZ


def as_heard(waveform: Waveform, view: SoundView) -> Waveform:
    """The recorded sound as people and encoders get it: without what is too low, and slower. Raises UnreadableItemError."""
    if view.low_hz:
        waveform = high_passed(waveform, view.low_hz)
    peak = float(np.abs(waveform.samples).max(initial=0.0))
    notes = "; ".join(filter(None, (waveform.note, _unseen(waveform.rate_hz, view))))
    return slowed(replace(waveform, peak=peak, note=notes), view.expand)


def _unseen(rate_hz: int, view: SoundView) -> str:
    """What to say of ultrasound in a pool that holds little of it."""
    if rate_hz <= max(HIGHEST_PLAIN_RATE_HZ, view.rate_hz) or rate_hz <= 2 * view.top_hz:
        return ""
    return f"{rate_hz:,} samples a second, unlike most: what lies above {view.top_hz:,} Hz is not seen (option top_hz)"


def as_drawn(waveform: Waveform, view: SoundView) -> Waveform:
    """A sound as it is heard, as slow as its spectrogram takes it."""
    return slowed(waveform, view.stretch / view.expand)


def slowed(waveform: Waveform, times: float) -> Waveform:
    """The same samples, that many times slower."""
    return waveform if times == 1 else replace(waveform, rate_hz=round(waveform.rate_hz / times))
