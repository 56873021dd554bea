"""What libsndfile does not know (m4a, wma, webm, amr, the sound of videos …), decoded by FFmpeg through PyAV."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.item_file import open_file
from fastlabel_gradio.media.repair import length_note

if TYPE_CHECKING:
    import av

# Named, because FFmpeg knows formats that open other files and addresses (playlists, ffconcat).
_FORMATS = (
    "mov,mp4,m4a,matroska,webm,asf,avi,mpeg,mpegts,flv,aac,loas,mp3,ogg,flac,wav,w64,aiff,caf,au,voc,amr,amrnb,amrwb,ac3,eac3,"
    "dts,dtshd,ape,wv,tta,tak,mpc,mpc8,dsf,gsm,rm"
)
_PLAYABLE = {("mov,mp4,m4a,3gp,3g2,mj2", "aac"): "audio/mp4"}
_WITHOUT_LENGTH = frozenset(
    {"aac", "loas", "ac3", "eac3", "amr", "amrnb", "amrwb", "dts", "mp3"}
)  # they give an estimate
_PREROLL_S = 0.5  # decoders that begin in the middle need some sound before what they give is right
_LAST_S = 2.0  # before the end that a header claims: from there on the packets are looked at
_LAST_OGG_PAGE_S = 30.0  # at most; sought for in it, FFmpeg takes its last packets for later ones
_EARLIER_S = (0.0, 1.0, 10.0, 100.0)
_SAID_FROM_S = 0.5
_KEPT_LENGTHS = 65_536


@dataclass(frozen=True, slots=True)
class FFmpegSound:
    """What is known of a sound without decoding it.

    Attributes:
        seconds: by the times of its packets. note: "" or how the header's length is wrong.
        is_float: its samples are floats, which may lie above full scale.
    """

    seconds: float
    note: str
    rate_hz: int
    channels: int
    media_type: str | None
    is_float: bool


def ffmpeg_info(path: Path) -> FFmpegSound:
    """Length, rate and channels of the first sound of a file. Raises UnreadableItemError, av.FFmpegError, OSError."""
    with open_file(path) as stream:
        status = os.fstat(stream.fileno())
    return _cached_info(path, status.st_size, status.st_mtime_ns)


def ffmpeg_blocks(path: Path, start: int, count: int) -> Iterator[np.ndarray]:
    """`count` samples from sample `start` on, as blocks float32[samples, channels]; no more than there are.

    Raises:
        UnreadableItemError, av.FFmpegError: nothing of it can be decoded.
    """
    with _stream(path) as (container, stream):
        rate_hz, origin_s = stream.codec_context.sample_rate, _origin_s(stream)
        if start:
            _seek(container, stream, max(0.0, start / rate_hz - _PREROLL_S))
        yield from _cut(_decoded(container, stream, rate_hz, origin_s), start, count)


def is_without_index(path: Path) -> bool:
    """Whether an mp4, m4a, mov or 3gp lacks the part that says where its sound is. Raises UnreadableItemError, OSError."""
    with open_file(path) as stream:
        at, size = 0, os.fstat(stream.fileno()).st_size
        is_mp4 = False
        while at + 8 <= size:
            stream.seek(at)
            length, name, long_length = struct.unpack(">I4sQ", stream.read(16).ljust(16, b"\0"))
            if name == b"moov" or (at == 0 and name != b"ftyp"):
                return False
            is_mp4 = True
            at += max(8, long_length if length == 1 else length or size)
        return is_mp4


@lru_cache(_KEPT_LENGTHS)
def _cached_info(path: Path, size: int, mtime_ns: int) -> FFmpegSound:
    with _stream(path) as (container, stream):
        codec = stream.codec_context
        claimed_s = _claimed_s(container, stream)
        seconds = _seconds(container, stream, claimed_s)
        note = (
            "" if claimed_s is not None and abs(claimed_s - seconds) < _SAID_FROM_S else length_note(claimed_s, seconds)
        )
        if container.format.name in _WITHOUT_LENGTH:
            note = ""  # that has no header for the whole, and nothing is wrong with it
        is_plain = not note and not _has_video(container) and _is_mp4(container)
        playable = _PLAYABLE.get((container.format.name, codec.name)) if is_plain else None
        return FFmpegSound(
            seconds, note, codec.sample_rate, codec.channels, playable, codec.name.startswith(("pcm_f32", "pcm_f64"))
        )


@contextmanager
def _stream(path: Path) -> "Iterator[tuple[av.container.InputContainer, Any]]":
    """The first sound of a file. Raises UnreadableItemError, av.FFmpegError."""
    import av

    with open_file(path) as file:
        options = {"format_whitelist": _FORMATS}
        with av.open(file, "r", metadata_errors="ignore", options=options) as container:
            stream = next(iter(container.streams.audio), None)
            if stream is None:
                raise UnreadableItemError("no sound in it")
            if stream.codec_context is None:
                raise UnreadableItemError("no sound in it that can be decoded")
            stream.codec_context.thread_count = 1
            yield container, stream


def _is_mp4(container: Any) -> bool:
    """Whether all browsers take it for what it is: the same format is that of QuickTime and of telephones."""
    return not container.metadata.get("major_brand", "").startswith(("qt", "3g"))


def _has_video(container: Any) -> bool:
    """Whether it holds moving pictures; a cover is none."""
    import av

    return any(not stream.disposition & av.stream.Disposition.attached_pic for stream in container.streams.video)


def _origin_s(stream: Any) -> float:
    """When the sound begins: that of a broadcast or of a part of one hours after 0."""
    return max(0.0, float(stream.start_time * stream.time_base)) if stream.start_time is not None else 0.0


def _claimed_s(container: Any, stream: Any) -> float | None:
    """The length by the header; None where it gives none."""
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return container.duration / 1_000_000 if container.duration else None


def _seconds(container: Any, stream: Any, claimed_s: float | None) -> float:
    """Up to the end of the last packet, or as far as it can be decoded."""
    end_s = _last_packet_s(container, stream, claimed_s)
    decoded_s = _last_decoded_s(container, stream, end_s)
    return min(end_s, decoded_s) if decoded_s else end_s


def _last_packet_s(container: Any, stream: Any, claimed_s: float | None) -> float:
    """Of those behind the end that the header claims and shortly before; or, where that helps nothing, of all."""
    import av

    if claimed_s is not None and claimed_s > 2 * _LAST_S and container.format.name not in _WITHOUT_LENGTH:
        with suppress(av.FFmpegError):  # there may be nothing at that place
            _seek(container, stream, claimed_s - _LAST_S)
            if seconds := _end_s(container, stream):
                return seconds
        _seek(container, stream, 0)
    return _end_s(container, stream)


def _last_decoded_s(container: Any, stream: Any, end_s: float) -> float:
    """When the last frame ends that can be decoded; 0 where that is not known. The last packet may be cut off, or padded."""
    import av

    decoded_s, origin_s = 0.0, _origin_s(stream)
    with suppress(av.FFmpegError):
        _seek(container, stream, max(0.0, end_s - _LAST_S))
        for frame in _frames(container, stream):
            if frame.time is not None:
                decoded_s = max(decoded_s, frame.time + frame.samples / frame.sample_rate - origin_s)
    return decoded_s


def _seek(container: Any, stream: Any, seconds: float) -> None:
    """To that time of the sound or before. Near the end of some files there is no place to go to, but one before it is."""
    import av

    if container.format.name == "ogg" and container.duration:
        seconds = min(seconds, max(0.0, container.duration / 1_000_000 - _LAST_OGG_PAGE_S))
    for earlier_s in _EARLIER_S:
        try:
            at_s = max(0.0, seconds - earlier_s) + _origin_s(stream)
            container.seek(int(at_s / stream.time_base), stream=stream)
            return
        except av.FFmpegError:
            if earlier_s >= seconds:
                raise
    container.seek(0)


def _end_s(container: Any, stream: Any) -> float:
    """When the last packet from here on ends; packets are not decoded. Where reading fails, what came before counts."""
    import av

    end, origin_s = 0.0, _origin_s(stream)
    try:
        for packet in container.demux(stream):
            if packet.pts is not None and packet.size:
                end = max(end, float((packet.pts + (packet.duration or 0)) * stream.time_base) - origin_s)
    except av.FFmpegError:
        if not end:
            raise
    return end


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """The frames of a sound from here on. Packets that cannot be decoded are skipped, unless all are of that sort.

    The first one behind a place that was looked for, and the last one of a file that was cut off, may be halves.
    """
    import av

    first_error: av.FFmpegError | None = None
    has_given = False
    for packet in container.demux(stream):
        try:
            for frame in packet.decode():
                has_given = True
                yield frame
        except av.EOFError:
            return
        except av.FFmpegError as error:
            first_error = first_error or error
    if first_error is not None and not has_given:
        raise first_error


def _decoded(container: Any, stream: Any, rate_hz: int, origin_s: float) -> Iterator[tuple[np.ndarray, int | None]]:
    """Blocks with the sample that each begins at, where the file tells."""
    import av

    plain = av.AudioResampler(format="flt")  # interleaved: of 8 planes PyAV 18.1 hands out a ninth, which is not there
    for frame in _frames(container, stream):
        at = None if frame.time is None else round((frame.time - origin_s) * rate_hz)
        for converted in plain.resample(frame):
            yield converted.to_ndarray().reshape(-1, converted.layout.nb_channels), at


def _cut(blocks: Iterator[tuple[np.ndarray, int | None]], start: int, count: int) -> Iterator[np.ndarray]:
    """Where the first block begins late, as of decoders that give nothing for their first packets, silence comes before."""
    end: int | None = None
    for block, at in blocks:
        if end is None and at is not None and at > start:
            late = min(at - start, count)
            yield np.zeros((late, block.shape[1]), dtype=block.dtype)
            if late == count:
                return
        begin = (at or 0) if end is None else end
        end = begin + len(block)
        if end > start:
            yield block[max(0, start - begin) : start + count - begin]
        if end >= start + count:
            return
