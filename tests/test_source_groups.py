"""What group an item is of: the file of a window, a clip's recording, a column, or what a pattern finds in the id."""

import json
import re
from pathlib import Path

import pytest

from fastlabel_gradio.errors import ConfigError, SourceError
from fastlabel_gradio.sources import Source
from fastlabel_gradio.sources.groups import Grouping
from fastlabel_gradio.types import Item
from tests.source_data import (
    audio_folder_source,
    ids,
    opened,
    save,
    save_sound,
    sheet_source,
    sound_table_source,
    windowed_source,
    write_csv,
    write_esc50,
    write_urbansound8k,
)


def groups_of(source: Source) -> dict[str, str | None]:
    return {item.id: source.group_of(item) for item in source.scan()}


def cameras(tmp_path: Path, **options: object) -> Source:
    """Three pictures of two cameras, and one of none."""
    for name in ("cam1_001.png", "cam1_002.png", "sub/cam2_001.png", "other.png"):
        save(tmp_path / "pictures" / name, len(name))
    return opened("image_folder", tmp_path, path="pictures", **options)


def test_a_window_is_of_the_group_of_its_file(tmp_path: Path) -> None:
    source = windowed_source(tmp_path)
    found = groups_of(source)
    assert source.grouping == Grouping("recordings")
    assert set(found.values()) == {f"{number}.flac" for number in range(4)}
    assert all(item_id.startswith(f"{group}#t=") for item_id, group in found.items())


def test_whole_files_pictures_and_tiles_are_of_no_group(tmp_path: Path) -> None:
    for source in (audio_folder_source(tmp_path), cameras(tmp_path), sheet_source(tmp_path)):
        assert source.grouping is None
        assert set(groups_of(source).values()) == {None}


def test_clips_of_esc50_are_of_the_recording_that_they_were_cut_from(tmp_path: Path) -> None:
    folder = write_esc50(tmp_path / "esc")
    assert groups_of(opened("esc50", tmp_path, path="esc"))["2-102-A-0.wav"] == "102"
    table = folder / "meta" / "esc50.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join(line.rsplit(",", 2)[0] for line in lines), encoding="utf-8")  # without src_file and take
    assert groups_of(opened("esc50", tmp_path, path="esc"))["2-102-A-0.wav"] == "102"


def test_slices_of_urbansound8k_are_of_their_recording(tmp_path: Path) -> None:
    write_urbansound8k(tmp_path / "urban")
    source = opened("urbansound8k", tmp_path, path="urban")
    assert groups_of(source)["fold3/300-8-0-0.wav"] == groups_of(source)["fold3/300-4-0-0.wav"] == "300"
    assert source.grouping == Grouping("recordings")


@pytest.mark.parametrize(
    ("pattern", "group"),
    [(r"cam\d", "cam1"), (r"(cam\d)_\d+", "cam1"), (r"(.)am(?P<number>\d)", "1"), (r"(x)?(cam\d)", "cam1")],
)
def test_a_pattern_gives_its_named_group_its_first_one_or_the_whole_match(
    tmp_path: Path, pattern: str, group: str
) -> None:
    found = groups_of(cameras(tmp_path, group_pattern=pattern))
    assert found["cam1_001.png"] == found["cam1_002.png"] == group
    assert found["sub/cam2_001.png"] == group.replace("1", "2")


def test_an_id_that_the_pattern_does_not_match_is_a_group_of_its_own(tmp_path: Path) -> None:
    assert groups_of(cameras(tmp_path, group_pattern=r"cam\d*"))["other.png"] == "other.png"
    assert groups_of(cameras(tmp_path, group_pattern=r"(cam)?"))["other.png"] == "other.png"


def test_a_window_that_the_pattern_does_not_match_is_of_the_group_of_its_file(tmp_path: Path) -> None:
    for name in ("a_1.wav", "a_2.wav", "noname.wav"):
        save_sound(tmp_path / "sounds" / name, seconds=1.0)
    source = opened("audio_folder", tmp_path, path="sounds", window_s=0.5, group_pattern=r"^(\w)_\d\.wav$")
    assert set(groups_of(source).values()) == {"a", "noname.wav"}
    assert source.grouping is not None
    assert source.grouping.noun == "groups"


def test_a_pattern_that_is_none_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"group_pattern '\(cam' is no regular expression: missing \)"):
        cameras(tmp_path, group_pattern="(cam")


@pytest.mark.parametrize("kind", ["image_folder", "table"])
def test_a_pattern_that_matches_nothing_is_refused_with_an_example(tmp_path: Path, kind: str) -> None:
    cameras(tmp_path)
    write_csv(tmp_path / "pictures" / "t.csv", [["path"], ["other.png"]])
    path = "pictures" if kind == "image_folder" else "pictures/t.csv"
    with pytest.raises(SourceError, match=re.escape("group_pattern 'site\\\\d' matches no item of")) as caught:
        opened(kind, tmp_path, path=path, group_pattern=r"site\d")
    assert ".png" in str(caught.value)


def test_a_column_of_a_table_names_the_groups(tmp_path: Path) -> None:
    names = [save(tmp_path / f"{number}.png", number).name for number in range(4)]
    write_csv(tmp_path / "t.csv", [["path", "site"], *zip(names, ["north", "north", "south", ""], strict=True)])
    source = opened("table", tmp_path, path="t.csv", group_column="site")
    assert groups_of(source) == {"0.png": "north", "1.png": "north", "2.png": "south", "3.png": "3.png"}
    assert source.grouping == Grouping("groups", "of column site")


def test_a_cell_that_says_nothing_is_no_group_and_a_number_is_one_by_its_digits(tmp_path: Path) -> None:
    names = [save(tmp_path / f"{number}.png", number).name for number in range(5)]
    write_csv(tmp_path / "t.csv", [["path", "Site ID"], *zip(names, ["NA", "nan", "7", "7.0", " 7 "], strict=True)])
    found = groups_of(opened("table", tmp_path, path="t.csv", group_column="site_id"))
    assert list(found.values()) == ["0.png", "1.png", "7", "7", "7"]


def test_the_column_of_groups_is_not_taken_for_labels(tmp_path: Path) -> None:
    save(tmp_path / "0.png", 0)
    write_csv(tmp_path / "t.csv", [["path", "tag"], ["0.png", "north"]])
    assert opened("table", tmp_path, path="t.csv", group_column="tag").classes() == ()


def test_a_table_that_changed_is_read_again_with_its_groups(tmp_path: Path) -> None:
    names = [save(tmp_path / f"{number}.png", number).name for number in range(3)]
    table = write_csv(tmp_path / "t.csv", [["path", "site"], [names[0], "north"]])
    source = opened("table", tmp_path, path="t.csv", group_column="site")
    assert groups_of(source) == {"0.png": "north"}
    write_csv(table, [["path", "site"], *zip(names, ["north", "north", "south"], strict=True)])
    assert groups_of(source) == {"0.png": "north", "1.png": "north", "2.png": "south"}
    write_csv(table, [["path", "place"], *zip(names, ["north", "north", "south"], strict=True)])
    with pytest.raises(SourceError, match=r"no column 'site'"):
        next(source.scan())
    assert source.group_of(Item("2.png")) == "south"


def test_a_jsonl_table_has_groups_too(tmp_path: Path) -> None:
    save(tmp_path / "0.png", 0)
    (tmp_path / "t.jsonl").write_text(json.dumps({"path": "0.png", "site": 7}) + "\n", encoding="utf-8")
    assert groups_of(opened("table", tmp_path, path="t.jsonl", group_column="site")) == {"0.png": "7"}


def test_a_column_that_is_missing_or_empty_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "0.png", 0)
    write_csv(tmp_path / "t.csv", [["path", "site"], ["0.png", ""]])
    with pytest.raises(SourceError, match=r"no column 'place'\. Its columns: path, site"):
        opened("table", tmp_path, path="t.csv", group_column="place")
    with pytest.raises(SourceError, match="column 'site' is empty in every row"):
        opened("table", tmp_path, path="t.csv", group_column="site")
    with pytest.raises(ConfigError, match="exclude each other"):
        opened("table", tmp_path, path="t.csv", group_column="site", group_pattern="0")


def test_parts_of_sounds_in_a_table_are_of_their_file(tmp_path: Path) -> None:
    source = sound_table_source(tmp_path)
    assert set(groups_of(source).values()) == {"a.wav", "b.wav"}
    assert source.grouping == Grouping("recordings")


def test_a_split_holds_out_whole_groups(tmp_path: Path) -> None:
    for number in range(20):
        save_sound(tmp_path / "sounds" / f"{number}.wav", number, seconds=1.0)
    inner = {"kind": "audio_folder", "path": "sounds", "window_s": 0.2}
    source = opened("split", tmp_path, of=inner, test_share=0.25)
    pool, test = ({source.group_of(item) for item in items} for items in (source.scan(), source.held_out()))
    assert not pool & test
    assert len(pool | test) == 20
    assert len(test) >= 5
    assert len(ids(source)) == 5 * len(pool)
    assert source.grouping == Grouping("recordings")
    again = opened("split", tmp_path, of=inner, test_share=0.25)
    assert [item.id for item in again.held_out()] == [item.id for item in source.held_out()]
    other = opened("split", tmp_path, of=inner, test_share=0.25, seed=1)
    assert [item.id for item in other.held_out()] != [item.id for item in source.held_out()]


def test_a_split_of_a_single_recording_says_why_it_cannot_be(tmp_path: Path) -> None:
    save_sound(tmp_path / "sounds" / "one.wav", seconds=1.0)
    source = opened("split", tmp_path, of={"kind": "audio_folder", "path": "sounds", "window_s": 0.2})
    with pytest.raises(SourceError, match="no test part can be held out of 1 recordings"):
        next(source.scan())


def test_new_recordings_of_a_split_keep_the_side_that_they_get(tmp_path: Path) -> None:
    for number in range(10):
        save_sound(tmp_path / "sounds" / f"{number}.wav", number, seconds=0.4)
    inner = {"kind": "audio_folder", "path": "sounds", "window_s": 0.2}
    source = opened("split", tmp_path, of=inner, test_share=0.5)
    before = ids(source)
    for number in range(10, 30):
        save_sound(tmp_path / "sounds" / f"{number}.wav", number, seconds=0.4)
    pool, test = ({source.group_of(item) for item in items} for items in (source.scan(), source.held_out()))
    assert set(before) <= set(ids(source))
    assert not pool & test
    assert len(pool | test) == 30
    assert {source.is_held_out(f"{number}.wav#t=0.0,0.2") for number in range(10, 30)} == {True, False}
