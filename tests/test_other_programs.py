"""Label files of other programs are recognised, and what the message says to do reads them."""

import re
import shlex
from pathlib import Path

import pytest

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.serve_command import _config, parser
from fastlabel_gradio.sources import guess_source, open_source
from tests.source_data import ids, opened, save_sound

RAVEN = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tBegin File\tSpecies\n"
    "1\tSpectrogram 1\t1\t0.100\t0.200\t300\t500\trec.wav\towl\n"
    "2\tSpectrogram 1\t1\t0.300\t0.400\t300\t500\trec.wav\tfox\n"
)
BIRDNET = "Start (s),End (s),Scientific name,Common name,Confidence,File\n0,0.1,Strix aluco,Tawny Owl,0.9,rec.wav\n"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "rec.Table.1.selections.txt",
            RAVEN,
            'Raven. Its parts are read with --path-column "Begin File" --label-column',
        ),
        ("raven.csv", RAVEN, "is a selection table of Raven"),
        ("no_file.txt", RAVEN.replace("Begin File", "Note"), "Raven without a column of files"),
        ("labels.txt", "0.500000\t1.500000\towl\n\\\t300.0\t500.0\n1.9\t2.4\tfox\n", "a label file of Audacity"),
        ("points.txt", "0.5\t0.5\n1.9\t1.9\n", "a label file of Audacity"),
        ("birdnet.csv", BIRDNET, 'as BirdNET writes it. Its parts are read with --path-column "File"'),
        ("birdnet2.csv", BIRDNET.replace(",File", ",Week"), "as BirdNET writes it, without a column of files"),
        ("id.csv", "FOLDER,IN FILE,OFFSET,DURATION,TOP1MATCH\nx,a.wav,0,5,owl\n", "a table of Kaleidoscope"),
    ],
)
def test_a_file_of_another_program_says_what_it_is_and_how_to_read_it(
    tmp_path: Path, name: str, text: str, says: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    _, source, options = guess_source(tmp_path / name)
    with pytest.raises(SourceError) as caught:
        opened(source, tmp_path, **options)
    assert says in str(caught.value)
    assert "--path-column" in str(caught.value) or "rec.wav#t=1.5,3.0" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "parts"),
    [
        ("raven.txt", RAVEN, {"rec.wav#t=0.1,0.2": "owl", "rec.wav#t=0.3,0.4": "fox"}),
        ("birdnet.csv", BIRDNET, {"rec.wav#t=0.0,0.1": "Tawny Owl"}),
    ],
)
def test_the_options_that_the_message_names_read_its_parts(
    tmp_path: Path, name: str, text: str, parts: dict[str, str]
) -> None:
    save_sound(tmp_path / "rec.wav", seconds=0.5)
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        opened("table", tmp_path, path=name, media="audio")
    [options] = re.findall(r"(--path-column .*?), where", str(caught.value))
    [project] = _config(parser().parse_args([str(tmp_path / name), *shlex.split(options)])).projects
    source = open_source(project.source.kind, project.source.options, tmp_path, tmp_path)
    assert {item.id: source.reference_label(item) for item in source.scan()} == parts


def test_two_columns_of_numbers_in_a_csv_are_not_of_audacity(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("0.5,1.5\n2,3\n")
    with pytest.raises(SourceError, match="no column 'path'"):
        opened("table", tmp_path, path="t.csv")


def test_a_table_of_whole_files_with_a_column_called_selection_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("Selection,file\n1,a.png\n")
    assert ids(opened("table", tmp_path, path="t.csv")) == ["a.png"]
