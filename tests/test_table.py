"""Tables of pictures, CSV and JSONL."""

import json
from pathlib import Path

import pytest

from fastlabel_gradio.errors import SourceError, UnreadableItemError
from fastlabel_gradio.sources import Source
from fastlabel_gradio.types import Item, TimeSpan, Waveform
from tests.source_data import RATE_HZ, ids, opened, picture, save, save_sound, sound, write_csv


def write(tmp_path: Path, name: str, text: str, encoding: str = "utf-8") -> Source:
    (tmp_path / name).write_text(text, encoding=encoding)
    return opened("table", tmp_path, path=name)


def test_jsonl_and_csv_say_the_same(tmp_path: Path) -> None:
    rows = [("a.png", "x"), ("sub/b.png", None), ("c,d.png", "1")]
    lines = [json.dumps({"path": path, "label": label}) for path, label in rows]
    jsonl = write(tmp_path, "t.jsonl", "\n".join(lines) + "\n\n")
    table = write(tmp_path, "t.CSV", 'path,label\na.png,x\n\nsub/b.png,\n"c,d.png",1\n', encoding="utf-8-sig")
    for source in (jsonl, table):
        assert [(item.id, source.reference_label(item)) for item in source.scan()] == rows
        assert source.classes() == ("1", "x")


def test_numbers_in_jsonl_are_labels_by_their_digits(tmp_path: Path) -> None:
    source = write(tmp_path, "t.jsonl", '{"path": "a.png", "label": 0}\n{"path": "b.png", "label": 7}')
    assert source.classes() == ("0", "7")


def test_a_path_named_twice_is_one_item_and_the_first_label_counts(tmp_path: Path) -> None:
    source = write(tmp_path, "t.csv", "path,label\na.png,x\n./a.png,y\nsub/../a.png,z\n")
    assert [(item.id, source.reference_label(item)) for item in source.scan()] == [("a.png", "x")]


def test_other_columns_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("file,kind,path\na.png,x,ignored\n")
    source = opened("table", tmp_path, path="t.csv", path_column="file", label_column="kind")
    assert (ids(source), source.classes()) == (["a.png"], ("x",))


def test_paths_can_be_relative_to_a_root(tmp_path: Path) -> None:
    save(tmp_path / "pictures" / "a.png", 3)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "t.csv").write_text("path\na.png\n")
    source = opened("table", tmp_path, path="tables/t.csv", root="pictures")
    assert source.read(Item("a.png")).tobytes() == picture(3).tobytes()


def test_an_absolute_path_below_the_root_becomes_relative(tmp_path: Path) -> None:
    assert ids(write(tmp_path, "t.csv", f"path\n{tmp_path}/sub/a.png\n")) == ["sub/a.png"]


def test_missing_files_and_paths_that_lead_out_are_items_that_give_their_reason(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    save(tmp_path / "outside.png")
    rows = [{"path": path} for path in ("gone.png", "../outside.png", "/etc/hostname", "nul\0.png", "lone\udce9.png")]
    (tmp_path / "in" / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    source = opened("table", tmp_path, path="in/t.jsonl")
    items = list(source.scan())
    assert len(items) == 5
    for item in items:
        assert not item.id.startswith("/") and item.id.encode()
        with pytest.raises(UnreadableItemError):
            source.read(item)
        with pytest.raises(UnreadableItemError):
            source.content_key(item)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "file,label\na.png,x\n", "no column 'path'. Its columns: file, label"),
        ("t.csv", "", "Its columns: none"),
        ("t.csv", "path,label\n", "names no picture"),
        ("t.csv", "path\n.\n", "line 2: '.' is not the path of a file"),
        ("t.jsonl", '{"file": "a.png"}', "line 1: no column 'path'. Its columns: file"),
        ("t.jsonl", '{"path": "a.png"}\n{"path": ', "line 2: not JSON"),
        ("t.jsonl", "[1, 2]", "line 1: list where an object is expected"),
        ("t.xlsx", "path\na.png", "no table that can be read"),
    ],
)
def test_a_bad_table_is_refused_with_the_place(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        write(tmp_path, name, text)
    assert message in str(caught.value)


def test_a_table_that_is_not_utf8_or_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not UTF-8"):
        write(tmp_path, "t.csv", "path\ncafé.png\n", encoding="latin-1")
    with pytest.raises(SourceError, match="is not a file"):
        opened("table", tmp_path, path="gone.csv")


def test_rows_of_the_test_part_are_held_out(tmp_path: Path) -> None:
    rows = [["a.png", "x", "train"], ["b.png", "y", " Test "], ["c.png", "", "test"], ["d.png", "x", ""]]
    write_csv(tmp_path / "t.csv", [["path", "label", "split"], *rows])
    source = opened("table", tmp_path, path="t.csv")
    assert (ids(source), [item.id for item in source.held_out()]) == (["a.png", "d.png"], ["b.png"])
    assert source.classes() == ("x", "y")
    other = opened("table", tmp_path, path="t.csv", split_column="part")
    assert (len(ids(other)), list(other.held_out())) == (4, [])


def test_a_table_that_holds_out_every_row_is_refused(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", [["path", "split"], ["a.png", "test"]])
    with pytest.raises(SourceError, match="leaves no picture to label"):
        opened("table", tmp_path, path="t.csv")


class TestSounds:
    def parts(self, tmp_path: Path, *paths: str) -> Source:
        save_sound(tmp_path / "talk.wav", seconds=1.0)
        (tmp_path / "t.jsonl").write_text("\n".join(json.dumps({"path": path}) for path in paths))
        return opened("table", tmp_path, path="t.jsonl", media="audio")

    def samples(self, source: Source, item_id: str) -> bytes:
        waveform = source.read(Item(item_id))
        assert isinstance(waveform, Waveform)
        return waveform.samples.tobytes()

    def test_a_path_may_name_a_part_of_a_file(self, tmp_path: Path) -> None:
        source = self.parts(tmp_path, "talk.wav#t=0.25,0.5", "talk.wav#t=0,1", "./talk.wav#t=0.0,1.00", "talk.wav")
        assert ids(source) == ["talk.wav#t=0.25,0.5", "talk.wav#t=0.0,1.0", "talk.wav"]
        whole = sound(0, 1.0)
        assert self.samples(source, "talk.wav#t=0.25,0.5") == whole[RATE_HZ // 4 : RATE_HZ // 2].tobytes()
        assert self.samples(source, "talk.wav#t=0.0,1.0") == self.samples(source, "talk.wav") == whole.tobytes()
        assert len({source.content_key(item) for item in source.scan()}) == 3
        assert {item.stamp for item in source.scan()} == {next(source.scan()).stamp} != {"missing"}

    def test_the_file_of_a_row_is_given_for_whole_sounds_only(self, tmp_path: Path) -> None:
        source = self.parts(tmp_path, "talk.wav")
        assert source.file(Item("talk.wav")) == tmp_path / "talk.wav"
        assert source.file(Item("talk.wav#t=0.0,1.0")) is None

    def test_a_file_that_is_called_like_a_part_is_that_file(self, tmp_path: Path) -> None:
        save_sound(tmp_path / "x#t=0.1,0.2", 5, format="WAV")
        source = self.parts(tmp_path, "x#t=0.1,0.2")
        [item_id] = ids(source)
        assert TimeSpan.split(item_id) == (item_id, None)
        assert self.samples(source, item_id) == sound(5).tobytes()
        assert source.file(Item(item_id)) == tmp_path / "x#t=0.1,0.2"

    @pytest.mark.parametrize(
        "part", ["talk.wav#t=0.5,0.5", "talk.wav#t=0.5,0.2", "talk.wav#t=2,3", "gone.wav#t=0,1", "talk.wav#t=a,b"]
    )
    def test_an_impossible_part_is_an_item_that_gives_its_reason(self, tmp_path: Path, part: str) -> None:
        source = self.parts(tmp_path, part)
        [item] = source.scan()
        with pytest.raises(UnreadableItemError):
            source.read(item)

    def test_a_part_that_reaches_over_the_end_says_where_that_is(self, tmp_path: Path) -> None:
        source = self.parts(tmp_path, "talk.wav#t=0.5,9.0", "talk.wav#t=0.5,1.04")
        far, near = source.scan()
        with pytest.raises(UnreadableItemError, match=r"reaches to 9\.0 s, but the sound ends at 1\.0 s"):
            source.read(far)
        assert self.samples(source, near.id) == sound(0, 1.0)[RATE_HZ // 2 :].tobytes()

    def test_a_picture_called_like_a_part_is_read_by_its_name(self, tmp_path: Path) -> None:
        save(tmp_path / "x#t=1.0,2.0", 4)
        source = write(tmp_path, "t.csv", 'path\n"x#t=1.0,2.0"\n')
        [item] = source.scan()
        assert source.read(item).tobytes() == picture(4).tobytes()
