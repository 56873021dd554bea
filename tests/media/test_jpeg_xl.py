"""JPEG XL, where its reader is installed."""

import io

import imagecodecs
import numpy as np
import pytest

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.jpeg_xl import jpeg_xl_size
from fastlabel_gradio.media.pictures import open_picture, picture_size
from tests.cases import each


def encoded(values: np.ndarray, **options: object) -> io.BytesIO:
    return io.BytesIO(imagecodecs.jpegxl_encode(values, lossless=True, **options))


def colours(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


@each("size", [(160, 120), (33, 77), (90, 160), (8, 16), (3, 1000), (300, 300)])
@each("container", [False, True])
def test_size_and_pixels_come_as_they_were_written(size: tuple[int, int], container: bool) -> None:
    values = colours(*size)
    file = encoded(values, usecontainer=container)
    assert picture_size(file) == size[::-1]
    np.testing.assert_array_equal(np.asarray(open_picture(file)), values)


def test_grey_alpha_and_16_bits_are_seen() -> None:
    grey = colours(20, 30, 1)[..., 0]
    assert np.array_equal(np.asarray(open_picture(encoded(grey)))[..., 0], grey)
    clear = colours(20, 30, 4)
    clear[..., 3] = 0
    assert open_picture(encoded(clear)).info["note"] == "wholly transparent"
    deep = (colours(20, 30).astype(np.uint16) * 16).astype(np.uint16)
    assert np.abs(np.asarray(open_picture(encoded(deep))).astype(int) - colours(20, 30)).max() <= 1


def test_a_bomb_is_refused_by_its_header() -> None:
    bits = 0 | (3 << 1) | ((40_000 - 1) << 3) | (0 << 33) | (3 << 36) | ((40_000 - 1) << 38)
    file = io.BytesIO(b"\xff\x0a" + bits.to_bytes(16, "little"))
    assert jpeg_xl_size(file) == (40_000, 40_000)
    with pytest.raises(UnreadableItemError, match="too long"):
        open_picture(file)


def test_damage_raises_nothing_but_reasons() -> None:
    rng = np.random.default_rng(5)
    for container in (False, True):
        content = np.frombuffer(encoded(colours(16, 16), usecontainer=container).getvalue(), dtype=np.uint8)
        for attempt in range(60):
            damaged = content.copy()
            damaged[rng.integers(2, len(damaged), 4)] = rng.integers(0, 256, 4)
            cut = damaged[: rng.integers(3, len(damaged))] if attempt % 3 == 0 else damaged
            try:
                assert open_picture(io.BytesIO(cut.tobytes())).mode == "RGB"
            except UnreadableItemError as error:
                assert "\n" not in str(error)
