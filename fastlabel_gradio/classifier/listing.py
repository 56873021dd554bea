"""Which files a command line means: files, folders, tables and patterns, and the parts that recordings are cut into.

Files, folders and tables may lie in a bucket or behind a web server.
"""

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from fastlabel_gradio.classifier.classifier import Classifier
from fastlabel_gradio.classifier.remote_files import RemoteFile, fetched_files, remote_file
from fastlabel_gradio.data_options import workdir_base
from fastlabel_gradio.errors import ConfigError, UnreadableItemError
from fastlabel_gradio.media.item_file import open_file
from fastlabel_gradio.sources.address import Address, without_secrets
from fastlabel_gradio.sources.files import path_of
from fastlabel_gradio.sources.folder_walk import Tally, left_out_line, walk
from fastlabel_gradio.sources.image_folder import NOT_READ
from fastlabel_gradio.sources.image_folder import SUFFIXES as PICTURES
from fastlabel_gradio.sources.remote_tree import RemoteTree
from fastlabel_gradio.sources.sound_files import SUFFIXES as SOUNDS
from fastlabel_gradio.sources.table import Table, TableOptions
from fastlabel_gradio.sources.table_rows import SUFFIXES as TABLES
from fastlabel_gradio.types import Medium, TimeSpan

Named = str | RemoteFile  # a path of this machine, perhaps with a part of a sound, or a file elsewhere


def listed_files(paths: Sequence[str], medium: Medium) -> tuple[list[Named], str]:
    """All files, each once, folders in the order of their names; and a line on what a folder holds besides.

    Args:
        paths: files, folders, tables (.csv, .jsonl …, each row a file or a part of one), of this machine or by address
            (`s3://bucket/folder`), or patterns such as `photos/*.jpg`.

    Raises:
        ConfigError: a path that is not there, a pattern that fits nothing, an address without a host or bucket.
        SourceError: a table that cannot be read, a folder elsewhere that cannot be listed.
    """
    tally = Tally("picture" if medium == "image" else "sound", NOT_READ if medium == "image" else {})
    found = (name for path in paths for one in _expanded(path) for name in _files(one, medium, tally))
    return list({str(name): name for name in found}.values()), left_out_line(tally.left_out())


def parts_of(
    classifier: Classifier, names: Sequence[Named], window_s: float | None, hop_s: float | None
) -> Iterator[Named]:
    """The files, of recordings their windows: of the length that was asked for, or that it was trained on.

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


def _expanded(path: str) -> list[Named]:
    try:
        if far := remote_file(path):
            return [far]
    except UnreadableItemError as error:
        raise ConfigError(f"{without_secrets(path)}: {error}") from error
    if Path(TimeSpan.split(path)[0]).exists() or Path(path).exists():
        return [path]
    if glob.has_magic(path):
        if found := sorted(glob.glob(path, recursive=True)):  # noqa: PTH207  # pathlib leaves out what begins with a dot or '..'
            return list(found)
        raise ConfigError(f"{path} fits no file. Put quotes around a pattern, and see that the folder is right.")
    raise ConfigError(
        f"{path} does not exist. Give files, folders, tables, patterns, or addresses such as s3://BUCKET/FOLDER."
    )


def _files(path: Named, medium: Medium, tally: Tally) -> Iterator[Named]:
    suffixes = PICTURES if medium == "image" else SOUNDS
    if isinstance(path, RemoteFile):
        yield from _elsewhere(path, medium, suffixes, tally)
        return
    place = Path(path)
    if place.is_dir():
        yield from (str(place / name) for name in walk(place, suffixes, in_order=True, tally=tally))
    elif place.suffix.lower() in TABLES and _is_text(place):
        yield from _of_table(place.absolute(), medium)
    else:
        yield path


def _elsewhere(place: RemoteFile, medium: Medium, suffixes: tuple[str, ...], tally: Tally) -> Iterator[Named]:
    """By the end of its name a file or a table, else a folder, whose files come with their stamps as they are listed."""
    name = place.address.name.lower()
    if place.span is not None or name.endswith(suffixes):
        yield place
    elif name.endswith(TABLES):
        yield from _of_table(place.address, medium)
    else:
        tree = RemoteTree(place.address, fetched_files())
        tree.check("picture" if medium == "image" else "sound")
        for item in tree.items(suffixes, tally):
            yield RemoteFile(tree.address(item.id), stamp=item.stamp)


def _is_text(path: Path) -> bool:
    """A table, not a picture or a sound by that name."""
    with open_file(path) as stream:
        return stream.read(4) not in (b"RIFF", b"\x89PNG")


def _of_table(place: Path | Address, medium: Medium) -> Iterator[Named]:
    table = Table(TableOptions(path=place, media=medium), Path(), workdir_base())
    for item in table.scan():
        file_id, span = TimeSpan.split(item.id)
        if address := table.tree.address(file_id):
            yield RemoteFile(address, span, item.stamp)
            continue
        assert isinstance(place, Path)  # what is of this machine is named by a table of this machine
        # Where it leads out of the folder too: who asks may read it anyway.
        name = os.path.normpath(place.parent / path_of(file_id))
        yield name if span is None else span.id_in(name)
