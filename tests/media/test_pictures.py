"""Pictures in and out: what `fastlabel_gradio.media.pictures` accepts, refuses and makes."""

import io
import os
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media import pictures
from tests.cases import each
from tests.heif_files import heic

RED, BLUE = (220, 20, 20), (20, 20, 220)


def encoded(picture: Image.Image, kind: str, **options: object) -> io.BytesIO:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    buffer.seek(0)
    return buffer


def halves(width: int = 64, height: int = 32) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(BLUE, (width // 2, 0, width, height))
    return picture


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def png_claiming(width: int, height: int) -> io.BytesIO:
    """A PNG whose header claims a size that its few bytes of data do not have."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + body)


def is_near(pixel: object, colour: tuple[int, int, int], tolerance: int = 12) -> bool:
    return bool(np.all(np.abs(np.asarray(pixel, dtype=int) - colour) <= tolerance))


def reason(file: io.BytesIO | Path) -> str:
    with pytest.raises(UnreadableItemError) as caught:
        pictures.open_picture(file)
    text = str(caught.value)
    assert text and "\n" not in text and len(text) < 160
    return text


@each("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "JPEG2000", "PPM", "AVIF", "DIB"])
def test_every_known_format_opens_as_rgb(kind: str) -> None:
    picture = pictures.open_picture(encoded(halves(), kind))
    assert (picture.mode, picture.size) == ("RGB", (64, 32))
    assert is_near(picture.getpixel((5, 16)), RED) and is_near(picture.getpixel((58, 16)), BLUE)


def test_a_multi_picture_jpeg_of_a_phone_gives_its_first_picture() -> None:
    file = encoded(halves(), "MPO", save_all=True, append_images=[noise(64, 32)])
    assert is_near(pictures.open_picture(file).getpixel((5, 16)), RED)


def stored(orientation: int) -> Image.Image:
    """`halves` as a camera stores it that says so of its orientation."""
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    return halves() if orientation == 1 else halves().transpose(turns[orientation])


def assert_upright(picture: Image.Image) -> None:
    assert picture.size == (64, 32)
    assert is_near(picture.getpixel((5, 16)), RED, 20) and is_near(picture.getpixel((58, 16)), BLUE, 20)


@each("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@each("orientation", range(1, 9))
def test_exif_orientation_is_undone(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert_upright(pictures.open_picture(encoded(stored(orientation), kind, exif=exif)))


def xmp(orientation: int, form: str) -> bytes:
    said = {
        "attribute": f'<rdf:Description tiff:Orientation="{orientation}"/>',
        "single quotes": f"<rdf:Description tiff:Orientation = '{orientation}'/>",
        "element": f"<rdf:Description><tiff:Orientation> {orientation} </tiff:Orientation></rdf:Description>",
    }[form]
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>{said}</rdf:RDF></x:xmpmeta>'.encode()


def with_xmp(picture: Image.Image, kind: str, packet: bytes, **options: object) -> io.BytesIO:
    if kind == "PNG":
        text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", packet.decode())
        return encoded(picture, kind, pnginfo=text, **options)
    if kind == "TIFF":
        return encoded(picture, kind, tiffinfo={700: packet}, **options)
    return encoded(picture, kind, xmp=packet, **options)


@each("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@each("form", ["attribute", "single quotes", "element"])
@each("orientation", [3, 6])
def test_xmp_orientation_counts_where_exif_has_none(kind: str, form: str, orientation: int) -> None:
    assert_upright(pictures.open_picture(with_xmp(stored(orientation), kind, xmp(orientation, form))))


@each("kind", ["JPEG", "WEBP"])
@each("said, counts", [(None, 6), (0, 6), (8, 8), (1, 1)])
def test_exif_goes_before_xmp_where_it_says_something(kind: str, said: int | None, counts: int) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a picture"
    if said is not None:
        exif[0x0112] = said
    assert_upright(pictures.open_picture(with_xmp(stored(counts), kind, xmp(6, "attribute"), exif=exif)))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_exif_leaves_the_orientation_of_xmp() -> None:
    damaged = b"Exif\x00\x00MM\x00\x2a\xff\xff\xff\xff" + bytes(range(40))
    assert_upright(pictures.open_picture(with_xmp(stored(6), "JPEG", xmp(6, "attribute"), exif=damaged)))


@each("orientation", [1, 3, 6, 8])
def test_a_heic_is_turned_once(orientation: int) -> None:
    upright = halves(128, 64)
    turns = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    turned = upright if orientation == 1 else upright.transpose(turns[orientation])
    picture = pictures.open_picture(io.BytesIO(heic(turned, orientation)))
    assert picture.size == (128, 64) and picture.info == {}
    assert is_near(picture.getpixel((9, 32)), RED) and is_near(picture.getpixel((118, 32)), BLUE)


def test_a_heic_that_is_called_a_jpeg_is_read(tmp_path: Path) -> None:
    (tmp_path / "sent.jpg").write_bytes(heic(halves(128, 64)))
    assert pictures.open_picture(tmp_path / "sent.jpg").size == (128, 64)


def test_an_icon_gives_its_largest_picture() -> None:
    assert pictures.open_picture(encoded(halves(64, 64), "ICO", sizes=[(16, 16), (64, 64)])).size == (64, 64)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_exif_does_not_hide_a_good_picture() -> None:
    file = encoded(halves(), "JPEG", exif=b"Exif\x00\x00MM\x00\x2a\xff\xff\xff\xff" + bytes(range(40)))
    assert pictures.open_picture(file).size == (64, 32)


def test_cmyk_is_converted() -> None:
    assert is_near(pictures.open_picture(encoded(halves().convert("CMYK"), "JPEG")).getpixel((5, 16)), RED)


@each("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(kind: str) -> None:
    ramp = np.linspace(0, 65_535, 256, dtype=np.uint16)[None].repeat(8, axis=0)
    values = np.asarray(pictures.open_picture(encoded(Image.fromarray(ramp), kind)))[0, :, 0]
    assert np.abs(values.astype(int) - np.arange(256)).max() <= 1


@each("low, high", [(0.0, 1.0), (0.0, 255.0), (-3.0, 90_000.0)])
def test_float_pictures_use_the_whole_range(low: float, high: float) -> None:
    ramp = np.linspace(low, high, 256, dtype=np.float32)[None].repeat(8, axis=0)
    values = np.asarray(pictures.open_picture(encoded(Image.fromarray(ramp), "TIFF")))[0, :, 0]
    assert np.abs(values.astype(int) - np.arange(256)).max() <= 1


def test_integers_beyond_sixteen_bits_are_scaled_by_their_own_range() -> None:
    ramp = np.linspace(0, 1_000_000, 256, dtype=np.int32)[None].repeat(8, axis=0)
    values = np.asarray(pictures.open_picture(encoded(Image.fromarray(ramp), "TIFF")))[0, :, 0]
    assert np.abs(values.astype(int) - np.arange(256)).max() <= 1


def ground(size: tuple[int, int]) -> np.ndarray:
    """What a wholly transparent picture becomes."""
    return np.asarray(pictures.open_picture(encoded(Image.new("RGBA", size, (0, 0, 0, 0)), "PNG")))


def shape(mode: str, colour: object, size: tuple[int, int] = (200, 100)) -> Image.Image:
    """A square of that colour, 40 px wide, in the middle of a transparent picture."""
    layer = Image.new("RGBA", size, (0, 0, 0, 0))
    layer.paste(colour, (size[0] // 2 - 20, size[1] // 2 - 20, size[0] // 2 + 20, size[1] // 2 + 20))
    return layer if mode == "RGBA" else layer.convert(mode)


@each("colour", ["white", "black", "#808080", "#707070", "#909090", "red"])
@each("mode, kind", [("RGBA", "PNG"), ("LA", "PNG"), ("RGBA", "WEBP"), ("RGBA", "TIFF"), ("P", "PNG")])
def test_a_shape_of_any_colour_is_seen_on_the_ground_that_all_have(colour: str, mode: str, kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    picture = np.asarray(pictures.open_picture(encoded(shape(mode, colour), kind, **options))).astype(int)
    everywhere = ground((200, 100)).astype(int)
    assert np.array_equal(picture[:25], everywhere[:25])
    inside = (slice(35, 65), slice(85, 115))
    assert picture[inside].std(axis=(0, 1)).max() < 1
    assert np.abs(picture[inside] - everywhere[inside]).max() >= 16
    if colour in ("white", "black"):
        assert np.abs(picture[inside] - everywhere[inside]).min() >= 100


def test_a_shape_on_a_transparent_gif_is_seen() -> None:
    palette = Image.new("P", (60, 60), 0)
    palette.putpalette([9, 9, 9, 255, 255, 255])
    palette.paste(1, (20, 20, 40, 40))
    picture = np.asarray(pictures.open_picture(encoded(palette, "GIF", transparency=0)))
    assert (picture[30, 30] == 255).all()
    assert np.array_equal(picture[:10], ground((60, 60))[:10])


@each("mode", ["L", "RGB"])
def test_a_colour_that_a_png_calls_transparent_is(mode: str) -> None:
    key = 255 if mode == "L" else (255, 255, 255)
    picture = Image.new(mode, (40, 40), "white")
    picture.paste("black", (10, 10, 30, 30))
    seen = np.asarray(pictures.open_picture(encoded(picture, "PNG", transparency=key)))
    assert (seen[20, 20] == 0).all() and np.array_equal(seen[:8], ground((40, 40))[:8])


def test_half_transparency_is_mixed_with_the_ground() -> None:
    seen = np.asarray(pictures.open_picture(encoded(Image.new("RGBA", (8, 8), (0, 0, 0, 128)), "PNG"))).astype(int)
    assert np.abs(seen - ground((8, 8)) * (127 / 255)).max() <= 1


def test_an_opaque_picture_with_alpha_stays_as_it_is() -> None:
    picture = pictures.open_picture(encoded(halves().convert("RGBA"), "PNG"))
    assert picture.tobytes() == halves().tobytes() and picture.info == {}


def test_a_wholly_transparent_picture_says_so() -> None:
    picture = pictures.open_picture(encoded(Image.new("RGBA", (8, 8), (200, 0, 0, 0)), "PNG"))
    assert picture.info == {"note": "wholly transparent"}


@each("mode", ["L", "1", "P"])
def test_gray_bilevel_and_palette_become_rgb(mode: str) -> None:
    picture = pictures.open_picture(encoded(Image.new("L", (8, 8), 255).convert(mode), "PNG"))
    assert picture.mode == "RGB"
    assert picture.getpixel((4, 4)) == (255, 255, 255)


@each("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_given(kind: str) -> None:
    red, blue = Image.new("RGB", (8, 8), RED), Image.new("RGB", (8, 8), BLUE)
    picture = pictures.open_picture(encoded(red, kind, save_all=True, append_images=[blue]))
    assert is_near(picture.getpixel((4, 4)), RED)


def test_content_decides_not_the_name(tmp_path: Path) -> None:
    mislabeled = tmp_path / "really_png.jpg"
    mislabeled.write_bytes(encoded(halves(), "PNG").getvalue())
    assert pictures.open_picture(mislabeled).size == (64, 32)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    assert "empty" in reason(tmp_path / "empty.png")
    assert "empty" in reason(io.BytesIO())


@each("kind", ["WEBP", "BMP", "GIF", "TIFF"])
@each("share", [0.02, 0.3, 0.6, 0.9])
def test_a_truncated_file_is_refused(kind: str, share: float) -> None:
    content = encoded(noise(80, 60), kind).getvalue()
    reason(io.BytesIO(content[: int(len(content) * share)]))


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
def test_random_damage_never_raises_anything_else() -> None:
    rng = np.random.default_rng(7)
    kinds = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "JPEG2000", "PPM", "ICO", "AVIF")
    files = [encoded(noise(40, 30), kind).getvalue() for kind in kinds] + [heic(noise(64, 64), profile=bytes(200))]
    for file in files:
        content = np.frombuffer(file, dtype=np.uint8)
        for _ in range(150):
            damaged = content.copy()
            damaged[rng.integers(0, min(len(damaged), 400), 6)] = rng.integers(0, 256, 6)
            try:
                picture = pictures.open_picture(io.BytesIO(damaged.tobytes()))
            except UnreadableItemError:
                continue
            assert picture.mode == "RGB"


@each("size", [(1, 1), (1, 500), (500, 1)])
def test_a_picture_one_pixel_thin_is_refused(size: tuple[int, int]) -> None:
    assert "too small" in reason(encoded(Image.new("RGB", size), "PNG"))


def test_a_picture_twenty_thousand_pixels_wide_is_refused() -> None:
    assert "20000 x 30" in reason(encoded(Image.new("RGB", (20_000, 30)), "PNG"))


@pytest.mark.parametrize("size", [(16_000, 16_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_decompression_bomb_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    assert "too large" in (said := reason(png_claiming(*size))) or "too long" in said


def test_no_warning_of_pillow_reaches_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(png_claiming(10_000, 12_000).getvalue())
    program = (
        "import pathlib, sys; from fastlabel_gradio.media import pictures\n"
        "try: pictures.open_picture(pathlib.Path(sys.argv[1]))\n"
        "except pictures.UnreadableItemError: pass"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "large.png")], capture_output=True, text=True, check=True
    )
    assert run.stderr == ""


def test_a_missing_file_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert "No such file" in reason(tmp_path / "gone.jpg")
    assert "not a plain file" in reason(tmp_path)
    assert "not a plain file" in reason(tmp_path / "pipe.jpg")
    assert "cannot be opened" in reason(tmp_path / "null\0byte.jpg")


def test_a_hint_decodes_large_jpegs_smaller_but_never_below_it() -> None:
    file = encoded(noise(1600, 800), "JPEG")
    picture = pictures.open_picture(file, enough_px=200)
    assert picture.size == (400, 200)
    file.seek(0)
    assert pictures.open_picture(file, enough_px=900).size == (1600, 800)


def test_metadata_does_not_leave_with_the_picture() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    picture = pictures.open_picture(encoded(halves(), "JPEG", exif=exif, comment=b"where I live"))
    assert b"where I live" not in pictures.encode_jpeg(picture, 64)


def test_picture_size_reads_the_header_only() -> None:
    assert pictures.picture_size(png_claiming(9600, 7200)) == (9600, 7200)


@each(
    "size, side_px, expected",
    [((400, 200), 100, (100, 50)), ((200, 400), 100, (50, 100)), ((30, 20), 100, (30, 20)), ((9000, 3), 100, (100, 1))],
)
def test_a_thumbnail_fits_keeps_its_aspect_and_is_never_enlarged(
    size: tuple[int, int], side_px: int, expected: tuple[int, int]
) -> None:
    assert pictures.thumbnail(Image.new("RGB", size), side_px).size == expected


def test_a_contact_sheet_centres_each_picture_on_the_matte() -> None:
    sheet = Image.open(
        io.BytesIO(pictures.contact_sheet([halves(200, 100), None, Image.new("RGB", (50, 100), RED)], 2, 100))
    )
    matte = (0x20, 0x24, 0x2C)
    assert sheet.size == (200, 200)
    assert is_near(sheet.getpixel((10, 50)), RED) and is_near(sheet.getpixel((90, 50)), BLUE)
    assert is_near(sheet.getpixel((50, 8)), matte) and is_near(sheet.getpixel((150, 50)), matte)
    assert is_near(sheet.getpixel((50, 150)), RED) and is_near(sheet.getpixel((8, 150)), matte)


def opened_sheet(*tiles: Image.Image) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(pictures.contact_sheet(tiles, len(tiles), 160)))).astype(int)


@each("size", [(32, 32), (32, 16), (16, 32), (2, 2)])
def test_a_small_picture_fills_its_tile_beside_a_large_one(size: tuple[int, int]) -> None:
    sheet = opened_sheet(noise(320, 240), Image.new("RGB", size, RED))
    small = np.abs(sheet[:, 160:] - RED).max(axis=2) < 40
    assert sheet.shape == (160, 320, 3)
    height, width = small.any(axis=1).sum(), small.any(axis=0).sum()
    assert max(height, width) >= 158
    assert abs(width / height - size[0] / size[1]) < 0.1


def test_an_enlarged_picture_keeps_its_content_upright() -> None:
    tile = opened_sheet(noise(320, 240), halves(32, 32))[:, 160:]
    assert is_near(tile[80, 20], RED) and is_near(tile[80, 140], BLUE)


@each("size", [(4000, 20), (20, 4000), (2, 900), (9000, 3)])
def test_a_very_long_picture_is_seen_on_its_card(size: tuple[int, int]) -> None:
    seen = np.abs(opened_sheet(noise(320, 240), Image.new("RGB", size, RED))[:, 160:] - RED).max(axis=2) < 60
    assert seen.any(axis=0).sum() >= 6 and seen.any(axis=1).sum() >= 6


def test_the_tiles_of_small_pictures_are_as_small_as_they() -> None:
    sheet = Image.open(io.BytesIO(pictures.contact_sheet([halves(32, 16)] * 5, 3, 256)))
    assert sheet.size == (96, 64)


@each("count, columns, tile_px", [(0, 1, 8), (1, 0, 8), (1, 1, 0), (9000, 1, 8)])
def test_an_impossible_contact_sheet_is_refused(count: int, columns: int, tile_px: int) -> None:
    with pytest.raises(ValueError):
        pictures.contact_sheet([Image.new("RGB", (8, 8))] * count, columns, tile_px)


def test_a_contact_sheet_of_empty_tiles_is_all_matte() -> None:
    sheet = np.asarray(Image.open(io.BytesIO(pictures.contact_sheet([None, None], 2, 16))))
    assert sheet.shape == (16, 32, 3)
    assert is_near(sheet[0, 0], (0x20, 0x24, 0x2C)) and sheet.std(axis=(0, 1)).max() < 2


def test_a_jpeg_is_fitted() -> None:
    assert Image.open(io.BytesIO(pictures.encode_jpeg(noise(300, 100), 150))).size == (150, 50)
