"""Folders of pictures: layouts, hostile names, links, bad files."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fastlabel_gradio.errors import SourceError, UnreadableItemError
from fastlabel_gradio.sources.files import exported_path, id_of, path_of
from fastlabel_gradio.sources.image_folder import NOT_READ, SUFFIXES
from fastlabel_gradio.types import Item
from tests.cases import each
from tests.documents import blocks, read
from tests.source_data import (
    ids,
    opened,
    picture,
    save,
)

HOSTILE_NAMES = (
    "<img onerror=alert(1)>.jpg",
    "${x}.png",
    "{{y}}.png",
    "quote\"and'.png",
    "back\\slash.png",
    "line\nbreak.png",
    "\u202egnp.תמונה.png",
    "100%25.png",
    " leading and trailing .png",
    "#?&.png",
    "..png",
    "\ufffdDCE9.png",
)


@pytest.fixture
def deep_folder(tmp_path: Path) -> Iterator[Path]:
    """1,500 folders in one another, removed here because pytest's own clean-up recurses."""
    folder = os.open(tmp_path, os.O_RDONLY)
    for name in ["deep"] + ["d"] * 1500:
        os.mkdir(name, dir_fd=folder)
        inner = os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)
    yield tmp_path / "deep"
    subprocess.run(["rm", "-rf", str(tmp_path / "deep")], check=True)


def test_suffixes_count_in_any_case_and_hidden_files_do_not(tmp_path: Path) -> None:
    for name in ("a.JPG", "b.Jpeg", "c.TIFF", "d.tif", "e.WebP", "f.gif", "g.BMP", "deep/er/h.PNG"):
        save(tmp_path / name)
    for name in (".hidden.png", ".git/x.png", "deep/.x/y.png"):
        save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "folder.png").mkdir()
    source = opened("image_folder", tmp_path, path=".")
    assert ids(source) == ["a.JPG", "b.Jpeg", "c.TIFF", "d.tif", "e.WebP", "f.gif", "g.BMP", "deep/er/h.PNG"]


def test_every_suffix_of_a_format_that_is_read_counts_and_none_of_those_that_are_not(tmp_path: Path) -> None:
    read = (".HEIF", ".avif", ".heic", ".hif", ".ico", ".j2k", ".jfif", ".jp2", ".jpe", ".jpx", ".jxl", ".pgm", ".ppm")
    for suffix in (*read, ".cr2", ".dng", ".psd", ".svg", ".pdf", ".tga"):
        (tmp_path / f"a{suffix}").touch()
    assert ids(opened("image_folder", tmp_path, path=".")) == [f"a{suffix}" for suffix in read]


def test_no_suffix_is_both_read_and_explained() -> None:
    assert not NOT_READ.keys() & set(SUFFIXES)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in (*NOT_READ, *SUFFIXES))


def test_what_had_to_be_done_to_read_a_picture_leaves_with_it(tmp_path: Path) -> None:
    good = save(tmp_path / "good.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(good[: len(good) * 3 // 4])
    source = opened("image_folder", tmp_path, path=".")
    notes = {item.id: source.read(item).info.get("note", "") for item in source.scan()}
    assert notes["good.png"] == "" and "as far as it goes" in notes["cut.png"]


def test_hostile_names_keep_their_meaning(tmp_path: Path) -> None:
    for seed, name in enumerate(HOSTILE_NAMES):
        save(tmp_path / "in" / f"x{name}", seed)
    source = opened("image_folder", tmp_path, path="in")
    read = {path_of(item.id): source.read(item).tobytes() for item in source.scan()}
    assert read == {f"x{name}": picture(seed).tobytes() for seed, name in enumerate(HOSTILE_NAMES)}


def test_a_name_that_is_not_unicode_is_carried_in_an_id_that_is(tmp_path: Path) -> None:
    save(tmp_path / "plain.png", 1)
    raw = os.fsencode(tmp_path) + b"/caf\xe9.png"
    os.link(tmp_path / "plain.png", raw)
    source = opened("image_folder", tmp_path, path=".")
    odd = next(item for item in source.scan() if item.id != "plain.png")
    assert odd.id.encode() and os.fsencode(path_of(odd.id)) == b"caf\xe9.png"
    assert source.read(odd).tobytes() == picture(1).tobytes()


def test_links_in_a_circle_end_and_no_picture_comes_twice(tmp_path: Path) -> None:
    save(tmp_path / "real" / "a.png")
    (tmp_path / "real" / "round").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "again").symlink_to(tmp_path / "real", target_is_directory=True)
    (tmp_path / "self.png").symlink_to(tmp_path / "self.png")
    assert len(ids(opened("image_folder", tmp_path, path="."))) == 1


def linked_pool(tmp_path: Path) -> Path:
    """A folder with a picture, links to it, and links to a picture, a folder and a secret elsewhere."""
    pool, elsewhere = tmp_path / "pool", tmp_path / "elsewhere"
    save(pool / "own" / "a.png")
    save(elsewhere / "b.png", 1)
    (elsewhere / "secret.txt").write_text("secret", encoding="utf-8")
    (pool / "own" / "again.png").symlink_to("a.png")
    (pool / "out").symlink_to(elsewhere, target_is_directory=True)
    (pool / "out.png").symlink_to("../elsewhere/b.png")
    (pool / "secret.png").symlink_to(elsewhere / "secret.txt")
    (pool / "round.png").symlink_to(pool / "out" / ".." / "pool" / "own" / "a.png")
    return pool


def test_links_out_of_the_folder_are_left_out_and_counted(tmp_path: Path) -> None:
    linked_pool(tmp_path)
    source = opened("image_folder", tmp_path, path="pool")
    assert ids(source) == ["round.png", "own/a.png", "own/again.png"]
    [counted] = [entry for entry in source.left_out() if entry.what == "link"]
    assert counted.count == 3
    assert "--set follow_links=true" in counted.why
    assert source.classes() == ()


def test_links_out_of_the_folder_are_followed_where_that_is_wanted(tmp_path: Path) -> None:
    linked_pool(tmp_path)
    source = opened("image_folder", tmp_path, path="pool", follow_links=True)
    assert set(ids(source)) >= {"own/a.png", "out/b.png", "out.png", "secret.png"}
    assert source.read(Item("out/b.png")).tobytes() == picture(1).tobytes()


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    linked_pool(tmp_path)
    (tmp_path / "shortcut").symlink_to(tmp_path / "pool", target_is_directory=True)
    source = opened("image_folder", tmp_path, path="shortcut")
    assert "own/a.png" in ids(source)
    assert source.read(Item("own/a.png")).tobytes() == picture(0).tobytes()


def test_a_file_that_becomes_a_link_out_after_the_scan_is_not_read(tmp_path: Path) -> None:
    pool = linked_pool(tmp_path)
    source = opened("image_folder", tmp_path, path="pool")
    [item] = [item for item in source.scan() if item.id == "own/a.png"]
    (pool / "own" / "a.png").unlink()
    (pool / "own" / "a.png").symlink_to(tmp_path / "elsewhere" / "b.png")
    for use in (source.read, source.content_key):
        with pytest.raises(UnreadableItemError, match="link out of the source's folder"):
            use(item)
    (pool / "own").rename(tmp_path / "moved")
    (pool / "own").symlink_to(tmp_path / "moved", target_is_directory=True)
    with pytest.raises(UnreadableItemError, match="link out"):
        source.read(Item("own/again.png"))


def test_a_folder_of_links_out_alone_says_how_to_follow_them(tmp_path: Path) -> None:
    save(tmp_path / "elsewhere" / "a.png")
    (tmp_path / "pool").mkdir()
    (tmp_path / "pool" / "linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(SourceError, match=r"1 link.*follow_links=true"):
        opened("image_folder", tmp_path, path="pool")
    assert ids(opened("image_folder", tmp_path, path="pool", follow_links=True)) == ["linked/a.png"]


def test_folders_nested_deeper_than_recursion_allows_are_scanned(deep_folder: Path, tmp_path: Path) -> None:
    save(deep_folder / "x.png")
    assert ids(opened("image_folder", tmp_path, path=str(deep_folder))) == ["x.png"]


def test_large_photographs_shrink_while_they_decode_where_less_is_enough(tmp_path: Path) -> None:
    picture(0, 1600, 800).save(tmp_path / "large.jpg")
    source = opened("image_folder", tmp_path, path=".")
    assert source.read(Item("large.jpg"), 200).size == (400, 200)
    assert source.read(Item("large.jpg")).size == (1600, 800)


def test_the_stamp_changes_with_the_file(tmp_path: Path) -> None:
    source = opened("image_folder", save(tmp_path / "a.png").parent, path=".")
    before = next(source.scan())
    picture(5, 30, 30).save(tmp_path / "a.png")
    assert next(source.scan()) != before


@pytest.mark.parametrize("item_id", ["../secret.png", "sub/../../secret.png", "/secret.png", "", ".", ".."])
def test_an_id_that_leads_out_of_the_folder_is_refused(tmp_path: Path, item_id: str) -> None:
    save(tmp_path / "secret.png")
    save(tmp_path / "pool" / "sub" / "a.png")
    source = opened("image_folder", tmp_path, path="pool")
    with pytest.raises(UnreadableItemError):
        source.read(Item(item_id))
    with pytest.raises(UnreadableItemError):
        source.content_key(Item(item_id))


def test_class_folders_propose_the_classes(tmp_path: Path) -> None:
    for name in ("dog/1.png", "cat/deep/1.png"):
        save(tmp_path / name)
    (tmp_path / "empty").mkdir()
    source = opened("image_folder", tmp_path, path=".")
    assert source.classes() == ("cat", "dog")
    assert {item.id: source.reference_label(item) for item in source.scan()} == {
        "cat/deep/1.png": "cat",
        "dog/1.png": "dog",
    }


def test_split_folders_are_looked_through(tmp_path: Path) -> None:
    for name in ("train/dog/1.png", "train/cat/1.png", "Test/dog/2.png", "Test/fox/2.png"):
        save(tmp_path / name)
    source = opened("image_folder", tmp_path, path=".")
    assert source.classes() == ("cat", "dog", "fox")
    assert {source.reference_label(item) for item in source.scan()} == {"cat", "dog"}
    assert {source.reference_label(item) for item in source.held_out()} == {"dog", "fox"}


def test_a_class_called_test_beside_other_classes_stays_a_class(tmp_path: Path) -> None:
    for name in ("test/1.png", "dog/1.png"):
        save(tmp_path / name)
    assert opened("image_folder", tmp_path, path=".").classes() == ("dog", "test")


@pytest.mark.parametrize("names", [["a.png"], ["only/a.png"], ["a.png", "x/b.png", "y/c.png"]])
def test_other_layouts_propose_no_classes(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        save(tmp_path / name)
    assert opened("image_folder", tmp_path, path=".").classes() == ()


def test_a_picture_at_the_root_has_no_reference_label(tmp_path: Path) -> None:
    source = opened("image_folder", save(tmp_path / "a.png").parent, path=".")
    assert source.reference_label(Item("a.png")) is None


def test_bad_files_are_items_that_give_their_reason(tmp_path: Path) -> None:
    good = save(tmp_path / "good.png").read_bytes()
    bad = {
        "zero.png": b"",
        "text.jpg": b"hello" * 30,
        "cut.png": good[: len(good) // 8],
    }
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    Image.new("RGB", (1, 1)).save(tmp_path / "one.png")
    Image.new("RGB", (20_000, 20)).save(tmp_path / "wide.png")
    source = opened("image_folder", tmp_path, path=".")
    reasons = {}
    for item in source.scan():
        try:
            source.read(item)
        except UnreadableItemError as error:
            reasons[item.id] = str(error)
    assert set(reasons) == {*bad, "one.png", "wide.png"}


def test_an_empty_folder_a_missing_path_and_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty" / "deeper").mkdir(parents=True)
    (tmp_path / "empty" / "notes.txt").touch()
    with pytest.raises(SourceError, match="holds no picture"):
        opened("image_folder", tmp_path, path="empty")
    with pytest.raises(SourceError, match="does not exist"):
        opened("image_folder", tmp_path, path="gone")
    with pytest.raises(SourceError, match="is a file"):
        opened("image_folder", tmp_path, path=str(save(tmp_path / "a.png")))


def test_exports_write_a_path_as_it_is_unless_it_is_no_utf8() -> None:
    for name in ("a/b c.png", "my%20file.png", "back\\slash.png", "caf\xe9.png", "x\ufffd.png", "=1.png"):
        assert exported_path(id_of(name)) == name
    assert exported_path(id_of(os.fsdecode(b"a\\caf\xe9.png"))) == r"a\\caf\xe9.png"
    assert exported_path(id_of(r"a\xe9.png")) == r"a\\xe9.png"
    assert exported_path("talk.wav#t=1.0,2.0") == "talk.wav"


@each(
    "name",
    [b"caf\xe9.png", b"\xff\xfe", b"a\\b\xe9\\x41.png", b"\\xe9.png", b"\\\xe9", b"plain\\n.png", "é\ufffd".encode()],
)
def test_the_documented_lines_find_the_file_of_an_exported_path(name: bytes) -> None:
    [recipe] = [one.text for one in blocks(read("docs/rest.md"), "python") if one.heading == "Results"]
    names: dict[str, Any] = {}
    exec(recipe, names)
    assert names["file_name"](exported_path(id_of(os.fsdecode(name)))) == name


@each("name", ["plain", "\udce9", "\ufffd", "\ufffdDCE9", "\udce9DCE9", "\ufffd\udce9\ufffd\ufffd", "\ud800"])
def test_every_name_has_an_id_of_its_own_that_utf8_carries(name: str) -> None:
    assert path_of(id_of(name)) == name
    assert id_of(name).encode().decode() == id_of(name)


def test_a_folder_without_classes_says_why(tmp_path: Path) -> None:
    save(tmp_path / "a" / "images" / "cat" / "1.png", 1)
    save(tmp_path / "a" / "images" / "dog" / "2.png", 2)
    why = opened("image_folder", tmp_path, path=str(tmp_path / "a")).why_no_classes()
    assert f"give {tmp_path / 'a' / 'images'}" in why
    within = tmp_path / "a" / "images"
    assert opened("image_folder", tmp_path, path=str(within)).classes() == ("cat", "dog")
    save(within / "loose.png", 3)
    assert "cat, dog" in (why := opened("image_folder", tmp_path, path=str(within)).why_no_classes())
    assert "'loose.png'" in why
    save(tmp_path / "flat" / "1.png", 1)
    assert opened("image_folder", tmp_path, path=str(tmp_path / "flat")).why_no_classes() == ""
