"""Labels are found again through a link and at a new place, and never mixed with other data."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fastlabel_gradio.data_options import workdir_of
from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.pool.birth_time import birth_ns
from fastlabel_gradio.pool.source_identity import RECORD, check_owner, earlier_workdir
from fastlabel_gradio.serve_command import parser
from tests.pools import write_pictures
from tests.source_data import save, write_csv

Start = Callable[[Path], Path]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """What a start without --workdir does about the working directory: chooses it, and records the source in it."""
    monkeypatch.setenv("FASTLABEL_WORKDIR", str(tmp_path / "home"))

    def start_on(path: Path) -> Path:
        workdir = workdir_of(parser().parse_args([str(path)]))
        (workdir / "images").mkdir(parents=True, exist_ok=True)
        check_owner(workdir / "images", *_source(path), Path.cwd())
        return workdir

    return start_on


def _source(path: Path, **options: object) -> tuple[str, dict[str, object]]:
    return "table" if path.suffix == ".csv" else "image_folder", {"path": str(path), **options}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "pictures", per_class=4)


def test_a_link_leads_to_the_same_working_directory(start: Start, pictures: Path, tmp_path: Path) -> None:
    first = start(pictures)
    (tmp_path / "link").symlink_to(pictures)
    assert start(tmp_path / "link") == start(pictures) == first


def test_a_folder_that_was_renamed_finds_its_own_again(
    start: Start, pictures: Path, tmp_path: Path, caplog: object
) -> None:
    first = start(pictures)
    assert start(pictures.rename(tmp_path / "holidays")) == first
    assert start(tmp_path / "holidays") == first


def test_a_folder_that_was_moved_to_another_disk_finds_its_own_again(
    start: Start, pictures: Path, tmp_path: Path
) -> None:
    first = start(pictures)
    shutil.copytree(pictures, tmp_path / "disk" / "pictures")
    shutil.rmtree(pictures)
    assert start(tmp_path / "disk" / "pictures") == first


def test_a_copy_starts_anew_and_says_where_labels_of_such_files_are(
    start: Start, pictures: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = start(pictures)
    shutil.copytree(pictures, tmp_path / "copy")
    assert start(tmp_path / "copy") != first
    assert f"--workdir {first}" in caplog.text
    check_owner(first / "images", *_source(tmp_path / "copy"), Path())  # as that option does


def test_a_moved_folder_of_which_some_files_are_gone_is_not_taken_for_sure(
    start: Start, pictures: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = start(pictures)
    shutil.copytree(pictures, tmp_path / "moved")
    shutil.rmtree(pictures)
    (tmp_path / "moved" / "blue" / "0000.png").unlink()
    assert start(tmp_path / "moved") != first
    assert f"--workdir {first}" in caplog.text


def test_other_data_at_an_old_path_gets_a_working_directory_of_its_own(
    start: Start, pictures: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if not birth_ns(pictures):
        pytest.skip("this file system does not tell when a folder was made")
    first = start(pictures)
    shutil.rmtree(pictures)
    write_pictures(pictures, per_class=4, seed=7)
    second = start(pictures)
    assert second != first
    assert str(first) in caplog.text
    assert start(pictures) == second
    with pytest.raises(ConfigError, match="was replaced"):
        check_owner(first / "images", *_source(pictures), Path())


def test_a_folder_that_moved_leaves_its_old_path_to_others(start: Start, pictures: Path, tmp_path: Path) -> None:
    first = start(pictures)
    moved = pictures.rename(tmp_path / "moved")
    assert start(moved) == first
    other = start(write_pictures(pictures, per_class=4, seed=7))
    assert other != first
    assert (start(moved), start(pictures)) == (first, other)


def test_edited_new_and_removed_files_leave_a_folder_the_same(start: Start, pictures: Path) -> None:
    first = start(pictures)
    write_pictures(pictures, per_class=6, seed=3)  # every file has other content now
    assert start(pictures) == first
    shutil.rmtree(pictures / "red")
    assert start(pictures) == first


def test_a_table_is_found_at_a_new_place_and_may_be_edited_at_its_own(start: Start, tmp_path: Path) -> None:
    save(tmp_path / "data" / "a.png")
    table = write_csv(tmp_path / "data" / "t.csv", [["path"], ["a.png"]])
    first = start(table)
    write_csv(table, [["path", "label"], ["a.png", "x"], ["b.png", "y"]])
    assert start(table) == first
    (tmp_path / "data").rename(tmp_path / "moved")
    assert start(tmp_path / "moved" / "t.csv") == first


def test_a_few_equal_files_elsewhere_prove_nothing_while_the_first_ones_are_there(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save(tmp_path / name / "blank.png")
    check_owner(tmp_path, *_source(tmp_path / "one"), Path())
    with pytest.raises(ConfigError, match="another source"):
        check_owner(tmp_path, *_source(tmp_path / "two"), Path())
    shutil.rmtree(tmp_path / "one")
    check_owner(tmp_path, *_source(tmp_path / "two"), Path())


def test_other_pictures_and_other_options_are_refused(pictures: Path, tmp_path: Path) -> None:
    check_owner(tmp_path, *_source(pictures), Path())
    other = write_pictures(tmp_path / "others", per_class=4, seed=7)
    with pytest.raises(ConfigError, match=rf"another source: {pictures}.*names {other}.*--workdir"):
        check_owner(tmp_path, *_source(other), Path())
    with pytest.raises(ConfigError, match="another source"):
        check_owner(tmp_path, "audio_folder", {"path": str(pictures)}, Path())


def test_options_that_change_no_id_may_change(pictures: Path, tmp_path: Path) -> None:
    check_owner(tmp_path, *_source(pictures), Path())
    check_owner(tmp_path, *_source(pictures, take_test=True), Path())
    (tmp_path / RECORD).unlink()
    for inner in (_source(pictures), _source(pictures, take_test=True)):
        check_owner(tmp_path, "split", {"of": {"kind": inner[0], **inner[1]}}, Path())
    with pytest.raises(ConfigError):
        check_owner(tmp_path, "split", {"of": {"kind": "image_folder", "path": str(pictures)}, "seed": 3}, Path())


def test_a_record_of_an_earlier_version_is_taken_over(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(pictures)
    (tmp_path / RECORD).write_text(json.dumps({"kind": "image_folder", "path": str(tmp_path / "link")}))
    check_owner(tmp_path, *_source(pictures), Path())
    assert json.loads((tmp_path / RECORD).read_text())["place"]["inode"] == pictures.stat().st_ino
    check_owner(tmp_path, *_source(pictures.rename(tmp_path / "renamed")), Path())


@pytest.mark.parametrize(
    "record", ["", "[]", "{}", '{"kind": "image_folder", "place": {"path": 3}}', '{"kind": "demo"}']
)
def test_a_damaged_record_is_refused_with_what_to_do(pictures: Path, tmp_path: Path, record: str) -> None:
    (tmp_path / RECORD).write_text(record)
    with pytest.raises(ConfigError, match=f"delete .*{RECORD}"):
        check_owner(tmp_path, *_source(pictures), Path())


def test_a_source_without_a_path_is_known_by_its_options(tmp_path: Path) -> None:
    check_owner(tmp_path, "demo", {}, Path())
    check_owner(tmp_path, "demo", {"part": "pool"}, Path())
    with pytest.raises(ConfigError):
        check_owner(tmp_path, "demo", {"part": "all"}, Path())


def test_a_configuration_that_was_moved_is_told_where_its_labels_are(
    start: Start, pictures: Path, tmp_path: Path
) -> None:
    home, usual = tmp_path / "home", tmp_path / "home" / "my-2"
    first = start(pictures)
    says = earlier_workdir(home, usual, {"images": pictures, "demo": None})
    assert f"--workdir {first}" in says
    assert earlier_workdir(home, usual, {"birds": pictures}) == ""
    assert earlier_workdir(home, usual, {"images": write_pictures(tmp_path / "others", 4, seed=8)}) == ""
    usual.mkdir()
    assert earlier_workdir(home, usual, {"images": pictures}) == ""
