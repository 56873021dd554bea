"""Colours as a screen shows them: the ICC profile embedded in a picture, Lab and CMYK, converted to sRGB."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

KEPT_TRANSFORMS = 32
UNSEEN = 2  # a profile that moves no colour by more than this of 255 is sRGB under another name

# The colour space that a profile is for, by the mode of the pictures that it fits.
_SPACES = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK"}
_PROBE = Image.fromarray(
    np.stack(np.meshgrid(*[np.linspace(0, 255, 9)] * 3), axis=-1).reshape(27, 27, 3).round().astype(np.uint8)
)
_ERRORS = (ImageCms.PyCMSError, OSError, ValueError, TypeError)


def in_srgb(picture: Image.Image, profile: bytes | None) -> tuple[Image.Image, str]:
    """The picture as RGB or grey in sRGB, or with alpha where it had some; and a note where its profile is not used.

    A profile that is damaged, or meant for other channels than the picture has, says nothing of its colours: these are
    taken as sRGB, and CMYK by the simple formula.
    """
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        colours, note = in_srgb(layer.convert(_plain_mode(picture)), profile)
        colours = colours.convert("RGB")
        colours.putalpha(layer.getchannel("A"))
        return colours, note
    picture = picture if picture.mode in ("L", "RGB", "CMYK", "LAB") else picture.convert(_plain_mode(picture))
    if picture.mode == "LAB":
        return _lab_to_rgb(picture), ""
    if not profile:
        return (picture.convert("RGB") if picture.mode == "CMYK" else picture), ""
    return _by_profile(picture, profile)


def _by_profile(picture: Image.Image, profile: bytes) -> tuple[Image.Image, str]:
    try:
        space = _space(profile)
        if space == "RGB " and picture.mode == "L":
            picture = picture.convert("RGB")
        if space != _SPACES[picture.mode]:
            note = f"its colour profile is for {space.strip() or 'nothing known'}, not for {picture.mode}: not used"
            return picture.convert("RGB"), note
        transform = _to_srgb(profile, picture.mode)
        return (picture if transform is None else transform.apply(picture)), ""
    except _ERRORS:
        return picture.convert("RGB"), "its colour profile is damaged: not used"


@lru_cache(KEPT_TRANSFORMS)
def _space(profile: bytes) -> str:
    return ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space


@lru_cache(KEPT_TRANSFORMS)
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform to sRGB; None for a profile that changes no colour that one would see."""
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    if mode == "CMYK":
        return transform
    probe = _PROBE.convert(mode)
    moved = np.asarray(transform.apply(probe), dtype=int) - np.asarray(probe.convert("RGB"), dtype=int)
    return transform if np.abs(moved).max() > UNSEEN else None


def _lab_to_rgb(picture: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB").apply(picture)


def _plain_mode(picture: Image.Image) -> str:
    return "L" if picture.mode in ("1", "L", "LA") else "RGB"
