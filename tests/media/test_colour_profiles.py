"""Embedded colour profiles: what a screen would show."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from fastlabel_gradio.media.colour_profiles import _to_srgb
from fastlabel_gradio.media.pictures import open_picture
from tests.cases import each
from tests.heif_files import heic

COLOURS = ((220, 40, 40), (40, 200, 60), (40, 60, 220), (240, 220, 60))
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

# Primaries adapted to D50, as profiles hold them, and the gamma of their curves.
WIDE = (((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446)), 2.2)  # Adobe RGB (1998)
SWAPPED = (((0.1431, 0.0606, 0.7139), (0.3851, 0.7169, 0.0971), (0.4360, 0.2225, 0.0139)), 2.2)  # red and blue change


def profile_of(primaries: tuple[tuple[float, float, float], ...], gamma: float) -> bytes:
    """A profile of matrix and curves (ICC.1, v2), for RGB, or for grey where there are no primaries."""

    def fixed(*numbers: float) -> bytes:
        return b"".join(struct.pack(">l", round(number * 65_536)) for number in numbers)

    curve = b"curv" + struct.pack(">LLH", 0, 1, round(gamma * 256)) + bytes(2)
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">L", 5) + b"test\0" + bytes(78), b"cprt": b"text" + bytes(5)}
    tags[b"wtpt"] = b"XYZ " + bytes(4) + fixed(0.9642, 1.0, 0.8249)
    for name, primary in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=False):
        tags[name] = b"XYZ " + bytes(4) + fixed(*primary)
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC") if primaries else (b"kTRC",), curve)
    table, data = b"", b""
    for name, content in tags.items():
        table += name + struct.pack(">LL", 128 + 4 + 12 * len(tags) + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    size = 128 + 4 + len(table) + len(data)
    space = b"RGB " if primaries else b"GRAY"
    header = struct.pack(">L4sL4s4s4s", size, b"test", 0x02100000, b"mntr", space, b"XYZ ") + bytes(12) + b"acsp"
    return (
        header.ljust(68, b"\0") + fixed(0.9642, 1.0, 0.8249) + bytes(48) + struct.pack(">L", len(tags)) + table + data
    )


def as_stored_by(profile: bytes, mode: str = "RGB") -> Image.Image:
    """Four patches of COLOURS, in the numbers that this profile has for them."""
    patches = Image.new("RGB", (64, 64))
    for place, colour in enumerate(COLOURS):
        patches.paste(colour, (32 * (place % 2), 32 * (place // 2), 32 * (place % 2) + 32, 32 * (place // 2) + 32))
    return ImageCms.profileToProfile(
        patches,
        ImageCms.createProfile("sRGB"),
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        outputMode=mode,
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )


def encoded(picture: Image.Image, kind: str, **options: object) -> io.BytesIO:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    buffer.seek(0)
    return buffer


def assert_colours(picture: Image.Image, tolerance: int = 10) -> None:
    seen = [picture.getpixel((x, y)) for y in (16, 48) for x in (16, 48)]
    assert np.abs(np.array(seen) - COLOURS).max() <= tolerance


@each(
    "kind, options",
    [
        *(("JPEG", {"quality": 95, "subsampling": 0}), ("PNG", {}), ("WEBP", {"lossless": True})),
        *(("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("AVIF", {"quality": 95})),
    ],
)
@each("profile", [profile_of(*WIDE), profile_of(*SWAPPED)])
def test_the_profile_of_a_picture_is_applied(kind: str, options: dict[str, object], profile: bytes) -> None:
    stored = as_stored_by(profile)
    with pytest.raises(AssertionError):
        assert_colours(stored)
    picture = open_picture(encoded(stored, kind, icc_profile=profile, **options))
    assert_colours(picture)
    assert picture.info == {}


def test_the_profile_of_a_heic_is_applied() -> None:
    profile = profile_of(*SWAPPED)
    assert_colours(open_picture(io.BytesIO(heic(as_stored_by(profile), profile=profile))), tolerance=40)


def test_the_profile_of_a_picture_with_alpha_and_of_a_palette_is_applied() -> None:
    profile = profile_of(*SWAPPED)
    stored = as_stored_by(profile)
    assert_colours(open_picture(encoded(stored.convert("RGBA"), "PNG", icc_profile=profile)))
    assert_colours(open_picture(encoded(stored.quantize(16), "PNG", icc_profile=profile)))


def test_a_profile_for_grey_is_applied() -> None:
    profile = profile_of((), 1.0)
    stored = Image.new("L", (16, 16), 55)
    expected = round(255 * (1.055 * (55 / 255) ** (1 / 2.4) - 0.055))
    for kind in ("JPEG", "PNG", "TIFF"):
        pixel = open_picture(encoded(stored, kind, icc_profile=profile)).getpixel((8, 8))
        assert np.abs(np.array(pixel) - expected).max() <= 3


@each("kind", ["PNG", "TIFF"])
def test_a_profile_for_grey_is_applied_to_grey_with_alpha(kind: str) -> None:
    grey = Image.new("L", (8, 8), 64)
    opaque, layered = (
        encoded(picture, kind, icc_profile=profile_of((), 1.0)) for picture in (grey, grey.convert("LA"))
    )
    assert open_picture(layered).tobytes() == open_picture(opaque).tobytes()
    assert open_picture(layered).info == {}
    assert open_picture(layered).getpixel((0, 0)) == pytest.approx((137, 137, 137), abs=3)


def test_a_profile_for_colour_leaves_grey_grey() -> None:
    picture = open_picture(encoded(Image.new("L", (16, 16), 100), "PNG", icc_profile=profile_of(*WIDE)))
    pixel = np.array(picture.getpixel((8, 8)), dtype=int)
    assert np.ptp(pixel) <= 1 and abs(int(pixel[0]) - 100) <= 3


def test_srgb_under_any_name_changes_nothing() -> None:
    stored = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8))
    assert open_picture(encoded(stored, "PNG", icc_profile=SRGB)).tobytes() == stored.tobytes()
    assert _to_srgb(SRGB, "RGB") is None


@each("mode", ["RGB", "L", "RGBA"])
@each(
    "profile, words",
    [
        *((b"no profile at all", "damaged"), (SRGB[:200], "damaged"), (SRGB[:40] + bytes(400), "damaged")),
        (ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(), "profile is for"),
    ],
)
def test_a_profile_that_does_not_fit_leaves_the_pixels_and_is_said(mode: str, profile: bytes, words: str) -> None:
    stored = Image.new(mode, (16, 16), "#c06428")
    picture = open_picture(encoded(stored, "PNG", icc_profile=profile))
    assert picture.tobytes() == stored.convert("RGB").tobytes()
    assert words in picture.info["note"]


def test_a_profile_for_grey_in_a_coloured_picture_is_said() -> None:
    picture = open_picture(encoded(Image.new("RGB", (16, 16), "#c06428"), "PNG", icc_profile=profile_of((), 1.0)))
    assert picture.getpixel((3, 3)) == (0xC0, 0x64, 0x28)
    assert "GRAY" in picture.info["note"]


@each("kind", ["JPEG", "TIFF"])
def test_cmyk_with_a_profile_for_rgb_is_converted_plainly(kind: str) -> None:
    stored = Image.new("RGB", (16, 16), (220, 20, 20)).convert("CMYK")
    picture = open_picture(encoded(stored, kind, icc_profile=SRGB))
    assert np.abs(np.array(picture.getpixel((8, 8))) - (220, 20, 20)).max() <= 12
    assert "CMYK" in picture.info["note"]


def test_lab_is_converted() -> None:
    lab = ImageCms.profileToProfile(
        as_stored_by(SRGB), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert_colours(open_picture(encoded(lab, "TIFF")))
