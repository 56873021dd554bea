"""Labels of sounds as programs for sounds write them: selection tables of Raven, label tracks of Audacity."""

import re
from collections.abc import Iterator
from pathlib import Path

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.imports.base import ImportedLabel, Refuse, importer
from fastlabel_gradio.imports.tables import PREDICTION, known_source, seconds_of_time, share_of
from fastlabel_gradio.sources import sound_files
from fastlabel_gradio.sources.table_cells import Refused, seconds_of
from fastlabel_gradio.sources.table_format import encoding_of, open_text
from fastlabel_gradio.sources.table_rows import TableRows, text_of
from fastlabel_gradio.types import TimeSpan

RAVEN_BEGINS, RAVEN_ENDS = "Begin Time (s)", "End Time (s)"
RAVEN_FILES = ("Begin Path", "Begin File", "File Path", "File")
RAVEN_PATHS = ("Begin Path", "File Path")  # with folders; the others are names alone
RAVEN_LABELS = ("Label", "Species", "Common Name", "Common name", "Annotation", "Tags", "Class", "Species Code")
OFFSET = "File Offset (s)"  # of tables over several files, whose begins and ends count from the first file on

_TRACK_LINE = re.compile(r"(\d+(?:[.,]\d+)?)\t(\d+(?:[.,]\d+)?)\t(.*)")
_FREQUENCIES = re.compile(r"\\\t")  # a line of a spectral selection
_RAVEN_NAME = re.compile(r"\.(Table\.\d+\.selections|selections)$", re.IGNORECASE)
_TEXTS = (".txt", ".tsv", ".csv")


def is_raven(path: Path, name: str) -> bool:
    return Path(name).suffix.lower() in _TEXTS and RAVEN_BEGINS.encode() in _head(path)


def is_audacity(path: Path, name: str) -> bool:
    first = next((line for line in _head(path).decode("utf-8", "replace").splitlines() if line.strip()), "")
    return Path(name).suffix.lower() == ".txt" and _TRACK_LINE.fullmatch(first) is not None


@importer("raven", is_raven)
def read_raven(path: Path, name: str, refuse: Refuse) -> Iterator[ImportedLabel]:
    """Every selection with a class. A table without a column of files is about the recording that it is named like.

    What FastLabel writes comes back with its annotator, time, source and promise.
    """
    rows = TableRows(path)
    files = [column for column in RAVEN_FILES if column in rows.columns]
    label = next((column for column in RAVEN_LABELS if column in rows.columns), None)
    if label is None:
        raise SourceError(
            f"{name}: no column of classes. Its columns: {', '.join(rows.columns)}. Call it 'Label' or 'Species'."
        )
    for place, row in rows:
        said = text_of(row.get(label))
        item, is_whole = next(
            ((text, column in RAVEN_PATHS) for column in files if (text := text_of(row.get(column)))), (None, False)
        )
        try:
            span = _selection(row.get(RAVEN_BEGINS), row.get(RAVEN_ENDS), row.get(OFFSET))
        except Refused as refused:
            refuse(refused.what, refused.why, place)
            continue
        if said is None:
            refuse("selection without a class", f"its '{label}' is empty", place)
        else:
            named = (item, False) if item else _recording_of(name)
            source = text_of(row.get("Source")) or ""
            yield ImportedLabel(
                *(place, named[0], said, span, "label", text_of(row.get("Annotator")) or ""),
                *(seconds_of_time(row.get("Created at")), known_source(source)),
                confidence=share_of(row.get("Confidence")),
                note=text_of(row.get("Promise")) or "",
                is_prediction=source == PREDICTION,
                lacks_suffix=named[1],
                is_whole=is_whole,
            )


@importer("audacity", is_audacity)
def read_audacity(path: Path, name: str, refuse: Refuse) -> Iterator[ImportedLabel]:
    """Every label of a track, whose recording it is named like: `NAME.wav.txt` or `NAME.txt`."""
    item, lacks_suffix = _recording_of(name)
    for number, line in enumerate(open_text(path, encoding_of(path)), start=1):
        text = line.rstrip("\r\n")
        match, place = _TRACK_LINE.fullmatch(text), f"line {number}"
        if not text.strip() or _FREQUENCIES.match(text):
            continue
        if match is None:
            refuse("line that is no label", "it is begin, end and label with tabs between", place)
        elif not match[3].strip():
            refuse("label without a name", "name it in Audacity", place)
        else:
            try:
                span = _selection(match[1], match[2], None)
            except Refused as refused:
                refuse(refused.what, refused.why, place)
                continue
            yield ImportedLabel(place, item, match[3].strip(), span, lacks_suffix=lacks_suffix)


def _selection(begin: object, end: object, offset: object) -> TimeSpan:
    start, stop = seconds_of(begin), seconds_of(end)
    if text_of(offset) is not None:
        shift = start - seconds_of(offset)
        start, stop = start - shift, stop - shift
    if stop < start:
        raise Refused("part that ends before it begins", "give its end in seconds after its begin")
    return TimeSpan(start, stop)


def _recording_of(name: str) -> tuple[str, bool]:
    """The recording that a file of labels is named like, and whether its own suffix is missing."""
    stem = _RAVEN_NAME.sub("", name.rpartition(".")[0])
    return stem, not stem.lower().endswith(sound_files.SUFFIXES)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4_000)
