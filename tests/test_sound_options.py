"""Options of sources of sounds: what is read, heard and sent follows them; which items there are does not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from fastlabel_gradio.errors import ConfigError, SourceError, UnreadableItemError
from fastlabel_gradio.media.sound_view import SoundView
from fastlabel_gradio.sources import Source
from fastlabel_gradio.types import Item, Waveform
from tests.source_data import ids, opened, save_sound, write_csv, write_esc50, write_urbansound8k

BAT_RATE_HZ = 256_000


def save_tone(path: Path, hz: float, rate_hz: int, seconds: float = 0.25, level: float = 0.5) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tone = level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)
    soundfile.write(path, tone, rate_hz, subtype="FLOAT")
    return path


def pitch_hz(sound: Waveform) -> float:
    return float(np.abs(np.fft.rfft(sound.samples)).argmax()) / sound.seconds


def folder_of_bats(tmp_path: Path, **options: object) -> Source:
    save_tone(tmp_path / "bats" / "noctule.wav", 25_000, BAT_RATE_HZ)
    return opened("audio_folder", tmp_path, path="bats", **options)


def table_of_bats(tmp_path: Path, **options: object) -> Source:
    save_tone(tmp_path / "noctule.wav", 25_000, BAT_RATE_HZ)
    write_csv(tmp_path / "bats.csv", [["path"], ["missing.wav"], ["../outside.wav"], ["noctule.wav#t=0.0,0.25"]])
    return opened("table", tmp_path, path="bats.csv", media="audio", **options)


def set_of_clips(tmp_path: Path, **options: object) -> Source:
    write_esc50(tmp_path / "esc")
    for file in (tmp_path / "esc" / "audio").iterdir():
        save_tone(file, 25_000, BAT_RATE_HZ)
    return opened("esc50", tmp_path, path="esc", **options)


EVERY_SOURCE = pytest.mark.parametrize("open_bats", [folder_of_bats, table_of_bats, set_of_clips])


@EVERY_SOURCE
def test_the_range_is_found_out_from_the_recordings(open_bats: Callable[..., Source], tmp_path: Path) -> None:
    assert open_bats(tmp_path).sound_view == SoundView(128_000, rate_hz=BAT_RATE_HZ)
    assert open_bats(tmp_path, top_hz=60_000).sound_view == SoundView(60_000, rate_hz=BAT_RATE_HZ)


@EVERY_SOURCE
def test_a_sound_is_heard_slower_and_its_id_stays(open_bats: Callable[..., Source], tmp_path: Path) -> None:
    plain, slow = open_bats(tmp_path), open_bats(tmp_path, expand=10)
    assert ids(slow) == ids(plain)
    item = list(slow.scan())[-1]
    heard = slow.read(item)
    assert isinstance(heard, Waveform)
    assert (heard.seconds, heard.rate_hz) == (2.5, 25_600)
    assert pitch_hz(heard) == pytest.approx(2_500)
    few = slow.read(item, 8_000)
    assert isinstance(few, Waveform)
    assert (few.rate_hz, pitch_hz(few)) == (8_000, pytest.approx(2_500, abs=1))
    assert few.peak == pytest.approx(0.5, abs=1e-3)
    assert slow.file(item) is None


@EVERY_SOURCE
def test_what_is_low_is_not_heard(open_bats: Callable[..., Source], tmp_path: Path) -> None:
    filtered = open_bats(tmp_path, low_hz=50_000)
    heard = filtered.read(list(filtered.scan())[-1])
    assert isinstance(heard, Waveform)
    assert heard.peak is not None
    assert heard.peak < 0.05  # at its end, where the tone is cut off
    assert filtered.file(list(filtered.scan())[-1]) is None


def test_a_sound_that_is_heard_as_it_was_recorded_is_sent_as_it_is(tmp_path: Path) -> None:
    source = folder_of_bats(tmp_path, top_hz=50_000, contrast="pcen")
    assert source.file(Item("noctule.wav")) == tmp_path / "bats" / "noctule.wav"


def test_most_of_the_recordings_decide_the_range_and_broken_ones_do_not(tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    for number in range(3):
        save_sound(folder / f"{number}.wav", rate_hz=44_100)
    save_tone(folder / "studio.wav", 1_000, 192_000)
    (folder / "broken.wav").write_bytes(b"no sound")
    assert opened("audio_folder", tmp_path, path="sounds").sound_view == SoundView(rate_hz=44_100)


def test_windows_are_cut_in_seconds_of_the_recording(tmp_path: Path) -> None:
    save_tone(tmp_path / "bats" / "noctule.wav", 25_000, BAT_RATE_HZ, seconds=1.0)
    source = opened("audio_folder", tmp_path, path="bats", window_s=0.25, expand=10)
    assert ids(source)[0] == "noctule.wav#t=0.0,0.25"
    assert len(ids(source)) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top_hz": 2_000, "low_hz": 2_000}, "low_hz 2000 is not below top_hz 2000"),
        ({"top_hz": 0}, "top_hz"),
        ({"low_hz": -1}, "low_hz"),
        ({"expand": 0}, "expand"),
        ({"expand": 2.5}, "expand"),
        ({"contrast": "loud"}, "'decibels' or 'pcen'"),
        ({"window_s": 100, "expand": 10}, "window_s 100.0 is 1000 s with expand 10; at most 600 s can be played"),
    ],
)
def test_a_wrong_option_is_refused_with_its_value(options: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        folder_of_bats(tmp_path, **options)


def test_a_limit_above_all_recordings_is_refused(tmp_path: Path) -> None:
    save_sound(tmp_path / "sounds" / "a.wav", rate_hz=16_000)
    with pytest.raises(SourceError, match="low_hz 12000 leaves nothing"):
        opened("audio_folder", tmp_path, path="sounds", low_hz=12_000)


def test_one_recording_below_the_limit_is_unreadable_with_the_reason(tmp_path: Path) -> None:
    for number, rate_hz in enumerate((44_100, 44_100, 8_000)):
        save_sound(tmp_path / "sounds" / f"{number}.wav", rate_hz=rate_hz)
    source = opened("audio_folder", tmp_path, path="sounds", low_hz=5_000)
    with pytest.raises(UnreadableItemError, match="low_hz 5000: it has frequencies up to 4000 Hz"):
        source.read(Item("2.wav"))


def test_a_recording_that_is_too_long_to_be_played_slower_says_so(tmp_path: Path) -> None:
    save_tone(tmp_path / "sounds" / "long.wav", 100, 1_000, seconds=61)
    source = opened("audio_folder", tmp_path, path="sounds", expand=10)
    with pytest.raises(UnreadableItemError, match=r"10 min when it is 10 times slower.*window_s"):
        source.read(Item("long.wav"))


def test_a_table_of_pictures_refuses_options_of_sounds(tmp_path: Path) -> None:
    write_csv(tmp_path / "pictures.csv", [["path"], ["a.png"]])
    with pytest.raises(ConfigError, match=r"low_hz: for sounds only; set `media: audio`"):
        opened("table", tmp_path, path="pictures.csv", low_hz=100)


def test_a_split_of_sounds_takes_them_as_the_whole_does(tmp_path: Path) -> None:
    folder_of_bats(tmp_path)
    source = opened("split", tmp_path, of={"kind": "audio_folder", "path": "bats", "expand": 10})
    assert source.sound_view.expand == 10


def test_urbansound8k_takes_them_too(tmp_path: Path) -> None:
    write_urbansound8k(tmp_path / "urban")
    source = opened("urbansound8k", tmp_path, path="urban", low_hz=300)
    assert source.sound_view == SoundView(low_hz=300, rate_hz=16_000)
