"""Log-mel spectrograms: what a sound looks like, to encoders that hear with their eyes and to people.

The mel scale is HTK's, mel(f) = 2595 log10(1 + f / 700), and a filter is a triangle between the centres of its neighbours
(Young et al., The HTK Book, 5.4). Our own twenty lines, because importing librosa's takes seconds and the first batch
waits for it; the tests compare them with those of transformers.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from fastlabel_gradio.media.pcen import pcen
from fastlabel_gradio.media.sound_view import SoundView, as_drawn
from fastlabel_gradio.types import Waveform

if TYPE_CHECKING:
    import torch

PICTURE_VERSION = 2  # counts up with anything that changes the picture of a sound: what was made of it is made anew
TILE_SIZE_PX = (192, 96)
LARGE_SIZE_PX = (1200, 480)
RANGE_DB = 70.0  # what is quieter than the loudest by more than this is drawn as silence
MOST_BANDS = 192  # finer ones would have no frequency of their own at the low end
FRAMES_PER_COLUMN = 8  # at most; a picture of ten minutes samples them
FRAMES_AT_ONCE = 2048  # a sound of ten minutes must not take half a gigabyte
SILENCE = 1e-10  # power below which nothing is drawn, 100 dB below full scale: the noise of 16 bits lies just below
LEAST_RANGE_DB = 30.0  # above silence, or noise 90 dB down would fill the picture
LEAST_PCEN = 0.9  # at full brightness, or the flicker of steady noise would fill the picture
PCEN_SHOWN = 0.997  # of a picture's points lie below full brightness: one click must not darken all calls
PLAIN = SoundView()


@dataclass(frozen=True, slots=True)
class Drawing:
    """How finely a spectrogram is drawn.

    Attributes:
        window_s: length of a window, which blurs times shorter and pitches nearer than it can tell apart.
        bands: of the mel scale.
        range_db: what is quieter than the loudest by more than this is drawn as silence.
    """

    window_s: float
    bands: int
    range_db: float = RANGE_DB


# Black over violet and orange to light yellow: brightness grows evenly, so it reads without colour too.
_ANCHORS = ((6, 6, 20), (56, 16, 92), (130, 34, 110), (204, 66, 76), (246, 134, 40), (252, 204, 88), (252, 250, 190))

Spectrogram = Float32[np.ndarray, "frames bands"]
Levels = UInt8[np.ndarray, "frames bands"]


def mel_power(
    waveform: Waveform, *, window_s: float, hop_s: float, bands: int, top_hz: float, low_hz: float = 0.0
) -> Spectrogram:
    """Power of each mel band over time, float32[frames, bands], lowest band first; 1 is about a full-scale sine.

    A frame is centred on every multiple of `hop_s` from 0 to the end; beyond both ends there is silence.

    Args:
        window_s: length of the Hann window in seconds.
        hop_s: seconds from frame to frame.
        top_hz: upper end of the highest band. Bands above half the waveform's rate stay empty.
        low_hz: lower end of the lowest band.
    """
    import torch

    window = max(16, round(window_s * waveform.rate_hz))
    fft = 1 << (window - 1).bit_length()
    hop = max(1, round(hop_s * waveform.rate_hz))
    filters = _mel_filters(waveform.rate_hz, fft, bands, top_hz, low_hz)
    with torch.inference_mode():
        samples = torch.nn.functional.pad(torch.from_numpy(waveform.samples), (fft // 2, fft // 2))
        hann = torch.hann_window(window)
        scale = (2 / hann.sum()) ** 2
        frames = 1 + len(waveform.samples) // hop
        blocks = []
        for first in range(0, frames, FRAMES_AT_ONCE):
            last = min(first + FRAMES_AT_ONCE, frames) - 1
            part = samples[first * hop : last * hop + fft]
            bins = torch.stft(part, fft, hop, window, hann, center=False, return_complex=True)
            blocks.append(filters @ (torch.view_as_real(bins).square_().sum(-1) * scale))
        bands_over_time: np.ndarray = torch.cat(blocks, dim=1).T.contiguous().numpy()
        return bands_over_time


def mel_of(hz: float) -> float:
    """HTK's mel scale."""
    return 2595.0 * float(np.log10(1.0 + hz / 700.0))


def spectrogram_tile(waveform: Waveform, view: SoundView = PLAIN) -> Image.Image:
    """The sound, as it is heard, as a small grey picture: time from left to right, mel upwards, decibels as brightness."""
    return _drawn(waveform, TILE_SIZE_PX, view)


def spectrogram_picture(waveform: Waveform, size_px: tuple[int, int], view: SoundView = PLAIN) -> Image.Image:
    """The sound in colour, RGB, of that width and height; axes and brightness as on the tile."""
    return _coloured(np.asarray(_drawn(waveform, size_px, view)))


def large_spectrogram(waveform: Waveform, view: SoundView = PLAIN) -> Image.Image:
    """The sound in colour, 1,200 x 480 pixels, otherwise as `spectrogram_tile`."""
    return spectrogram_picture(waveform, LARGE_SIZE_PX, view)


def spectrogram_sheet(tiles: "list[Image.Image | None]", columns: int) -> Image.Image:
    """Tiles in colour, row by row, always `columns` wide; None leaves its tile dark."""
    width, height = TILE_SIZE_PX
    rows = -(-len(tiles) // columns)
    sheet = np.zeros((rows * height, columns * width), dtype=np.uint8)
    for position, tile in enumerate(tiles):
        if tile is not None:
            row, column = divmod(position, columns)
            sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = np.asarray(tile)
    return _coloured(sheet)


@cache
def _mel_filters(rate_hz: int, fft: int, bands: int, top_hz: float, low_hz: float = 0.0) -> "torch.Tensor":
    """float32[bands, fft / 2 + 1]: triangles of height 1."""
    import torch

    frequencies = np.arange(fft // 2 + 1) * (rate_hz / fft)
    corners = 700.0 * (10.0 ** (np.linspace(mel_of(low_hz), mel_of(top_hz), bands + 2) / 2595.0) - 1.0)
    rising = (frequencies - corners[:-2, None]) / np.diff(corners)[:-1, None]
    falling = (corners[2:, None] - frequencies) / np.diff(corners)[1:, None]
    return torch.from_numpy(np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32))


def spectrogram_levels(waveform: Waveform, size_px: tuple[int, int], view: SoundView, drawing: Drawing) -> Image.Image:
    """The sound in grey, of that width and height, drawn as finely as asked; axes and brightness as on the tile."""
    width, _ = size_px
    sound = as_drawn(waveform, view)
    low_hz, top_hz = view.drawn_range_hz
    column_s = sound.seconds / width
    hop_s = min(column_s, max(drawing.window_s / 2, column_s / FRAMES_PER_COLUMN))
    power = mel_power(sound, window_s=drawing.window_s, hop_s=hop_s, bands=drawing.bands, top_hz=top_hz, low_hz=low_hz)
    decibels = view.contrast == "decibels"
    levels = _levels(power, drawing.range_db) if decibels else _levels_above_usual(power, hop_s)
    return Image.fromarray(np.ascontiguousarray(levels.T[::-1])).resize(size_px, Image.Resampling.BILINEAR)


def _drawn(waveform: Waveform, size_px: tuple[int, int], view: SoundView) -> Image.Image:
    """As finely as people see it at that size."""
    height = size_px[1]
    drawing = Drawing(window_s=0.046 if height < 200 else 0.064, bands=min(height, MOST_BANDS))
    return spectrogram_levels(waveform, size_px, view, drawing)


def _levels(power: Spectrogram, range_db: float) -> Levels:
    """0 for silence and what is `range_db` below the loudest, 255 for the loudest."""
    silence = 10 * np.log10(SILENCE)
    decibels = 10 * np.log10(np.maximum(power, SILENCE))
    top = max(float(decibels.max()), silence + LEAST_RANGE_DB)
    shown_db = min(range_db, top - silence)  # of a quiet recording all that there is
    levels: np.ndarray = np.clip((decibels - top) * (255 / shown_db) + 255, 0, 255).astype(np.uint8)
    return levels


def _levels_above_usual(power: Spectrogram, hop_s: float) -> Levels:
    """0 for what is as loud as its band usually is, 255 for what stands out most."""
    above = pcen(power, hop_s)
    top = max(float(np.quantile(above, PCEN_SHOWN)), LEAST_PCEN)
    levels: np.ndarray = np.clip(above * (255 / top), 0, 255).astype(np.uint8)
    return levels


def _coloured(levels: UInt8[np.ndarray, "height width"]) -> Image.Image:
    picture = Image.fromarray(levels)
    picture.putpalette(_palette())
    return picture.convert("RGB")


@cache
def _palette() -> bytes:
    places = np.linspace(0, len(_ANCHORS) - 1, 256)
    channels = [np.interp(places, range(len(_ANCHORS)), channel) for channel in zip(*_ANCHORS, strict=True)]
    colours: np.ndarray = np.stack(channels, axis=1).round().astype(np.uint8)
    return colours.tobytes()
