"""The time of a recording in the name of its file."""

from fastlabel_gradio.media.recording_time import recorded_at
from tests.cases import each


@each(
    "name",
    [
        "20240131_050709.WAV",
        "SITE_20240131_050709_0001.wav",
        "SM4-20240131$050709.wav",
        "20240131T050709+1000_REC.flac",
        "20240131050709.mp3",
        "2024-01-31T05-07-09.wav",
        "2024-01-31T05:07:09Z.wav",
        "2024-01-31 05.07.09.m4a",
        "Memo 2024-01-31 at 05.07.09.m4a",
        "2024_01_31_05_07_09.wav",
        "IMG_20240131_050709.jpg",
        "20249931_999999_20240131_050709.wav",
        "20200101_000000/20240131_050709.wav",
    ],
)
def test_date_and_time_are_read_as_recorders_write_them(name: str) -> None:
    assert recorded_at(name) == "2024-01-31T05:07:09"


@each(
    "name",
    [
        *("owl.wav", "", "20240101.wav", "20240101_0500.wav", "1-100032-A-0.wav", "20241301_050000.wav"),
        *("20240230_050000.wav", "20240101_250000.wav", "20240101_056000.wav", "99990101_050000.wav"),
        *("19700101_000012.WAV", "120240101_050000.wav", "20240101_0500001.wav", "20240101_050000/owl.wav"),
    ],
)
def test_other_numbers_are_no_time(name: str) -> None:
    assert recorded_at(name) == ""


def test_a_part_begins_later_than_its_file_also_past_midnight() -> None:
    assert recorded_at("20231231_235959.wav", 1.0) == "2024-01-01T00:00:00"
    assert recorded_at("20231231_235959.wav", 3.25) == "2024-01-01T00:00:02.250"
    assert recorded_at("20240101_050000.wav", 14_400.001) == "2024-01-01T09:00:00.001"
