"""Sounds in and out: a file, or a part of one, becomes a mono waveform; a waveform becomes a file that every browser plays.

libsndfile reads wav, flac, ogg, mp3 and aiff and finds any place in a file of hours; what it does not know
`ffmpeg_sounds.py` decodes, at half the speed. A header's length is a claim: `sound_repairs.py` tells how a file with a wrong
one has to be read. Files are hostile until they are decoded: whatever a decoder says of a bad one leaves here as
UnreadableItemError with one line.
"""

import io
import math
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
import soundfile
import soxr

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.channels import Channel, Levels, mono
from fastlabel_gradio.media.ffmpeg_sounds import ffmpeg_blocks, ffmpeg_info, is_without_index
from fastlabel_gradio.media.item_file import check_system, one_line, open_file
from fastlabel_gradio.media.ogg_chains import ChainedSound, chain_of
from fastlabel_gradio.media.repair import RepairedStream, duration
from fastlabel_gradio.media.sound_repairs import repair_of
from fastlabel_gradio.types import TimeSpan, Waveform

MAX_SECONDS = 600.0  # of one item; a longer file has to be cut into windows
MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 768_000
MAX_CHANNELS = 64
MIN_SECONDS = 0.01
OVER_END_S = 0.1  # a part may reach that far over the end: times are rounded
LOUDEST = 1e6  # times full scale; floats above it are damage, and their squares leave float32
PLAYED_RATE_HZ = 48_000  # more than this no browser needs
LEAST_PLAYED_RATE_HZ = 8_000  # Chromium refuses a sound with less than 3,000 samples a second

# Media types of what all current browsers play as it is, by libsndfile's container and encoding.
_PLAYABLE = {
    ("WAV", "PCM_U8"): "audio/wav",
    ("WAV", "PCM_16"): "audio/wav",
    ("WAV", "PCM_24"): "audio/wav",
    ("WAV", "FLOAT"): "audio/wav",
    ("FLAC", "PCM_16"): "audio/flac",
    ("FLAC", "PCM_24"): "audio/flac",
    ("OGG", "VORBIS"): "audio/ogg",
    ("OGG", "OPUS"): "audio/ogg",
    ("MP3", "MPEG_LAYER_III"): "audio/mpeg",
}
OpenSound: TypeAlias = soundfile.SoundFile | ChainedSound
_FLOATS = frozenset({"FLOAT", "DOUBLE"})
_BLOCK_SAMPLES = 1 << 22
_KEPT_OPEN = 64  # mp3 files of which parts are read
_KEPT_INFOS = 65_536
_MAX_SAMPLES_A_BYTE = 1 << 13  # no codec makes silence smaller than this


@dataclass(frozen=True, slots=True)
class SoundInfo:
    """What is known of a file without decoding it.

    Attributes:
        seconds: of the whole file, also where its header claims another length.
        media_type: for HTTP, where all current browsers play the file as it is; None where it has to be converted.
        is_float: its samples are floats, which may lie above full scale.
        note: in one line, what is wrong with the header; "" where nothing is.
    """

    seconds: float
    rate_hz: int
    channels: int
    media_type: str | None
    is_float: bool = False
    note: str = ""


def open_sound(
    path: Path, span: TimeSpan | None = None, rate_hz: int | None = None, channel: Channel = "auto"
) -> Waveform:
    """The file, or a part of it, as a mono waveform. Of a part no more is decoded than it needs.

    Its note tells of a wrong length in the header, of channels that cancel each other, and of floats above full scale.

    Args:
        span: which part.
        rate_hz: the caller needs no more samples a second than this; a slower sound stays as it is.
        channel: the number of a channel, from 1; `mix` for the mean of all; `auto` for the mean, or where the channels
            cancel each other in this part (opposite phase) for the loudest one.

    Raises:
        UnreadableItemError: empty, not a sound, damaged before its first sample, shorter than MIN_SECONDS, longer than
            MAX_SECONDS, a part that begins behind the end or reaches more than OVER_END_S over it, a channel that is not
            there, samples that are not finite. Nothing else is raised for bad content.
    """
    if span is not None and span.end_s <= span.start_s:
        raise UnreadableItemError(f"the part ends at {span.end_s} s, where it begins or before")
    info = sound_info(path)
    check_part(span, info)
    _check_channel(channel, info.channels)
    with _one_line_reasons():
        samples, note = _mono_samples(path, span, info, channel)
    if not len(samples):
        raise UnreadableItemError("no sound in it (0 samples)")
    if len(samples) < MIN_SECONDS * info.rate_hz:
        raise UnreadableItemError(f"too short: {len(samples)} samples, a sound needs {MIN_SECONDS} s")
    peak = float(np.abs(samples).max())
    if not peak <= LOUDEST:  # false for NaN too
        raise UnreadableItemError("holds samples that are not finite numbers, or far too large")
    notes = (
        info.note,
        note,
        f"reaches {peak:.3g} times full scale, played quieter" if info.is_float and peak > 1 else "",
    )
    return at_most(Waveform(samples, info.rate_hz, "; ".join(filter(None, notes))), rate_hz)


def given_sound(samples: np.ndarray, rate_hz: int, channel: Channel = "auto") -> Waveform:
    """Samples that somebody decoded, as `open_sound` would give them.

    Args:
        samples: [samples] or [samples, channels]; floats of full scale 1, or integers.
        rate_hz: samples a second. channel: as in `open_sound`.

    Raises:
        UnreadableItemError: none or too few or too many samples, another shape, numbers that are not finite.
    """
    block = samples[:, None] if samples.ndim == 1 else samples
    if block.ndim != 2 or not (np.issubdtype(block.dtype, np.integer) or np.issubdtype(block.dtype, np.floating)):
        raise UnreadableItemError(
            f"samples of shape {samples.shape} and type {samples.dtype}: give [samples, channels]"
        )
    _check(rate_hz, block.shape[1])
    _check_channel(channel, block.shape[1])
    if not MIN_SECONDS <= len(block) / rate_hz <= MAX_SECONDS:
        raise UnreadableItemError(f"{len(block)} samples: a sound has {MIN_SECONDS} s to {duration(MAX_SECONDS)}")
    full_scale = 1.0 if np.issubdtype(block.dtype, np.floating) else float(-np.iinfo(block.dtype).min or 128)
    offset = 128.0 if block.dtype == np.uint8 else 0.0
    floats = ((block - offset) / full_scale).astype(np.float32) if full_scale != 1 else block.astype(np.float32)
    if not np.abs(floats).max() <= LOUDEST:  # false for NaN too
        raise UnreadableItemError("holds samples that are not finite numbers, or far too large")
    mixed, loudest = _joined([floats], channel)
    return Waveform(mixed if loudest is None else mono(floats, loudest), rate_hz)


def sound_info(path: Path) -> SoundInfo:
    """Length, rate and whether browsers play it, without decoding. Raises UnreadableItemError."""
    with _one_line_reasons():
        return _read_info(path)


def resampled(waveform: Waveform, rate_hz: int) -> Waveform:
    """The same sound with that many samples a second."""
    if rate_hz == waveform.rate_hz:
        return waveform
    samples = soxr.resample(waveform.samples, waveform.rate_hz, rate_hz)
    return replace(waveform, samples=samples, rate_hz=rate_hz)


def at_most(waveform: Waveform, rate_hz: int | None) -> Waveform:
    """The same sound with no more samples a second than that; None for as many as it has."""
    return waveform if rate_hz is None or waveform.rate_hz <= rate_hz else resampled(waveform, rate_hz)


def encode_flac(waveform: Waveform, gain_db: float = 0.0) -> bytes:
    """The waveform as a 16-bit FLAC, which every browser plays, with 8,000 to 48,000 samples a second.

    A sound that is above full scale, or gets there by the gain, is scaled down to it as a whole.
    """
    played = resampled(waveform, min(max(waveform.rate_hz, LEAST_PLAYED_RATE_HZ), PLAYED_RATE_HZ))
    samples = played.samples if gain_db == 0 else played.samples * np.float32(10 ** (gain_db / 20))
    peak = max(1.0, float(np.abs(samples).max(initial=0)))
    buffer = io.BytesIO()
    soundfile.write(buffer, samples / np.float32(peak), played.rate_hz, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def _read_info(path: Path) -> SoundInfo:
    with open_file(path) as stream:
        status = os.fstat(stream.fileno())
    return _cached_info(path, status.st_size, status.st_mtime_ns)


@lru_cache(_KEPT_INFOS)
def _cached_info(path: Path, size: int, mtime_ns: int) -> SoundInfo:
    try:
        info = _sndfile_info(path)
    except soundfile.LibsndfileError as error:
        with _reason_of(error, path):
            found = ffmpeg_info(path)
        info = SoundInfo(found.seconds, found.rate_hz, found.channels, found.media_type, found.is_float, found.note)
    _check(info.rate_hz, info.channels)
    if info.seconds * info.rate_hz > size * _MAX_SAMPLES_A_BYTE:
        raise UnreadableItemError(f"claims a length of {duration(info.seconds)}, which {size} bytes cannot hold")
    return info if _is_plain(info.rate_hz, info.channels) else replace(info, media_type=None)


def _sndfile_info(path: Path) -> SoundInfo:
    with _sndfile(path) as file:
        changed = repair_of(path) or chain_of(path)
        note = changed.note if changed else ""
        media_type = None if note else _PLAYABLE.get((file.format.removesuffix("EX"), file.subtype))
        seconds = file.frames / file.samplerate
        return SoundInfo(seconds, file.samplerate, file.channels, media_type, file.subtype in _FLOATS, note)


def _mono_samples(path: Path, span: TimeSpan | None, info: SoundInfo, channel: Channel) -> tuple[np.ndarray, str]:
    """float32[samples], and what is to be said of its channels."""
    samples, loudest = _decoded(path, span, info, channel)
    if loudest is None:
        return samples, ""
    note = f"its channels cancel each other, channel {loudest} of {info.channels} is taken"
    return _decoded(path, span, info, loudest)[0], note


def _decoded(path: Path, span: TimeSpan | None, info: SoundInfo, channel: Channel) -> tuple[np.ndarray, int | None]:
    """Mono samples, and the channel that should stand in for them."""
    start, count = part_of(span, info)
    try:
        return _joined(_sndfile_blocks(path, span, start, count), channel)
    except soundfile.LibsndfileError as error:
        with _reason_of(error, path):
            return _joined(ffmpeg_blocks(path, start, count), channel)


def _joined(blocks: Iterable[np.ndarray], channel: Channel) -> tuple[np.ndarray, int | None]:
    """Of blocks that are made mono one by one: all channels of ten minutes at once may be gigabytes."""
    joined = [np.empty(0, dtype=np.float32)]
    levels = Levels()
    for block in blocks:
        joined.append(mono(block, channel))
        if channel == "auto" and block.shape[1] > 1:
            levels.add(block, joined[-1])
    return np.concatenate(joined) if len(joined) != 2 else joined[1], levels.instead_of_mean()


def _sndfile_blocks(path: Path, span: TimeSpan | None, start: int, count: int) -> Iterator[np.ndarray]:
    with _opened(path, span) as file:
        if start >= file.frames:
            return
        file.seek(start)
        size = max(1, _BLOCK_SAMPLES // file.channels)
        while count > 0:
            block = file.read(min(size, count), dtype="float32", always_2d=True)
            yield block
            if len(block) < min(size, count):
                return
            count -= len(block)


def part_of(span: TimeSpan | None, info: SoundInfo) -> tuple[int, int]:
    """First sample and number of samples to read."""
    if span is None:
        return 0, math.ceil(info.seconds * info.rate_hz - 1e-6)
    start = round(span.start_s * info.rate_hz)
    return start, max(1, round(span.end_s * info.rate_hz) - start)


def check_part(span: TimeSpan | None, info: SoundInfo) -> None:
    wanted = info.seconds if span is None else span.end_s - span.start_s
    if wanted > MAX_SECONDS:
        raise UnreadableItemError(
            f"{duration(wanted)} long, at most {duration(MAX_SECONDS)}: cut it into windows (`window_s`, or --window)"
        )
    if span is None or not info.seconds:
        return
    if span.start_s >= info.seconds:
        raise UnreadableItemError(f"begins at {span.start_s} s, but the sound ends at {round(info.seconds, 3)} s")
    if span.end_s > info.seconds + OVER_END_S:
        raise UnreadableItemError(f"reaches to {span.end_s} s, but the sound ends at {round(info.seconds, 3)} s")


def _check_channel(channel: Channel, channels: int) -> None:
    if isinstance(channel, int) and channel > channels:
        raise UnreadableItemError(
            f"has no channel {channel}, only {channels}: set `channel` to one of them, or to `auto`"
        )


def _check(rate_hz: int, channels: int) -> None:
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise UnreadableItemError(f"{rate_hz} samples a second; {MIN_RATE_HZ} to {MAX_RATE_HZ} are understood")
    if not 1 <= channels <= MAX_CHANNELS:
        raise UnreadableItemError(f"{channels} channels; 1 to {MAX_CHANNELS} are understood")


def _is_plain(rate_hz: int, channels: int) -> bool:
    """Few enough channels and samples a second for every browser."""
    return channels <= 2 and LEAST_PLAYED_RATE_HZ <= rate_hz <= 2 * PLAYED_RATE_HZ


@contextmanager
def _opened(path: Path, span: TimeSpan | None) -> Iterator[OpenSound]:
    """The file, for this thread alone.

    An mp3 stays open when a part of it was read: only by going through all frames before a place is it found there, which
    takes 0.4 s at the end of three hours, but the open file remembers where they are.
    """
    if span is None or path.suffix.lower() != ".mp3":
        with _sndfile(path) as file:
            yield file
        return
    with open_file(path) as stream:
        status = os.fstat(stream.fileno())
    file, lock = _cached_open(path, status.st_size, status.st_mtime_ns)
    with lock:
        try:
            yield file
        except BaseException:
            _cached_open.cache_clear()  # in what state the file is now, nobody knows
            raise


@lru_cache(_KEPT_OPEN)
def _cached_open(path: Path, size: int, mtime_ns: int) -> tuple[OpenSound, threading.Lock]:
    return _sndfile(path), threading.Lock()


def _sndfile(path: Path) -> OpenSound:
    if repair := repair_of(path):
        return soundfile.SoundFile(RepairedStream(path.open("rb"), repair))
    chain = chain_of(path)
    return soundfile.SoundFile(os.fsencode(path)) if chain is None else ChainedSound(path, chain)


@contextmanager
def _reason_of(why: soundfile.LibsndfileError, path: Path) -> Iterator[None]:
    """Where FFmpeg fails as well, libsndfile's words are the reason."""
    import av

    try:
        yield
    except av.FFmpegError as error:
        if is_without_index(path):
            raise UnreadableItemError(
                "was cut off: its index is missing, which stands at the end of such files"
            ) from error
        raise _damaged(why) from error


@contextmanager
def _one_line_reasons() -> Iterator[None]:
    try:
        yield
    except UnreadableItemError:
        raise
    except (MemoryError, OSError, RuntimeError, ValueError, LookupError, ArithmeticError, TypeError) as error:
        check_system(error)
        raise _damaged(error) from error


def _damaged(error: Exception) -> UnreadableItemError:
    """The decoder's own words, without the path that libsndfile puts before them or the number that FFmpeg does."""
    if isinstance(error, soundfile.LibsndfileError):
        words = error.error_string
    else:
        words = getattr(error, "strerror", None) or one_line(error)
    if "not a regular file" in words:  # so libsndfile says of an mp3 without a frame; `open_file` has seen a plain file
        words = "no sound in it that can be decoded"
    return UnreadableItemError(f"not a sound, or damaged: {words.rstrip('.')}")
