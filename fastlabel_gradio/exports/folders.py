"""Folders that exports fill: on disk or in a zip, whole or not at all. What goes in is handed over file by file."""

import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeAlias
from uuid import uuid4

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.exports.replaced import replaced_bytes

How = Literal["copy", "link", "hardlink"]
PACKED = (".csv", ".txt", ".md", ".json")  # the others are compressed already


class DiskFolder:
    """A folder on disk that is filled; names are relative, with `/`, and come once each. Its methods raise OSError.

    Args:
        how: whether files are copied; `link` makes a symbolic link to where each lies, `hardlink` another name of it.
    """

    def __init__(self, root: Path, how: How) -> None:
        self._root = root
        self._how = how

    def add_file(self, name: str, original: Path) -> None:
        """Adds a copy of a file, or a link to it."""
        path = self._place(name)
        if self._how == "link":
            path.symlink_to(original.resolve())
        elif self._how == "hardlink":
            os.link(original, path)
        else:
            shutil.copyfile(original, path)

    def add_written(self, name: str, file: Path) -> None:
        """Adds a file that was written for this folder, never as a link: what lies at its path now is gone soon."""
        shutil.copyfile(file, self._place(name))

    def add_bytes(self, name: str, content: bytes) -> None:
        """Adds a file with that content."""
        self._place(name).write_bytes(content)

    def _place(self, name: str) -> Path:
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


class ZipFolder:
    """As `DiskFolder`, in a zip; files are always copied."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._zip = file

    def add_file(self, name: str, original: Path) -> None:
        with self._zip.open(self._entry(name), "w", force_zip64=True) as entry, original.open("rb") as content:
            shutil.copyfileobj(content, entry, 1 << 20)

    def add_written(self, name: str, file: Path) -> None:
        self.add_file(name, file)

    def add_bytes(self, name: str, content: bytes) -> None:
        self._zip.writestr(self._entry(name), content)

    def _entry(self, name: str) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(name)  # dated 1980: the same labels give the same bytes
        entry.external_attr = 0o644 << 16
        entry.compress_type = zipfile.ZIP_DEFLATED if name.endswith(PACKED) else zipfile.ZIP_STORED
        return entry


Folder: TypeAlias = DiskFolder | ZipFolder


@contextmanager
def new_folder(destination: Path, how: How = "copy") -> Iterator[Folder]:
    """A folder on disk that stands at the destination once the block has ended well; nothing is left of it otherwise.

    Raises:
        StoreError: something stands there already; it cannot be written.
    """
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise StoreError(f"export {destination}: it is there already. Choose a folder that is not, or an empty one.")
    part = destination.with_name(f".{uuid4().hex}.part")
    try:
        part.mkdir(parents=True)
        yield DiskFolder(part, how)
        if destination.exists():
            destination.rmdir()
        part.replace(destination)
    except OSError as error:
        raise _named(destination, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def new_zip(destination: Path) -> Iterator[Folder]:
    """A zip that stands at the destination once the block has ended well. Raises StoreError."""
    with replaced_bytes(destination) as file, zipfile.ZipFile(file, "w", allowZip64=True) as archive:
        yield ZipFolder(archive)


@contextmanager
def spooled() -> Iterator[Path]:
    """A path for a file that is written before it is added; gone after the block."""
    with tempfile.TemporaryDirectory(prefix="fastlabel-export-") as folder:
        yield Path(folder) / "file"


def _named(destination: Path, error: OSError) -> StoreError:
    return StoreError(f"export {destination}: {error.strerror or error}. Free space or choose another path.")
