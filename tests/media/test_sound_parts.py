"""Parts of sounds by their head: the same samples as the whole file gives, for every encoding, or none at all."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.sound_parts import info_of_head, write_part
from fastlabel_gradio.media.sounds import open_sound, sound_info
from fastlabel_gradio.types import TimeSpan

SPAN = TimeSpan(0.5, 1.25)
WHOLE = ("WAV", "PCM_16")
IN_PARTS = (
    *(("WAV", encoding) for encoding in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")),
    *(("FLAC", encoding) for encoding in ("PCM_S8", "PCM_16", "PCM_24")),
    *((container, "PCM_16") for container in ("RF64", "AIFF", "AU", "CAF", "WAVEX")),
)
AS_A_WHOLE = (("WAV", "IMA_ADPCM"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III"))


def _saved(path: Path, container: str, encoding: str, channels: int = 2) -> Path:
    sound = 0.3 * np.random.default_rng(0).standard_normal((16_000, channels))
    soundfile.write(path, sound, 8_000, format=container, subtype=encoding)
    return path


def test_a_part_has_the_samples_that_the_whole_file_gives(tmp_path: Path) -> None:
    for container, encoding in IN_PARTS:
        path = _saved(tmp_path / f"{container}-{encoding}.snd", container, encoding)
        with path.open("rb") as stream:
            info = info_of_head(stream)
            assert info is not None, (container, encoding)
            assert (info.seconds, info.rate_hz, info.channels) == (2.0, 8_000, 2)
            write_part(stream, info, SPAN, tmp_path / "part.wav")
        for channel in ("auto", 2):
            whole, part = open_sound(path, SPAN, channel=channel), open_sound(tmp_path / "part.wav", channel=channel)
            np.testing.assert_array_equal(part.samples, whole.samples, err_msg=f"{container} {encoding}")
            assert part.note == whole.note


def test_what_only_the_whole_file_tells_is_told_by_no_head(tmp_path: Path) -> None:
    paths = [_saved(tmp_path / f"{encoding}.snd", container, encoding) for container, encoding in AS_A_WHOLE]
    cut = _saved(tmp_path / "cut.wav", *WHOLE)
    cut.write_bytes(cut.read_bytes()[:-8_000])
    unknown = _saved(tmp_path / "unknown.flac", "FLAC", "PCM_16")
    content = bytearray(unknown.read_bytes())
    content[21:26] = bytes([content[21] & 0xF0, 0, 0, 0, 0])  # the number of samples, RFC 9639, 8.2
    unknown.write_bytes(content)
    torn = tmp_path / "torn.wav"
    torn.write_bytes(b"RIFF" + struct.pack("<I", 90) + b"WAVEfmt ")
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    for path in (*paths, cut, unknown, torn, text):
        with path.open("rb") as stream:
            assert info_of_head(stream) is None, path.name


def test_a_part_behind_the_end_is_refused_as_of_a_file(tmp_path: Path) -> None:
    path = _saved(tmp_path / "a.wav", *WHOLE)
    with (
        path.open("rb") as stream,
        pytest.raises(UnreadableItemError, match=r"begins at 3\.0 s, but the sound ends at 2\.0 s"),
    ):
        write_part(stream, sound_info(path), TimeSpan(3.0, 4.0), tmp_path / "part.wav")
