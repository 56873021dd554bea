"""Tables of pictures and sounds: how a whole one is read."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from fastlabel_gradio.errors import ConfigError, SourceError, UnreadableItemError
from fastlabel_gradio.exports import EXPORTERS, ExportRow, harmless_rows
from fastlabel_gradio.sources import Source, guess_source
from fastlabel_gradio.sources.folder_walk import left_out_line
from fastlabel_gradio.types import Item, LeftOut, TimeSpan, Waveform
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
        (
            "t.csv",
            "where,label\nhere,x\n",
            "no column 'path'. Its columns: where, label. Name the one of the paths: --path-",
        ),
        ("t.csv", "", "Its columns: none"),
        ("t.csv", "path,label\n", "names no picture"),
        ("t.csv", "path\n.\n", "not the path of a file: write one path a row (line 2: '.')"),
        ("t.jsonl", '{"where": "here"}', "no column 'path'. Its columns: where"),
        ("t.jsonl", '{"path": "a.png"}\n{"path": ', "line 2: not JSON"),
        ("t.jsonl", '{"path": "a.png"}\n[1, 2]', "line 2: list where an object is expected"),
        ("t.json", "[1, 2]", "entry 1: int where an object is expected"),
        ("t.json", '{"images":\n []}', "one object (images) where a list"),
        ("t.json", '[{"path": "a.png"}', "not JSON"),
        ("t.xlsx", "path\na.png", "no table that can be read. Save its sheet as CSV"),
        ("t.csv", "PK\x03\x04", "a spreadsheet or an archive, not a text"),
        ("t.csv", "1.png,a,b\n2.png,a,b\n", "no line names the columns: the first is '1.png, a, b'"),
        ("t.csv", 'path,label\na.png,"x\nb.png,y\n', "line 2: a quote is opened there and never closed"),
        ("t.csv", 'path,label\na.png,"' + 200_000 * "x", "line 2: field larger than field limit"),
        ("t.csv", "path\nftp://x.org/a.png\n", "1 x address: FastLabel reads files: download them first"),
        ("t.csv", "path\nC:\\me\\a.png\n", "1 x path of Windows: this system has no drives: write paths relative"),
    ],
)
def test_a_bad_table_is_refused_with_the_place(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        write(tmp_path, name, text)
    assert message in str(caught.value)


def test_a_table_in_an_encoding_that_cannot_be_told_or_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"not UTF-8.*encoding: cp1251"):
        write(tmp_path, "t.csv", "path\nпривет.png\n", encoding="cp1251")
    assert ids(opened("table", tmp_path, path="t.csv", encoding="cp1251")) == ["привет.png"]
    with pytest.raises(SourceError, match="encoding 'utf-9' is not known"):
        opened("table", tmp_path, path="t.csv", encoding="utf-9")
    with pytest.raises(SourceError, match="is not a file"):
        opened("table", tmp_path, path="gone.csv")


def test_rows_of_the_test_part_are_held_out(tmp_path: Path) -> None:
    rows = [["a.png", "x", "train"], ["b.png", "y", " Test "], ["c.png", "", "test"], ["d.png", "x", ""]]
    write_csv(tmp_path / "t.csv", [["path", "label", "split"], *rows])
    source = opened("table", tmp_path, path="t.csv")
    assert (ids(source), [item.id for item in source.held_out()]) == (["a.png", "d.png"], ["b.png"])
    assert {(left.what, left.count) for left in source.left_out()} == {
        ("test", 1),
        ("row of the test part without a label", 1),
    }
    assert source.classes() == ("x", "y")
    other = opened("table", tmp_path, path="t.csv", split_column="part")
    assert (len(ids(other)), list(other.held_out())) == (4, [])


def test_a_table_that_holds_out_every_row_is_refused(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", [["path", "split"], ["a.png", "test"]])
    with pytest.raises(SourceError, match="leaves no picture to label"):
        opened("table", tmp_path, path="t.csv")


LAYOUTS = {
    "semicolons": ("t.csv", "path;label\na b.png;x\nc,d.png;y\n", "utf-8"),
    "tabs": ("t.tsv", "path\tlabel\na b.png\tx\nc,d.png\ty\n", "utf-8"),
    "tabs in a .csv": ("t.csv", "path\tlabel\na b.png\tx\nc,d.png\ty\n", "utf-8"),
    "tabs in a .txt": ("t.txt", "label\tpath\nx\ta b.png\ny\tc,d.png\n", "utf-8"),
    "bars": ("t.csv", "path|label\na b.png|x\nc,d.png|y\n", "utf-8"),
    "a separator line": ("t.csv", "sep=;\r\npath;label\r\na b.png;x\r\nc,d.png;y\r\n", "utf-8-sig"),
    "a separator line of a tab": ("t.csv", "sep=\t\npath\tlabel\na b.png\tx\nc,d.png\ty\n", "utf-8"),
    "carriage returns": ("t.csv", 'path,label\ra b.png,x\r"c,d.png",y\r', "utf-8"),
    "empty lines": ("t.csv", '\n\npath,label\n\n,,\na b.png,x\n  \n"c,d.png",y\n\n', "utf-8"),
    "blanks and quotes": ("t.csv", 'path , label\n a b.png , x\n"c,d.png", y \n', "utf-8"),
    "UTF-16": ("t.csv", "path\tlabel\na b.png\tx\nc,d.png\ty\n", "utf-16"),
    "UTF-16 without a mark": ("t.csv", 'path,label\na b.png,x\n"c,d.png",y\n', "utf-16-le"),
    "UTF-16, high byte first": ("t.csv", 'path,label\na b.png,x\n"c,d.png",y\n', "utf-16-be"),
    "UTF-32": ("t.csv", 'path,label\na b.png,x\n"c,d.png",y\n', "utf-32"),
    "a column more": ("t.csv", ',path,label,note\n0,a b.png,x,"1,5"\n1,"c,d.png",y,\n', "utf-8"),
    "numbers with commas": ("t.csv", "path;label;size\na b.png;x;1,5\nc,d.png;y;2,5\n", "utf-8"),
    "short rows": ("t.csv", "note;label;path\n;x;a b.png\n;y;c,d.png\nz\n", "utf-8"),
    "no header": ("t.csv", 'a b.png,x\n"c,d.png",y\n', "utf-8"),
    "no header, labels first": ("t.csv", "x;a b.png\ny;c,d.png\ny;c,d.png\n", "utf-8"),
    "a JSON list": ("t.json", '[{"path": "a b.png", "label": "x"},\n {"path": "c,d.png", "label": "y"}]', "utf-8"),
    "a JSON list with a mark": (
        "t.json",
        '[{"path": "a b.png", "label": "x"}, {"path": "c,d.png", "label": "y"}]',
        "utf-8-sig",
    ),
    "JSON lines called .json": (
        "t.json",
        '{"path": "a b.png", "label": "x"}\n{"path": "c,d.png", "label": "y"}\n',
        "utf-8",
    ),
    "a list called .jsonl": (
        "t.jsonl",
        '\n [{"path": "a b.png", "label": "x"}, {"path": "c,d.png", "label": "y"}]',
        "utf-8",
    ),
    "ndjson": ("t.ndjson", '{"path": "a b.png", "label": "x"}\r\n{"path": "c,d.png", "label": "y"}', "utf-8"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_a_table_says_the_same(tmp_path: Path, layout: str) -> None:
    name, text, encoding = LAYOUTS[layout]
    (tmp_path / name).write_bytes(text.encode(encoding))
    source = opened("table", tmp_path, path=name)
    assert [(item.id, source.reference_label(item)) for item in source.scan()] == [("a b.png", "x"), ("c,d.png", "y")]


@pytest.mark.parametrize("name", ["t.txt", "t.csv"])
@pytest.mark.parametrize("text", ["a b.png\nc,d.png\n", "c;e.png\r\n\r\n'a b.png'\r\n", "path\na b.png\nc,d.png"])
def test_a_list_of_paths_is_a_table_of_one_column(tmp_path: Path, name: str, text: str) -> None:
    source = write(tmp_path, name, text)
    assert "a b.png" in ids(source)
    assert (len(ids(source)), source.classes()) == (2, ())


def test_lines_of_a_path_and_a_number_are_a_table(tmp_path: Path) -> None:
    source = write(tmp_path, "train.txt", "n01/a.JPEG 3\nn02/b.JPEG   12\n")
    assert [(item.id, source.reference_label(item)) for item in source.scan()] == [
        ("n01/a.JPEG", "3"),
        ("n02/b.JPEG", "12"),
    ]


def test_a_json_list_of_paths_is_a_table(tmp_path: Path) -> None:
    assert ids(write(tmp_path, "t.json", '["a.png", "b/c.png"]')) == ["a.png", "b/c.png"]


def test_names_and_labels_with_line_ends_and_accents_are_read(tmp_path: Path) -> None:
    source = write(tmp_path, "t.csv", 'path,label\n"a\nb.png","Gr""ün"\ncafé.png,Tanne\n', encoding="cp1252")
    assert ids(source) == ["a\nb.png", "café.png"]
    assert source.classes() == ('Gr"ün', "Tanne")


def test_rows_that_are_no_item_are_counted_with_the_reason_and_an_example(tmp_path: Path) -> None:
    lines = ["path,label", "a.png,x", ",x", ",y", "a.png,x", "a.png,y", "b,c.png,x", "ftp://x.org/d.png,x", "../,x"]
    source = write(tmp_path, "t.csv", "\n".join(lines))
    assert ids(source) == ["a.png"]
    assert {(left.what, left.count) for left in source.left_out()} == {
        ("row without a path", 2),
        ("repeated path", 1),
        ("repeated path with another label", 1),
        ("row with too many cells", 1),
        ("address", 1),
        ("not the path of a file", 1),
    }
    [too_wide] = [left for left in source.left_out() if "cells" in left.what]
    assert too_wide.why == "put quotes around a name that holds the separator of cells (line 7: 'b')"
    assert source.left_out()[0].what == "row without a path"


def test_a_quote_that_is_closed_many_rows_later_is_not_taken_for_a_name(tmp_path: Path) -> None:
    rows = "".join(f"{number}.png,x\n" for number in range(9))
    source = write(tmp_path, "t.csv", f'path,label\na.png,x\n"b.png,x\n{rows}c.png",x\n')
    assert ids(source) == ["a.png"]
    assert [left.what for left in source.left_out()] == ["cell of many lines"]


def test_many_numbers_with_fractions_are_a_measurement_and_no_classes(tmp_path: Path) -> None:
    table = "".join(f"{number}.png,{number / 7:.4f}\n" for number in range(200))
    source = write(tmp_path, "t.csv", "path,label\n" + table)
    assert (len(ids(source)), source.classes()) == (200, ())
    [left] = source.left_out()
    assert (left.what, left.count) == ("number as a label", 200)
    assert "200 different numbers are a measurement" in left.why


def test_an_item_whose_label_is_no_class_is_taken_without_it_and_that_is_said(tmp_path: Path) -> None:
    source = write(tmp_path, "t.csv", "path,label\na.png,\"['cat', 'dog']\"\nb.png,cat\nc.png,\"{'cat': 1}\"\n")
    assert ids(source) == ["a.png", "b.png", "c.png"]
    assert [source.reference_label(item) for item in source.scan()] == [None, "cat", None]
    [left] = source.left_out()
    assert "the item is taken without it" in left.why
    line = left_out_line(source.left_out(), source.left_out_nouns)
    assert line == "2 rows or labels left out: 2 label that is a list"
    assert left_out_line([LeftOut("row without a path", "", 1)], source.left_out_nouns).startswith(
        "1 row or label left"
    )


def test_class_numbers_stay_classes_however_a_program_wrote_them(tmp_path: Path) -> None:
    table = "".join(f"{number}.png,{number % 100}.0\n" for number in range(200))
    assert write(tmp_path, "t.csv", "path,label\n" + table).classes() == tuple(sorted(map(str, range(100))))


class TestWhereFilesAre:
    def table(self, folder: Path, *paths: str) -> str:
        write_csv(folder / "t.csv", [["path"], *([path] for path in paths)])
        return opened("table", folder, path="t.csv").notice

    def test_nothing_is_said_where_one_of_the_first_is_there(self, tmp_path: Path) -> None:
        save(tmp_path / "b.png")
        assert self.table(tmp_path, "a.png", "b.png") == ""

    def test_what_was_tried_and_the_option_are_said_where_none_is(self, tmp_path: Path) -> None:
        notice = self.table(tmp_path, "a.png", "b.png")
        assert f"none of its first 2 paths is a file below {tmp_path}, '{tmp_path}/a.png' is not." in notice
        assert "--set root=FOLDER on the command line" in notice

    def test_the_folder_that_holds_them_is_named(self, tmp_path: Path) -> None:
        save(tmp_path / "in" / "pictures" / "x" / "a.png")
        assert f"--set root={tmp_path}/in/pictures " in self.table(tmp_path / "in", "x/a.png")
        save(tmp_path / "c" / "a.png")
        assert f"--set root={tmp_path} " in self.table(tmp_path / "tables", "c/a.png")

    def test_absolute_paths_elsewhere_give_the_folder_that_they_share(self, tmp_path: Path) -> None:
        paths = [str(save(tmp_path / "data" / folder / "a.png")) for folder in ("x", "y")]
        assert f"They lie elsewhere: --set root={tmp_path}/data " in self.table(tmp_path / "in", *paths)
        source = opened("table", tmp_path, path="in/t.csv", root="data")
        assert (ids(source), source.notice) == (["x/a.png", "y/a.png"], "")

    def test_a_folder_with_blanks_is_quoted_for_the_command_line(self, tmp_path: Path) -> None:
        path = save(tmp_path / "my data" / "a.png")
        assert f"--set 'root={tmp_path}/my data' on" in self.table(tmp_path / "in", str(path))

    def test_a_beginning_that_is_too_much_is_named(self, tmp_path: Path) -> None:
        save(tmp_path / "x" / "a.png")
        assert "But x/a.png is there" in self.table(tmp_path, "file:///somewhere/else/x/a.png")


def test_a_table_that_changed_is_read_again_by_the_next_scan(tmp_path: Path) -> None:
    source = write(tmp_path, "t.csv", "path,label\na.png,x\n")
    assert (ids(source), source.notice != "") == (["a.png"], True)
    save(tmp_path / "b.png")
    (tmp_path / "t.csv").write_text("path;label\na.png;x\nb.png;y\nb.png;y\n")
    assert (ids(source), source.classes(), source.notice) == (["a.png", "b.png"], ("x", "y"), "")
    assert [left.what for left in source.left_out()] == ["repeated path"]
    (tmp_path / "t.csv").write_text("")
    with pytest.raises(SourceError, match="Its columns: none"):
        ids(source)
    assert source.reference_label(Item("b.png")) == "y"


class TestOwnExport:
    """What FastLabel exported, it reads."""

    NAMES = ("a.png", "=1+1.png", "'=1.png", "'a'.png", "-b.png", " c .png", "x,y;z.png", 'q"q.png', "é\n.png")

    def exported(self, tmp_path: Path, name: str, ids: Sequence[str], safe: bool = True) -> Path:
        labels = ("NA", "=x", "1.0", "")
        rows = [ExportRow(id_, labels[place % 4], "ann", "2026-01-01") for place, id_ in enumerate(ids)]
        written = harmless_rows(rows) if safe else rows
        return EXPORTERS.get(name).write(written, tmp_path / f"labels.{name}")

    @pytest.mark.parametrize("name", ["csv", "json", "jsonl", "parquet"])
    def test_ids_and_labels_come_back_as_they_were(self, tmp_path: Path, name: str) -> None:
        path = self.exported(tmp_path, name, self.NAMES, safe=name == "csv")
        source = opened("table", tmp_path, path=path.name)
        assert ids(source) == list(self.NAMES)
        assert [source.reference_label(Item(id_)) for id_ in self.NAMES[:4]] == ["NA", "=x", "1.0", None]

    def test_a_name_that_is_no_utf8_leads_to_its_file(self, tmp_path: Path) -> None:
        save(tmp_path / os.fsdecode(b"caf\xe9.png"), 5)
        [item] = opened("image_folder", tmp_path, path=str(tmp_path)).scan()
        self.exported(tmp_path, "csv", [item.id])
        source = opened("table", tmp_path, path="labels.csv")
        assert source.notice == ""
        media = source.read(next(source.scan()))
        assert isinstance(media, Image.Image) and media.tobytes() == picture(5).tobytes()

    def test_parts_of_sounds_come_back_as_parts(self, tmp_path: Path) -> None:
        save_sound(tmp_path / "talk.wav", seconds=1.0)
        self.exported(tmp_path, "csv", ["talk.wav#t=0.25,0.5", "talk.wav#t=0.5,1.0"])
        kind, name, options = guess_source(tmp_path / "labels.csv")
        assert (kind, name) == ("audio", "table")
        assert ids(opened(name, tmp_path, **options)) == ["talk.wav#t=0.25,0.5", "talk.wav#t=0.5,1.0"]

    def test_a_spreadsheet_may_have_saved_it_again(self, tmp_path: Path) -> None:
        text = "item_id;label;annotator;created_at;predicted_label;confidence;start_s;end_s\n'=a.png;x;ann;;;;;\n"
        assert ids(write(tmp_path, "labels.csv", text, encoding="utf-16")) == ["=a.png"]


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

    def test_columns_of_begin_and_end_name_parts(self, tmp_path: Path) -> None:
        save_sound(tmp_path / "talk.wav", seconds=1.0)
        rows = [["file", "from", "to", "species"], ["talk.wav", "0,25", "0.5", "owl"], ["talk.wav", "", "1", "owl"]]
        write_csv(tmp_path / "t.csv", rows)
        source = opened("table", tmp_path, path="t.csv", media="audio", start_column="from", end_column="To")
        assert [(item.id, source.reference_label(item)) for item in source.scan()] == [("talk.wav#t=0.25,0.5", "owl")]
        assert [left.what for left in source.left_out()] == ["part without a time"]
        with pytest.raises(SourceError, match=r"no column 'until'. Its columns: file, from, to, species"):
            opened("table", tmp_path, path="t.csv", media="audio", start_column="from", end_column="until")

    def test_times_that_nobody_named_are_said(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        write_csv(tmp_path / "t.csv", [["filename", "onset", "offset", "event_label"], ["a.wav", "0", "1", "owl"]])
        opened("table", tmp_path, path="t.csv", media="audio")
        assert '--set "start_column=onset" --set "end_column=offset"' in caplog.text

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            ({"start_column": "a", "media": "audio"}, "belong together"),
            ({"start_column": "a", "end_column": "b"}, "is for sounds"),
        ],
    )
    def test_columns_of_times_that_make_no_sense_are_refused(
        self, tmp_path: Path, options: dict[str, str], says: str
    ) -> None:
        with pytest.raises(ConfigError, match=says):
            opened("table", tmp_path, path="t.csv", **options)
