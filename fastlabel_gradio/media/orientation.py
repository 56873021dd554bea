"""Which way up a picture is: what EXIF says, or XMP where EXIF says nothing."""

import re
import struct

from PIL import Image

_EXIF_ORIENTATION = 0x0112
_XMP_ORIENTATION = re.compile(rb"""tiff:Orientation\s*(?:=\s*["']|>)\s*([1-8])\b""")
_XMP_KEYS = ("xmp", "XML:com.adobe.xmp")
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_METADATA_ERRORS = (OSError, SyntaxError, ValueError, TypeError, LookupError, AttributeError, EOFError, struct.error)


def orientation_of(picture: Image.Image) -> int:
    """1 to 8 as in EXIF; 1 where nothing is said. Damaged metadata says nothing of pixels that decoded well."""
    try:
        said = picture.getexif().get(_EXIF_ORIENTATION)
    except _METADATA_ERRORS:
        said = None
    return said if said in _UPRIGHT or said == 1 else _by_xmp(picture)


def upright(picture: Image.Image, orientation: int) -> Image.Image:
    turn = _UPRIGHT.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def _by_xmp(picture: Image.Image) -> int:
    for key in _XMP_KEYS:
        packet = picture.info.get(key, b"")
        packet = packet.encode("utf-8", "replace") if isinstance(packet, str) else packet
        found = _XMP_ORIENTATION.search(packet.replace(b"\0", b"")) if isinstance(packet, bytes) else None
        if found:
            return int(found[1])
    return 1
