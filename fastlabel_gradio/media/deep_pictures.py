"""Deep pictures: samples of more than 8 bits, or floats, become 8-bit pictures in which a person sees what they hold.

The range is the picture's own, found from all of it and robustly; one that uses the range of its numbers keeps that.
Knows nothing of files. Imports nothing of the package.
"""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

SAMPLED = 1_000_000  # pixels that tell the range of a larger picture
STRIPE_ROWS = 256
TAIL_PERCENT = 0.5
MARGIN = 0.25
LONE_GAP = 4.0

# The ranges that such numbers are usually written in; the first that fits is taken.
INTEGER_TOPS = (65_535.0,)
FLOAT_TOPS = (1.0, 255.0, 65_535.0)

# What stands for "no value" where no tag says so: GDAL's and ESRI's usual ones, and the fills of float formats.
FILLS = (-9_999.0, -99_999.0, -32_768.0, -32_767.0)
HUGE = 1e19

DEEP_MODES = frozenset({"I", "I;16", "I;16L", "I;16B", "I;16N", "F"})


@dataclass(frozen=True, slots=True)
class Samples:
    """A deep picture as its numbers.

    Attributes:
        colours: numbers[height, width, 1 or 3]: grey, or red, green and blue.
        alpha: numbers[height, width], full at the largest of as many bits as are used, at 1 for floats; None: opaque.
        nodata: the number that stands for "no value".
        white_is_zero: the smallest number is white.
        separate: the channels measure different things, so that each has a range of its own.
        note: what its user should know of how it was read.
    """

    colours: np.ndarray
    alpha: np.ndarray | None = None
    nodata: float | None = None
    white_is_zero: bool = False
    separate: bool = False
    note: str = ""


def drawn(samples: Samples) -> Image.Image:
    """The picture in 8 bits, grey or RGB, with alpha where it has some. What has no value, or no finite one, is black."""
    channels = samples.colours.shape[2]
    parts = [samples.colours[..., [channel]] for channel in range(channels)] if samples.separate else [samples.colours]
    eight_bits = np.concatenate([_scaled(part, samples) for part in parts], axis=2)
    picture = Image.fromarray(eight_bits[..., 0] if channels == 1 else eight_bits)
    if samples.alpha is not None:
        picture.putalpha(Image.fromarray(_opacity(samples.alpha, samples.colours)))
    return picture


def shown_range(values: np.ndarray, nodata: float | None = None) -> tuple[float, float]:
    """The numbers that become black and white.

    The smallest and the largest, where neither lies further from the rest than MARGIN of what lies between the 0.5th and
    the 99.5th percentile; else that far. "No value", numbers that are not finite, and a single number far from all others
    do not count. Where this fills at least half of a usual range (0 to 65,535 for integers; 0 to 1, 255 or 65,535 for
    floats, 5 % of overshoot allowed), the usual range is taken, so that pictures of one set stay comparable.
    """
    if values.dtype == np.uint8:
        return 0.0, 255.0
    step = max(1, math.isqrt(values.shape[0] * values.shape[1] // SAMPLED))
    sample = values[::step, ::step].astype(np.float64).ravel()
    sample = _without_lone_extremes(sample[_counts(sample, nodata)])
    tops = FLOAT_TOPS if values.dtype.kind == "f" else INTEGER_TOPS
    return _usual_or_own(*_robust_range(sample), tops) if sample.size else (0.0, 1.0)


def _usual_or_own(low: float, high: float, tops: tuple[float, ...]) -> tuple[float, float]:
    for top in tops:
        if low >= -0.05 * top and high <= 1.05 * top and (high - low >= top / 2 or high == low):
            return 0.0, top
    return (low, high) if high > low else (low - 1.0, low + 1.0)


def _robust_range(sample: np.ndarray) -> tuple[float, float]:
    lowest, highest = float(sample.min()), float(sample.max())
    low, high = np.percentile(sample, (TAIL_PERCENT, 100 - TAIL_PERCENT)).tolist()
    if low == high:  # a small thing on an even ground
        return lowest, highest
    margin = MARGIN * (high - low)
    return max(lowest, low - margin), min(highest, high + margin)


def _without_lone_extremes(sample: np.ndarray) -> np.ndarray:
    """Leaves out a smallest or largest number that stands far from all others: a fill that no tag names."""
    for extreme in (np.min, np.max):
        if sample.size == 0:
            break
        others = sample[sample != extreme(sample)]
        if others.size:
            low, high = np.percentile(others, (TAIL_PERCENT, 100 - TAIL_PERCENT))
            if abs(extreme(sample) - extreme(others)) > LONE_GAP * (high - low) > 0:
                sample = others
    return sample


def _counts(values: np.ndarray, nodata: float | None) -> np.ndarray:
    """Which float64 numbers are values: bool of the same shape."""
    counted: np.ndarray = np.abs(values) < HUGE  # false for NaN too
    for fill in FILLS if nodata is None else (*FILLS, nodata):
        counted &= values != fill
    return counted


def _scaled(values: np.ndarray, samples: Samples) -> np.ndarray:
    """In 8 bits, stripe by stripe: in one piece it would need eight times the memory of the answer."""
    low, high = shown_range(values, samples.nodata)
    if values.shape[2] == 3 and 0 <= low < high / 2:
        low = 0.0  # a colour keeps its hue only where zero stays black
    eight_bits = np.empty(values.shape, dtype=np.uint8)
    few = values.dtype.kind in "iu" and values.dtype.itemsize <= 2  # so few numbers that a table is quicker
    lowest = np.iinfo(values.dtype).min if few else 0
    table = _levels(np.arange(lowest, np.iinfo(values.dtype).max + 1), low, high, samples) if few else None
    for top in range(0, len(values), STRIPE_ROWS):
        stripe = values[top : top + STRIPE_ROWS]
        drawn_stripe = _levels(stripe, low, high, samples) if table is None else table[stripe.astype(np.intp) - lowest]
        eight_bits[top : top + STRIPE_ROWS] = drawn_stripe
    return eight_bits


def _levels(values: np.ndarray, low: float, high: float, samples: Samples) -> np.ndarray:
    numbers = values.astype(np.float64)
    counted = _counts(numbers, samples.nodata)
    levels = np.clip((np.where(counted, numbers, low) - low) * (255.0 / (high - low)), 0.0, 255.0)
    levels = np.rint(255.0 - levels if samples.white_is_zero else levels)
    return np.where(counted, levels, 0.0).astype(np.uint8)


def _opacity(alpha: np.ndarray, colours: np.ndarray) -> np.ndarray:
    full = 1.0 if alpha.dtype.kind == "f" else _full_alpha(alpha, colours)
    levels = np.clip(np.nan_to_num(alpha.astype(np.float32)) * (255.0 / full), 0.0, 255.0)
    opacity: np.ndarray = np.rint(levels).astype(np.uint8)
    return opacity


def _full_alpha(alpha: np.ndarray, colours: np.ndarray) -> float:
    """The largest number of as many bits as the picture uses: cameras write 12 bits in 16, of alpha too."""
    most = int(np.iinfo(alpha.dtype).max)
    if alpha.dtype != colours.dtype or alpha.size == 0:
        return float(most)
    used_bits = max(8, max(int(alpha.max()), int(colours.max())).bit_length())
    return float(min(most, (1 << used_bits) - 1))
