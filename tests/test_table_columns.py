"""Which column of a table is taken for what."""

import logging
from collections.abc import Collection
from pathlib import Path

import pytest

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.sources.table_columns import label_column, path_column
from tests.cases import each

TABLE = Path("t.csv")


def path_of(*columns: str, wanted: str = "path", files: Collection[str] = ()) -> str:
    return path_column(TABLE, wanted, columns, lambda name: name in files)


def label_of(*columns: str, wanted: str = "label") -> str | None:
    return label_column(TABLE, wanted, columns, taken=("path",))


@each(
    "name",
    [
        *(
            "path",
            "Path",
            "PATH",
            "file",
            "filename",
            "file_name",
            "File Name",
            "filepath",
            "image",
            "image_path",
            "img",
        ),
        *("audio", "audio_path", "Audio-File", "item_id", "recording", "fname"),
    ],
)
def test_usual_names_of_the_column_of_paths_are_known(name: str) -> None:
    assert path_of("id", name, "size") == name


@each(
    "name",
    ["label", "Label", "LABEL", "class", "Class Name", "category", "target", "species", "primary_label", "labels"],
)
def test_usual_names_of_the_column_of_labels_are_known(name: str) -> None:
    assert label_of("path", name, "size") == name


def test_a_column_that_holds_names_of_files_is_taken_where_no_name_is_known() -> None:
    assert path_of("wo", "was", files={"wo"}) == "wo"


def test_of_several_the_one_with_names_of_files_and_then_the_more_exact_one_is_taken_and_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert path_of("image", "filename", "path") == "path"
    assert path_of("image", "filename", "path", files={"filename"}) == "filename"
    assert path_of("file", "path", files={"file", "path"}) == "path"
    assert "column 'path' is taken for the paths; it could be 'file' too: --path-column names another" in caplog.text
    caplog.clear()
    assert label_of("path", "target", "category") == "category"
    assert "column 'category' is taken for the labels; it could be 'target' too: --label-column" in caplog.text


def test_the_usual_columns_are_no_news(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert (path_of("path", "label"), label_of("path", "label")) == ("path", "label")
    assert caplog.text == ""
    assert label_of("path", "notes") is None
    assert "no column of labels among notes; --label-column names one" in caplog.text


def test_a_column_that_is_named_is_found_whatever_its_case_and_wins() -> None:
    assert path_of("path", "Where Is It", wanted="where_is_it") == "Where Is It"
    assert label_of("path", "label", "Kind", wanted="kind") == "Kind"
    assert label_of("path", wanted="path") == "path"


def test_a_column_that_is_not_there_is_refused_with_those_that_are_and_the_option() -> None:
    for wanted in ("path", "photo"):
        with pytest.raises(SourceError) as caught:
            path_of("where", "what", wanted=wanted)
        for part in (f"no column '{wanted}'", "where, what", "--path-column C", "`path_column: C`"):
            assert part in str(caught.value)
    with pytest.raises(SourceError, match=r"no column 'kind'. Its columns: path, label. .*--label-column C"):
        label_of("path", "label", wanted="kind")


def test_the_ids_of_its_own_export_come_before_its_paths() -> None:
    columns = ("item_id", "label", "annotator", "created_at", "path")
    assert path_of(*columns, files={"path", "item_id"}) == "item_id"
    assert path_of(*columns, wanted="Path", files={"path"}) == "path"
