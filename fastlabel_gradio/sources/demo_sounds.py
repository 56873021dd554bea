"""Sounds that are made when they are read, of six classes that ear and spectrogram tell apart: no files, no network."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
from jaxtyping import Float32
from pydantic import NonNegativeInt

from fastlabel_gradio.sources.base import SOURCES, Source, SourceOptions
from fastlabel_gradio.sources.numbered import array_key, numbered_items, position_of
from fastlabel_gradio.types import Item, Waveform

RATE_HZ = 16_000
POOL_SIZE, TEST_SIZE = 600, 150
FADE_S = 0.01
RECIPE = 1  # counts up when the same seed and number give another sound

Samples: TypeAlias = Float32[np.ndarray, " samples"]


class DemoSoundsOptions(SourceOptions):
    """`seed`: another one gives other sounds."""

    seed: NonNegativeInt = 0


@SOURCES.register("demo_sounds")
class DemoSounds(Source):
    """600 sounds of 1 to 2 s at 16 kHz and 150 held out, each a pure function of the seed and its number."""

    medium = "audio"
    Options = DemoSoundsOptions

    def __init__(self, options: DemoSoundsOptions, base_dir: Path, cache_dir: Path) -> None:
        self._seed = options.seed

    def scan(self) -> Iterator[Item]:
        return numbered_items(0, POOL_SIZE, self._stamp)

    def held_out(self) -> Iterator[Item]:
        """The last 150 sounds."""
        return numbered_items(POOL_SIZE, POOL_SIZE + TEST_SIZE, self._stamp)

    def read(self, item: Item, resolution: int | None = None) -> Waveform:
        return Waveform(demo_sound(self._seed, _number(item)), RATE_HZ)

    def content_key(self, item: Item) -> str:
        return array_key(demo_sound(self._seed, _number(item)))

    def classes(self) -> tuple[str, ...]:
        return tuple(_MAKERS)

    def reference_label(self, item: Item) -> str | None:
        return _label(_number(item))

    @property
    def _stamp(self) -> str:
        return f"{RECIPE}:{self._seed}"


def demo_sound(seed: int, number: int) -> Samples:
    """The sound of that number: some silence, then a tone, chirp, warble, clicks or noise, in a little background noise.

    Length, onset, pitch, level and background are random; the sound lies 3 to 24 dB below full scale, the background 30 to
    50 dB below the sound.
    """
    rng = np.random.default_rng((seed, number))
    length = int(rng.integers(RATE_HZ, 2 * RATE_HZ + 1))
    onset = int(rng.uniform(0.02, 0.3) * RATE_HZ)
    time_s = np.arange(length - onset, dtype=np.float32) / np.float32(RATE_HZ)
    sound = _MAKERS[_label(number)](rng, time_s)
    fade = int(FADE_S * RATE_HZ)
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    sound[:fade] *= ramp
    sound[-fade:] *= ramp[::-1]
    samples = rng.standard_normal(length, dtype=np.float32)
    samples *= np.float32(_gain(rng.uniform(-50, -30)) / 3)
    samples[onset:] += sound / np.abs(sound).max()
    samples *= np.float32(_gain(rng.uniform(-24, -3)) / np.abs(samples).max())
    return samples


def _number(item: Item) -> int:
    return position_of(item, POOL_SIZE + TEST_SIZE)


def _label(number: int) -> str:
    return tuple(_MAKERS)[number % len(_MAKERS)]


def _gain(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def _pitch_hz(rng: np.random.Generator, low: float, high: float) -> float:
    return float(low * (high / low) ** rng.random())


def _sine(cycles: Samples) -> Samples:
    """The sine of a phase in cycles; whole ones are taken off first, float32 keeps too few digits of a large angle."""
    sine: Samples = np.sin((cycles - np.floor(cycles)) * np.float32(2 * np.pi))
    return sine


def _tone(rng: np.random.Generator, time_s: Samples) -> Samples:
    """One pitch with two overtones."""
    cycles = time_s * np.float32(_pitch_hz(rng, 200, 1500))
    return _sine(cycles) + _sine(2 * cycles) / 2 + _sine(3 * cycles) / 4


def _rising_chirp(rng: np.random.Generator, time_s: Samples) -> Samples:
    """From 200 to 800 Hz evenly up to three to six times that."""
    low = _pitch_hz(rng, 200, 800)
    slope = low * rng.uniform(2, 5) / time_s[-1]
    return _sine(time_s * np.float32(low) + time_s**2 * np.float32(slope / 2))


def _falling_chirp(rng: np.random.Generator, time_s: Samples) -> Samples:
    """A rising chirp backwards."""
    return _rising_chirp(rng, time_s)[::-1].copy()


def _warble(rng: np.random.Generator, time_s: Samples) -> Samples:
    """A pitch that swings by a third, 4 to 8 times a second."""
    pitch = _pitch_hz(rng, 400, 2000)
    swings_per_s = rng.uniform(4, 8)
    swing = np.cos(time_s * np.float32(2 * np.pi * swings_per_s)) * np.float32(pitch / 3 / (2 * np.pi * swings_per_s))
    return _sine(time_s * np.float32(pitch) - swing)


def _clicks(rng: np.random.Generator, time_s: Samples) -> Samples:
    """Knocks of a few milliseconds, 4 to 12 a second."""
    knock_s = np.arange(int(0.02 * RATE_HZ), dtype=np.float32) / np.float32(RATE_HZ)
    knock = _sine(knock_s * np.float32(_pitch_hz(rng, 800, 4000))) * np.exp(
        knock_s * np.float32(-rng.uniform(200, 600))
    )
    clicks = np.zeros_like(time_s)
    for start in range(0, len(clicks) - len(knock), int(RATE_HZ / rng.uniform(4, 12))):
        clicks[start : start + len(knock)] += knock
    return clicks


def _noise(rng: np.random.Generator, time_s: Samples) -> Samples:
    """Noise, brighter or darker."""
    white = rng.standard_normal(len(time_s) + 1, dtype=np.float32)
    return white[1:] + white[:-1] * np.float32(rng.uniform(-0.8, 0.8))


_MAKERS: dict[str, Callable[[np.random.Generator, Samples], Samples]] = {
    "tone": _tone,
    "rising chirp": _rising_chirp,
    "falling chirp": _falling_chirp,
    "warble": _warble,
    "clicks": _clicks,
    "noise": _noise,
}
