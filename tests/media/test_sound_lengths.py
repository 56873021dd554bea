"""A header's length is a claim: what is found, said and decoded of files whose header is wrong, of every format."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.repair import Repair, RepairedStream
from fastlabel_gradio.media.sounds import open_sound, sound_info
from fastlabel_gradio.types import TimeSpan
from tests.media.test_sounds import sweep, write_by_ffmpeg
from tests.source_data import RATE_HZ

TONES_HZ = (400, 800, 1200)
UNKNOWN = "the header gives no length; read to the end of the file"
ID3V1 = b"TAG" + bytes(125)


def tones(rate_hz: int = RATE_HZ) -> np.ndarray:
    """float32[samples]: three seconds, each at its own pitch."""
    time_s = np.arange(rate_hz) / rate_hz
    return np.concatenate([0.5 * np.sin(2 * np.pi * hz * time_s) for hz in TONES_HZ]).astype(np.float32)


def id3(body_bytes: int) -> bytes:
    size = bytes(body_bytes >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3\x04\x00\x00" + size + bytes(body_bytes)


def pitch_hz(path: Path, second: float, rate_hz: int | None = None) -> float:
    waveform = open_sound(path, TimeSpan(second + 0.25, second + 0.75), rate_hz)
    spectrum = np.abs(np.fft.rfft(waveform.samples * np.hanning(len(waveform.samples))))
    return float(spectrum.argmax() * waveform.rate_hz / len(waveform.samples))


def assert_lasts(path: Path, seconds: float, note: str | None, tolerance_s: float = 0.05) -> None:
    """The length found, that of the decoded whole and the end of the last part agree; a note of None is any but ""."""
    info = sound_info(path)
    assert abs(info.seconds - seconds) < tolerance_s
    waveform = open_sound(path)
    assert abs(waveform.seconds - info.seconds) < tolerance_s
    assert waveform.note == info.note
    assert (info.note == note) if note is not None else info.note
    assert (info.media_type is None) or not info.note
    last = open_sound(path, TimeSpan(info.seconds - 0.25, info.seconds))
    assert abs(last.seconds - 0.25) < tolerance_s
    with pytest.raises(UnreadableItemError, match="but the sound ends at"):
        open_sound(path, TimeSpan(info.seconds + 0.01, info.seconds + 1))
    with pytest.raises(UnreadableItemError, match="but the sound ends at"):
        open_sound(path, TimeSpan(0.0, info.seconds + 1))


def write_pcm(folder: Path, container: str, claimed: int, subtype: str = "PCM_16") -> Path:
    """The tones in a container whose header claims so many bytes of samples."""
    path = folder / f"claim.{container.lower()}"
    soundfile.write(path, tones(), RATE_HZ, format=container, subtype=subtype)
    content = bytearray(path.read_bytes())
    mark, offset, form, more = {
        "WAV": (b"data", 4, "<I", 0),
        "RF64": (b"ds64", 16, "<Q", 0),
        "W64": (b"data", 16, "<Q", 24),
        "AIFF": (b"SSND", 4, ">I", 8),
        "CAF": (b"data", 4, ">Q", 4),
        "AU": (b".snd", 8, ">I", 0),
    }[container]
    most = (1 << 8 * struct.calcsize(form)) - 1
    value = min(claimed + more, most) if claimed >= 0 else most
    struct.pack_into(form, content, content.index(mark) + offset, value)
    path.write_bytes(content)
    return path


def write_sparse_wav(path: Path, claimed: int, seconds: int, rate_hz: int = 384_000) -> Path:
    """A 24-bit stereo WAV whose samples are a hole in the file but for a last second of 1,200 Hz."""
    frame = 6
    size = seconds * rate_hz * frame
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, rate_hz, rate_hz * frame, frame, 24)
    header = b"RIFF" + struct.pack("<I", (claimed + 36) % 2**32) + b"WAVE" + fmt + struct.pack("<4sI", b"data", claimed)
    path.write_bytes(header)
    os.truncate(path, len(header) + size)
    tone = (np.sin(2 * np.pi * 1200 * np.arange(rate_hz) / rate_hz) * 2**22).astype("<i4")
    bytes_of = np.repeat(tone.view(np.uint8).reshape(-1, 1, 4)[:, :, :3], 2, axis=1)
    with path.open("r+b") as file:
        file.seek(len(header) + size - rate_hz * frame)
        file.write(bytes_of.tobytes())
    return path


class TestPlainSamples:
    @pytest.mark.parametrize("container", ["WAV", "RF64", "W64", "AIFF", "CAF", "AU"])
    @pytest.mark.parametrize("claimed", [0, -1])
    def test_a_header_without_a_length_is_read_to_the_end_of_the_file(
        self, tmp_path: Path, container: str, claimed: int
    ) -> None:
        path = write_pcm(tmp_path, container, claimed)
        assert_lasts(path, 3.0, UNKNOWN, 0.001)
        assert [round(pitch_hz(path, second)) for second in range(3)] == list(TONES_HZ)

    @pytest.mark.parametrize("container", ["WAV", "RF64", "W64", "AIFF", "CAF", "AU"])
    @pytest.mark.parametrize(("claimed_s", "said"), [(1.0, "1.0 s"), (6.25, "6.2 s")])
    def test_a_length_that_was_not_brought_up_to_date_or_lies_beyond_the_end_is_corrected(
        self, tmp_path: Path, container: str, claimed_s: float, said: str
    ) -> None:
        path = write_pcm(tmp_path, container, round(claimed_s * RATE_HZ * 2))
        assert_lasts(path, 3.0, f"the header gives a length of {said}, the file holds 3.0 s", 0.001)

    @pytest.mark.parametrize("container", ["WAV", "RF64", "W64", "AIFF", "CAF", "AU"])
    def test_a_right_length_is_believed_and_nothing_is_said(self, tmp_path: Path, container: str) -> None:
        path = tmp_path / "a.x"
        soundfile.write(path, tones(), RATE_HZ, format=container)
        assert_lasts(path, 3.0, "", 0.001)
        path.write_bytes(path.read_bytes() + ID3V1)
        assert_lasts(path, 3.0, "", 0.001)

    @pytest.mark.parametrize("container", ["WAV", "RF64", "W64", "AIFF", "CAF", "AU"])
    def test_of_a_file_that_was_cut_off_the_length_is_that_of_the_rest(self, tmp_path: Path, container: str) -> None:
        path = tmp_path / "a.x"
        soundfile.write(path, tones(), RATE_HZ, format=container)
        os.truncate(path, path.stat().st_size - 2 * RATE_HZ)
        assert_lasts(path, 2.0, "the header gives a length of 3.0 s, the file holds 2.0 s", 0.001)

    @pytest.mark.parametrize(
        "rest",
        [
            b"LIST" + struct.pack("<I", 5) + b"abcde\0",
            b"odd!" + struct.pack("<I", 30_001) + bytes(30_001),
            b"bext" + struct.pack("<I", 90_000),
            bytes(20_000),
        ],
        ids=["chunk", "unknown chunk without padding", "chunk that is cut off", "zeros"],
    )
    def test_what_follows_the_samples_is_no_sound(self, tmp_path: Path, rest: bytes) -> None:
        soundfile.write(tmp_path / "a.wav", tones(), RATE_HZ)
        (tmp_path / "a.wav").write_bytes((tmp_path / "a.wav").read_bytes() + rest)
        assert_lasts(tmp_path / "a.wav", 3.0, "", 0.001)

    def test_an_empty_sound_before_other_chunks_stays_empty(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "a.wav", np.zeros(0), RATE_HZ)
        (tmp_path / "a.wav").write_bytes((tmp_path / "a.wav").read_bytes() + b"LIST" + struct.pack("<I", 4) + b"INFO")
        with pytest.raises(UnreadableItemError, match="no sound in it"):
            open_sound(tmp_path / "a.wav")

    @pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "IMA_ADPCM"])
    def test_every_encoding_of_a_wav_is_read_without_a_length(self, tmp_path: Path, subtype: str) -> None:
        path = write_pcm(tmp_path, "WAV", 0, subtype)
        assert_lasts(path, 3.0, UNKNOWN, 0.1)
        assert round(pitch_hz(path, 2)) == 1200

    def test_a_bw64_is_read(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "a.wav", tones(), RATE_HZ, format="RF64")
        (tmp_path / "a.wav").write_bytes(b"BW64" + (tmp_path / "a.wav").read_bytes()[4:])
        assert_lasts(tmp_path / "a.wav", 3.0, "", 0.001)

    @pytest.mark.parametrize("claim", ["wrapped around", "unknown"])
    def test_a_wav_above_4_gib_has_all_of_its_hours(self, tmp_path: Path, claim: str) -> None:
        seconds = 2000
        size = seconds * 384_000 * 6
        claimed = size % 2**32 if claim == "wrapped around" else 2**32 - 1
        path = write_sparse_wav(tmp_path / "long.wav", claimed, seconds)
        assert sound_info(path).seconds == seconds
        assert "33 min" in sound_info(path).note if claim == "wrapped around" else sound_info(path).note == UNKNOWN
        assert round(pitch_hz(path, seconds - 1, 48_000)) == 1200
        with pytest.raises(UnreadableItemError, match="33 min long"):
            open_sound(path)

    def test_a_header_of_rubbish_is_a_reason_and_no_crash(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(0)
        for container in ("WAV", "RF64", "W64", "AIFF", "CAF", "AU"):
            good = write_pcm(tmp_path, container, 1000).read_bytes()
            for number in range(10):
                content = np.frombuffer(good, dtype=np.uint8).copy()
                content[rng.integers(0, 100, 6)] = rng.integers(0, 256, 6)
                path = tmp_path / f"{container}{number}"
                path.write_bytes(content.tobytes())
                try:
                    assert open_sound(path).seconds < 700
                except UnreadableItemError as error:
                    assert "\n" not in str(error)


class TestFlac:
    def write(self, folder: Path, claimed: int | None = None, before: bytes = b"", after: bytes = b"") -> Path:
        path = folder / "a.flac"
        soundfile.write(path, tones(), RATE_HZ)
        content = bytearray(path.read_bytes())
        if claimed is not None:
            packed = int.from_bytes(content[18:26], "big") >> 36 << 36 | claimed
            content[18:26] = packed.to_bytes(8, "big")
        path.write_bytes(before + content + after)
        return path

    def test_an_unknown_number_of_samples_is_counted(self, tmp_path: Path) -> None:
        path = self.write(tmp_path, 0)
        assert_lasts(path, 3.0, UNKNOWN, 0.001)
        assert [round(pitch_hz(path, second)) for second in (2, 0, 1)] == [1200, 400, 800]

    @pytest.mark.parametrize(("claimed", "said"), [(RATE_HZ, "1.0 s"), (200_000, "12.5 s"), (2**36 - 1, "1193.0 h")])
    @pytest.mark.parametrize("before", [b"", id3(3000)], ids=["plain", "tag"])
    def test_a_wrong_number_of_samples_is_corrected(
        self, tmp_path: Path, claimed: int, said: str, before: bytes
    ) -> None:
        path = self.write(tmp_path, claimed, before)
        assert_lasts(path, 3.0, f"the header gives a length of {said}, the file holds 3.0 s", 0.001)

    @pytest.mark.parametrize(("before", "after"), [(b"", b""), (id3(3000), b""), (b"", ID3V1)])
    def test_a_right_number_is_believed(self, tmp_path: Path, before: bytes, after: bytes) -> None:
        assert_lasts(self.write(tmp_path, None, before, after), 3.0, "", 0.001)

    def test_of_a_file_that_was_cut_off_the_whole_frames_count(self, tmp_path: Path) -> None:
        path = self.write(tmp_path)
        os.truncate(path, path.stat().st_size // 2)
        info = sound_info(path)
        assert 1 < info.seconds < 2.5 and "the header gives a length of 3.0 s" in info.note
        assert_lasts(path, info.seconds, info.note, 0.001)


class TestMpeg:
    def write(self, folder: Path, rate_hz: int = RATE_HZ) -> Path:
        """A pause of 2 s and the tones, five times: with a variable rate their frames are of many sizes."""
        path = folder / "a.mp3"
        samples = np.tile(np.concatenate([np.zeros(2 * rate_hz, np.float32), tones(rate_hz)]), 5)
        soundfile.write(path, samples, rate_hz, bitrate_mode="VARIABLE")
        return path

    def without_counter(self, path: Path) -> bytes:
        """The frames but the first, which counts them."""
        content = path.read_bytes()
        return content[content.index(b"\xff" + content[1:2], 100) :]

    def test_a_right_counter_is_believed(self, tmp_path: Path) -> None:
        assert_lasts(self.write(tmp_path), 25.0, "")

    @pytest.mark.parametrize("rate_hz", [RATE_HZ, 44_100])
    def test_a_variable_rate_without_a_counter_is_counted(self, tmp_path: Path, rate_hz: int) -> None:
        path = self.write(tmp_path, rate_hz=rate_hz)
        path.write_bytes(self.without_counter(path))
        assert_lasts(path, 25.0, UNKNOWN, 0.15)
        assert round(pitch_hz(path, 24) / 10) == 120

    @pytest.mark.parametrize("times", [0.5, 2])
    def test_a_wrong_counter_is_corrected(self, tmp_path: Path, times: float) -> None:
        path = self.write(tmp_path)
        content = bytearray(path.read_bytes())
        at = content.index(b"Xing") + 8
        struct.pack_into(">I", content, at, round(times * struct.unpack_from(">I", content, at)[0]))
        path.write_bytes(content)
        assert_lasts(path, 25.0, None)

    def test_a_constant_rate_without_a_counter_needs_no_repair(self, tmp_path: Path) -> None:
        samples = np.tile(tones(), 5)[:, None]
        path = write_by_ffmpeg(
            tmp_path / "a.mp3", "mp3", "libmp3lame", samples, RATE_HZ, write_xing="0", id3v2_version="0"
        )
        assert b"Xing" not in path.read_bytes() and b"Info" not in path.read_bytes()
        assert_lasts(path, 15.0, "", 0.15)

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (id3(3_000_000), b""),
            (b"", ID3V1),
            (b"", b"APETAGEX" + struct.pack("<IIII8x", 2000, 40_032, 1, 0) + bytes(40_032)),
            (b"", np.random.default_rng(0).bytes(60_000)),
            (np.random.default_rng(1).bytes(3_000), b""),
        ],
        ids=["large tag", "tag at the end", "APE tag", "rubbish at the end", "rubbish at the beginning"],
    )
    @pytest.mark.parametrize("has_counter", [True, False])
    def test_tags_and_rubbish_do_not_count(
        self, tmp_path: Path, before: bytes, after: bytes, has_counter: bool
    ) -> None:
        path = self.write(tmp_path)
        path.write_bytes(before + (path.read_bytes() if has_counter else self.without_counter(path)) + after)
        assert_lasts(path, 25.0, sound_info(path).note, 0.15)
        assert round(pitch_hz(path, 23) / 10) == 80

    def test_of_a_file_that_was_cut_off_the_whole_frames_count(self, tmp_path: Path) -> None:
        path = self.write(tmp_path)
        os.truncate(path, path.stat().st_size // 2)
        info = sound_info(path)
        assert 8 < info.seconds < 18 and "the header gives a length of 25.0 s" in info.note
        assert_lasts(path, info.seconds, info.note)

    def test_rubbish_behind_a_right_counter_is_not_played(self, tmp_path: Path) -> None:
        path = self.write(tmp_path)
        path.write_bytes(path.read_bytes() + np.random.default_rng(0).bytes(60_000))
        assert_lasts(path, 25.0, "rubbish behind the sound is left out")

    def test_two_files_in_one_are_both_heard(self, tmp_path: Path) -> None:
        path = self.write(tmp_path)
        path.write_bytes(path.read_bytes() * 2)
        assert_lasts(path, 50.0, None, 0.3)

    def test_layer_2_is_counted(self, tmp_path: Path) -> None:
        path = write_by_ffmpeg(tmp_path / "a.mp2", "mp2", "mp2", tones()[:, None], RATE_HZ)
        assert_lasts(path, 3.0, "", 0.1)
        path.write_bytes(path.read_bytes() + bytes(100_000))
        assert_lasts(path, 3.0, UNKNOWN, 0.1)


BY_FFMPEG = {
    "m4a": ("mp4", "aac", RATE_HZ),
    "mka": ("matroska", "libopus", 48_000),
    "webm": ("webm", "libopus", 48_000),
    "aac": ("adts", "aac", RATE_HZ),
    "wma": ("asf", "wmav2", 44_100),
    "amr": ("amr", "libopencore_amrnb", 8_000),
    "3gp": ("3gp", "libopencore_amrnb", 8_000),
    "ac3": ("ac3", "ac3", 48_000),
    "wv": ("wv", "wavpack", RATE_HZ),
    "tta": ("tta", "tta", RATE_HZ),
    "caf": ("caf", "alac", RATE_HZ),
    "avi": ("avi", "libmp3lame", RATE_HZ),
    "mpg": ("mpeg", "mp2", 48_000),
    "mts": ("mpegts", "mp2", 48_000),
    "flv": ("flv", "libmp3lame", 44_100),
}


def write_tones(folder: Path, suffix: str, repeats: int = 3, **options: str) -> Path:
    container, codec, rate_hz = BY_FFMPEG[suffix]
    samples = np.tile(tones(rate_hz), repeats)[:, None]
    return write_by_ffmpeg(folder / f"a.{suffix}", container, codec, samples, rate_hz, **options)


class TestByFFmpeg:
    @pytest.mark.parametrize("suffix", BY_FFMPEG)
    def test_length_and_place_are_right(self, tmp_path: Path, suffix: str) -> None:
        path = write_tones(tmp_path, suffix)
        assert_lasts(path, 9.0, "", 0.12)
        assert [round(pitch_hz(path, second) / 20) for second in (8, 3, 7)] == [60, 20, 40]

    @pytest.mark.parametrize("suffix", ["mka", "webm", "aac", "wma", "amr", "ac3", "tta", "avi", "mpg", "mts", "flv"])
    def test_of_a_file_that_was_cut_off_the_length_is_that_of_the_rest(self, tmp_path: Path, suffix: str) -> None:
        path = write_tones(tmp_path, suffix)
        os.truncate(path, path.stat().st_size * 7 // 10)
        info = sound_info(path)
        assert 3 < info.seconds < 8
        assert_lasts(path, info.seconds, info.note, 0.12)

    def test_an_mp4_with_its_index_in_front_that_was_cut_off_has_the_rest(self, tmp_path: Path) -> None:
        path = write_tones(tmp_path, "m4a", movflags="faststart")
        os.truncate(path, path.stat().st_size * 7 // 10)
        info = sound_info(path)
        assert 3 < info.seconds < 8 and "the header gives a length of 9.0 s" in info.note
        assert_lasts(path, info.seconds, info.note, 0.05)

    @pytest.mark.parametrize("factor", [10, 1_000, 1_000_000])
    def test_a_file_whose_times_are_damaged_is_no_endless_sound(self, tmp_path: Path, factor: int) -> None:
        path = write_tones(tmp_path, "m4a", repeats=1)
        content = bytearray(path.read_bytes())
        at = content.index(b"mdhd") + 16  # samples a second of the track, by which all of its times are divided
        struct.pack_into(">I", content, at, max(1, RATE_HZ // factor))
        path.write_bytes(content)
        try:
            assert sound_info(path).seconds < 4
        except UnreadableItemError as error:
            assert "cannot hold" in str(error)

    def test_a_recording_of_a_browser_without_a_length_says_so(self, tmp_path: Path) -> None:
        assert_lasts(write_tones(tmp_path, "webm", live="1"), 9.0, UNKNOWN, 0.05)


class TestOgg:
    @pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
    def test_sounds_in_one_file_are_read_one_after_the_other(self, tmp_path: Path, subtype: str) -> None:
        path = tmp_path / "a.ogg"
        content = b""
        for part in (tones(), tones()[RATE_HZ:], tones()):
            soundfile.write(path, part, RATE_HZ, format="OGG", subtype=subtype)
            content += path.read_bytes()
        path.write_bytes(content)
        assert_lasts(path, 8.0, "3 sounds in one file, read one after the other", 0.02)
        assert [round(pitch_hz(path, second) / 10) for second in (7, 0, 3, 4, 5)] == [120, 40, 80, 120, 40]
        assert abs(open_sound(path, TimeSpan(2.5, 5.5)).seconds - 3) < 0.01
        whole = open_sound(path).samples
        np.testing.assert_allclose(open_sound(path, TimeSpan(2.5, 5.5)).samples, whole[40_000:88_000], atol=0.02)

    def test_one_of_another_rate_is_left_out_and_said(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "a.ogg", tones(), RATE_HZ)
        soundfile.write(tmp_path / "b.ogg", tones(44_100), 44_100)
        path = tmp_path / "both.ogg"
        path.write_bytes((tmp_path / "a.ogg").read_bytes() + (tmp_path / "b.ogg").read_bytes())
        note = "what follows in the file after 3.0 s is of another kind and left out"
        assert_lasts(path, 3.0, note, 0.01)

    @pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
    def test_of_a_file_without_its_last_pages_and_with_rubbish_behind_the_rest_is_read(
        self, tmp_path: Path, subtype: str
    ) -> None:
        path = tmp_path / "a.ogg"
        soundfile.write(path, np.tile(tones(), 10), RATE_HZ, format="OGG", subtype=subtype)
        content = path.read_bytes()
        path.write_bytes(content[: content.rindex(b"OggS")])
        info = sound_info(path)
        assert 25 < info.seconds < 30
        assert_lasts(path, info.seconds, "", 0.01)
        path.write_bytes(content + np.random.default_rng(0).bytes(50_000))
        assert_lasts(path, 30.0, "", 0.01)


class TestRepairedStream:
    def test_it_reads_as_the_repair_has_it_from_every_place(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"0123456789")
        expected = b"ab2345X789"
        repair = Repair("", prefix=b"ab", start=2, patch=b"X", patch_at=6)
        for start in range(len(expected) + 2):
            for count in range(1, len(expected) + 2):
                with RepairedStream((tmp_path / "a").open("rb"), repair) as stream:
                    stream.seek(start)
                    assert stream.read(count) == expected[start : start + count]
                    assert stream.tell() == min(max(start, len(expected)), start + count)


def test_the_last_windows_of_an_ogg_that_ffmpeg_reads_are_those_parts_of_the_whole(tmp_path: Path) -> None:
    path = write_by_ffmpeg(tmp_path / "sweep.oga", "ogg", "flac", sweep(7.3, 44_100)[:, None], 44_100)
    whole = open_sound(path).samples
    for start_s in (5.0, 6.0, 6.5, 7.0):
        window = open_sound(path, TimeSpan(start_s, start_s + 0.3)).samples
        np.testing.assert_array_equal(window, whole[round(start_s * 44_100) :][: len(window)])


def test_a_decoder_that_gives_nothing_for_its_first_packets_shifts_no_window(tmp_path: Path) -> None:
    rate_hz = 48_000
    clicks = np.zeros(8 * rate_hz, dtype=np.float32)
    clicks[rate_hz // 2 :: rate_hz] = 0.9
    path = write_by_ffmpeg(tmp_path / "clicks.wma", "asf", "wmav2", clicks[:, None], rate_hz)
    whole = open_sound(path)
    assert abs(whole.seconds - sound_info(path).seconds) < 0.01
    for second in range(8):
        window = open_sound(path, TimeSpan(second, second + 1))
        assert window.seconds == 1.0
        in_whole = np.abs(whole.samples[second * rate_hz :][:rate_hz]).argmax()
        assert abs(int(np.abs(window.samples).argmax()) - int(in_whole)) <= rate_hz // 500  # its times are milliseconds
