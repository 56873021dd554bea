"""Samples of more than 8 bits: what becomes black and white, and what does not count."""

import io
import struct
import zlib

import numpy as np
import tifffile
from PIL import Image

from fastlabel_gradio.media.deep_pictures import Samples, drawn, shown_range
from fastlabel_gradio.media.pictures import open_picture
from tests.cases import each

LEVELS = (0.28, 0.37, 0.53, 0.8, 1.0)  # four quadrants and a triangle in them


def shares(height: int = 80, width: int = 60) -> np.ndarray:
    """Four quadrants of different grey and a white triangle, as shares of full."""
    picture = np.empty((height, width))
    rows, columns = np.mgrid[:height, :width]
    for quadrant, level in enumerate(LEVELS[:4]):
        picture[(rows // (height // 2) == quadrant // 2) & (columns // (width // 2) == quadrant % 2)] = level
    picture[(rows > height // 4) & (rows < height // 2) & (abs(columns - width // 2) < rows - height // 4)] = LEVELS[4]
    return picture


def tiff(values: np.ndarray, **options: object) -> io.BytesIO:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **{"photometric": "minisblack", "metadata": None, **options})
    buffer.seek(0)
    return buffer


def png(samples: np.ndarray, colour_type: int, chunks: bytes = b"") -> io.BytesIO:
    """A PNG of 16 bits a sample, which Pillow does not write in colour: uint16[height, width, channels]."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))

    height, width = samples.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    header = struct.pack(">LLBBBBB", width, height, 16, colour_type, 0, 0, 0)
    extra = chunk(b"tRNS", chunks) if chunks else b""
    content = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + content)


def greys(file: io.BytesIO) -> np.ndarray:
    picture = np.asarray(open_picture(file))
    assert (picture[..., 0] == picture[..., 1]).all()
    return picture[..., 0].astype(int)


def assert_all_is_seen(picture: np.ndarray, counted: np.ndarray | None = None) -> None:
    """Each level lies well apart from the next, and together they use most of the range."""
    reference, everything = shares(*picture.shape), np.ones(picture.shape, dtype=bool)
    counted = everything if counted is None else counted
    seen = [float(np.median(picture[counted & (reference == level)])) for level in LEVELS]
    assert min(np.diff(seen)) >= 15
    assert seen[-1] - seen[0] >= 150 and seen[-1] >= 240


@each(
    "dtype, low, high",
    [
        *(("u2", 0, 4_095), ("u2", 0, 1_023), ("u2", 0, 65_535), ("u2", 29_315, 31_315), ("u4", 0, 4_000_000_000)),
        *(("u4", 0, 1_000), ("i2", -1_000, 3_000), ("i4", -70_000, 70_000), ("i1", -128, 127), ("u8", 0, 1 << 40)),
        *(("f4", 0, 1), ("f4", 0, 255), ("f4", 20, 40), ("f4", 400, 1_200), ("f4", -1, 1), ("f4", 0, 0.01)),
        *(("f8", 0, 1e9), ("f2", 0, 1), ("f4", 1e-6, 2e-6)),
    ],
)
@each("order", "<>")
def test_whatever_numbers_a_picture_is_written_in_it_is_seen(dtype: str, low: float, high: float, order: str) -> None:
    values = (shares() * (high - low) + low).astype(np.dtype(dtype).newbyteorder(order))
    assert_all_is_seen(greys(tiff(values, byteorder=order)))


@each("wrong", [-9999.0, -99999.0, -3.4028235e38, 3.4028235e38, 1e20, np.inf, -np.inf, np.nan])
@each("range_", [(0, 1), (20, 40), (400, 1_200)])
def test_pixels_without_a_value_are_black_and_change_no_other(wrong: float, range_: tuple[float, float]) -> None:
    values = (shares() * (range_[1] - range_[0]) + range_[0]).astype(np.float32)
    clean = greys(tiff(values))
    values[:20, :25] = wrong
    counted = np.ones(values.shape, dtype=bool)
    counted[:20, :25] = False
    picture = greys(tiff(values))
    assert (picture[~counted] == 0).all()
    assert_all_is_seen(picture, counted)
    assert np.abs(picture - clean)[counted].max() <= 1


@each("nodata", [0, 7, 65_535])
def test_the_nodata_tag_of_gdal_is_black(nodata: int) -> None:
    values = (shares() * 800 + 400).astype(np.uint16)
    values[:30] = nodata
    picture = greys(tiff(values, extratags=[(42113, "s", 0, str(nodata), True)]))
    assert (picture[:30] == 0).all()
    assert_all_is_seen(picture, np.arange(80)[:, None].repeat(60, axis=1) >= 30)


@each("fill, drawn_as", [(0, 0), (65_535, 255)])
def test_a_fill_that_no_tag_names_does_not_flatten_the_rest(fill: int, drawn_as: int) -> None:
    values = (shares() * 2_000 + 29_000).astype(np.uint16)
    values[:30] = fill
    picture = greys(tiff(values))
    assert (picture[:30] == drawn_as).all()
    assert_all_is_seen(picture, np.arange(80)[:, None].repeat(60, axis=1) >= 30)


@each("share", [1, 12])
def test_hot_pixels_do_not_darken_the_picture(share: int) -> None:
    values = (shares() * 1_000).astype(np.uint16)
    values.ravel()[np.random.default_rng(0).choice(values.size, share, replace=False)] = 60_000
    assert_all_is_seen(greys(tiff(values)))


def test_a_small_overshoot_leaves_the_usual_range() -> None:
    values = shares().astype(np.float32)
    plain = greys(tiff(values))
    values[3, 3] = 1.02
    assert np.array_equal(np.delete(greys(tiff(values)).ravel(), 3 * 60 + 3), np.delete(plain.ravel(), 3 * 60 + 3))


@each("dtype, full", [("u2", 65_535), ("f4", 1.0), ("f4", 255.0), ("f4", 65_535.0)])
def test_a_picture_that_uses_its_range_keeps_it(dtype: str, full: float) -> None:
    values = (shares() * full).astype(dtype)
    assert np.abs(greys(tiff(values)) - shares() * 255).max() <= 1


def test_a_small_bright_thing_on_an_even_ground_is_seen() -> None:
    values = np.full((200, 200), 100, dtype=np.uint16)
    values[90:98, 90:98] = 900
    picture = greys(tiff(values))
    assert picture[93, 93] - picture[5, 5] > 200


@each("constant", [0, 300, np.nan, -9999.0])
def test_a_picture_of_one_number_is_drawn(constant: float) -> None:
    assert len(np.unique(greys(tiff(np.full((9, 9), constant, dtype=np.float32))))) == 1


@each("dtype", ["u2", "f4"])
def test_zero_is_white_where_the_file_says_so(dtype: str) -> None:
    values = shares() * (65_535 if dtype == "u2" else 1)
    inverted = (values.max() - values).astype(dtype)
    assert np.abs(greys(tiff(inverted, photometric="miniswhite")) - shares() * 255).max() <= 1


def test_the_range_of_a_large_picture_is_found_from_a_part_of_it() -> None:
    values = np.tile((shares() * 1_000).astype(np.uint16), (40, 40))
    low, high = shown_range(values[..., None])
    assert (low, high) == (280.0, 1_000.0)


@each("depth", [10, 12, 14])
def test_packed_integers_are_unpacked(depth: int) -> None:
    values = (shares() * ((1 << depth) - 1)).astype(np.uint16)
    bits = (values[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    packed = np.packbits(bits.reshape(80, -1).astype(np.uint8), axis=1)
    file = tiff(packed)
    content = bytearray(file.getvalue())
    for tag, value in ((256, 60), (258, depth)):
        place = content.index(struct.pack("<H", tag), 8)
        content[place + 8 : place + 10] = struct.pack("<H", value)
    assert_all_is_seen(greys(io.BytesIO(bytes(content))))


@each("depth", [1, 4])
def test_few_bits_are_enough(depth: int) -> None:
    steps = (shares() > 0.5).astype(np.uint8) if depth == 1 else (shares() * 15).astype(np.uint8)
    bits = (steps[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    rows = np.packbits(bits.reshape(80, -1).astype(np.uint8), axis=1)
    raw = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))

    header = struct.pack(">LLBBBBB", 60, 80, depth, 0, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", raw) + chunk(b"IEND", b"")
    picture = greys(io.BytesIO(b"\x89PNG\r\n\x1a\n" + content))
    assert np.abs(picture - steps.astype(int) * (255 // ((1 << depth) - 1))).max() <= 1


COLOURS = np.array([[[220, 40, 40], [40, 200, 60]], [[40, 60, 220], [240, 220, 60]]]).repeat(20, 0).repeat(20, 1)


@each("top", [1_023, 4_095, 16_383, 65_535])
@each("kind", ["png", "tiff", "tiff planar", "ppm"])
def test_colour_of_any_depth_keeps_its_colours(top: int, kind: str) -> None:
    values = np.rint(COLOURS * (top / 255)).astype(np.uint16)
    values[0, 0] = top
    if kind == "png":
        file = png(values, 2)
    elif kind == "ppm":
        file = io.BytesIO(b"P6\n40 40\n65535\n" + values.astype(">u2").tobytes())
    else:
        planar = kind == "tiff planar"
        file = tiff(
            np.moveaxis(values, 2, 0) if planar else values,
            photometric="rgb",
            planarconfig="separate" if planar else "contig",
        )
    assert np.abs(np.asarray(open_picture(file)).astype(int) - COLOURS)[1:].max() <= 1


def test_a_ppm_is_read_by_the_largest_value_that_it_names() -> None:
    values = np.rint(COLOURS * (4_095 / 255)).astype(">u2")
    picture = open_picture(io.BytesIO(b"P6\n40 40\n4095\n" + values.tobytes()))
    assert np.abs(np.asarray(picture).astype(int) - COLOURS).max() <= 1
    few = (COLOURS // 16).astype(np.uint8)
    picture = open_picture(io.BytesIO(b"P6\n40 40\n15\n" + few.tobytes()))
    assert np.abs(np.asarray(picture).astype(int) - few.astype(int) * 17).max() <= 1


def test_float_colour_is_seen() -> None:
    picture = np.asarray(open_picture(tiff((COLOURS / 255 * 3_000).astype(np.float32), photometric="rgb")))
    assert np.abs(picture.astype(int) - COLOURS * (255 / 240)).max() <= 2


@each("kind", ["png", "tiff"])
def test_deep_pictures_with_alpha_lie_on_the_ground_of_all(kind: str) -> None:
    ground = np.asarray(open_picture(clear_png((40, 40))))
    values = np.concatenate([np.rint(COLOURS * (4_095 / 255)), np.full((40, 40, 1), 65_535)], axis=2).astype(np.uint16)
    values[:20, :20, 3] = 0
    file = png(values, 6) if kind == "png" else tiff(values, photometric="rgb", extrasamples=["unassalpha"])
    picture = np.asarray(open_picture(file))
    assert np.array_equal(picture[:20, :20], ground[:20, :20])
    assert np.abs(picture[20:].astype(int) - COLOURS[20:] * (255 / 240)).max() <= 2


def test_deep_grey_with_alpha_is_seen() -> None:
    values = np.stack([shares() * 4_095, np.full((80, 60), 65_535)], axis=2).astype(np.uint16)
    assert_all_is_seen(greys(png(values, 4)))


def test_a_transparent_colour_of_16_bits_is_compared_in_full_depth() -> None:
    values = np.rint(COLOURS * 257.0).astype(np.uint16)
    values[:20, :20] += 1  # another colour in its low byte only
    key = b"".join(struct.pack(">H", int(level)) for level in values[0, 0])
    picture = np.asarray(open_picture(png(values, 2, key)))
    assert np.array_equal(picture[:20, :20], np.asarray(open_picture(clear_png((40, 40))))[:20, :20])
    assert np.array_equal(picture[20:], COLOURS[20:])


def clear_png(size: tuple[int, int]) -> io.BytesIO:
    buffer = io.BytesIO()
    Image.new("RGBA", size, (0, 0, 0, 0)).save(buffer, "PNG")
    buffer.seek(0)
    return buffer


def test_channels_that_measure_different_things_have_ranges_of_their_own() -> None:
    colours = np.stack([shares() * 10, shares() * 1_000, shares() * 1e6], axis=2).astype(np.float32)
    picture = np.asarray(drawn(Samples(colours, separate=True))).astype(int)
    for channel in range(3):
        assert_all_is_seen(picture[..., channel])


@each("top, alpha, opacity", [(4095, 4095, 255), (4095, 65_535, 255), (65_535, 4095, 16), (255, 128, 128)])
def test_alpha_is_full_at_the_largest_number_of_as_many_bits_as_are_used(top: int, alpha: int, opacity: int) -> None:
    colours = np.linspace(0, top, 300).astype(np.uint16).reshape(10, 10, 3)
    picture = drawn(Samples(colours, np.full((10, 10), alpha, dtype=np.uint16)))
    assert picture.getchannel("A").getextrema() == (opacity, opacity)
