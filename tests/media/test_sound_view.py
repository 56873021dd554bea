"""How a pool's sounds are taken: range, high-pass, time expansion and contrast, on made-up birds, bats and elephants."""

import numpy as np
import pytest

from fastlabel_gradio.media.sound_view import SoundView, as_heard, default_top_hz
from fastlabel_gradio.media.sounds import resampled
from fastlabel_gradio.media.spectrograms import TILE_SIZE_PX, spectrogram_tile
from fastlabel_gradio.types import Waveform
from tests.cases import each

BIRD_RATE_HZ, BAT_RATE_HZ = 24_000, 256_000
CALLS_S = (0.5, 1.2, 1.9, 2.5)
CHIRP_S = 0.1


def bird(wind: float = 0.0) -> Waveform:
    """3 s with four chirps from 4 to 5 kHz, 60 dB below full scale, and wind below 150 Hz."""
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 1e-5, 3 * BIRD_RATE_HZ)
    time_s = np.arange(round(CHIRP_S * BIRD_RATE_HZ)) / BIRD_RATE_HZ
    chirp = np.sin(2 * np.pi * (4_000 + 500 * time_s / CHIRP_S) * time_s) * np.hanning(len(time_s))
    for start_s in CALLS_S:
        start = round(start_s * BIRD_RATE_HZ)
        samples[start : start + len(chirp)] += 0.001 * chirp
    spectrum = np.fft.rfft(rng.normal(0, 1, len(samples)))
    spectrum[450:] = 0  # 150 Hz in 3 s
    gusts = np.fft.irfft(spectrum, len(samples))
    return Waveform((samples + wind * gusts / np.abs(gusts).max()).astype(np.float32), BIRD_RATE_HZ)


def bat(hz: float, seconds: float = 0.25) -> Waveform:
    """Four calls of 5 ms at a pitch, in faint noise."""
    samples = np.random.default_rng(1).normal(0, 1e-3, round(seconds * BAT_RATE_HZ))
    call = np.sin(2 * np.pi * hz * np.arange(BAT_RATE_HZ // 200) / BAT_RATE_HZ)
    for start in np.linspace(0.1, 0.85, 4) * len(samples):
        samples[int(start) : int(start) + len(call)] += 0.3 * call
    return Waveform(samples.astype(np.float32), BAT_RATE_HZ)


def drawn(sound: Waveform, view: SoundView) -> np.ndarray:
    """The tile of a recording, lowest frequency first."""
    return np.asarray(spectrogram_tile(as_heard(sound, view), view), dtype=float)[::-1]


def standing_out(tile: np.ndarray, view: SoundView) -> float:
    """How much brighter each of the four chirps is than its pitches are between them."""
    mel = np.log10(1 + np.array([view.low_hz, 3_800, 5_200, view.top_hz]) / 700)
    low, high = np.round((mel[1:3] - mel[0]) / (mel[3] - mel[0]) * len(tile)).astype(int)
    seconds = (np.arange(TILE_SIZE_PX[0]) + 0.5) * (3 / TILE_SIZE_PX[0])
    brightest = tile[low:high].max(axis=0)
    calls = [brightest[(start <= seconds) & (seconds < start + CHIRP_S)].max() for start in CALLS_S]
    between = np.all([(seconds < start - 0.1) | (seconds > start + CHIRP_S + 0.1) for start in CALLS_S], axis=0)
    return min(calls) - float(np.quantile(brightest[between], 0.95))


def test_wind_hides_a_bird_and_a_high_pass_or_pcen_shows_it() -> None:
    windy = bird(wind=1.0)
    assert standing_out(drawn(windy, SoundView()), SoundView()) < 60
    for changes in ({"low_hz": 2_000}, {"contrast": "pcen"}, {"low_hz": 2_000, "contrast": "pcen"}):
        view = SoundView(**changes)  # type: ignore[arg-type]
        assert standing_out(drawn(windy, view), view) > 120
    assert standing_out(drawn(bird(), SoundView()), SoundView()) > 120


def test_what_is_heard_above_a_high_pass_has_its_own_peak_and_keeps_its_note() -> None:
    windy = Waveform(bird(wind=1.0).samples, BIRD_RATE_HZ, note="the header gives no length")
    heard = resampled(as_heard(windy, SoundView(low_hz=2_000)), 12_000)
    assert heard.note == "the header gives no length"
    assert heard.peak == pytest.approx(0.001, rel=0.1)
    assert as_heard(windy, SoundView()).peak == pytest.approx(1, rel=0.01)


def test_bats_are_drawn_at_their_pitch_however_slow_they_are_heard() -> None:
    plain, slow = SoundView(top_hz=128_000), SoundView(top_hz=128_000, expand=10)
    places = {hz: int(drawn(bat(hz), plain).max(axis=1).argmax()) for hz in (25_000, 45_000, 100_000)}
    assert list(places.values()) == sorted(places.values())
    assert places[45_000] - places[25_000] > 10
    for hz in places:
        np.testing.assert_allclose(drawn(bat(hz), slow), drawn(bat(hz), plain), atol=3)
    heard = as_heard(bat(45_000), slow)
    assert (heard.seconds, heard.rate_hz) == (2.5, 25_600)
    assert np.abs(np.fft.rfft(heard.samples)).argmax() / heard.seconds == pytest.approx(4_500, abs=10)


def test_calls_of_five_milliseconds_are_not_smeared() -> None:
    tile = drawn(bat(45_000), SoundView(top_hz=128_000))
    assert (tile.max(axis=0) > 200).mean() < 0.25


def test_elephants_have_more_than_one_row() -> None:
    time_s = np.arange(4 * 2_000) / 2_000
    rows = [
        drawn(Waveform(np.sin(2 * np.pi * hz * time_s).astype(np.float32), 2_000), SoundView(top_hz=100)).max(axis=1)
        for hz in (20, 30)
    ]
    assert rows[1].argmax() - rows[0].argmax() >= 5


@each("view", [SoundView(top_hz=22_050), SoundView(low_hz=3_000), SoundView(top_hz=4_000)])
def test_the_range_of_the_picture_is_the_one_that_is_named(view: SoundView) -> None:
    """A tone stands where the page's axis has it: mel of the frequency as it is drawn."""
    time_s = np.arange(44_100) / 44_100
    mel = [np.log10(1 + hz / view.stretch / 700) for hz in (view.low_hz, 3_500, view.top_hz)]
    tile = drawn(Waveform(np.sin(2 * np.pi * 3_500 * time_s).astype(np.float32), 44_100), view)
    place = (mel[1] - mel[0]) / (mel[2] - mel[0])
    assert tile.mean(axis=1).argmax() / len(tile) == pytest.approx(place, abs=0.02)


@each(
    "rate_hz, low_hz, top_hz",
    [
        (0, 0, 11_025),
        (8_000, 0, 11_025),
        (44_100, 0, 11_025),
        (96_000, 0, 11_025),
        (192_000, 0, 96_000),
        (256_000, 0, 128_000),
        (500_000, 0, 250_000),
        (44_100, 5_000, 11_025),
        (44_100, 8_000, 22_050),
        (44_100, 12_000, 22_050),
        (16_000, 7_000, 11_025),
        (22_050, 12_000, 11_025),
    ],
)
def test_the_range_follows_the_rate_where_that_is_ultrasound_or_the_limit_asks_for_it(
    rate_hz: int, low_hz: int, top_hz: int
) -> None:
    assert default_top_hz(rate_hz, low_hz) == top_hz


def test_a_view_is_named_by_what_is_not_the_default() -> None:
    assert (SoundView(rate_hz=8_000).tag, SoundView(top_hz=128_000).sound_tag) == ("", "")
    view = SoundView(top_hz=128_000, low_hz=15_000, expand=10, contrast="pcen")
    assert (view.tag, view.sound_tag) == ("-top128000-low15000-slower10-pcen", "-low15000-slower10")


def test_ultrasound_that_nobody_hears_is_said_with_the_option() -> None:
    assert "`expand: 10`" in SoundView(rate_hz=256_000).notice
    assert "256,000" in SoundView(rate_hz=256_000).notice
    assert SoundView(rate_hz=96_000).notice == SoundView(rate_hz=256_000, expand=10).notice == ""


def test_a_bat_among_songs_says_what_of_it_is_not_seen() -> None:
    assert "256,000 samples a second" in as_heard(bat(45_000), SoundView(rate_hz=44_100)).note
    assert as_heard(bat(45_000), SoundView(top_hz=128_000, rate_hz=44_100)).note == ""
    assert as_heard(bat(45_000), SoundView(rate_hz=BAT_RATE_HZ)).note == ""  # the pool's notice says it


@each("level", [1.0, 0.01, 0.001])
def test_a_quiet_recording_is_as_bright_as_a_loud_one(level: float) -> None:
    time_s = np.arange(BIRD_RATE_HZ) / BIRD_RATE_HZ
    tile = drawn(Waveform((level * np.sin(2 * np.pi * 800 * time_s)).astype(np.float32), BIRD_RATE_HZ), SoundView())
    assert tile.max() > 200
    assert np.median(tile) < 20


def test_noise_that_is_hardly_there_does_not_fill_the_picture() -> None:
    noise = np.random.default_rng(0).normal(0, 1e-5, BIRD_RATE_HZ).astype(np.float32)
    for view in (SoundView(), SoundView(contrast="pcen")):
        assert drawn(Waveform(noise, BIRD_RATE_HZ), view).mean() < 60
        assert drawn(Waveform(0 * noise, BIRD_RATE_HZ), view).max() == 0
