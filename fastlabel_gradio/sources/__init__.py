"""Where items come from. Importing this registers every source; `guess_source` chooses one for a path."""

import itertools
from collections.abc import Iterable
from pathlib import Path

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.sources import (
    audio_folder,  # noqa: F401  # registers itself, as others do
    cifar,
    demo,  # noqa: F401
    demo_sounds,  # noqa: F401
    esc50,
    image_folder,
    sound_files,
    split,  # noqa: F401
    sprite_sheet,  # noqa: F401
    table,
    urbansound8k,
)
from fastlabel_gradio.sources.base import SOURCES, Source, SourceOptions, open_source
from fastlabel_gradio.sources.file_tree import FileTree
from fastlabel_gradio.sources.folder import check_not_empty
from fastlabel_gradio.sources.local_tree import LocalTree, check_folder
from fastlabel_gradio.sources.table_rows import SUFFIXES as TABLE_SUFFIXES
from fastlabel_gradio.sources.table_rows import table_rows
from fastlabel_gradio.types import Kind

__all__ = ["SOURCES", "Source", "SourceOptions", "guess_source", "open_source"]

LOOKED_AT = 300  # files of a folder, or cells of a table, that tell whether it is one of pictures or of sounds


def guess_source(path: Path, kind: Kind | None = None) -> tuple[Kind, str, dict[str, object]]:
    """Whether a path on the command line means pictures or sounds, and the name and options of the source for it.

    Args:
        kind: what to label, where the path may hold both; None for whatever it holds more of.

    Raises:
        SourceError: a missing path, an empty folder, a single picture or sound, a file of another kind.
    """
    options: dict[str, object] = {"path": str(path.absolute())}
    if path.is_dir():
        return *_source_of_folder(path, kind), options
    if not path.exists():
        raise SourceError(f"{path} does not exist. Give a folder of pictures or sounds, a .csv or .jsonl table.")
    suffix = path.suffix.lower()
    if suffix in TABLE_SUFFIXES and (suffix != ".txt" or path.stat().st_size):
        named = kind or _kind_in_table(path)
        return named, "table", options if named == "image" else {**options, "media": named}
    if suffix in image_folder.SUFFIXES:
        raise SourceError(
            f"{path} is one picture. Give its folder; a sprite sheet needs a configuration with its tile size: copy "
            "configs/celeba.yaml and start with --config."
        )
    if suffix in sound_files.SUFFIXES:
        raise SourceError(f"{path} is one sound. Give its folder; --window cuts long recordings into items of seconds.")
    if suffix in table.SPREADSHEETS:
        raise SourceError(f"{path} is a spreadsheet. Save its sheet as CSV and give that.")
    raise SourceError(f"{path} is not a source. Give a folder of pictures or sounds, a .csv or .jsonl table.")


def _source_of_folder(folder: Path, kind: Kind | None) -> tuple[Kind, str]:
    check_folder(folder, "item")
    if kind != "audio" and cifar.is_cifar10(folder):
        return "image", "cifar10"
    if kind != "image" and esc50.is_esc50(folder):
        return "audio", "esc50"
    if kind != "image" and urbansound8k.is_urbansound8k(folder):
        return "audio", "urbansound8k"
    held = kind or _kind_in_tree(LocalTree(folder, follow_links=True))
    return held, "audio_folder" if held == "audio" else "image_folder"


def _kind_in_tree(tree: FileTree) -> Kind:
    """Raises SourceError where it holds neither pictures nor sounds."""
    both = image_folder.SUFFIXES + sound_files.SUFFIXES
    check_not_empty(tree, "picture or sound", both)
    return _more_frequent(tree.names(both))


def _kind_in_table(path: Path) -> Kind:
    """By the paths in its first rows, whatever their column is called."""
    cells = (str(value).rstrip("'\" ") for _, row in table_rows(path) for value in row.values())
    return _more_frequent(cell.partition("#t=")[0].strip() for cell in cells)


def _more_frequent(names: Iterable[str]) -> Kind:
    """Sounds or pictures, whatever is more frequent. Videos are sounds where there is nothing else: cameras leave some."""
    first = [name.lower() for name in itertools.islice(names, LOOKED_AT)]
    pictures = sum(name.endswith(image_folder.SUFFIXES) for name in first)
    sounds = sum(name.endswith(sound_files.AUDIO_SUFFIXES) for name in first)
    videos = sum(name.endswith(sound_files.VIDEO_SUFFIXES) for name in first)
    return "audio" if sounds > pictures or (videos and not pictures) else "image"
