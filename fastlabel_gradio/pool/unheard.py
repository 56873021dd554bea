"""What an encoder of sounds does not hear of a pool, in one line for its people."""

import math
from collections.abc import Sequence

from fastlabel_gradio.encoders.base import Encoder
from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.loudness import share_above
from fastlabel_gradio.sources.base import Source
from fastlabel_gradio.types import Item, Waveform

LISTENED_TO = 16  # items


def unheard_notice(source: Source, encoder: Encoder, items: Sequence[Item]) -> str:
    """Says so where most of the energy of most items lies above what the encoder hears, and which option to set.

    "" otherwise, and for pictures. Reads the first LISTENED_TO of the items whole.
    """
    if source.medium != "audio":
        return ""
    sounds = _read(source, items[:LISTENED_TO])
    unheard = [sound for sound in sounds if share_above(sound, encoder.top_hz) > 0.5]
    if not unheard or 2 * len(unheard) < len(sounds):
        return ""
    expand = source.sound_view.expand
    top_hz = encoder.top_hz * expand
    return (
        f"In {len(unheard)} of {len(sounds)} sounds listened to, more than half of the energy lies above {top_hz:,.0f} Hz, "
        f"which encoder '{encoder.name}' does not hear. {_remedy(encoder, max(s.rate_hz for s in unheard), expand)}"
    )


def _remedy(encoder: Encoder, rate_hz: int, expand: int) -> str:
    if encoder.follows_view:
        return f"The source's option `top_hz: {rate_hz * expand // 2}` lets it hear all."
    return f"The source's option `expand: {math.ceil(rate_hz * expand / 2 / encoder.top_hz)}` lets it hear all, slower."


def _read(source: Source, items: Sequence[Item]) -> list[Waveform]:
    sounds = []
    for item in items:
        try:
            media = source.read(item)
        except UnreadableItemError:
            continue  # listed with the reason when it is embedded
        if isinstance(media, Waveform):
            sounds.append(media)
    return sounds
