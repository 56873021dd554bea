"""Sounds of which a part is read without the rest: what their head says of them, and a part as a file of its own.

Only containers and encodings in which libsndfile finds a sample by its number, and only where the head's length is right.
"""

import os
import struct
from pathlib import Path
from typing import BinaryIO

import soundfile

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.flac_lengths import has_right_length
from fastlabel_gradio.media.pcm_lengths import pcm_repair
from fastlabel_gradio.media.sounds import SoundInfo, check_part, part_of
from fastlabel_gradio.types import TimeSpan

_CONTAINERS = frozenset({"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC"})
_MARKS = (b"RIFF", b"RIFX", b"RF64", b"BW64", b"riff", b"FORM", b".snd", b"caff", b"fLaC", b"ID3")
_AS = {  # how samples of an encoding are read and written so that they stay the same numbers
    **dict.fromkeys(("PCM_S8", "PCM_U8", "PCM_16", "ULAW", "ALAW"), ("int16", "PCM_16")),
    **dict.fromkeys(("PCM_24", "PCM_32"), ("int32", "PCM_32")),
    "FLOAT": ("float32", "FLOAT"),
    "DOUBLE": ("float64", "DOUBLE"),
}
_BLOCK_SAMPLES = 1 << 20


def info_of_head(stream: BinaryIO) -> SoundInfo | None:
    """What is known of a sound by its head, and the end of a FLAC; None for one that has to be there as a whole."""
    stream.seek(0)
    mark = stream.read(4)
    if not mark.startswith(_MARKS):
        return None
    try:
        is_flac = mark.startswith((b"fLaC", b"ID3"))
        if not (has_right_length(stream) if is_flac else pcm_repair(stream) is None):
            return None
        stream.seek(0)
        with soundfile.SoundFile(stream) as file:
            if file.format not in _CONTAINERS or file.subtype not in _AS:
                return None
            is_float = file.subtype in ("FLOAT", "DOUBLE")
            return SoundInfo(file.frames / file.samplerate, file.samplerate, file.channels, None, is_float)
    except (soundfile.LibsndfileError, struct.error, OverflowError):
        return None


def write_part(stream: BinaryIO, info: SoundInfo, span: TimeSpan, path: Path) -> None:
    """Writes a part of a sound as a WAV with the same samples.

    Args:
        info: as `info_of_head` gave it.

    Raises:
        UnreadableItemError: as `open_sound` raises it of a part. OSError.
    """
    check_part(span, info)
    start, count = part_of(span, info)
    stream.seek(0)
    try:
        with soundfile.SoundFile(stream) as file:
            samples, encoding = _AS[file.subtype]
            file.seek(min(start, file.frames))
            made = (os.fsencode(path), "w", file.samplerate, file.channels, encoding)
            with soundfile.SoundFile(*made, format="WAV") as part:
                for block in file.blocks(_BLOCK_SAMPLES // file.channels, frames=count, dtype=samples, always_2d=True):
                    part.write(block)
    except soundfile.LibsndfileError as error:
        raise UnreadableItemError(f"not a sound, or damaged: {error.error_string.rstrip('.')}") from error
