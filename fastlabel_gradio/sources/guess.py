"""Which source a path, an address or the name of a dataset means, and whether it is of pictures or of sounds."""

import itertools
import tempfile
from collections.abc import Iterable
from pathlib import Path

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.sources import cifar, esc50, image_folder, sound_files, table, urbansound8k
from fastlabel_gradio.sources.address import address_of, is_address
from fastlabel_gradio.sources.file_tree import FileTree
from fastlabel_gradio.sources.folder import check_not_empty
from fastlabel_gradio.sources.hf_dataset import is_saved_dataset
from fastlabel_gradio.sources.local_tree import LocalTree, check_folder
from fastlabel_gradio.sources.parquet_bytes import bytes_columns, features_of
from fastlabel_gradio.sources.remote_options import RemoteOptions
from fastlabel_gradio.sources.table_file import TableFile
from fastlabel_gradio.sources.table_rows import PARQUET_SUFFIXES, table_rows
from fastlabel_gradio.sources.table_rows import SUFFIXES as TABLE_SUFFIXES
from fastlabel_gradio.sources.tar_members import CutOffTar, tar_members
from fastlabel_gradio.sources.trees import tree_at
from fastlabel_gradio.sources.webdataset import TARS, expanded, is_tar
from fastlabel_gradio.types import Medium

LOOKED_AT = 300  # files of a folder, or cells of a table, that tell whether it is one of pictures or of sounds
HF_DATASET = "hf-dataset:"
PACKED = (".zip", ".7z", ".rar", ".gz", ".tgz", ".bz2", ".xz", ".zst")

Guessed = tuple[Medium, str, dict[str, object]]


def is_remote(text: str) -> bool:
    """Whether a word of the command line is an address or the name of a dataset, no path of this machine."""
    return is_address(text) or text.startswith(HF_DATASET)


def guess_source(path: Path | str, medium: Medium | None = None) -> Guessed:
    """Whether what stands on the command line means pictures or sounds, and the name and options of the source for it.

    Args:
        path: a path; or as a text an address, or `hf-dataset:NAME`.
        medium: what to label, where the path may hold both; None for whatever it holds more of.

    Raises:
        SourceError: a missing path, an empty folder, a single picture or sound, a file of another kind.
    """
    if isinstance(path, str):
        return (
            _guess_remote(path, medium) if is_address(path) else _dataset(path.removeprefix(HF_DATASET).strip(), medium)
        )
    options: dict[str, object] = {"path": str(path.absolute())}
    if path.is_dir() and is_saved_dataset(path):
        return _dataset(str(path.absolute()), medium)
    if path.is_dir():
        return _guess_folder(path, medium, options)
    if is_tar(path.name) and (path.exists() or path.name != expanded(path.name)[0]):
        return _packed("webdataset", medium or _medium_in_tar(path.with_name(expanded(path.name)[0])), options)
    if not path.exists():
        raise SourceError(f"{path} does not exist. Give a folder of pictures or sounds, a .csv or .jsonl table.")
    suffix = path.suffix.lower()
    if suffix in TABLE_SUFFIXES and (suffix != ".txt" or path.stat().st_size):
        return _guess_table(path, medium, options)
    _refuse_single(str(path), suffix)
    if suffix in (".yaml", ".yml"):
        raise SourceError(f"{path} is a configuration, not a source. Give it with `--config {path}`.")
    raise SourceError(f"{path} is not a source. Give a folder of pictures or sounds, a .csv or .jsonl table.")


def _guess_remote(text: str, medium: Medium | None) -> Guessed:
    try:
        address = address_of(text)
    except ValueError as error:
        raise SourceError(str(error)) from error
    options: dict[str, object] = {"path": text}
    suffix = Path(address.name).suffix.lower()
    _refuse_single(str(address), suffix)
    if is_tar(address.name):
        return _packed("webdataset", medium or "image", options)
    with tempfile.TemporaryDirectory() as folder:
        if suffix in TABLE_SUFFIXES:
            return _guess_table(TableFile(address, Path(), Path(folder)).newest()[0], medium, options)
        tree = tree_at(address, Path(), Path(folder), RemoteOptions())
        tree.check("item")
        return _guess_tree(tree, medium, options)


def _guess_folder(folder: Path, medium: Medium | None, options: dict[str, object]) -> Guessed:
    check_folder(folder, "item")
    if medium != "audio" and cifar.is_cifar10(folder):
        return "image", "cifar10", options
    if medium != "image" and esc50.is_esc50(folder):
        return "audio", "esc50", options
    if medium != "image" and urbansound8k.is_urbansound8k(folder):
        return "audio", "urbansound8k", options
    return _guess_tree(LocalTree(folder, follow_links=True), medium, options)


def _guess_tree(tree: FileTree, medium: Medium | None, options: dict[str, object]) -> Guessed:
    """Raises SourceError where it holds neither pictures nor sounds, nor packed ones."""
    both = image_folder.SUFFIXES + sound_files.SUFFIXES
    if not tree.is_file_below(both):
        if (tar := next(tree.names(TARS), None)) is not None:
            return _packed("webdataset", medium or _medium_in_tar(tree.path(tar)), options)
        if (parquet := next(tree.names(PARQUET_SUFFIXES), None)) is not None:
            found = _parquet_medium(tree.path(parquet))
            if found is not None:
                return _packed("parquet", medium or found, options)
        if medium is None:
            check_not_empty(tree, "picture or sound", both)
    held = medium or _more_frequent(tree.names(both))
    return held, "audio_folder" if held == "audio" else "image_folder", options


def _guess_table(path: Path, medium: Medium | None, options: dict[str, object]) -> Guessed:
    packed = _parquet_medium(path) if path.suffix.lower() in PARQUET_SUFFIXES else None
    if packed is not None:
        return _packed("parquet", medium or packed, options)
    named = medium or _medium_in_table(path)
    return named, "table", options if named == "image" else {**options, "media": named}


def _dataset(name: str, medium: Medium | None) -> Guessed:
    if not name:
        raise SourceError(f"{HF_DATASET} names no dataset: write {HF_DATASET}NAME")
    return _packed("hf_dataset", medium or "image", {"name": name})


def _packed(source: str, medium: Medium, options: dict[str, object]) -> Guessed:
    return medium, source, options if medium == "image" else {**options, "media": medium}


def _refuse_single(path: str, suffix: str) -> None:
    if suffix in image_folder.SUFFIXES:
        raise SourceError(
            f"{path} is one picture. Give its folder; a sprite sheet needs a configuration with its tile size: copy "
            "configs/celeba.yaml and start with --config."
        )
    if suffix in sound_files.SUFFIXES:
        raise SourceError(f"{path} is one sound. Give its folder; --window cuts long recordings into items of seconds.")
    if suffix in table.SPREADSHEETS:
        raise SourceError(f"{path} is a spreadsheet. Save its sheet as CSV and give that.")
    if suffix in PACKED:
        raise SourceError(
            f"{path} is packed. Unpack it and give the folder; of packed files only .tar is read as it is."
        )


def _medium_in_tar(path: Path) -> Medium:
    """By the names of its first members."""
    try:
        with path.open("rb") as stream:
            return _more_frequent(member.name for member in itertools.islice(tar_members(stream), LOOKED_AT))
    except CutOffTar:
        return "image"
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}.") from error


def _parquet_medium(path: Path) -> Medium | None:
    """What the bytes in a Parquet file are; None where it holds none, but paths, or cannot be read."""
    import pyarrow.parquet

    try:
        schema = pyarrow.parquet.read_schema(path)
    except (OSError, pyarrow.ArrowException):
        return None
    holding, features = bytes_columns(schema), features_of(schema)
    if not holding:
        return None
    is_sound = any((features.get(name) or {}).get("_type") == "Audio" or "audio" in name.lower() for name in holding)
    return "audio" if is_sound else "image"


def _medium_in_table(path: Path) -> Medium:
    """By the paths in its first rows, whatever their column is called."""
    cells = (str(value).rstrip("'\" ") for _, row in table_rows(path) for value in row.values())
    return _more_frequent(cell.partition("#t=")[0].partition("?")[0].strip() for cell in cells)


def _more_frequent(names: Iterable[str]) -> Medium:
    """Sounds or pictures, whatever is more frequent. Videos are sounds where there is nothing else: cameras leave some."""
    first = [name.lower() for name in itertools.islice(names, LOOKED_AT)]
    pictures = sum(name.endswith(image_folder.SUFFIXES) for name in first)
    sounds = sum(name.endswith(sound_files.AUDIO_SUFFIXES) for name in first)
    videos = sum(name.endswith(sound_files.VIDEO_SUFFIXES) for name in first)
    return "audio" if sounds > pictures or (videos and not pictures) else "image"
