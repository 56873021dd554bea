"""Sounds in and out: a file, or a part of one, becomes a mono waveform; a waveform becomes a file that every browser plays.

libsndfile reads wav, flac, ogg, mp3 and aiff and finds any place in a file of hours; what it does not know (m4a, wma,
webm) FFmpeg decodes through PyAV, at half the speed. Files are hostile until they are decoded: whatever a decoder says of
a bad one leaves here as UnreadableItemError with one line.
"""

import io
import math
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile
import soxr

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.item_file import one_line, open_file
from fastlabel_gradio.types import TimeSpan, Waveform

if TYPE_CHECKING:
    import av

MAX_SECONDS = 600.0  # of one item; a longer file has to be cut into windows
MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 768_000
MAX_CHANNELS = 64
MIN_SECONDS = 0.01
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
_PLAYABLE_BY_FFMPEG = {("mov,mp4,m4a,3gp,3g2,mj2", "aac"): "audio/mp4"}

# Named, because FFmpeg knows formats that open other files and addresses (playlists, ffconcat).
_FFMPEG_FORMATS = "mov,mp4,m4a,matroska,webm,asf,aac,mp3,ogg,flac,wav,w64,aiff,caf,au,amr,ac3,eac3,ape,wv,tta,mpc,mpc8"
_ESTIMATED = frozenset({"aac", "ac3", "eac3", "amr"})  # formats without a header for the whole file
_PREROLL_S = 0.5  # decoders that begin in the middle need some sound before what they give is right
_BLOCK_SAMPLES = 1 << 22
_KEPT_OPEN = 64  # mp3 files of which parts are read


@dataclass(frozen=True, slots=True)
class SoundInfo:
    """What a file's header says.

    Attributes:
        seconds: of the whole file; of some mp3 an estimate.
        media_type: for HTTP, where all current browsers play the file as it is; None where it has to be converted.
    """

    seconds: float
    rate_hz: int
    channels: int
    media_type: str | None


def open_sound(path: Path, span: TimeSpan | None = None, rate_hz: int | None = None) -> Waveform:
    """The file, or a part of it, as a mono waveform; channels are averaged. Of a part no more is decoded than it needs.

    Args:
        span: which part; what lies beyond the end of the file is left out.
        rate_hz: the caller needs no more samples a second than this; a slower sound stays as it is.

    Raises:
        UnreadableItemError: empty, not a sound, damaged before its first sample, shorter than MIN_SECONDS, longer than
            MAX_SECONDS, a part that begins behind the end, samples that are not finite. Nothing else is raised for bad
            content.
    """
    if span is not None and span.end_s <= span.start_s:
        raise UnreadableItemError(f"the part ends at {span.end_s} s, where it begins or before")
    samples, rate = _decode(path, span)
    if not len(samples):
        start_s = 0.0 if span is None else span.start_s
        raise UnreadableItemError(f"ends before {start_s} s" if start_s else "no sound in it (0 samples)")
    if len(samples) < MIN_SECONDS * rate:
        raise UnreadableItemError(f"too short: {len(samples)} samples, a sound needs {MIN_SECONDS} s")
    if not float(np.abs(samples).max()) <= LOUDEST:  # false for NaN too
        raise UnreadableItemError("holds samples that are not finite numbers, or far too large")
    return at_most(Waveform(samples, rate), rate_hz)


def sound_info(path: Path) -> SoundInfo:
    """Length, rate and whether browsers play it, from the file's header. Raises UnreadableItemError."""
    with _one_line_reasons():
        try:
            with _sndfile(path) as file:
                _check(file.samplerate, file.channels)
                playable = _PLAYABLE.get((file.format.removesuffix("EX"), file.subtype))
                media_type = playable if _is_plain(file.samplerate, file.channels) else None
                return SoundInfo(file.frames / file.samplerate, file.samplerate, file.channels, media_type)
        except soundfile.LibsndfileError as error:
            with _ffmpeg_stream(path, error) as (container, stream):
                codec = stream.codec_context
                _check(codec.sample_rate, codec.channels)
                playable = _PLAYABLE_BY_FFMPEG.get((container.format.name, codec.name))
                media_type = playable if _is_plain(codec.sample_rate, codec.channels) else None
                return SoundInfo(_seconds(container, stream), codec.sample_rate, codec.channels, media_type)


def sample_rate_hz(path: Path) -> int:
    """Samples a second, from the file's header. Raises UnreadableItemError."""
    with _one_line_reasons():
        try:
            with _sndfile(path) as file:
                return int(file.samplerate)
        except soundfile.LibsndfileError as error:
            with _ffmpeg_stream(path, error) as (_, stream):
                return int(stream.codec_context.sample_rate)


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
    """The waveform as a 16-bit FLAC, which every browser plays, with 8,000 to 48,000 samples a second."""
    played = resampled(waveform, min(max(waveform.rate_hz, LEAST_PLAYED_RATE_HZ), PLAYED_RATE_HZ))
    samples = played.samples if gain_db == 0 else played.samples * np.float32(10 ** (gain_db / 20))
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(samples, -1, 1), played.rate_hz, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def _decode(path: Path, span: TimeSpan | None) -> tuple[np.ndarray, int]:
    """Mono float32 samples and their rate."""
    with _one_line_reasons():
        try:
            with _opened(path, span) as file:
                _check(file.samplerate, file.channels)
                start, count = _part(span, file.frames / file.samplerate, file.samplerate)
                if start >= file.frames:
                    return np.empty(0, dtype=np.float32), file.samplerate
                file.seek(start)
                return _read(file, count), file.samplerate
        except soundfile.LibsndfileError as error:
            return _decode_by_ffmpeg(path, span, error)


def _read(file: soundfile.SoundFile, count: int) -> np.ndarray:
    """Up to `count` mono samples, in blocks: all channels of ten minutes at once may be gigabytes."""
    blocks = []
    size = max(1, _BLOCK_SAMPLES // file.channels)
    while count > 0:
        block = file.read(min(size, count), dtype="float32", always_2d=True)
        blocks.append(_mono(block))
        if len(block) < min(size, count):
            break
        count -= len(block)
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def _part(span: TimeSpan | None, seconds: float, rate_hz: int) -> tuple[int, int]:
    """First sample and number of samples to read. Raises UnreadableItemError where that is too long."""
    wanted = seconds if span is None else span.end_s - span.start_s
    if wanted > MAX_SECONDS:
        raise _too_long(wanted)
    if span is None:
        return 0, math.ceil(wanted * rate_hz)
    start = round(span.start_s * rate_hz)
    return start, max(1, round(span.end_s * rate_hz) - start)


def _too_long(seconds: float) -> UnreadableItemError:
    return UnreadableItemError(
        f"{_duration(seconds)} long, at most {_duration(MAX_SECONDS)}: cut it into windows (`window_s`, or --window)"
    )


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"


def _mono(samples: np.ndarray) -> np.ndarray:
    """float32[samples] of float32[samples, channels]."""
    if samples.shape[1] == 1:
        return np.ascontiguousarray(samples[:, 0])
    return np.asarray(samples.mean(axis=1), dtype=np.float32)


def _check(rate_hz: int, channels: int) -> None:
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise UnreadableItemError(f"{rate_hz} samples a second; {MIN_RATE_HZ} to {MAX_RATE_HZ} are understood")
    if not 1 <= channels <= MAX_CHANNELS:
        raise UnreadableItemError(f"{channels} channels; 1 to {MAX_CHANNELS} are understood")


def _is_plain(rate_hz: int, channels: int) -> bool:
    """Few enough channels and samples a second for every browser."""
    return channels <= 2 and LEAST_PLAYED_RATE_HZ <= rate_hz <= 2 * PLAYED_RATE_HZ


@contextmanager
def _opened(path: Path, span: TimeSpan | None) -> Iterator[soundfile.SoundFile]:
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
    file, lock = _kept_open(path, status.st_size, status.st_mtime_ns)
    with lock:
        try:
            yield file
        except BaseException:
            _kept_open.cache_clear()  # in what state the file is now, nobody knows
            raise


@lru_cache(_KEPT_OPEN)
def _kept_open(path: Path, size: int, mtime_ns: int) -> tuple[soundfile.SoundFile, threading.Lock]:
    return _sndfile(path), threading.Lock()


def _sndfile(path: Path) -> soundfile.SoundFile:
    with open_file(path):  # says what is wrong with a file that is no plain one
        return soundfile.SoundFile(os.fsencode(path))


@contextmanager
def _one_line_reasons() -> Iterator[None]:
    try:
        yield
    except UnreadableItemError:
        raise
    except MemoryError as error:
        raise UnreadableItemError("needs more memory than there is") from error
    except (OSError, RuntimeError, ValueError, LookupError, ArithmeticError, TypeError) as error:
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


@contextmanager
def _ffmpeg_stream(path: Path, why: Exception) -> "Iterator[tuple[av.container.InputContainer, Any]]":
    """The first sound of a file that libsndfile refused for that reason. Raises UnreadableItemError."""
    import av

    with open_file(path) as file:
        try:
            options = {"format_whitelist": _FFMPEG_FORMATS}
            container = av.open(file, "r", metadata_errors="ignore", options=options)
        except (av.FFmpegError, ValueError, UnicodeError) as error:
            raise _damaged(why) from error
        with container:
            stream = next(iter(container.streams.audio), None)
            if stream is None or stream.codec_context is None:
                raise UnreadableItemError("no sound in it that can be decoded")
            stream.codec_context.thread_count = 1
            try:
                yield container, stream
            except av.FFmpegError as error:
                raise _damaged(error) from error


def _decode_by_ffmpeg(path: Path, span: TimeSpan | None, why: Exception) -> tuple[np.ndarray, int]:
    with _ffmpeg_stream(path, why) as (container, stream):
        rate = stream.codec_context.sample_rate
        _check(rate, stream.codec_context.channels)
        start, count = _part(span, _header_seconds(container, stream), rate)
        if span is None and not (count and _is_exact(container)):
            count = math.ceil(MAX_SECONDS * rate) + 1  # to the end, wherever the header puts that
        if start:
            container.seek(max(0, int((start / rate - _PREROLL_S) / stream.time_base)), stream=stream)
        samples = _collected(_blocks(container, stream, rate), start, count)
    if len(samples) > MAX_SECONDS * rate:
        raise _too_long(len(samples) / rate)
    return samples, rate


def _blocks(container: Any, stream: Any, rate_hz: int) -> Iterator[tuple[np.ndarray, int | None]]:
    """Decoded mono blocks with the sample that each begins at, where the file tells."""
    import av

    plain = av.AudioResampler(format="flt")  # interleaved: of 8 planes PyAV 18.1 hands out a ninth, which is not there
    for frame in container.decode(stream):
        at = None if frame.time is None else round(frame.time * rate_hz)
        for converted in plain.resample(frame):
            yield _mono(converted.to_ndarray().reshape(-1, converted.layout.nb_channels)), at


def _collected(blocks: Iterator[tuple[np.ndarray, int | None]], start: int, count: int) -> np.ndarray:
    """Up to `count` samples from sample `start` on. Where decoding fails later on, what came before is the sound."""
    import av

    kept: list[np.ndarray] = []
    first = end = 0
    try:
        for block, at in blocks:
            if not kept:
                first = end if at is None else at
                end = first
            end += len(block)
            if end > start:
                kept.append(block)
            if end >= start + count:
                break
    except av.FFmpegError:
        if not kept:
            raise
    skipped = max(0, start - first)
    return np.concatenate(kept)[skipped : skipped + count] if kept else np.empty(0, dtype=np.float32)


def _seconds(container: Any, stream: Any) -> float:
    """By the header; where it tells nothing, or only an estimate, by the times of all packets, which are not decoded."""
    seconds = _header_seconds(container, stream)
    if seconds and _is_exact(container):
        return seconds
    packets = (packet for packet in container.demux(stream) if packet.pts is not None)
    return max((float((packet.pts + (packet.duration or 0)) * stream.time_base) for packet in packets), default=0.0)


def _is_exact(container: Any) -> bool:
    """Whether the header says how long the sound is, if it says anything."""
    return container.format.name not in _ESTIMATED


def _header_seconds(container: Any, stream: Any) -> float:
    """0 where the header does not tell."""
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    return float(container.duration or 0) / 1_000_000
