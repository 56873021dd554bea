"""Reasons: what a file is that is no picture, and what helps."""

import gzip
import io
import sys
import zipfile

import numpy as np
import pytest

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.pictures import open_picture, picture_size
from tests.cases import each


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "x")
    return buffer.getvalue()


def _npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


@each(
    "content, words",
    [
        (b"\xef\xbb\xbf<!DOCTYPE html>\n<html><head><title>404", "an HTML page, not a picture: its download failed"),
        (b"\r\n <HTML><body>Sign in</body></HTML>", "an HTML page"),
        ("<!doctype html><html>".encode("utf-16"), "an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "git lfs pull"),
        (b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(80), "AppleDouble"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'></svg>", "SVG"),
        (b"<svg onload=alert(1)></svg>", "SVG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "PostScript"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF"),
        (_zip(), "a zip archive"),
        (gzip.compress(b"x", mtime=0), "gzip"),
        (b"Dear Sir or Madam,\n" * 50, "a text file, not a picture"),
        ("Grüße aus Köln, ça va\n".encode() * 90, "a text file, not a picture"),
        (b'{"error": "not found"}', "JSON, not a picture"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "XML, not a picture"),
        (bytes(5000), "zero bytes only"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "a video or sound"),
        (b"\0\0\0\x14ftypqt  \0\0\2\0qt  ", "a video (QuickTime)"),
        (b"\x1aE\xdf\xa3" + bytes(range(200)), "a video (Matroska"),
        (b"RIFF\0\0\0\0AVI LIST", "a video (AVI)"),
        (b"RIFF\0\0\0\0WAVEfmt ", "a sound (WAV)"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(60), "camera raw"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1", "camera raw"),
        (b"FUJIFILMCCD-RAW 0201", "camera raw"),
        (b"8BPS\0\1" + bytes(40), "Photoshop"),
        (bytes(128) + b"DICM" + bytes(40), "DICOM"),
        (_npy(), "NumPy"),
        (b"PF\n2 2\n-1.0\n" + bytes(48), "PFM in colour"),
        (b"P7\nWIDTH 2\nHEIGHT 2\n", "PAM"),
        (np.random.default_rng(0).bytes(3000), "not a picture, or damaged at its start"),
        (b"\xff\xd8\xff\xe0 no JPEG follows", "damaged"),
    ],
)
def test_a_reason_says_what_the_file_is(content: bytes, words: str) -> None:
    for ask in (open_picture, picture_size):
        with pytest.raises(UnreadableItemError) as caught:
            ask(io.BytesIO(content))
        text = str(caught.value)
        assert words in text
        assert "\n" not in text and len(text) < 160


def test_a_missing_reader_of_heic_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastlabel_gradio.media.pictures.FORMATS", ("JPEG", "PNG"))
    with pytest.raises(UnreadableItemError, match=r"HEIC: install .*pip install pillow-heif"):
        open_picture(io.BytesIO(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"))


@each("brand", [b"avif", b"heic", b"mif1"])
def test_the_beginning_of_a_file_whose_reader_is_installed_is_called_cut_off(brand: bytes) -> None:
    with pytest.raises(UnreadableItemError, match=r"^damaged or cut off: ") as caught:
        open_picture(io.BytesIO(b"\0\0\0\x18ftyp" + brand + bytes(8) + brand))
    assert "install" not in str(caught.value)


def test_a_missing_reader_of_jpeg_xl_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    file = io.BytesIO(imagecodecs.jpegxl_encode(np.zeros((20, 30, 3), dtype=np.uint8)))
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(UnreadableItemError, match=r"JPEG XL: install .*pip install imagecodecs"):
        open_picture(file)
