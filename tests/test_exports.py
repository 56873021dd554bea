import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fastlabel_gradio.errors import StoreError, UnknownNameError
from fastlabel_gradio.exports import COLUMNS, EXPORTERS, Exporter, ExportRow, formats_for, harmless_rows
from tests import test_export_formats

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "${process.env}{{7*7}}",
    "=HYPERLINK(1);a,b",
    "quote \" and ' backslash \\",
    "line\nend",
    "line\r\nend",
    "carriage\rreturn",
    "\ttab and space ",
    "مرحبا\u202eabc",
    "🐈‍⬛ e\u0301",
    "para\u2029graph \u2028 next\x85",
    "nul\x00byte",
)

ROW = ExportRow("birds/1.jpg", "owl", "ada", "2026-01-31T12:00:00.000+00:00", "cat", 0.75)

CASES = {
    "no row": [],
    "one row": [ROW],
    "an unlabeled row": [ExportRow("birds/2.jpg")],
    "many rows": [ExportRow(f"{i}.jpg", "owl", "ada", ROW.created_at, "owl", i / 1000) for i in range(1000)],
    "parts of sounds": [ExportRow("talk.wav#t=0.0,2.5", "speech"), ExportRow("a#t=1.0,2.0.wav#t=7200.25,7203.0")],
    "slower sounds": [ExportRow("bat.wav#t=0.0,0.25", "noctule", expand=10)],
    "files": [
        ExportRow("a/20240101_050000.WAV#t=3.5,5.0", "owl", path="a/20240101_050000.WAV"),
        ExportRow("caf�DCE9.png", path=r"caf\xe9.png"),
    ],
    "hostile rows": [ExportRow(text, text, text, ROW.created_at, text, 1e-9, text) for text in HOSTILE],
}


def _unlike(count: int) -> Iterator[ExportRow]:
    """Rows that no compression makes small."""
    for number in range(count):
        yield replace(ROW, item_id=hashlib.blake2b(str(number).encode()).hexdigest())


def _read_csv(text: str) -> list[dict[str, object]]:
    rows = [dict[str, object](row) for row in csv.DictReader(io.StringIO(text, newline=""))]
    for row in rows:
        for number in ("confidence", "start_s", "end_s"):
            row[number] = float(str(row[number])) if row[number] else None
        row["expand"] = int(str(row["expand"])) if row["expand"] else None
    return rows


def _read_jsonl(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.split("\n") if line]


def _read_parquet(path: Path) -> list[dict[str, object]]:
    """As pandas reads it; its missing values are those of the other formats."""
    import pandas

    rows: list[dict[str, object]] = pandas.read_parquet(path).to_dict("records")
    for row in rows:
        for name, cell in row.items():
            if name == "created_at":
                row[name] = "" if pandas.isna(cell) else cell.isoformat(timespec="milliseconds")  # type: ignore[attr-defined]
            elif pandas.isna(cell):  # type: ignore[call-overload]
                row[name] = None if name in NUMBERS else ""
        row["expand"] = None if row["expand"] is None else int(row["expand"])  # type: ignore[call-overload]
    return rows


NUMBERS = ("confidence", "start_s", "end_s", "expand")
READERS: dict[str, Callable[[Path], list[dict[str, object]]]] = {
    "csv": lambda path: _read_csv(path.read_bytes().decode("utf-8")),
    "json": lambda path: json.loads(path.read_bytes().decode("utf-8")),
    "jsonl": lambda path: _read_jsonl(path.read_bytes().decode("utf-8")),
    "parquet": _read_parquet,
}
FILES = [name for name in EXPORTERS.names() if isinstance(EXPORTERS.get(name), Exporter)]


def read_back(name: str, path: Path) -> list[ExportRow]:
    rows = []
    for values in READERS[name](path):
        derived = [values.pop(column) for column in ("start_s", "end_s", "recorded_at")]
        rows.append(ExportRow(**values))  # type: ignore[arg-type]
        assert derived == [rows[-1].start_s, rows[-1].end_s, rows[-1].recorded_at]
    return rows


@pytest.fixture
def small_files_only() -> Iterator[None]:
    """The operating system refuses files above 20 kB, as a full disk or a quota would."""
    resource = pytest.importorskip("resource", reason="limits of files are POSIX")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_part_of_a_sound_says_where_it_begins_and_ends() -> None:
    row = ExportRow("a#t=1.0,2.0.wav#t=7200.25,7203.0")
    assert (row.start_s, row.end_s) == (7200.25, 7203.0)
    assert (ROW.start_s, ROW.end_s) == (None, None)


def test_every_exporter_has_a_reader_in_these_tests_or_in_those_of_other_programs() -> None:
    assert set(EXPORTERS.names()) == {*READERS, *test_export_formats.READ_BACK}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("case", CASES)
def test_every_row_comes_back_as_it_was(name: str, case: str, tmp_path: Path) -> None:
    exporter = EXPORTERS.get(name)
    destination = tmp_path / f"labels{exporter.suffix}"
    assert exporter.write(iter(CASES[case]), destination) == destination
    assert read_back(name, destination) == CASES[case]
    assert list(tmp_path.iterdir()) == [destination]


@pytest.mark.parametrize("name", FILES)
def test_rows_are_written_as_they_come(name: str, tmp_path: Path) -> None:
    written_before_end: list[int] = []

    def rows() -> Iterator[ExportRow]:
        yield from _unlike(50_000 if name == "parquet" else 5_000)
        written_before_end.extend(path.stat().st_size for path in tmp_path.iterdir())

    EXPORTERS.get(name).write(rows(), tmp_path / "labels")
    assert written_before_end and written_before_end[0] > 100_000


@pytest.mark.parametrize("name", FILES)
def test_an_export_that_fails_leaves_the_old_file_and_nothing_else(name: str, tmp_path: Path) -> None:
    destination = tmp_path / "labels"
    destination.write_text("old")

    def rows() -> Iterator[ExportRow]:
        yield ROW
        raise StoreError("the label store went away")

    with pytest.raises(StoreError, match="went away"):
        EXPORTERS.get(name).write(rows(), destination)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("labels", "old")]


@pytest.mark.parametrize("name", READERS)
def test_an_export_replaces_the_old_file(name: str, tmp_path: Path) -> None:
    destination = tmp_path / "labels"
    EXPORTERS.get(name).write(CASES["many rows"], destination)
    EXPORTERS.get(name).write([ROW], destination)
    assert read_back(name, destination) == [ROW]


@pytest.mark.parametrize("name", FILES)
def test_a_missing_folder_is_a_clear_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"folder .*missing does not exist. Create it"):
        EXPORTERS.get(name).write([ROW], tmp_path / "missing" / "labels.csv")


@pytest.mark.parametrize("name", FILES)
def test_a_folder_as_destination_is_a_clear_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    with pytest.raises(StoreError, match="Is a directory"):
        EXPORTERS.get(name).write([ROW], tmp_path / "labels")
    assert [path.name for path in tmp_path.iterdir()] == ["labels"]


@pytest.mark.parametrize("name", FILES)
def test_a_name_that_is_no_text_is_a_clear_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no Unicode text"):
        EXPORTERS.get(name).write([ExportRow("bad\udcff.jpg")], tmp_path / "labels")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FILES)
def test_a_disk_without_room_is_a_clear_error(name: str, tmp_path: Path, small_files_only: None) -> None:
    destination = tmp_path / "labels"
    destination.write_text("old")
    with pytest.raises(StoreError, match=r"File too large. Free space"):
        EXPORTERS.get(name).write(_unlike(2_000), destination)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("labels", "old")]


def test_the_header_names_the_columns(tmp_path: Path) -> None:
    text = EXPORTERS.get("csv").write([], tmp_path / "labels.csv").read_text(encoding="utf-8")
    assert (
        text == "item_id,label,annotator,created_at,predicted_label,confidence,start_s,end_s,path,recorded_at,expand\n"
    )
    assert ",".join(COLUMNS) in text


def test_the_columns_that_were_there_before_keep_their_names_and_places() -> None:
    before = ("item_id", "label", "annotator", "created_at", "predicted_label", "confidence", "start_s", "end_s")
    assert COLUMNS[: len(before)] == before


def test_the_time_at_which_an_item_begins_is_that_of_its_file_and_its_start() -> None:
    row = ExportRow("site/20240101_235959.WAV#t=1.5,3.0", path="site/20240101_235959.WAV")
    assert row.recorded_at == "2024-01-02T00:00:00.500"
    assert replace(row, path="site/morning.WAV").recorded_at == ""


def test_names_that_a_spreadsheet_would_run_are_marked_in_every_column_of_names() -> None:
    [row] = harmless_rows([ExportRow("=1.png", "+a", "@b", ROW.created_at, "-c", 0.5, "=1.png")])
    assert row == ExportRow("'=1.png", "'+a", "'@b", ROW.created_at, "'-c", 0.5, "'=1.png")
    assert list(harmless_rows([ROW])) == [ROW]


def test_media_types_and_suffixes() -> None:
    known = {name: (EXPORTERS.get(name).suffix, EXPORTERS.get(name).media_type) for name in EXPORTERS.names()}
    assert {known.pop(name) for name in ("hf", "hf_parquet", "tree", "raven", "audacity")} == {
        (".zip", "application/zip")
    }
    assert known == {
        "csv": (".csv", "text/csv; charset=utf-8"),
        "json": (".json", "application/json"),
        "jsonl": (".jsonl", "application/x-ndjson"),
        "label_studio": (".json", "application/json"),
        "parquet": (".parquet", "application/vnd.apache.parquet"),
    }


def test_formats_of_sounds_are_not_offered_for_pictures() -> None:
    assert set(EXPORTERS.names()) - set(formats_for("image")) == {"raven", "audacity"}
    assert formats_for("audio") == EXPORTERS.names()


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="Known: audacity, csv, hf, hf_parquet, json, jsonl"):
        EXPORTERS.get("xlsx")
