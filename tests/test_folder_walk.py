"""Nothing in a folder is left out in silence: each rule is named, and what falls under it is counted."""

import os
import socket
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from fastlabel_gradio.errors import SourceError, UnreadableItemError
from fastlabel_gradio.sources import Source
from fastlabel_gradio.sources.folder_walk import MAX_KINDS, left_out_line
from fastlabel_gradio.types import LeftOut
from tests.source_data import ids, opened, save, save_sound

ROOT = Path(__file__).parent.parent


def _write(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _scanned(tmp_path: Path, kind: str = "image_folder", **options: object) -> Source:
    source = opened(kind, tmp_path, path=".", **options)
    ids(source)
    return source


def _counts(source: Source) -> dict[str, int]:
    return {entry.what: entry.count for entry in source.left_out()}


def _reasons(source: Source) -> dict[str, str]:
    return {entry.what: entry.why for entry in source.left_out()}


def test_other_suffixes_are_counted_most_frequent_first(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    for number in range(3):
        _write(tmp_path / "deep" / f"{number}.TXT")
    _write(tmp_path / "a.xml")
    _write(tmp_path / "LICENSE")
    source = opened("image_folder", tmp_path, path=".")
    assert source.left_out() == ()
    assert ids(source) == ["a.png"]
    why = "not a picture, by the suffix"
    assert source.left_out() == (LeftOut(".txt", why, 3), LeftOut(".xml", why, 1), LeftOut("no suffix", why, 1))
    assert left_out_line(source.left_out()) == "5 files left out: 3 .txt, 1 .xml, 1 no suffix"


def test_a_second_scan_counts_anew(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    _write(tmp_path / "a.txt")
    source = _scanned(tmp_path)
    (tmp_path / "a.txt").unlink()
    ids(source)
    assert source.left_out() == ()


def test_what_systems_keep_beside_files_is_neither_item_nor_class(tmp_path: Path) -> None:
    for name in ("cat/1.png", "dog/1.png"):
        save(tmp_path / name)
    for folder in ("__MACOSX/cat", "@eaDir/cat", "cat/@eaDir/1.png", "#recycle", "$RECYCLE.BIN", "lost+found", ".git"):
        save(tmp_path / folder / "thumb.png")
    for name in ("cat/.DS_Store", "Thumbs.db", "dog/desktop.ini", "dog/._1.png", "dog/.hidden.png"):
        _write(tmp_path / name)
    source = _scanned(tmp_path)
    assert (ids(source), source.classes()) == (["cat/1.png", "dog/1.png"], ("cat", "dog"))
    assert _counts(source) == {
        "@eaDir": 2,
        "__MACOSX": 1,
        "#recycle": 1,
        "$RECYCLE.BIN": 1,
        "lost+found": 1,
        "hidden folder": 1,
        ".DS_Store": 1,
        "Thumbs.db": 1,
        "desktop.ini": 1,
        "AppleDouble": 1,
        "hidden file": 1,
    }
    assert all(_reasons(source).values())


def test_a_picture_among_sounds_is_left_out_by_its_suffix(tmp_path: Path) -> None:
    save_sound(tmp_path / "a.wav")
    save(tmp_path / "cover.jpg")
    assert _reasons(_scanned(tmp_path, "audio_folder")) == {".jpg": "not a sound, by the suffix"}


def test_a_broken_link_to_a_picture_is_an_item_that_gives_its_reason(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    (tmp_path / "annex.png").symlink_to("nowhere.png")
    (tmp_path / "gone").symlink_to("nowhere")
    source = _scanned(tmp_path)
    assert ids(source) == ["a.png", "annex.png"]
    assert _counts(source) == {"broken link": 1}
    broken = list(source.scan())[1]
    with pytest.raises(UnreadableItemError, match=r"broken link.*nowhere\.png"):
        source.content_key(broken)
    save(tmp_path / "nowhere.png")
    assert dict.fromkeys(source.scan()).keys() - {broken} >= {item for item in source.scan() if item.id == "annex.png"}


def test_a_broken_link_beside_class_folders_does_not_hide_the_classes(tmp_path: Path) -> None:
    for name in ("cat/1.png", "dog/1.png"):
        save(tmp_path / name)
    (tmp_path / "annex.png").symlink_to("nowhere.png")
    assert opened("image_folder", tmp_path, path=".").classes() == ("cat", "dog")


def test_links_round_and_round_pipes_and_sockets_are_counted(tmp_path: Path) -> None:
    save(tmp_path / "real" / "a.png")
    (tmp_path / "real" / "round").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "again").symlink_to(tmp_path / "real", target_is_directory=True)
    (tmp_path / "self.png").symlink_to(tmp_path / "self.png")
    os.mkfifo(tmp_path / "pipe.png")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(tmp_path / "socket.png"))
        source = _scanned(tmp_path)
    assert ids(source) == ["real/a.png"], "a folder's own path goes before a link to it"
    assert _counts(source) == {"folder again": 2, "link in a circle": 1, "special file": 2}


_AS_ANOTHER_USER = """
import os, sys
from pathlib import Path
from fastlabel_gradio.sources.folder_walk import Tally, walk
os.getuid() or os.setuid(65534)
tally = Tally("picture")
print(list(walk(Path(sys.argv[1]), (".png",), True, tally)), tally.left_out())
"""


def test_a_folder_that_cannot_be_entered_is_named() -> None:
    """In a process of another user where the tests run as root, whom no permission stops."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        save(root / "a.png")
        save(root / "locked" / "in" / "b.png")
        root.chmod(0o755)
        (root / "locked").chmod(0)
        try:
            command = [sys.executable, "-c", _AS_ANOTHER_USER, name]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        finally:
            (root / "locked").chmod(0o755)
    assert "['a.png']" in done.stdout, done.stderr
    assert "what='folder locked', why='cannot be entered: Permission denied', count=1" in done.stdout


def test_odd_suffixes_cannot_break_a_line_or_fill_the_memory(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    _write(tmp_path / "a.b\nc")
    _write(tmp_path / f"a.{'x' * 90}")
    _write(Path(os.fsdecode(os.fsencode(tmp_path) + b"/a.caf\xe9")))
    source = _scanned(tmp_path)
    assert _counts(source) == {"odd suffix": 3}
    for number in range(MAX_KINDS + 50):
        _write(tmp_path / f"data.{number:04d}")
    assert ids(source) == ["a.png"]
    left_out = source.left_out()
    assert len(left_out) <= MAX_KINDS + 1
    assert sum(entry.count for entry in left_out) == MAX_KINDS + 53
    assert "more kinds" in left_out_line(left_out)


def test_names_that_differ_in_normalisation_only_or_are_long_are_items(tmp_path: Path) -> None:
    names = [unicodedata.normalize(form, "café.png") for form in ("NFC", "NFD")]
    names += [f"{'é' * 125}.png", "new\nline.png"]
    for seed, name in enumerate(names):
        save(tmp_path / name, seed)
    source = _scanned(tmp_path)
    assert sorted(ids(source)) == sorted(names)
    assert len({source.content_key(item) for item in source.scan()}) == 4


def test_an_empty_pool_says_what_is_there_instead(tmp_path: Path) -> None:
    _write(tmp_path / "notes.txt")
    save(tmp_path / "@eaDir" / "a.png")
    with pytest.raises(SourceError, match=r"holds no picture.*2 files left out: 1 \.txt, 1 @eaDir"):
        opened("image_folder", tmp_path, path=".")


SPLIT_LAYOUT = (
    "train/cat/1.png",
    "train/dog/2.png",
    "val/cat/3.png",
    "val/dog/4.png",
    "test/cat/5.png",
    "test/dog/6.png",
)


@pytest.fixture
def save_all(tmp_path: Path) -> Callable[..., Path]:
    def save_them(*names: str) -> Path:
        for seed, name in enumerate(names):
            save(tmp_path / name, seed)
        return tmp_path

    return save_them


def test_folders_without_a_picture_do_not_make_classes_of_splits(save_all: Callable[..., Path]) -> None:
    folder = save_all(*SPLIT_LAYOUT[:4])
    _write(folder / "annotations" / "all.xml")
    save(folder / "__MACOSX" / "train" / "cat.png")
    (folder / "empty").mkdir()
    assert opened("image_folder", folder, path=".").classes() == ("cat", "dog")


@pytest.mark.parametrize("names", ["train val", "Training Validation", "train valid", "train dev", "TRAIN eval"])
def test_splits_go_by_many_names(save_all: Callable[..., Path], names: str) -> None:
    source = opened("image_folder", save_all(*(f"{n}/{c}/1.png" for n in names.split() for c in ("a", "b"))), path=".")
    assert source.classes() == ("a", "b")


def test_test_beside_other_splits_is_the_test_part_and_is_said(save_all: Callable[..., Path]) -> None:
    source = _scanned(save_all(*SPLIT_LAYOUT))
    assert ids(source) == list(SPLIT_LAYOUT[:4])
    assert [item.id for item in source.held_out()] == list(SPLIT_LAYOUT[4:])
    assert [source.is_held_out(name) for name in SPLIT_LAYOUT] == [False] * 4 + [True] * 2
    [entry] = source.left_out()
    assert (entry.what, entry.count, "take_test" in entry.why) == ("test", 2, True)


def test_take_test_takes_it_in(save_all: Callable[..., Path]) -> None:
    source = _scanned(save_all(*SPLIT_LAYOUT), take_test=True)
    assert sorted(ids(source)) == sorted(SPLIT_LAYOUT)
    assert (list(source.held_out()), source.left_out(), source.is_held_out("test/cat/5.png")) == ([], (), False)
    assert source.classes() == ("cat", "dog")


def test_a_folder_with_nothing_but_test_is_the_pool(save_all: Callable[..., Path]) -> None:
    source = _scanned(save_all(*SPLIT_LAYOUT[4:]))
    assert ids(source) == list(SPLIT_LAYOUT[4:])
    assert (list(source.held_out()), source.classes()) == ([], ("cat", "dog"))


def test_a_test_part_without_classes_is_kept_out_and_proposes_none(save_all: Callable[..., Path]) -> None:
    source = _scanned(save_all("train/cat/1.png", "train/dog/2.png", "test/unknown/5.png", "test/6.png"))
    assert source.classes() == ("cat", "dog")
    assert list(source.held_out()) == []
    assert _counts(source) == {"test": 2}


def test_the_test_part_of_sounds_is_cut_as_the_pool_is(tmp_path: Path) -> None:
    for name in ("train/a/1.wav", "train/b/1.wav", "test/a/2.wav"):
        save_sound(tmp_path / name, seconds=0.4)
    source = opened("audio_folder", tmp_path, path=".", window_s=0.2)
    assert [item.id for item in source.held_out()] == ["test/a/2.wav#t=0.0,0.2", "test/a/2.wav#t=0.2,0.4"]


def test_a_folder_that_is_gone_is_said_at_the_next_scan(tmp_path: Path) -> None:
    save(tmp_path / "pool" / "a.png")
    source = opened("image_folder", tmp_path, path="pool")
    (tmp_path / "pool").rename(tmp_path / "elsewhere")
    with pytest.raises(SourceError, match="does not exist"):
        ids(source)
