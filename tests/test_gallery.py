"""Galleries: contact sheets, large views and playable files of real pictures and sounds, and what is kept of them on disk."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.gallery import SHEET_COLUMNS, Gallery, SoundGallery, open_gallery, sound_gallery
from fastlabel_gradio.media.sounds import sound_info
from fastlabel_gradio.media.spectrograms import LARGE_SIZE_PX, TILE_SIZE_PX
from fastlabel_gradio.sources import Source, open_source
from fastlabel_gradio.types import Item

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
