"""TIFF by its numbers: layouts, compressions, channels, and damage."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.pictures import open_picture, picture_size
from fastlabel_gradio.media.tiff_samples import read_samples, tiff_layout
from tests.cases import each

HEIGHT, WIDTH = 50, 70


def numbers(channels: int, dtype: str) -> np.ndarray:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    shares = np.stack([(columns * 7 + rows + 31 * channel) % 200 / 200 for channel in range(channels)], axis=2)
    kind = np.dtype(dtype)
    return (shares * (np.iinfo(kind).max if kind.kind in "iu" else 900)).astype(kind)


def written(values: np.ndarray, **options: object) -> io.BytesIO:
    buffer = io.BytesIO()
    options = {"photometric": "rgb" if values.shape[2] in (3, 4) else "minisblack", "metadata": None, **options}
    if values.shape[2] > 1:
        options.setdefault("planarconfig", "contig")
    if options.get("planarconfig") == "separate":
        values = np.moveaxis(values, 2, 0)
    elif values.shape[2] == 1:
        values = values[..., 0]
    tifffile.imwrite(buffer, values, **options)
    buffer.seek(0)
    return buffer


def assert_read(file: io.BytesIO, values: np.ndarray) -> None:
    layout = tiff_layout(file)
    assert layout is not None
    colours = 1 if values.shape[2] < 3 else 3
    np.testing.assert_array_equal(read_samples(file, layout).colours, values[..., :colours])


@each("dtype", ["u1", "u2", "i4", "f2", "f4", "f8"])
@each("channels", [1, 3, 13])
@each("tile", [None, (16, 32)])
def test_samples_come_as_they_were_written(dtype: str, channels: int, tile: tuple[int, int] | None) -> None:
    values = numbers(channels, dtype)
    rows = None if tile else 12
    assert_read(written(values, tile=tile, rowsperstrip=rows, compression="lzw"), values)


@each("compression", [None, "lzw", "deflate", "packbits", "lzma", "zstd"])
def test_every_lossless_compression_is_undone(compression: str | None) -> None:
    values = numbers(5, "u2")
    assert_read(written(values, compression=compression), values)


@each("dtype, predictor", [("u1", 2), ("u2", 2), ("i4", 2), ("f2", 3), ("f4", 3), ("f8", 3)])
@each("order", "<>")
@each("planar", ["contig", "separate"])
@each("tile", [None, (16, 32)])
def test_predictors_are_undone(
    dtype: str, predictor: int, order: str, planar: str, tile: tuple[int, int] | None
) -> None:
    values = numbers(3, dtype)
    file = written(values, compression="lzw", predictor=predictor, byteorder=order, planarconfig=planar, tile=tile)
    assert_read(file, values)


def test_a_bigtiff_is_read() -> None:
    values = numbers(5, "u2")
    assert_read(written(values, bigtiff=True), values)


def test_a_bigtiff_of_the_other_byte_order_says_what_helps() -> None:
    with pytest.raises(UnreadableItemError, match="little-endian"):
        open_picture(written(numbers(1, "u2"), bigtiff=True, byteorder=">"))


@each(
    "channels, words",
    [(2, "2 channels: the first is shown"), (5, "5 channels: the first 3 are shown"), (13, "13 channels: the first 3")],
)
@each("dtype", ["u1", "u2", "f4"])
def test_more_channels_than_colours_are_said(channels: int, words: str, dtype: str) -> None:
    picture = open_picture(written(numbers(channels, dtype)))
    assert picture.info["note"].startswith(words)
    assert picture.size == (WIDTH, HEIGHT)
    assert np.asarray(picture).std() > 30


def test_colour_with_one_channel_more_is_colour() -> None:
    values = numbers(5, "u1")
    picture = open_picture(written(values, photometric="rgb", planarconfig="contig"))
    np.testing.assert_array_equal(np.asarray(picture), values[..., :3])
    assert "5 channels" in picture.info["note"]


def test_8_bits_of_many_channels_are_not_stretched() -> None:
    values = numbers(5, "u1") // 3
    np.testing.assert_array_equal(np.asarray(open_picture(written(values))), values[..., :3])


def test_multiplied_alpha_is_undone() -> None:
    values = np.full((8, 8, 4), 65_535, dtype=np.uint16)
    values[..., :3] = 20_000
    values[..., 3] = 32_768
    values[0, 0] = 65_535
    layout_file = written(values, extrasamples=["assocalpha"])
    layout = tiff_layout(layout_file)
    assert layout is not None
    assert abs(int(read_samples(layout_file, layout).colours[4, 4, 0]) - 40_000) < 3


def test_pages_after_the_first_are_said_but_not_smaller_copies() -> None:
    def saved(subfiletype: int) -> io.BytesIO:
        buffer = io.BytesIO()
        with tifffile.TiffWriter(buffer) as file:
            file.write(numbers(1, "u2")[..., 0], metadata=None)
            file.write(numbers(1, "u2")[::2, ::2, 0], subfiletype=subfiletype, metadata=None)
        buffer.seek(0)
        return buffer

    assert "several pages" in open_picture(saved(0)).info["note"]
    assert open_picture(saved(1)).info == {}


def test_the_orientation_of_a_layout_that_pillow_does_not_know_counts() -> None:
    file = written(numbers(5, "u2"), extratags=[(274, "H", 1, 6, True)])
    assert open_picture(file).size == (HEIGHT, WIDTH)
    assert picture_size(file) == (WIDTH, HEIGHT)


@each(
    "options, words",
    [
        ({"photometric": "separated", "dtype": "f4", "channels": 4}, "colour space 5"),
        ({"compression": "jpeg2000", "channels": 5, "dtype": "u1"}, "JPEG 2000"),
        ({"dtype": "c8", "channels": 1}, "complex"),
    ],
)
def test_what_is_not_read_is_named(options: dict[str, object], words: str) -> None:
    values = numbers(int(str(options.pop("channels"))), str(options.pop("dtype")))
    with pytest.raises(UnreadableItemError, match=words):
        open_picture(written(values, **options))


def _with_tag(file: io.BytesIO, tag: int, value: int) -> io.BytesIO:
    content = bytearray(file.getvalue())
    place = next(at for at in range(10, 400, 12) if content[at : at + 2] == struct.pack("<H", tag))
    content[place + 2 : place + 12] = struct.pack("<HLL", 4, 1, value)
    return io.BytesIO(bytes(content))


@each(
    "tag, value, words",
    [
        (256, 0xFFFFFFF0, "too long"),
        (257, 0, "too small"),
        (278, 1, "parts where"),
        (279, 0xFFFFFFFF, "end of the file is missing"),
        (273, 0xFFFFFFF0, "end of the file is missing"),
        (277, 0, "parts where|damaged"),
    ],
)
def test_contradictions_are_refused_before_anything_is_decoded(tag: int, value: int, words: str) -> None:
    with pytest.raises(UnreadableItemError, match=words):
        open_picture(_with_tag(written(numbers(5, "u2"), rowsperstrip=HEIGHT, compression="lzw"), tag, value))


def test_parts_that_together_are_longer_than_the_file_are_refused() -> None:
    content = bytearray(written(numbers(5, "u2"), rowsperstrip=10, compression="lzw").getvalue())
    place = next(at for at in range(10, 400, 12) if content[at : at + 2] == struct.pack("<H", 279))
    assert struct.unpack("<HHL", content[place : place + 8]) == (279, 4, 5)
    at = struct.unpack("<L", content[place + 8 : place + 12])[0]
    content[at : at + 20] = struct.pack("<5L", *[len(content) // 2] * 5)
    offsets = next(at for at in range(10, 400, 12) if content[at : at + 2] == struct.pack("<H", 273))
    at = struct.unpack("<L", content[offsets + 8 : offsets + 12])[0]
    content[at : at + 20] = struct.pack("<5L", *[0] * 5)
    with pytest.raises(UnreadableItemError, match="longer than the file"):
        open_picture(io.BytesIO(bytes(content)))


def test_an_uncompressed_file_with_wrong_lengths_of_its_parts_is_read() -> None:
    values = numbers(5, "u2")
    assert_read(_with_tag(written(values, rowsperstrip=HEIGHT), 279, 7), values)


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    file = written(np.zeros((16, 16, 200), dtype=np.float64), compression="deflate", tile=(16, 16))
    file = _with_tag(_with_tag(file, 322, 16_000), 323, 16_000)
    with pytest.raises(UnreadableItemError, match="too large"):
        open_picture(file)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_random_damage_raises_nothing_but_reasons() -> None:
    rng = np.random.default_rng(3)
    files = [
        written(numbers(5, "u2"), compression="lzw", predictor=2),
        written(numbers(3, "f4"), compression="deflate", predictor=3, tile=(16, 16)),
        written(numbers(2, "u1"), compression="packbits", planarconfig="separate"),
        written(numbers(1, "f8"), bigtiff=True),
    ]
    for file in files:
        content = np.frombuffer(file.getvalue(), dtype=np.uint8)
        for attempt in range(120):
            damaged = content.copy()
            damaged[rng.integers(0, min(len(damaged), 500), 4)] = rng.integers(0, 256, 4)
            cut = damaged[: rng.integers(8, len(damaged))] if attempt % 4 == 0 else damaged
            try:
                picture = open_picture(io.BytesIO(cut.tobytes()))
            except UnreadableItemError as error:
                assert "\n" not in str(error)
                continue
            assert isinstance(picture, Image.Image) and picture.mode == "RGB"
