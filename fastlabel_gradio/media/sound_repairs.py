"""Which repair a sound file needs, found once for each."""

import os
import struct
from functools import lru_cache
from pathlib import Path

import soundfile

from fastlabel_gradio.media.flac_lengths import flac_repair
from fastlabel_gradio.media.item_file import open_file
from fastlabel_gradio.media.mp3_lengths import mp3_repair
from fastlabel_gradio.media.pcm_lengths import pcm_repair
from fastlabel_gradio.media.repair import Repair

_KEPT = 65_536


def repair_of(path: Path) -> Repair | None:
    """How a file that libsndfile knows has to be read, where its header claims a wrong length. Raises UnreadableItemError."""
    with open_file(path) as stream:
        status = os.fstat(stream.fileno())
    return _cached_repair(path, status.st_size, status.st_mtime_ns)


@lru_cache(_KEPT)
def _cached_repair(path: Path, size: int, mtime_ns: int) -> Repair | None:
    with open_file(path) as stream:
        try:
            if repair := pcm_repair(stream) or flac_repair(stream):
                return repair
        except (struct.error, OverflowError):
            return None  # a damaged header: the decoder will say so
        try:
            with soundfile.SoundFile(os.fsencode(path)) as file:
                return mp3_repair(stream, file.frames) if file.format == "MP3" else None
        except soundfile.LibsndfileError:
            return None
