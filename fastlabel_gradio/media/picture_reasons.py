"""Why a file is no picture that can be read, by its content: what it is, and what helps. One line each."""

import re
from collections.abc import Collection

HEAD_BYTES = 1024
UNKNOWN = "not a picture, or damaged at its start"

_EXPORT = "save it as PNG or TIFF"
_RAW = "camera raw, not a picture that is read: export it as JPEG or TIFF"

# Where it stands, the bytes, what to say; the first that fits counts.
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (
        0,
        b"version https://git-lfs.github.com/spec/",
        "a Git LFS pointer, not a picture: get the file by `git lfs pull`",
    ),
    (
        0,
        b"\0\x05\x16\x07",
        "an AppleDouble file of macOS, not a picture: the picture is the file without ._ before its name",
    ),
    (0, b"\0\x05\x16\0", "an AppleSingle file of macOS, not a picture"),
    (0, b"%PDF-", "a PDF document, not a picture: save its pages as PNG"),
    (0, b"%!PS", f"PostScript, not a picture of pixels: {_EXPORT}"),
    (0, b"\xc5\xd0\xd3\xc6", f"PostScript, not a picture of pixels: {_EXPORT}"),
    (0, b"PK\x03\x04", "a zip archive, not a picture: unpack it"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive, not a picture: unpack it"),
    (0, b"Rar!\x1a\x07", "a rar archive, not a picture: unpack it"),
    (0, b"\x1f\x8b", "compressed by gzip, not a picture: unpack it"),
    (0, b"BZh", "compressed by bzip2, not a picture: unpack it"),
    (0, b"\xfd7zXZ\0", "compressed by xz, not a picture: unpack it"),
    (0, b"\x28\xb5\x2f\xfd", "compressed by Zstandard, not a picture: unpack it"),
    (257, b"ustar", "a tar archive, not a picture: unpack it"),
    (0, b"SQLite format 3\0", "a database, not a picture"),
    (0, b"\x1aE\xdf\xa3", "a video (Matroska or WebM), not a picture"),
    (8, b"AVI ", "a video (AVI), not a picture"),
    (8, b"WAVE", "a sound (WAV), not a picture"),
    (0, b"ID3", "a sound (MP3), not a picture"),
    (0, b"fLaC", "a sound (FLAC), not a picture"),
    (0, b"OggS", "a sound (Ogg), not a picture"),
    (8, b"CR\x02\0", _RAW),
    (4, b"ftypcrx", _RAW),
    (0, b"FUJIFILMCCD-RAW", _RAW),
    (0, b"IIRO", _RAW),
    (0, b"IIRS", _RAW),
    (0, b"IIU\0", _RAW),
    (0, b"FOVb", _RAW),
    (4, b"ftypqt", "a video (QuickTime), not a picture"),
    (4, b"ftyp", "a video or sound (MP4), not a picture"),
    (4, b"moov", "a video (QuickTime), not a picture"),
    (4, b"mdat", "a video (QuickTime), not a picture"),
    (0, b"8BPS", f"Photoshop (PSD), not a picture that is read: {_EXPORT}"),
    (0, b"gimp xcf", f"GIMP (XCF), not a picture that is read: {_EXPORT}"),
    (0, b"DDS ", f"a texture (DDS), not a picture that is read: {_EXPORT}"),
    (0, b"\x76\x2f\x31\x01", f"OpenEXR, not a picture that is read: {_EXPORT}"),
    (0, b"#?RADIANCE", f"Radiance HDR, not a picture that is read: {_EXPORT}"),
    (0, b"SIMPLE  =", f"FITS, not a picture that is read: {_EXPORT}"),
    (128, b"DICM", f"DICOM, not a picture that is read: {_EXPORT}"),
    (0, b"\x93NUMPY", f"a NumPy array, not a picture: {_EXPORT}"),
    (0, b"\x89HDF\r\n", f"HDF5, not a picture: {_EXPORT}"),
    (0, b"CDF\x01", f"NetCDF, not a picture: {_EXPORT}"),
    (0, b"qoif", f"QOI, not a picture that is read: {_EXPORT}"),
    (0, b"PF\n", f"PFM in colour, not a picture that is read: {_EXPORT}"),
    (0, b"P7\n", f"PAM, not a picture that is read: {_EXPORT}"),
    (0, b"icns", f"icons of macOS (ICNS), not a picture that is read: {_EXPORT}"),
    (0, b"II\xbc", f"JPEG XR, not a picture that is read: {_EXPORT}"),
    (0, b"BPG\xfb", f"BPG, not a picture that is read: {_EXPORT}"),
    (0, b"AT&TFORM", f"DjVu, not a picture that is read: {_EXPORT}"),
    (0, b"\xd7\xcd\xc6\x9a", f"a Windows metafile, not a picture of pixels: {_EXPORT}"),
    (0, b"\x0a\x05\x01", f"PCX, not a picture that is read: {_EXPORT}"),
)

_HEIC = "HEIC: install its reader by `pip install pillow-heif`, then restart"

# By what stands at byte 4: the reader that it needs, and what to say where that is not there.
_READERS = {
    b"ftypavi": ("AVIF", "AVIF that this Pillow cannot read: pip install -U pillow"),
    **dict.fromkeys((b"ftyphei", b"ftyphev", b"ftypmif", b"ftypmsf"), ("HEIF", _HEIC)),
}


def reason_of(head: bytes, readers: Collection[str]) -> str:
    """What a file is whose first HEAD_BYTES no reader of pictures knows, and what its user can do.

    Args:
        readers: Pillow's names of the formats that are read here.
    """
    if needed := _READERS.get(head[4:11]):
        reader, missing = needed
        return f"damaged or cut off: {reader} without a picture in it" if reader in readers else missing
    for place, signature, reason in _SIGNATURES:
        if head[place : place + len(signature)] == signature:
            return reason
    if not head.strip(b"\0"):
        return "zero bytes only, not a picture: its copy or download was not finished"
    return _reason_of_text(head) if _is_text(head) else UNKNOWN


def _reason_of_text(head: bytes) -> str:
    text = _text(head).lower()
    if re.search(r"<!doctype html|<html|<head|<body", text):
        return "an HTML page, not a picture: its download failed"
    if "<svg" in text:
        return f"a drawing (SVG), not a picture of pixels: {_EXPORT}"
    if text.lstrip().startswith(("<?xml", "<error")):
        return "XML, not a picture: if it was downloaded, that failed"
    if text.lstrip().startswith(("{", "[")):
        return "JSON, not a picture: if it was downloaded, that failed"
    return "a text file, not a picture"


def _is_text(head: bytes) -> bool:
    text = _text(head)
    return "\ufffd" not in text[:-4] and all(
        letter.isprintable() or letter in "\t\r\n\f\ufeff" for letter in text[:-4] or text
    )


def _text(head: bytes) -> str:
    utf16 = head[:2] in (b"\xff\xfe", b"\xfe\xff")
    return head.decode("utf-16" if utf16 else "utf-8", "replace")
