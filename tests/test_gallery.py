"""Galleries: contact sheets, large views and playable files of real pictures and sounds, and what is kept of them on disk."""

import io
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.gallery import SHEET_COLUMNS, Gallery, PictureGallery, SoundGallery, open_gallery, sound_gallery
from fastlabel_gradio.gallery.tile_cache import Facts
from fastlabel_gradio.media.sounds import sound_info
from fastlabel_gradio.media.spectrograms import LARGE_SIZE_PX, TILE_SIZE_PX
from fastlabel_gradio.sources import Source, open_source
from fastlabel_gradio.types import Item, Waveform

RATE_HZ = 16_000
TONE = np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32) / 2


class CountedReads:
    """Counts what a gallery reads of its source."""

    def __init__(self, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ids: list[str] = []
        read = source.read

        def counted(item: Item, resolution: int | None = None) -> object:
            self.ids.append(item.id)
            return read(item, resolution)

        monkeypatch.setattr(source, "read", counted)


@pytest.fixture
def sounds(tmp_path: Path) -> Source:
    """A playable tone, one that browsers cannot play (8 channels), and a text that is no sound."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    soundfile.write(folder / "tone.wav", TONE, RATE_HZ, subtype="PCM_16")
    soundfile.write(folder / "wide.wav", np.stack([TONE] * 8, axis=1), RATE_HZ, subtype="PCM_16")
    (folder / "text.wav").write_text("not a sound")
    return open_source("audio_folder", {"path": str(folder)}, tmp_path, tmp_path)


@pytest.fixture
def gallery(sounds: Source, tmp_path: Path) -> Iterator[SoundGallery]:
    opened = open_gallery(sounds, tmp_path)
    assert isinstance(opened, SoundGallery)
    yield opened
    opened.close()


def items_of(source: Source) -> dict[str, Item]:
    return {item.id: item for item in source.scan()}


def opened_sheet(gallery: Gallery, items: list[Item]) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(gallery.contact_sheet(items))))


def test_a_sheet_of_sounds_has_a_spectrogram_for_each_and_a_dark_tile_for_what_is_none(
    gallery: SoundGallery, sounds: Source
) -> None:
    items = items_of(sounds)
    width, height = TILE_SIZE_PX
    sheet = opened_sheet(gallery, [items["tone.wav"], items["text.wav"], items["tone.wav"]])
    assert sheet.shape == (height, SHEET_COLUMNS * width, 3)
    first, second, third = (sheet[:, place * width : (place + 1) * width] for place in range(3))
    assert first.max() > 200 > 40 > second.max()
    assert np.abs(first.astype(int) - third.astype(int)).mean() < 2


def test_a_sound_is_read_once_for_all_sheets(
    gallery: SoundGallery, sounds: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tone = items_of(sounds)["tone.wav"]
    reads = CountedReads(sounds, monkeypatch)
    first = opened_sheet(gallery, [tone])
    assert (gallery.seconds([tone]), reads.ids) == ([1.0], ["tone.wav"])
    again = open_gallery(sounds, tmp_path)
    assert np.abs(opened_sheet(again, [tone]).astype(int) - first.astype(int)).mean() < 2  # cached as a JPEG
    again.close()
    assert reads.ids == ["tone.wav"]


def test_what_the_pipeline_read_is_not_read_again(
    gallery: SoundGallery, sounds: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    tone = items_of(sounds)["tone.wav"]
    gallery.keep(tone, sounds.read(tone, 48_000))
    reads = CountedReads(sounds, monkeypatch)
    assert opened_sheet(gallery, [tone]).max() > 200
    assert reads.ids == []


def test_a_changed_sound_is_drawn_anew(gallery: SoundGallery, sounds: Source) -> None:
    tone = items_of(sounds)["tone.wav"]
    first = opened_sheet(gallery, [tone])
    soundfile.write(sounds.file(tone), TONE / 100, RATE_HZ, subtype="FLOAT")
    changed = Item(tone.id, "another stamp")
    assert gallery.facts([tone, changed])[1].peak_dbfs == pytest.approx(-46, abs=0.1)
    assert np.abs(opened_sheet(gallery, [changed]).astype(int) - first).max() > 20


def test_a_file_that_browsers_play_is_sent_as_it_is(gallery: SoundGallery, sounds: Source) -> None:
    tone = items_of(sounds)["tone.wav"]
    assert gallery.playable_file(tone) == (sounds.file(tone), "audio/wav")


@pytest.mark.parametrize(("name", "converted"), [("wide.wav", False), ("tone.wav", True)])
def test_what_browsers_cannot_play_is_converted_once(
    gallery: SoundGallery, sounds: Source, name: str, converted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = items_of(sounds)[name]
    reads = CountedReads(sounds, monkeypatch)
    path, media_type = gallery.playable_file(item, converted)
    assert media_type == sound_info(path).media_type == "audio/flac"
    samples, rate = soundfile.read(path)
    assert rate == RATE_HZ
    np.testing.assert_allclose(samples, TONE, atol=1e-3)
    assert gallery.playable_file(item, converted) == (path, media_type)
    assert reads.ids == [name]


def test_what_a_browser_would_play_otherwise_than_it_is_seen_is_converted(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    loud = 3 * TONE.astype(np.float32) / TONE.max()
    soundfile.write(folder / "opposite.wav", np.stack([TONE, -TONE], axis=1), RATE_HZ)
    soundfile.write(folder / "loud.wav", loud, RATE_HZ, subtype="FLOAT")
    soundfile.write(folder / "float.wav", TONE, RATE_HZ, subtype="FLOAT")
    soundfile.write(folder / "stereo.wav", np.stack([TONE, 0 * TONE], axis=1), RATE_HZ)
    content = (folder / "float.wav").read_bytes()
    (folder / "cut.wav").write_bytes(content[: len(content) // 2])
    source = open_source("audio_folder", {"path": str(folder)}, tmp_path, tmp_path)
    gallery = open_gallery(source, tmp_path)
    assert isinstance(gallery, SoundGallery)
    played = {item.id: gallery.playable_file(item) for item in source.scan()}
    gallery.close()
    assert {item_id for item_id, (path, _) in played.items() if path.parent == folder} == {"float.wav", "stereo.wav"}
    expected = {"opposite.wav": TONE, "loud.wav": loud / 3, "cut.wav": TONE[:8000]}
    for item_id, samples in expected.items():
        found, _ = soundfile.read(played[item_id][0])
        np.testing.assert_allclose(found[: len(samples)], samples[: len(found)], atol=1e-3)


def test_converted_sounds_do_not_fill_the_disk(
    gallery: SoundGallery, sounds: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_gallery, "CONVERTED_LIMIT_BYTES", 0)
    items = items_of(sounds)
    first, _ = gallery.playable_file(items["wide.wav"])
    second, _ = gallery.playable_file(items["tone.wav"], converted=True)
    assert not first.exists()
    assert second.exists()


def test_a_sound_that_cannot_be_read_says_why(gallery: SoundGallery, sounds: Source) -> None:
    text = items_of(sounds)["text.wav"]
    for ask in (gallery.large_view, gallery.playable_file):
        with pytest.raises(UnreadableItemError, match="not a sound"):
            ask(text)


def test_the_large_view_of_a_sound_is_a_wide_spectrogram(gallery: SoundGallery, sounds: Source) -> None:
    picture = Image.open(io.BytesIO(gallery.large_view(items_of(sounds)["tone.wav"])))
    assert picture.size == LARGE_SIZE_PX


def test_only_large_pictures_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, side in (("small.png", 40), ("large.png", 400)):
        Image.new("RGB", (side, side), "red").save(folder / name)
    source = open_source("image_folder", {"path": str(folder)}, tmp_path, tmp_path)
    pictures = open_gallery(source, tmp_path)
    items = list(items_of(source).values())
    sheet = opened_sheet(pictures, items)
    reads = CountedReads(source, monkeypatch)
    np.testing.assert_array_equal(opened_sheet(pictures, items), sheet)
    assert reads.ids == ["small.png"]
    assert pictures.seconds(items) == [None, None]
    pictures.close()


def test_a_damaged_cache_is_made_anew(tmp_path: Path, sounds: Source) -> None:
    (tmp_path / "thumbnails.sqlite").write_bytes(b"x" * 5000)
    gallery = open_gallery(sounds, tmp_path)
    assert opened_sheet(gallery, [items_of(sounds)["tone.wav"]]).max() > 200
    gallery.close()


def test_a_cache_of_another_layout_is_made_anew(tmp_path: Path, sounds: Source) -> None:
    with closing(sqlite3.connect(tmp_path / "thumbnails.sqlite")) as old:
        old.execute("CREATE TABLE tiles (id TEXT PRIMARY KEY, stamp TEXT NOT NULL, jpeg BLOB NOT NULL, seconds REAL)")
        old.execute("INSERT INTO tiles VALUES ('tone.wav', '', 'no jpeg', 7.0)")
        old.commit()
    gallery = open_gallery(sounds, tmp_path)
    tone = items_of(sounds)["tone.wav"]
    assert gallery.seconds([tone]) == [1.0]
    assert opened_sheet(gallery, [tone]).max() > 200
    gallery.close()


def test_tiles_of_another_range_are_made_anew(tmp_path: Path, gallery: SoundGallery, sounds: Source) -> None:
    tone = items_of(sounds)["tone.wav"]
    first = opened_sheet(gallery, [tone]).astype(int)
    gallery.close()
    higher = open_source("audio_folder", {"path": str(tmp_path / "recordings"), "top_hz": 1_000}, tmp_path, tmp_path)
    other = open_gallery(higher, tmp_path)
    assert np.abs(opened_sheet(other, [tone]) - first).max() > 100
    other.close()


def test_notes_are_kept_with_the_tile_and_without_one_worth_keeping(
    gallery: SoundGallery, sounds: Source, tmp_path: Path
) -> None:
    tone = items_of(sounds)["tone.wav"]
    read = sounds.read(tone)
    assert isinstance(read, Waveform)
    gallery.keep(tone, replace(read, note="the header gives no length"))
    (tmp_path / "pictures").mkdir()
    pictures = PictureGallery(sounds, tmp_path / "pictures")
    small = Image.new("RGB", (8, 8))
    pictures.keep(Item("plain.png"), small)
    small.info["note"] = "the end marker is missing"
    pictures.keep(Item("cut.png"), small)
    assert gallery.notes([tone]) == ["the header gives no length"]
    assert pictures.notes([Item("cut.png"), Item("plain.png")]) == ["the end marker is missing", ""]
    gallery.close()
    again = open_gallery(sounds, tmp_path)
    assert again.notes([tone]) == ["the header gives no length"]
    again.close()
    pictures.close()


def test_a_copy_that_nobody_read_has_its_duration_and_peak_at_once(gallery: SoundGallery, sounds: Source) -> None:
    items = items_of(sounds)
    known = gallery.facts([items["tone.wav"], items["text.wav"]])
    assert known[0].seconds == 1.0
    assert known[0].peak_dbfs == pytest.approx(-6, abs=0.1)
    assert known[1] == Facts()


def test_a_sound_that_takes_long_to_read_holds_no_batch_up(
    gallery: SoundGallery, sounds: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    tone, read, may_go_on = items_of(sounds)["tone.wav"], sounds.read, threading.Event()

    def slow(item: Item, resolution: int | None = None) -> object:
        may_go_on.wait(30)
        return read(item, resolution)

    monkeypatch.setattr(sounds, "read", slow)
    monkeypatch.setattr(sound_gallery, "READ_NOW_S", 0.01)
    assert gallery.facts([tone]) == [Facts()]
    may_go_on.set()
    assert opened_sheet(gallery, [tone]).max() > 200
    assert gallery.facts([tone])[0].seconds == 1.0


def test_a_quiet_sound_is_sent_louder_where_that_is_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    soundfile.write(folder / "quiet.wav", TONE * 0.002, RATE_HZ, subtype="FLOAT")
    soundfile.write(folder / "loud.wav", TONE, RATE_HZ, subtype="PCM_16")
    source = open_source("audio_folder", {"path": str(folder)}, tmp_path, tmp_path)
    gallery = open_gallery(source, tmp_path)
    assert isinstance(gallery, SoundGallery)
    items = items_of(source)
    assert gallery.playable_file(items["quiet.wav"]) == (folder / "quiet.wav", "audio/wav")
    assert gallery.playable_file(items["loud.wav"], normalised=True) == (folder / "loud.wav", "audio/wav")
    louder, media_type = gallery.playable_file(items["quiet.wav"], normalised=True)
    samples, _ = soundfile.read(louder)
    assert media_type == "audio/flac"
    assert 20 * np.log10(np.abs(samples).max()) == pytest.approx(-3.5, abs=0.6)
    converted, _ = gallery.playable_file(items["quiet.wav"], converted=True)
    assert converted != louder
    gallery.close()


def test_bats_are_sent_slower_and_measured_in_seconds_of_the_recording(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    call = np.sin(2 * np.pi * 45_000 * np.arange(64_000) / 256_000)
    soundfile.write(folder / "bat.wav", call / 2, 256_000, subtype="PCM_16")
    source = open_source("audio_folder", {"path": str(folder), "expand": 10}, tmp_path, tmp_path)
    gallery = open_gallery(source, tmp_path)
    assert isinstance(gallery, SoundGallery)
    bat = items_of(source)["bat.wav"]
    assert gallery.seconds([bat]) == [0.25]
    sent = sound_info(gallery.playable_file(bat)[0])
    assert (sent.seconds, sent.rate_hz) == (2.5, 25_600)
    gallery.close()
