"""Which files a command line means: files, folders, tables and patterns, and the parts that recordings are cut into."""

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from fastlabel_gradio.classifier.classifier import Classifier
from fastlabel_gradio.errors import ConfigError, UnreadableItemError
from fastlabel_gradio.media.item_file import open_file
from fastlabel_gradio.sources import open_source
from fastlabel_gradio.sources.files import path_of
from fastlabel_gradio.sources.folder_walk import Tally, left_out_line, walk
from fastlabel_gradio.sources.image_folder import NOT_READ
from fastlabel_gradio.sources.image_folder import SUFFIXES as PICTURES
from fastlabel_gradio.sources.sound_files import SUFFIXES as SOUNDS
from fastlabel_gradio.sources.table_rows import SUFFIXES as TABLES
from fastlabel_gradio.types import Medium, TimeSpan

WHOLE = 0.0  # in place of a window's length


def listed_files(paths: Sequence[str], medium: Medium) -> tuple[list[str], str]:
    """The names of all files, each once, folders in the order of their names; and a line on what a folder holds besides.

    Args:
        paths: files, folders, tables (.csv, .jsonl …, each row a file or a part of one), or patterns such as `photos/*.jpg`.

    Raises:
        ConfigError: a path that is not there, a pattern that fits nothing. SourceError: a table that cannot be read.
    """
    tally = Tally("picture" if medium == "image" else "sound", NOT_READ if medium == "image" else {})
    found = [name for path in paths for one in _expanded(path) for name in _files(one, medium, tally)]
    return list(dict.fromkeys(found)), left_out_line(tally.left_out())


def parts_of(
    classifier: Classifier, names: Sequence[str], window_s: float | None, hop_s: float | None
) -> Iterator[str]:
    """The names, of recordings those of their windows: of the length that was asked for, or that it was trained on.

    A file whose length cannot be found stays whole, so that reading it gives the reason.
    """
    length = classifier.window_s if window_s is None else window_s
    if classifier.kind == "image" or not length:
        yield from names
        return
    for name in names:
        try:
            yield from classifier.windows(name, window_s, hop_s)
        except UnreadableItemError:
            yield name


def _expanded(path: str) -> list[str]:
    if Path(TimeSpan.split(path)[0]).exists() or Path(path).exists():
        return [path]
    if glob.has_magic(path):
        if found := sorted(glob.glob(path, recursive=True)):  # noqa: PTH207  # pathlib leaves out what begins with a dot or '..'
            return found
        raise ConfigError(f"{path} fits no file. Put quotes around a pattern, and see that the folder is right.")
    raise ConfigError(f"{path} does not exist. Give files, folders, tables or patterns.")


def _files(path: str, medium: Medium, tally: Tally) -> Iterator[str]:
    place = Path(path)
    if place.is_dir():
        suffixes = PICTURES if medium == "image" else SOUNDS
        yield from (str(place / name) for name in walk(place, suffixes, in_order=True, tally=tally))
    elif place.suffix.lower() in TABLES and _is_text(place):
        yield from _of_table(place, medium)
    else:
        yield path


def _is_text(path: Path) -> bool:
    """A table, not a picture or a sound by that name."""
    with open_file(path) as stream:
        return stream.read(4) not in (b"RIFF", b"\x89PNG")


def _of_table(table: Path, medium: Medium) -> Iterator[str]:
    source = open_source("table", {"path": str(table.absolute()), "media": medium}, Path(), Path())
    for item in source.scan():
        file_id, span = TimeSpan.split(item.id)
        name = os.path.normpath(
            table.absolute().parent / path_of(file_id)
        )  # where it leads out of the folder too: who asks may read it anyway
        yield name if span is None else span.id_in(name)
