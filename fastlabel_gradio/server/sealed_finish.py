"""Sealed Finish: what was frozen and noted in Finish since the last time, as a file, and back into a copy of the project.

The journal says what is done before the labels say it, so it is sealed no earlier than the labels that are sealed with it.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.finish.campaign_files import JOURNAL
from fastlabel_gradio.finish.picked_out import PICKED_OUT

FOLDER = "finish"
FilesSeen = Mapping[str, tuple[int, int]]  # size and time of the last change, by the path in the project's folder


def files_seen(project: Path) -> FilesSeen:
    """The files of Finish, of each annotator where labels are private, as they are."""
    return {path.relative_to(project).as_posix(): _mark(path) for path in _files(project)}


def write_finish(project: Path, known: FilesSeen, destination: Path) -> FilesSeen:
    """Writes the files that differ from what is known, whole or not at all; returns what is known then. Raises OSError."""
    seen: dict[str, tuple[int, int]] = {}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _files(project):  # a set that the journal names is there, whole, before
            name, mark = path.relative_to(project).as_posix(), _mark(path)
            seen[name] = mark
            if known.get(name) != mark:
                archive.writestr(name, path.read_bytes())
    write_atomically(destination, packed.getvalue())
    return seen


def apply_finish(file: Path, project: Path) -> None:
    """Puts the files back into a project's folder. Raises StoreError where the file is damaged, OSError."""
    try:
        with zipfile.ZipFile(file) as archive:
            contents = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise StoreError(f"{file} cannot be read ({error}).") from error
    for name, content in contents.items():
        parts = PurePosixPath(name).parts
        if FOLDER not in parts[-2:-1] or ".." in parts or PurePosixPath(name).is_absolute():
            raise StoreError(f"{file} cannot be read: it holds {name!r}.")
        path = project.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(path, content)


def _files(project: Path) -> Iterator[Path]:
    """The journals first: what they name was written before them."""
    folders = [project / FOLDER, *sorted(project.glob(f"private/*/{FOLDER}"))]
    yield from (folder / JOURNAL for folder in folders if (folder / JOURNAL).is_file())
    yield from (folder / PICKED_OUT for folder in folders if (folder / PICKED_OUT).is_file())
    yield from (path for folder in folders for path in sorted(folder.glob("frozen-*.safetensors")))


def _mark(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns
