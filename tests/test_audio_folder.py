"""Folders of sounds: which files count, windows and their edges, hostile names, bad files."""

import os
import struct
import tracemalloc
from pathlib import Path

import pytest
import soundfile

from fastlabel_gradio.errors import ConfigError, SourceError, UnreadableItemError
from fastlabel_gradio.sources import Source
from fastlabel_gradio.sources.files import file_key, path_of
from fastlabel_gradio.sources.windows import windows
from fastlabel_gradio.types import Item, TimeSpan, Waveform
from tests.source_data import RATE_HZ, ids, opened, save, save_sound, sound


def reasons(source: Source) -> dict[str, str]:
    """What reading says of every item, "" where it reads."""
    said = {}
    for item in source.scan():
        try:
            source.read(item)
            said[item.id] = ""
        except UnreadableItemError as error:
            said[item.id] = str(error)
    return said


def samples_of(source: Source, item_id: str) -> bytes:
    waveform = source.read(Item(item_id))
    assert isinstance(waveform, Waveform)
    return waveform.samples.tobytes()


def write_long_wav(path: Path, seconds: int, rate_hz: int = 8000) -> Path:
    """An 8-bit recording whose samples are a hole in the file: it takes no room on the disk."""
    size = seconds * rate_hz
    header = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, rate_hz, rate_hz, 1, 8)
    path.write_bytes(header + struct.pack("<4sI", b"data", size))
    os.truncate(path, len(header) + 8 + size)
    return path


class TestFiles:
    def test_suffixes_count_in_any_case_and_other_files_do_not(self, tmp_path: Path) -> None:
        for name in ("a.WAV", "b.Flac", "c.OGG", "d.oga", "e.mp3", "f.AIFF", "deep/er/g.aif"):
            container = {".oga": "OGG", ".aif": "AIFF"}.get(Path(name).suffix, Path(name).suffix[1:].upper())
            save_sound(tmp_path / name, format=container)
        for name in ("h.opus", "i.m4a", "j.aac", "k.wma", "l.webm"):
            (tmp_path / name).touch()
        save(tmp_path / "cover.png")
        save_sound(tmp_path / ".hidden.wav")
        source = opened("audio_folder", tmp_path, path=".")
        listed = ["a.WAV", "b.Flac", "c.OGG", "d.oga", "e.mp3", "f.AIFF"]
        assert ids(source) == [*listed, "h.opus", "i.m4a", "j.aac", "k.wma", "l.webm", "deep/er/g.aif"]
        assert [item_id for item_id, reason in reasons(source).items() if not reason] == [*listed, "deep/er/g.aif"]

    def test_class_folders_propose_the_classes_and_windows_keep_them(self, tmp_path: Path) -> None:
        for name in ("rain/1.wav", "dog/1.wav"):
            save_sound(tmp_path / name)
        source = opened("audio_folder", tmp_path, path=".", window_s=0.1)
        assert source.classes() == ("dog", "rain")
        assert {item.id: source.reference_label(item) for item in source.scan()} == {
            "dog/1.wav#t=0.0,0.1": "dog",
            "dog/1.wav#t=0.1,0.2": "dog",
            "rain/1.wav#t=0.0,0.1": "rain",
            "rain/1.wav#t=0.1,0.2": "rain",
        }

    def test_a_folder_of_pictures_is_refused(self, tmp_path: Path) -> None:
        save(tmp_path / "a.png")
        with pytest.raises(SourceError, match=r"holds no sound.*wav flac"):
            opened("audio_folder", tmp_path, path=".")

    def test_a_whole_file_is_given_as_it_is_and_a_window_is_not(self, tmp_path: Path) -> None:
        save_sound(tmp_path / "a.wav")
        source = opened("audio_folder", tmp_path, path=".")
        assert source.file(Item("a.wav")) == tmp_path / "a.wav"
        assert source.file(Item("a.wav#t=0.0,0.1")) is None
        with pytest.raises(UnreadableItemError):
            source.file(Item("../a.wav"))

    def test_hostile_names_keep_their_meaning(self, tmp_path: Path) -> None:
        names = ("a#t=1.0,2.0.wav", "<img onerror=alert(1)>.wav", "\u202eגל.wav", "100%25 #?&.wav", "b#t=0.1,0.2.wav")
        for seed, name in enumerate(names):
            save_sound(tmp_path / name, seed)
        whole = opened("audio_folder", tmp_path, path=".")
        assert {path_of(item_id) for item_id in ids(whole)} == set(names)
        for seed, name in enumerate(names):
            assert samples_of(whole, name) == sound(seed).tobytes()
        cut = opened("audio_folder", tmp_path, path=".", window_s=0.1)
        assert len(ids(cut)) == 2 * len(names)
        assert samples_of(cut, "b#t=0.1,0.2.wav#t=0.1,0.2") == sound(4)[RATE_HZ // 10 :].tobytes()

    def test_a_name_that_is_not_unicode_is_read_whole_and_in_windows(self, tmp_path: Path) -> None:
        save_sound(tmp_path / "a.wav", 3).rename(tmp_path / os.fsdecode(b"caf\xe9.wav"))
        [whole] = opened("audio_folder", tmp_path, path=".").scan()
        source = opened("audio_folder", tmp_path, path=".", window_s=0.1)
        [first, last] = source.scan()
        assert whole.id.encode() and first.id == f"{whole.id}#t=0.0,0.1"
        assert samples_of(source, first.id) + samples_of(source, last.id) == sound(3).tobytes()


class TestWindows:
    @pytest.mark.parametrize(
        ("seconds", "window_s", "hop_s", "expected"),
        [
            (3.0, 1.0, 1.0, [(0, 1), (1, 2), (2, 3)]),
            (3.09, 1.0, 1.0, [(0, 1), (1, 2), (2, 3)]),
            (3.1, 1.0, 1.0, [(0, 1), (1, 2), (2, 3), (3, 3.1)]),
            (2.5, 1.0, 0.5, [(0, 1), (0.5, 1.5), (1, 2), (1.5, 2.5)]),
            (2.7, 1.0, 0.5, [(0, 1), (0.5, 1.5), (1, 2), (1.5, 2.5), (2, 2.7)]),
            (0.4, 1.0, 0.5, [(0, 0.4)]),
            (0.05, 1.0, 1.0, [(0, 0.05)]),
            (1.0, 1.0, 1.0, [(0, 1)]),
            (0.0, 2.0, 1.0, [(0, 2)]),
            (12.0, 1.0, 5.0, [(0, 1), (5, 6), (10, 11)]),
            (15.5, 1.0, 5.0, [(0, 1), (5, 6), (10, 11), (15, 15.5)]),
            (1.0, 0.3, 0.1, [(n / 10, n / 10 + 0.3) for n in range(8)]),
        ],
    )
    def test_windows_cover_a_file_to_its_end(
        self, seconds: float, window_s: float, hop_s: float, expected: list[tuple[float, float]]
    ) -> None:
        found = [(span.start_s, span.end_s) for span in windows(seconds, window_s, hop_s)]
        assert found == [(round(start, 3), round(end, 3)) for start, end in expected]

    def test_windows_are_parts_of_the_file_that_join_without_a_gap(self, tmp_path: Path) -> None:
        save_sound(tmp_path / "a.flac", seconds=1.05)
        source = opened("audio_folder", tmp_path, path=".", window_s=0.1)
        assert len(ids(source)) == 10
        samples = b"".join(samples_of(source, item_id) for item_id in ids(source))
        assert samples == sound(0, 1.05)[:RATE_HZ].tobytes()

    def test_the_hop_is_the_window_unless_it_is_given(self, tmp_path: Path) -> None:
        save_sound(tmp_path / "a.wav", seconds=0.4)
        assert len(ids(opened("audio_folder", tmp_path, path=".", window_s=0.2))) == 2
        assert len(ids(opened("audio_folder", tmp_path, path=".", window_s=0.2, hop_s=0.1))) == 3

    @pytest.mark.parametrize(
        "options", [{"window_s": 0}, {"window_s": -1.0}, {"window_s": 601}, {"hop_s": 1.0}, {"window_s": 1, "hop_s": 0}]
    )
    def test_impossible_windows_are_refused(self, tmp_path: Path, options: dict[str, float]) -> None:
        save_sound(tmp_path / "a.wav")
        with pytest.raises(ConfigError, match=r"window_s|hop_s"):
            opened("audio_folder", tmp_path, path=".", **options)

    def test_windows_of_equal_files_have_equal_keys_at_equal_places_only(self, tmp_path: Path) -> None:
        for name in ("a.wav", "b.wav"):
            save_sound(tmp_path / name)
        source = opened("audio_folder", tmp_path, path=".", window_s=0.1)
        keys = {item.id: source.content_key(item) for item in source.scan()}
        assert keys["a.wav#t=0.0,0.1"] == keys["b.wav#t=0.0,0.1"] != keys["b.wav#t=0.1,0.2"]
        assert file_key(tmp_path / "a.wav") not in keys.values()

    def test_the_key_of_a_window_follows_a_change_of_its_file(self, tmp_path: Path) -> None:
        save_sound(tmp_path / "a.wav")
        source = opened("audio_folder", tmp_path, path=".", window_s=0.1)
        before = {item.stamp: source.content_key(item) for item in source.scan()}
        save_sound(tmp_path / "a.wav", seed=1, seconds=0.3)
        after = {item.stamp: source.content_key(item) for item in source.scan()}
        assert not set(before.values()) & set(after.values())
        assert not set(before) & set(after)

    def test_a_file_is_not_read_again_for_the_key_of_each_window(self, tmp_path: Path) -> None:
        path = save_sound(tmp_path / "a.wav")
        source = opened("audio_folder", tmp_path, path=".", window_s=0.1)
        [first, last] = source.scan()
        status = path.stat()
        key = source.content_key(first)
        path.write_bytes(bytes(status.st_size))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert source.content_key(first) == key != source.content_key(last)

    def test_a_recording_of_three_hours_is_listed_with_what_to_do_or_cut(self, tmp_path: Path) -> None:
        write_long_wav(tmp_path / "night.wav", 3 * 3600)
        [reason] = reasons(opened("audio_folder", tmp_path, path=".")).values()
        assert "3.0 h" in reason and "window_s" in reason
        source = opened("audio_folder", tmp_path, path=".", window_s=10.0)
        found = ids(source)
        assert (len(found), found[-1]) == (1080, "night.wav#t=10790.0,10800.0")
        tracemalloc.start()
        waveform = source.read(Item(found[-1]))
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert isinstance(waveform, Waveform) and waveform.seconds == 10
        assert peak_bytes < 4_000_000  # the whole would be 345 MB


class TestBadFiles:
    def test_they_are_items_that_give_their_reason_and_stop_nothing(self, tmp_path: Path) -> None:
        good = save_sound(tmp_path / "good.wav").read_bytes()
        (tmp_path / "zero.wav").write_bytes(b"")
        (tmp_path / "header.wav").write_bytes(good[:44])
        (tmp_path / "text.wav").write_text("hello " * 30)
        (tmp_path / "picture.mp3").write_bytes(save(tmp_path / "a.png").read_bytes())
        save_sound(tmp_path / "instant.wav", seconds=0.001)
        for options in ({}, {"window_s": 0.1}):
            said = reasons(opened("audio_folder", tmp_path, path=".", **options))
            bad = {TimeSpan.split(item_id)[0]: reason for item_id, reason in said.items() if reason}
            assert set(bad) == {"zero.wav", "header.wav", "text.wav", "picture.mp3", "instant.wav"}
            assert all("\n" not in reason and str(tmp_path) not in reason for reason in bad.values())
            assert "empty file" in bad["zero.wav"] and "no sound in it" in bad["header.wav"]

    def test_a_file_without_a_header_is_one_window(self, tmp_path: Path) -> None:
        save_sound(tmp_path / "good.wav")
        (tmp_path / "text.wav").write_text("hello " * 30)
        source = opened("audio_folder", tmp_path, path=".", window_s=0.15, hop_s=0.05)
        assert ids(source) == ["good.wav#t=0.0,0.15", "good.wav#t=0.05,0.2", "text.wav#t=0.0,0.15"]

    def test_a_wrong_suffix_does_not_matter(self, tmp_path: Path) -> None:
        save_sound(tmp_path / "a.mp3", 2, format="WAV")
        source = opened("audio_folder", tmp_path, path=".")
        assert samples_of(source, "a.mp3") == sound(2).tobytes()

    def test_many_channels_and_high_rates_become_mono_at_the_rate_asked_for(self, tmp_path: Path) -> None:
        save_sound(tmp_path / "a.wav", rate_hz=192_000, channels=8)
        waveform = opened("audio_folder", tmp_path, path=".").read(Item("a.wav"), 16_000)
        assert isinstance(waveform, Waveform)
        assert (waveform.samples.ndim, waveform.rate_hz, waveform.seconds) == (1, 16_000, 0.2)
        assert soundfile.info(tmp_path / "a.wav").channels == 8


@pytest.mark.parametrize("windows_s", [{}, {"window_s": 0.1}], ids=str)
def test_links_out_of_a_folder_of_sounds_are_not_read(tmp_path: Path, windows_s: dict[str, float]) -> None:
    save_sound(tmp_path / "elsewhere.wav")
    save_sound(tmp_path / "pool" / "own.wav")
    (tmp_path / "pool" / "out.wav").symlink_to(tmp_path / "elsewhere.wav")
    source = opened("audio_folder", tmp_path, path="pool", **windows_s)
    listed = ids(source)
    assert {item_id.partition("#")[0] for item_id in listed} == {"own.wav"}
    [counted] = [entry for entry in source.left_out() if entry.what == "link"]
    assert counted.count == 1
    swapped = Item(listed[0].replace("own", "out"))
    for use in (source.read, source.content_key):
        with pytest.raises(UnreadableItemError, match="link out"):
            use(swapped)
    followed = opened("audio_folder", tmp_path, path="pool", follow_links=True, **windows_s)
    assert len(ids(followed)) == 2 * len(listed)
    assert samples_of(followed, swapped.id) == samples_of(source, listed[0])
