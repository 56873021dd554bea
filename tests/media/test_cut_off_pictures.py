"""Pictures whose end is missing."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.pictures import open_picture
from tests.cases import each


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8))


def cut(kind: str, share: float, **options: object) -> io.BytesIO:
    buffer = io.BytesIO()
    noise().save(buffer, kind, **options)
    return io.BytesIO(buffer.getvalue()[: round(len(buffer.getvalue()) * share)])


@each("kind", ["JPEG", "PNG"])
@each("share", [0.4, 0.6, 0.8])
def test_what_is_there_is_shown_and_said(kind: str, share: float) -> None:
    picture = open_picture(cut(kind, share))
    assert picture.size == (160, 120)
    rows = int(120 * share) - 20
    np.testing.assert_array_equal(np.asarray(picture)[:rows], np.asarray(open_picture(cut(kind, 1.0)))[:rows])
    assert np.asarray(picture)[-8:].std() < 1
    said = picture.info["note"]
    assert "as far as it goes" in said
    assert abs(int(said.split(": ")[1].split("%")[0]) - 100 * share) < 12


@each("kind", ["JPEG", "PNG"])
@each("share", [0.02, 0.15])
def test_too_little_of_a_picture_is_refused(kind: str, share: float) -> None:
    with pytest.raises(UnreadableItemError, match="cut off"):
        open_picture(cut(kind, share))


@each("kind", ["JPEG", "PNG"])
def test_a_picture_that_must_be_whole_is_refused(kind: str) -> None:
    with pytest.raises(UnreadableItemError, match="cut off"):
        open_picture(cut(kind, 0.9), whole=True)


def test_only_the_end_marker_of_a_jpeg_is_missing() -> None:
    buffer = io.BytesIO()
    noise().save(buffer, "JPEG")
    picture = open_picture(io.BytesIO(buffer.getvalue()[:-2]))
    assert picture.tobytes() == open_picture(buffer).tobytes()
    assert picture.info["note"] == "the end marker is missing, shown as far as it goes"


def test_a_progressive_jpeg_comes_whole_and_less_sharp() -> None:
    picture = open_picture(cut("JPEG", 0.5, progressive=True))
    assert np.abs(np.asarray(picture).astype(int) - np.asarray(noise())).mean() < 60
    assert "as far as it goes" in picture.info["note"]


def test_a_large_jpeg_that_is_cut_off_is_decoded_smaller() -> None:
    buffer = io.BytesIO()
    noise().resize((1600, 1200)).save(buffer, "JPEG")
    picture = open_picture(io.BytesIO(buffer.getvalue()[: len(buffer.getvalue()) * 3 // 4]), enough_px=300)
    assert picture.size == (400, 300)
    assert "as far as it goes" in picture.info["note"]


def test_the_orientation_of_a_cut_off_jpeg_counts() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert open_picture(cut("JPEG", 0.9, exif=exif)).size == (120, 160)


def test_an_interlaced_png_that_is_cut_off_is_refused() -> None:
    buffer = io.BytesIO()
    noise().save(buffer, "PNG")
    content = bytearray(buffer.getvalue()[: len(buffer.getvalue()) * 3 // 4])
    content[28] = 1
    content[29:33] = struct.pack(">L", zlib.crc32(bytes(content[12:29])))
    with pytest.raises(UnreadableItemError):
        open_picture(io.BytesIO(bytes(content)))


def test_damage_elsewhere_is_not_hidden() -> None:
    open_picture(cut("JPEG", 0.9))
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
    with pytest.raises(UnreadableItemError):
        open_picture(cut("GIF", 0.9))


def deep_png(colour_type: int, values: np.ndarray, share: float) -> io.BytesIO:
    """A 16-bit PNG of noise of which only a part is there."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return io.BytesIO(content[: round(len(content) * share)])


@each("colour_type, channels", [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_a_deep_png_that_is_cut_off_is_shown_as_far_as_it_goes(colour_type: int, channels: int) -> None:
    values = np.random.default_rng(1).integers(0, 65_536, (80, 100, channels))
    values[..., 1::2] |= 0xFF00 if channels in (2, 4) else 0
    picture = open_picture(deep_png(colour_type, values, 0.6))
    whole = np.asarray(open_picture(deep_png(colour_type, values, 1.0))).astype(int)
    assert np.abs(np.asarray(picture)[:40] - whole[:40]).max() <= 1
    assert "shown as far as it goes" in picture.info["note"]


def test_a_deep_png_of_which_little_is_there_or_that_must_be_whole_is_refused() -> None:
    values = np.random.default_rng(1).integers(0, 65_536, (80, 100, 3))
    with pytest.raises(UnreadableItemError, match=r"cut off: only 1\d% of its rows"):
        open_picture(deep_png(2, values, 0.15))
    with pytest.raises(UnreadableItemError, match="cut off"):
        open_picture(deep_png(2, values, 0.8), whole=True)
