"""Log-mel spectrograms against those of transformers, and sounds whose picture is plain."""

import numpy as np
from transformers.audio_utils import hertz_to_mel, mel_filter_bank, spectrogram

from fastlabel_gradio.media.sound_view import TOP_HZ
from fastlabel_gradio.media.spectrograms import (
    FRAMES_AT_ONCE,
    LARGE_SIZE_PX,
    TILE_SIZE_PX,
    _mel_filters,
    large_spectrogram,
    mel_of,
    mel_power,
    spectrogram_picture,
    spectrogram_sheet,
    spectrogram_tile,
)
from fastlabel_gradio.types import Waveform
from tests.cases import each
from tests.tiny_models import noisy_tone

RATE_HZ = 22_050


def sine(hz: float, seconds: float = 1.0, rate_hz: int = RATE_HZ) -> Waveform:
    return Waveform(np.sin(2 * np.pi * hz * np.arange(int(seconds * rate_hz)) / rate_hz).astype(np.float32), rate_hz)


def silence(seconds: float = 1.0) -> Waveform:
    return Waveform(np.zeros(int(seconds * RATE_HZ), dtype=np.float32), RATE_HZ)


def power_of(waveform: Waveform, bands: int = 40) -> np.ndarray:
    return mel_power(waveform, window_s=0.046, hop_s=0.02, bands=bands, top_hz=TOP_HZ)


@each("rate_hz, fft, bands, top_hz", [(22_050, 1024, 40, 11_025), (48_000, 2048, 64, 14_000)])
def test_the_filters_are_those_of_transformers(rate_hz: int, fft: int, bands: int, top_hz: float) -> None:
    expected = mel_filter_bank(fft // 2 + 1, bands, 0, top_hz, rate_hz)
    np.testing.assert_allclose(_mel_filters(rate_hz, fft, bands, top_hz).numpy(), expected.T, atol=1e-5)


def test_the_scale_is_that_of_transformers() -> None:
    np.testing.assert_allclose([mel_of(hz) for hz in (0, 440, 8000)], [hertz_to_mel(hz) for hz in (0, 440, 8000)])


def test_the_power_is_that_of_transformers() -> None:
    sound = Waveform(noisy_tone(1, 1.3, RATE_HZ), RATE_HZ)
    ours = mel_power(sound, window_s=1024 / RATE_HZ, hop_s=441 / RATE_HZ, bands=40, top_hz=TOP_HZ)
    theirs = spectrogram(
        sound.samples,
        np.hanning(1025)[:-1],
        frame_length=1024,
        hop_length=441,
        power=2.0,
        pad_mode="constant",
        mel_filters=mel_filter_bank(513, 40, 0, TOP_HZ, RATE_HZ),
    )
    np.testing.assert_allclose(ours, theirs.T * (2 / 512) ** 2, rtol=1e-3, atol=1e-9)


@each("hz", [300, 1000, 4000])
@each("rate_hz", [16_000, 22_050, 44_100])
def test_a_sine_lights_the_band_around_it(hz: float, rate_hz: int) -> None:
    power = power_of(sine(hz, rate_hz=rate_hz))[5:-5]
    band = round(mel_of(hz) / mel_of(TOP_HZ) * 41) - 1
    assert set(power.argmax(axis=1)) <= {band - 1, band, band + 1}
    assert 0.2 < power.max() < 2
    assert power[:, np.abs(np.arange(40) - band) > 3].max() < 1e-3


def test_bands_above_half_the_rate_stay_empty() -> None:
    power = power_of(Waveform(noisy_tone(2, 1.0, 8_000), 8_000))
    centres_mel = mel_of(TOP_HZ) * np.arange(1, 41) / 41
    assert power[:, centres_mel > mel_of(4_400)].max() == 0


def test_silence_has_no_power_and_a_dark_picture() -> None:
    assert power_of(silence()).max() == 0
    assert np.asarray(spectrogram_tile(silence())).max() == 0


@each("samples", [1, 7, 400])
def test_a_sound_shorter_than_a_window_has_a_frame(samples: int) -> None:
    power = power_of(Waveform(np.ones(samples, dtype=np.float32), RATE_HZ))
    assert power.shape[0] >= 1
    assert np.isfinite(power).all()


def test_a_long_sound_in_blocks_is_the_same_as_its_parts() -> None:
    hop_s, part_s = 0.02, FRAMES_AT_ONCE * 0.02
    sound = Waveform(np.tile(noisy_tone(1, 1.0, 8_000), int(1.5 * part_s)), 8_000)
    whole = mel_power(sound, window_s=0.046, hop_s=hop_s, bands=20, top_hz=4_000)
    middle = Waveform(sound.samples[int((part_s - 1) * 8_000) : int((part_s + 1) * 8_000)], 8_000)
    around = mel_power(middle, window_s=0.046, hop_s=hop_s, bands=20, top_hz=4_000)
    start = FRAMES_AT_ONCE - 50
    np.testing.assert_allclose(whole[start + 5 : start + 95], around[5:95], rtol=1e-3, atol=1e-8)


def test_pictures_have_their_sizes_and_low_tones_are_below() -> None:
    tile = np.asarray(spectrogram_tile(sine(200)), dtype=float)
    assert tile.shape == TILE_SIZE_PX[::-1]
    assert tile[-10:].mean() > tile[:10].mean() + 50
    large = large_spectrogram(sine(200))
    assert (large.mode, large.size) == ("RGB", LARGE_SIZE_PX)
    assert spectrogram_picture(sine(200), (64, 48)).size == (64, 48)


def test_time_runs_from_left_to_right() -> None:
    sound = np.concatenate([silence().samples, sine(1000).samples])
    tile = np.asarray(spectrogram_tile(Waveform(sound, RATE_HZ)), dtype=float)
    assert tile[:, :80].max() < tile[:, 110:].max() - 100


def test_a_sheet_places_tiles_row_by_row_and_leaves_gaps_dark() -> None:
    width, height = TILE_SIZE_PX
    tile = spectrogram_tile(sine(200))
    sheet = spectrogram_sheet([tile, None, tile], columns=2)
    assert sheet.size == (2 * width, 2 * height)
    pixels = np.asarray(sheet).astype(int)
    np.testing.assert_array_equal(pixels[height:, :width], pixels[:height, :width])
    assert np.ptp(pixels[:height, width:]) < np.ptp(pixels[:height, :width]) / 4
