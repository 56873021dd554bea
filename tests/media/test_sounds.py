"""Sounds in and out: what `fastlabel_gradio.media.sounds` accepts, refuses and makes."""

import io
import os
import shutil
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.sounds import encode_flac, open_sound, resampled, sound_info
from fastlabel_gradio.types import TimeSpan, Waveform
from tests.cases import each
from tests.source_data import RATE_HZ, save_sound, sound

BY_LIBSNDFILE = ("wav", "flac", "ogg", "opus", "mp3", "aiff")
BY_FFMPEG = {
    "m4a": ("mp4", "aac", 44_100),
    "aac": ("adts", "aac", 44_100),
    "wma": ("asf", "wmav2", 44_100),
    "webm": ("webm", "libopus", 48_000),
}
EVERY = (*BY_LIBSNDFILE, *BY_FFMPEG)


def sweep(seconds: float, rate_hz: int) -> np.ndarray:
    """float32[samples]: a sine that rises by 200 Hz a second, so that each place sounds different, in some noise."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    noise = 0.03 * np.random.default_rng(0).standard_normal(len(time_s))
    return (0.3 * np.sin(2 * np.pi * (200 * time_s + 100 * time_s**2)) + noise).astype(np.float32)


def write_by_ffmpeg(path: Path, container: str, codec: str, samples: np.ndarray, rate_hz: int, **options: str) -> Path:
    """Writes float32[samples, channels]."""
    layout = {1: "mono", 2: "stereo", 8: "7.1"}[samples.shape[1]]
    with av.open(str(path), "w", format=container, options=options) as file:
        stream = file.add_stream(codec, rate=rate_hz)
        stream.layout = layout
        stream.bit_rate = 96_000
        for start in range(0, len(samples), 1024):
            block = np.ascontiguousarray(samples[start : start + 1024].reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(block, format="flt", layout=layout)
            frame.sample_rate, frame.pts = rate_hz, start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def write_sweep(folder: Path, suffix: str, seconds: float = 4.0) -> tuple[Path, int]:
    """The sweep as a file of that kind, and its rate."""
    path = folder / f"sweep.{suffix}"
    if suffix in BY_FFMPEG:
        container, codec, rate_hz = BY_FFMPEG[suffix]
        return write_by_ffmpeg(path, container, codec, sweep(seconds, rate_hz)[:, None], rate_hz), rate_hz
    options = {"format": "OGG", "subtype": "OPUS"} if suffix == "opus" else {}
    soundfile.write(path, sweep(seconds, RATE_HZ), RATE_HZ, **options)
    return path, RATE_HZ


def reason(path: Path, span: TimeSpan | None = None) -> str:
    with pytest.raises(UnreadableItemError) as caught:
        open_sound(path, span)
    text = str(caught.value)
    assert text and "\n" not in text and len(text) < 160 and str(path.parent) not in text
    return text


def pitch_hz(waveform: Waveform) -> float:
    """The loudest frequency in the middle of the sound."""
    half = waveform.rate_hz // 20
    middle = len(waveform.samples) // 2
    frame = waveform.samples[middle - half : middle + half]
    return float(np.abs(np.fft.rfft(frame * np.hanning(len(frame)))).argmax() * waveform.rate_hz / len(frame))


class TestOpen:
    @pytest.mark.parametrize("suffix", EVERY)
    def test_every_format_is_read_whole(self, tmp_path: Path, suffix: str) -> None:
        path, rate_hz = write_sweep(tmp_path, suffix)
        waveform = open_sound(path)
        assert waveform.rate_hz == rate_hz
        assert abs(waveform.seconds - 4) < 0.1
        assert abs(pitch_hz(waveform) - 600) < 40
        assert abs(sound_info(path).seconds - 4) < 0.1

    @pytest.mark.parametrize("suffix", EVERY)
    def test_a_part_is_the_same_as_in_the_whole(self, tmp_path: Path, suffix: str) -> None:
        path, rate_hz = write_sweep(tmp_path, suffix)
        part = open_sound(path, TimeSpan(2.3, 3.3))
        assert part.samples.shape == (rate_hz,)
        assert abs(pitch_hz(part) - (200 + 200 * 2.8)) < 40

    def test_parts_of_a_lossless_file_join_without_a_gap(self, tmp_path: Path) -> None:
        path = save_sound(tmp_path / "a.flac", seconds=2.0, rate_hz=44_100)
        parts = [open_sound(path, TimeSpan(start / 10, start / 10 + 0.1)).samples for start in range(20)]
        assert np.concatenate(parts).tobytes() == sound(0, 2.0, 44_100).tobytes()

    def test_an_mp3_is_opened_once_for_all_of_its_parts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path, _ = write_sweep(tmp_path, "mp3")
        opened: list[object] = []
        sound_file = soundfile.SoundFile
        monkeypatch.setattr(soundfile, "SoundFile", lambda file: opened.append(file) or sound_file(file))
        open_sound(path, TimeSpan(1, 2))
        opened.clear()
        for start in (3, 0, 2, 1):
            assert abs(pitch_hz(open_sound(path, TimeSpan(start, start + 1))) - (300 + 200 * start)) < 40
        assert opened == []

    def test_a_part_of_an_mp3_is_the_same_in_any_order_and_from_many_threads(self, tmp_path: Path) -> None:
        path, _ = write_sweep(tmp_path, "mp3")
        spans = [TimeSpan(start / 4, start / 4 + 0.5) for start in range(14)]
        expected = []
        for index, span in enumerate(spans):
            fresh = tmp_path / f"{index}.mp3"
            shutil.copy(path, fresh)
            expected.append(open_sound(fresh, span).samples)
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(lambda span: open_sound(path, span).samples, spans[::-1] * 3))
        assert np.abs(np.stack(found) - np.stack(expected[::-1] * 3)).max() < 1e-6  # libmpg123 rounds as it likes

    def test_a_part_of_an_mp3_that_was_replaced_is_of_the_new_one(self, tmp_path: Path) -> None:
        path, _ = write_sweep(tmp_path, "mp3")
        open_sound(path, TimeSpan(1.0, 2.0))
        soundfile.write(path, sweep(4.0, RATE_HZ)[::-1], RATE_HZ)
        assert abs(pitch_hz(open_sound(path, TimeSpan(0.0, 1.0))) - 900) < 40

    def test_a_part_may_reach_a_hair_over_the_end_and_stops_there(self, tmp_path: Path) -> None:
        path = save_sound(tmp_path / "a.wav", seconds=1.0)
        assert open_sound(path, TimeSpan(0.75, 1.05)).seconds == 0.25

    def test_a_part_that_reaches_far_over_the_end_or_begins_behind_it_gives_the_real_end(self, tmp_path: Path) -> None:
        path = save_sound(tmp_path / "a.wav", seconds=1.0)
        assert reason(path, TimeSpan(0.75, 3.0)) == "reaches to 3.0 s, but the sound ends at 1.0 s"
        assert reason(path, TimeSpan(1.0, 1.05)) == "begins at 1.0 s, but the sound ends at 1.0 s"

    def test_channels_are_averaged(self, tmp_path: Path) -> None:
        path = save_sound(tmp_path / "a.wav", channels=8)
        assert np.allclose(open_sound(path).samples, sound(0, channels=8).mean(axis=1), atol=1e-6)

    def test_eight_channels_of_a_format_that_libsndfile_does_not_know_are_averaged(self, tmp_path: Path) -> None:
        samples = np.repeat(sweep(1.0, 44_100)[:, None], 8, axis=1)
        path = write_by_ffmpeg(tmp_path / "a.m4a", "mp4", "aac", samples, 44_100)
        waveform = open_sound(path)
        assert waveform.samples.shape == (44_100,)
        assert (sound_info(path).channels, sound_info(path).media_type) == (8, None)

    def test_many_channels_are_not_held_in_memory_together(self, tmp_path: Path) -> None:
        path = tmp_path / "a.flac"
        soundfile.write(path, np.zeros((2_000_000, 8), dtype=np.int16), 192_000)
        tracemalloc.start()
        open_sound(path)
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak_bytes < 45_000_000  # all channels at once are 64 MB

    def test_no_more_samples_than_asked_for_and_never_more_than_there_are(self, tmp_path: Path) -> None:
        path = save_sound(tmp_path / "a.wav", rate_hz=192_000)
        assert (open_sound(path, rate_hz=16_000).rate_hz, open_sound(path, rate_hz=16_000).seconds) == (16_000, 0.2)
        assert open_sound(save_sound(tmp_path / "b.wav", rate_hz=8000), rate_hz=48_000).rate_hz == 8000

    def test_silence_is_a_sound(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "a.wav", np.zeros(RATE_HZ), RATE_HZ)
        assert not open_sound(tmp_path / "a.wav").samples.any()

    @pytest.mark.parametrize("suffix", ["wav", "m4a"])
    def test_a_name_that_is_not_unicode_is_read(self, tmp_path: Path, suffix: str) -> None:
        path = write_sweep(tmp_path, suffix)[0].rename(tmp_path / os.fsdecode(b"caf\xe9.x"))
        assert abs(open_sound(path).seconds - 4) < 0.1
        assert abs(sound_info(path).seconds - 4) < 0.1

    @pytest.mark.parametrize(("suffix", "wrong"), [("wav", "mp3"), ("m4a", "wav"), ("ogg", "flac")])
    def test_a_wrong_suffix_does_not_matter(self, tmp_path: Path, suffix: str, wrong: str) -> None:
        path = write_sweep(tmp_path, suffix)[0].rename(tmp_path / f"a.{wrong}")
        assert abs(pitch_hz(open_sound(path)) - 600) < 40

    def test_a_recording_of_a_browser_which_has_no_length_is_read_to_its_end(self, tmp_path: Path) -> None:
        samples = sweep(4.0, 48_000)[:, None]
        path = write_by_ffmpeg(tmp_path / "a.webm", "webm", "libopus", samples, 48_000, live="1")
        assert abs(sound_info(path).seconds - 4) < 0.1
        assert abs(open_sound(path).seconds - 4) < 0.1


class TestBadFiles:
    @pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "opus", "mp3", "aiff", "aac", "wma", "webm"])
    def test_of_a_file_that_is_cut_off_the_rest_is_read(self, tmp_path: Path, suffix: str) -> None:
        path, _ = write_sweep(tmp_path, suffix, seconds=12.0)  # a page of an ogg may hold several seconds
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        assert 2 < open_sound(path).seconds < 8
        assert open_sound(path, TimeSpan(0.5, 1.0)).seconds == 0.5
        assert reason(path, TimeSpan(11.0, 12.0))

    def test_an_m4a_that_is_cut_off_has_no_index_and_gives_its_reason(self, tmp_path: Path) -> None:
        path, _ = write_sweep(tmp_path, "m4a")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        assert reason(path) == "was cut off: its index is missing, which stands at the end of such files"

    @pytest.mark.parametrize("suffix", EVERY)
    def test_of_a_file_with_its_first_bytes_only_no_more_is_said_than_the_reason(
        self, tmp_path: Path, suffix: str
    ) -> None:
        path, _ = write_sweep(tmp_path, suffix)
        path.write_bytes(path.read_bytes()[:60])
        assert reason(path)

    @pytest.mark.parametrize("suffix", EVERY)
    def test_damage_in_the_middle_raises_nothing_else(self, tmp_path: Path, suffix: str) -> None:
        path, _ = write_sweep(tmp_path, suffix, seconds=1.0)
        good = path.read_bytes()
        rng = np.random.default_rng(0)
        for _ in range(10):
            content = np.frombuffer(good, dtype=np.uint8).copy()
            content[rng.integers(0, len(content), 20)] = rng.integers(0, 256, 20)
            path.write_bytes(content.tobytes())
            for span in (None, TimeSpan(0.4, 0.6)):
                try:
                    assert len(open_sound(path, span).samples)
                except UnreadableItemError as error:
                    assert "\n" not in str(error)

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"", "empty file"),
            (b"hello " * 30, "not a sound"),
            (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a sound"),
            (b"RIFF" + bytes(40), "not a sound"),
        ],
    )
    def test_what_is_no_sound_gives_its_reason(self, tmp_path: Path, content: bytes, expected: str) -> None:
        (tmp_path / "a.wav").write_bytes(content)
        assert expected in reason(tmp_path / "a.wav")
        with pytest.raises(UnreadableItemError):
            sound_info(tmp_path / "a.wav")

    def test_reasons_say_what_is_wrong_with_the_sound_and_no_number_of_the_decoder(self, tmp_path: Path) -> None:
        (tmp_path / "page.mp3").write_text("<html>" + "no sound " * 50)
        assert reason(tmp_path / "page.mp3") == "not a sound, or damaged: no sound in it that can be decoded"
        path, _ = write_sweep(tmp_path, "flac")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        assert "Errno" not in reason(path, TimeSpan(3.0, 4.0))

    @pytest.mark.parametrize("text", ["ffconcat version 1.0\nfile secret.m4a\n", "#EXTM3U\n#EXTINF:1,\nsecret.m4a\n"])
    def test_a_file_that_names_other_files_does_not_open_them(self, tmp_path: Path, text: str) -> None:
        write_sweep(tmp_path, "m4a")[0].rename(tmp_path / "secret.m4a")
        (tmp_path / "list.wav").write_text(text)
        assert "not a sound" in reason(tmp_path / "list.wav")

    def test_a_header_without_samples_and_an_instant_give_their_reason(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "none.wav", np.zeros(0), RATE_HZ)
        assert reason(tmp_path / "none.wav") == reason(tmp_path / "none.wav", TimeSpan(0.0, 1.0))
        assert "no sound in it" in reason(tmp_path / "none.wav")
        assert "too short: 16 samples" in reason(save_sound(tmp_path / "instant.wav", seconds=0.001))

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
    def test_samples_that_are_no_numbers_or_no_levels_give_their_reason(self, tmp_path: Path, value: float) -> None:
        samples = sweep(1.0, RATE_HZ)
        samples[100] = value
        soundfile.write(tmp_path / "a.wav", samples, RATE_HZ, subtype="FLOAT")
        assert "not finite" in reason(tmp_path / "a.wav")
        assert open_sound(tmp_path / "a.wav", TimeSpan(0.5, 1.0)).seconds == 0.5

    @pytest.mark.parametrize("span", [TimeSpan(0.5, 0.5), TimeSpan(0.5, 0.1), TimeSpan(1.0, 2.0)])
    def test_an_empty_part_and_one_behind_the_end_give_their_reason(self, tmp_path: Path, span: TimeSpan) -> None:
        assert reason(save_sound(tmp_path / "a.wav", seconds=1.0), span)

    def test_a_folder_a_missing_file_and_a_pipe_give_their_reason(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.wav")
        for name in (".", "gone.wav", "pipe.wav"):
            with pytest.raises(UnreadableItemError):
                open_sound(tmp_path / name)

    def test_rates_that_no_sound_has_give_their_reason(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "slow.wav", np.zeros(100), 500)
        assert "500 samples a second" in reason(tmp_path / "slow.wav")

    def test_more_than_ten_minutes_give_what_to_do(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "a.flac", np.zeros(1000 * 601, dtype=np.int16), 1000)
        assert "10 min" in reason(tmp_path / "a.flac") and "window_s" in reason(tmp_path / "a.flac")
        assert open_sound(tmp_path / "a.flac", TimeSpan(600.0, 601.0)).seconds == 1


class TestInfo:
    @pytest.mark.parametrize(
        ("suffix", "media_type"),
        [
            ("wav", "audio/wav"),
            ("flac", "audio/flac"),
            ("ogg", "audio/ogg"),
            ("mp3", "audio/mpeg"),
            ("m4a", "audio/mp4"),
            ("aiff", None),
            ("wma", None),
        ],
    )
    def test_what_browsers_play_has_a_media_type(self, tmp_path: Path, suffix: str, media_type: str | None) -> None:
        assert sound_info(write_sweep(tmp_path, suffix)[0]).media_type == media_type

    def test_what_no_browser_plays_has_none(self, tmp_path: Path) -> None:
        for name, options in (("a", {"channels": 8}), ("b", {"rate_hz": 192_000}), ("c", {"rate_hz": 2000})):
            assert sound_info(save_sound(tmp_path / f"{name}.wav", **options)).media_type is None

    def test_length_rate_and_channels_are_those_of_the_header(self, tmp_path: Path) -> None:
        info = sound_info(save_sound(tmp_path / "a.wav", seconds=0.5, rate_hz=44_100, channels=2))
        assert (info.seconds, info.rate_hz, info.channels) == (0.5, 44_100, 2)


class TestOut:
    def test_resampling_keeps_length_and_pitch(self) -> None:
        waveform = Waveform(sweep(2.0, 44_100), 44_100)
        slower = resampled(waveform, 16_000)
        assert (slower.rate_hz, slower.seconds) == (16_000, 2.0)
        assert abs(pitch_hz(slower) - pitch_hz(waveform)) < 20
        assert resampled(waveform, 44_100) is waveform

    @each("rate_hz, played_hz", [(2000, 8000), (16_000, 16_000), (192_000, 48_000)])
    def test_a_flac_has_a_rate_that_browsers_play(self, rate_hz: int, played_hz: int) -> None:
        samples, found_hz = soundfile.read(io.BytesIO(encode_flac(Waveform(sweep(1.0, rate_hz), rate_hz))))
        assert (found_hz, len(samples)) == (played_hz, played_hz)

    def test_a_sound_above_full_scale_is_scaled_as_a_whole_and_another_is_not(self) -> None:
        shape = np.array([0.5, 2.0, -2.0, 1.0] * 4000, dtype=np.float32)
        for peak, played in ((2.0, 1.0), (1.0, 1.0), (0.1, 0.1)):
            samples, _ = soundfile.read(io.BytesIO(encode_flac(Waveform(shape * np.float32(peak / 2), RATE_HZ))))
            assert np.allclose(samples, shape * played / 2, atol=1e-4)

    def test_floats_above_full_scale_are_said_and_others_are_not(self, tmp_path: Path) -> None:
        for peak, note in ((3.0, "reaches 3 times full scale, played quieter"), (1.0, "")):
            tone = (peak * np.sin(np.arange(RATE_HZ) / 5) / np.sin(np.arange(RATE_HZ) / 5).max()).astype(np.float32)
            soundfile.write(tmp_path / "a.wav", tone, RATE_HZ, subtype="FLOAT")
            waveform = open_sound(tmp_path / "a.wav", rate_hz=8000)
            assert waveform.note == note and abs(np.abs(waveform.samples).max() - peak) < 0.05 * peak
