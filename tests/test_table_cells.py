"""What a cell of a table says: paths as people and programs write them, labels, seconds."""

import os
from pathlib import Path

import pytest

from fastlabel_gradio.sources.table_cells import Refused, are_measurements, label_of, path_below, seconds_of
from tests.cases import each

posix = pytest.mark.skipif(os.sep != "/", reason="how paths are written here")


@posix
class TestPaths:
    @pytest.mark.parametrize(
        "cell",
        [
            *(
                "in/a b.png",
                "./in/a b.png",
                "in//a b.png",
                " in/a b.png\t",
                '"in/a b.png"',
                "'in/a b.png'",
                "in\\a b.png",
            ),
            *(".\\in\\a b.png", "in/x/../a b.png", "{root}/in/a b.png", "file://{root}/in/a%20b.png"),
            *("FILE://localhost{root}/in/a%20b.png", "file:{root}/in/a b.png", "~/in/a b.png", '"{root}/in/a b.png" '),
        ],
    )
    def test_a_path_is_understood_however_it_is_written(
        self, tmp_path: Path, cell: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        assert path_below(str(tmp_path), cell.format(root=tmp_path)) == "in/a b.png"

    @pytest.mark.parametrize("name", ["a\\b.png", " a.png", "'a.png'", "C:\\a.png", "~", "a.png "])
    def test_a_file_that_is_really_called_so_is_that_file(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).touch()
        assert path_below(str(tmp_path), name) == name

    def test_bytes_of_a_file_address_that_are_no_utf8_name_that_file(self, tmp_path: Path) -> None:
        assert os.fsencode(path_below(str(tmp_path), f"file://{tmp_path}/caf%e9.png")) == b"caf\xe9.png"

    def test_absolute_paths_lead_through_links_on_either_side(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "real")
        for root, folder in (("real", "link"), ("link", "real")):
            assert path_below(str(tmp_path / root), f"{tmp_path}/{folder}/a.png") == "a.png"

    @pytest.mark.parametrize("path", ["../a.png", "{root}/../a.png", "in/../../a.png"])
    def test_a_path_that_leads_out_stays_one(self, tmp_path: Path, path: str) -> None:
        assert path_below(str(tmp_path), path.format(root=tmp_path)) == "../a.png"

    @pytest.mark.parametrize(
        ("cell", "what", "advice"),
        [
            ("https://x.org/a.png", "address", "download them first"),
            ("s3://bucket/a.png", "address", "download"),
            ("HTTP://x.org/a", "address", "download"),
            ("data:image/png;base64,AAAA", "address", "download"),
            ("file://server/share/a.png", "address", "copy it first"),
            ("C:\\me\\a.png", "path of Windows", "`root`"),
            ("d:/me/a.png", "path of Windows", "`root`"),
            ("file:///C:/me/a.png", "path of Windows", "`root`"),
            ("\\\\server\\share\\a.png", "path of Windows", "`root`"),
            ("..", "not the path of a file", "one path a row"),
            ("/", "not the path of a file", "one path a row"),
        ],
    )
    def test_what_is_no_path_here_says_what_it_is_and_what_to_do(
        self, tmp_path: Path, cell: str, what: str, advice: str
    ) -> None:
        with pytest.raises(Refused) as caught:
            path_below(str(tmp_path), cell)
        assert (caught.value.what, advice in caught.value.why) == (what, True)


@each("value", [None, "", "  ", float("nan"), float("inf"), "NaN", "nan", "null", "NULL", "None", "NA", "<NA>", "#N/A"])
def test_an_empty_cell_and_what_pandas_takes_for_one_is_no_label(value: object) -> None:
    assert label_of(value) is None


@each(
    "value, label",
    [
        *((1, "1"), (1.0, "1"), ("1.0", "1"), ("-3.00", "-3"), (0, "0"), (1.5, "1.5"), ("007", "007"), (True, "true")),
        *(("none", "none"), ("no", "no"), (" cat ", "cat"), ("[noise]", "[noise]"), ("(c) x (d)", "(c) x (d)")),
        *(("v1.0", "v1.0"), ("e\u0301", "é"), ("\udce9", "\\udce9"), ("cat, dog", "cat, dog")),
    ],
)
def test_everything_else_is_a_label_as_people_read_it(value: object, label: str) -> None:
    assert label_of(value) == label


@each("value", [["cat"], [], {"a": 1}, "['cat', 'dog']", '["cat"]', "{'a': 1}", "('a', 'b')", "[]"])
def test_a_list_is_no_label(value: object) -> None:
    with pytest.raises(Refused, match="label that is a list"):
        label_of(value)


def test_many_different_fractions_are_measurements_and_class_numbers_are_none() -> None:
    fractions = [f"{number}.5" for number in range(60)]
    assert are_measurements(fractions)
    assert are_measurements([f"{number}e-3" for number in range(60)])
    assert not are_measurements(fractions[:40])
    assert not are_measurements([str(number) for number in range(1000)])
    assert not are_measurements([*fractions, *map(str, range(100))])


def test_seconds_are_read_with_point_and_comma() -> None:
    assert [seconds_of(value) for value in ("0", "1.5", "1,5", 2, 2.25)] == [0, 1.5, 1.5, 2, 2.25]
    for value in (None, "", "x", "-1", "nan", "inf", "0:30"):
        with pytest.raises(Refused, match="part without a time"):
            seconds_of(value)
