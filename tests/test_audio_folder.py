"""Folders of sounds: which files count, windows and their edges, hostile names, bad files."""

import os
import shutil
import struct
import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from fastlabel_gradio.errors import ConfigError, SourceError, UnreadableItemError
from fastlabel_gradio.sources import Source, files, saved_lengths
from fastlabel_gradio.sources.files import file_key, path_of
from fastlabel_gradio.sources.windows import windows
from fastlabel_gradio.types import Item, TimeSpan, Waveform
from tests.cases import each
from tests.media.test_sounds import write_by_ffmpeg
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

    @pytest.mark.parametrize(
        ("container", "suffixes"),
        [
            ("WAV", ("wav", "wave", "bwf", "mp3")),
            ("RF64", ("rf64", "wav")),
            ("W64", ("w64",)),
            ("AIFF", ("aif", "aiff", "aifc")),
            ("CAF", ("caf",)),
            ("AU", ("au", "snd")),
            ("VOC", ("voc",)),
            ("NIST", ("sph", "nist")),
            ("MP3", ("mp3", "mpga")),
            ("IRCAM", ("ircam", "sf")),
            ("SVX", ("8svx", "svx")),
            ("AVR", ("avr",)),
            ("HTK", ("htk",)),
            ("PAF", ("paf",)),
            ("PVF", ("pvf",)),
            ("SDS", ("sds",)),
        ],
    )
    def test_every_suffix_that_libsndfile_reads_is_an_item(
        self, tmp_path: Path, container: str, suffixes: tuple[str, ...]
    ) -> None:
        for suffix in suffixes:
            save_sound(tmp_path / f"a.{suffix}", format=container)
        source = opened("audio_folder", tmp_path, path=".")
        assert reasons(source) == {f"a.{suffix}": "" for suffix in sorted(suffixes)}

    @pytest.mark.parametrize(
        ("container", "codec", "rate_hz", "suffixes"),
        [
            ("mp4", "aac", 44_100, ("m4a", "m4b", "m4r", "f4a", "mp4", "m4v")),
            ("mov", "aac", 44_100, ("mov", "qt")),
            ("3gp", "libopencore_amrnb", 8_000, ("3gp", "3gpp", "3g2", "3ga")),
            ("amr", "libopencore_amrnb", 8_000, ("amr",)),
            ("matroska", "libopus", 48_000, ("mka", "mkv", "webm", "weba")),
            ("asf", "wmav2", 44_100, ("wma", "wmv", "asf")),
            ("avi", "libmp3lame", 44_100, ("avi",)),
            ("mpeg", "mp2", 44_100, ("mpg", "mpeg", "vob")),
            ("mpegts", "mp2", 44_100, ("mts", "m2ts")),
            ("flv", "libmp3lame", 44_100, ("flv", "f4v")),
            ("mp2", "mp2", 44_100, ("mp2", "mpa")),
            ("wv", "wavpack", 44_100, ("wv",)),
            ("tta", "tta", 44_100, ("tta",)),
            ("ac3", "ac3", 48_000, ("ac3",)),
            ("eac3", "eac3", 48_000, ("eac3", "ec3")),
            ("adts", "aac", 44_100, ("aac", "adts")),
            ("caf", "alac", 44_100, ("caf",)),
        ],
    )
    def test_every_suffix_that_ffmpeg_reads_is_an_item(
        self, tmp_path: Path, container: str, codec: str, rate_hz: int, suffixes: tuple[str, ...]
    ) -> None:
        first = tmp_path / f"a.{suffixes[0]}"
        write_by_ffmpeg(first, container, codec, sound(0, 0.5, rate_hz), rate_hz)
        for suffix in suffixes[1:]:
            shutil.copy(first, tmp_path / f"a.{suffix}")
        source = opened("audio_folder", tmp_path, path=".")
        assert reasons(source) == {f"a.{suffix}": "" for suffix in sorted(suffixes)}

    def test_a_video_without_sound_says_so(self, tmp_path: Path) -> None:
        with av.open(str(tmp_path / "a.mp4"), "w") as file:
            stream = file.add_stream("mpeg4", rate=10)
            stream.width = stream.height = 32
            stream.pix_fmt = "yuv420p"
            for _ in range(3):
                file.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))))
            file.mux(stream.encode(None))
        assert reasons(opened("audio_folder", tmp_path, path=".")) == {"a.mp4": "no sound in it"}

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
    @each(
        "seconds, window_s, hop_s, expected",
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

    def test_windows_cover_what_the_file_holds_and_not_what_its_header_claims(self, tmp_path: Path) -> None:
        path = save_sound(tmp_path / "a.wav", seconds=1.0)
        content = path.read_bytes()
        at = content.index(b"data") + 4
        for claimed in (0, 2**32 - 1, RATE_HZ // 2, 20 * RATE_HZ):
            path.write_bytes(content[:at] + struct.pack("<I", claimed) + content[at + 4 :])
            source = opened("audio_folder", tmp_path, path=".", window_s=0.25)
            assert ids(source) == [f"a.wav#t={n / 4},{n / 4 + 0.25}" for n in range(4)]
            assert set(reasons(source).values()) == {""}

    def test_lengths_are_found_once_also_across_restarts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "calls").mkdir()
        paths = [save_sound(tmp_path / "calls" / f"{name}.wav", seconds=0.4) for name in "ab"]
        found: list[Path] = []
        seconds = saved_lengths.found_seconds
        found_now = lambda tree, file: found.append(tree.path(file.id)) or seconds(tree, file)  # noqa: E731
        monkeypatch.setattr(saved_lengths, "found_seconds", found_now)
        for _ in range(2):
            assert len(ids(opened("audio_folder", tmp_path, path="calls", window_s=0.1))) == 8
        assert found == paths
        save_sound(paths[0], seconds=0.2)
        assert len(ids(opened("audio_folder", tmp_path, path="calls", window_s=0.1))) == 6
        assert found == [*paths, paths[0]]

    def test_lengths_that_cannot_be_kept_are_found_again(self, tmp_path: Path) -> None:
        save_sound(tmp_path / "a.wav", seconds=0.4)
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache" / "sound_lengths.sqlite").write_bytes(b"no database" * 100)
        assert len(ids(opened("audio_folder", tmp_path, path=".", window_s=0.1))) == 4

    def test_of_a_large_file_some_blocks_tell_whether_it_is_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(files, "WHOLE_BYTES", 100_000)
        monkeypatch.setattr(files, "BLOCK_BYTES", 100)
        content = np.random.default_rng(0).bytes(200_000)
        keys = {}
        for name, place in (
            ("same", None),
            ("head", 0),
            ("tail", 199_999),
            ("middle", 199_900 * 30 // 63),
            ("gap", 1_000),
        ):
            changed = bytearray(content)
            if place is not None:
                changed[place] ^= 1
            (tmp_path / name).write_bytes(changed)
            keys[name] = files.sampled_key(tmp_path / name)
        assert keys["same"] == keys["gap"]
        assert len(set(keys.values())) == 4
        (tmp_path / "longer").write_bytes(content + content[-1:])
        assert files.sampled_key(tmp_path / "longer") not in keys.values()

    def test_a_small_file_is_keyed_by_all_of_its_bytes(self, tmp_path: Path) -> None:
        path = save_sound(tmp_path / "a.wav")
        assert files.sampled_key(path) == file_key(path)

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


class TestChannel:
    def test_a_channel_is_read_by_its_number_and_embedded_as_another_sound(self, tmp_path: Path) -> None:
        save_sound(tmp_path / "a.wav", channels=2)
        tags = set()
        for channel in ("auto", "mix", 1, 2):
            source = opened("audio_folder", tmp_path, path=".", channel=channel)
            expected = sound(0, channels=2)
            expected = expected[:, channel - 1] if isinstance(channel, int) else expected.mean(axis=1)
            assert samples_of(source, "a.wav") == expected.astype(np.float32).tobytes()
            assert (source.file(Item("a.wav")) is None) == isinstance(channel, int)
            tags.add(source.sound_view.sound_tag)
        assert len(tags) == 4

    @pytest.mark.parametrize("channel", [0, -1, "left", 1.5])
    def test_another_value_is_refused(self, tmp_path: Path, channel: object) -> None:
        save_sound(tmp_path / "a.wav")
        with pytest.raises(ConfigError, match="channel"):
            opened("audio_folder", tmp_path, path=".", channel=channel)


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
