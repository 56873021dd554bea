"""Predictions of sounds as labels that programs for sounds open: selection tables of Raven, label tracks of Audacity."""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from fastlabel_gradio.classifier.journal import Entry
from fastlabel_gradio.classifier.tables import TableShape
from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.exports import ExportRow, ItemMedia, new_folder, new_zip
from fastlabel_gradio.exports.base import WriteFolder
from fastlabel_gradio.exports.sound_tables import write_audacity, write_raven
from fastlabel_gradio.media.sounds import open_sound
from fastlabel_gradio.sources.files import exported_path, id_of, path_of
from fastlabel_gradio.types import Item, Medium, TimeSpan, Waveform

Write = Callable[[Iterable[Entry], TableShape, Path], None]

SOUND_FORMATS: dict[str, WriteFolder] = {"raven": write_raven, "audacity": write_audacity}


def sound_writer(format: str, destination: Path, medium: Medium, shape: TableShape) -> Write:
    """What writes predictions in a format of SOUND_FORMATS as a folder, or a zip where the destination ends so.

    A file a recording, named like it below the folder that all recordings share. Labels that are too unsure are left out.

    Raises:
        ConfigError: it has no place for what is asked for, or the destination is taken.
    """
    if medium != "audio":
        raise ConfigError(f"--format {format} is for labels of sounds; this classifier takes pictures.")
    if shape.every or shape.top > 1:
        raise ConfigError(f"--format {format} has one label a part. Leave --all and --top out, or write a table.")
    if destination.is_dir() and any(destination.iterdir()):
        raise ConfigError(f"-o {destination}: a folder with files in it. Choose one that is empty, or not there yet.")
    return partial(_write, SOUND_FORMATS[format])


def _write(write: WriteFolder, entries: Iterable[Entry], shape: TableShape, destination: Path) -> None:
    found = [entry for entry in entries if entry.best and entry.best[0][1] >= shape.least]
    files = {_file_of(entry, shape.parts) for entry in found}
    root = Path(os.path.commonpath([file.parent for file in files])) if files else Path()
    is_zip = destination.suffix.lower() == ".zip"
    with new_zip(destination) if is_zip else new_folder(destination) as folder:
        write(
            _rows(found, root, shape.parts), folder, ItemMedia("audio", partial(_recording, root), partial(_read, root))
        )


def _rows(entries: Iterable[Entry], root: Path, parts: bool) -> Iterator[ExportRow]:
    for entry in entries:
        span = TimeSpan.split(entry.name)[1] if parts else None
        file_id = id_of(_file_of(entry, parts).relative_to(root).as_posix())
        label, confidence = entry.best[0]
        yield ExportRow(
            file_id if span is None else span.id_in(file_id),
            predicted_label=label,
            confidence=confidence,
            path=exported_path(file_id),
            medium="audio",
        )


def _file_of(entry: Entry, parts: bool) -> Path:
    return Path(TimeSpan.split(entry.name)[0] if parts else entry.name).absolute()


def _recording(root: Path, item: Item) -> Path:
    return root / path_of(TimeSpan.split(item.id)[0])


def _read(root: Path, item: Item) -> Waveform:
    return open_sound(_recording(root, item), TimeSpan.split(item.id)[1])
