"""Places: a folder of this machine, or one in a bucket (`s3://…`, `gs://…`), as a list of files, each whole or not there.

Credentials come from the environment, never from an address, and are in no message.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

from fastlabel_gradio.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

UNFINISHED = ".unfinished"  # ends the name of a file that is being written, or never was to its end
BY_ARROW = ("s3", "gs", "hdfs", "abfs", "file")


def has_scheme(text: str) -> bool:
    """Whether it is a URL of any scheme, such as `s3://bucket/folder`, not a path of this machine."""
    return "://" in text


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that may not be there yet. Opened with `open_place`.

    Attributes:
        address: as it was given, for messages, without a name and password.
    """

    address: str
    _files: "FileSystem"
    _folder: str

    def names(self, suffix: str) -> dict[str, float]:
        """The files whose name ends so, by name, each with the time of its last change in seconds since 1970."""
        from pyarrow.fs import FileSelector

        with self._errors_named("listed"):
            found = self._files.get_file_info(FileSelector(self._folder, allow_not_found=True))
        times = {info.base_name: (info.mtime_ns or 0) / 1e9 for info in found if info.is_file}
        return {name: times[name] for name in sorted(times) if name.endswith(suffix)}

    def read(self, name: str) -> bytes | None:
        """What a file holds; None where there is none."""
        with self._errors_named("read"):
            try:
                with self._files.open_input_stream(f"{self._folder}/{name}") as file:
                    return bytes(file.read())
            except FileNotFoundError:
                return None

    def write(self, name: str, content: bytes) -> None:
        """Writes a file. In a bucket it is there once it is whole; in a folder it is renamed then."""
        path = f"{self._folder}/{name}"
        is_local = self._files.type_name == "local"
        target = f"{path}.{uuid4().hex[:8]}{UNFINISHED}" if is_local else path
        with self._errors_named("written"):
            if is_local:
                self._files.create_dir(self._folder, recursive=True)
            with self._files.open_output_stream(target) as file:
                file.write(content)
            if is_local:
                self._files.move(target, path)

    def delete(self, name: str) -> None:
        """Deletes a file that may not be there."""
        with self._errors_named("deleted"):
            try:
                self._files.delete_file(f"{self._folder}/{name}")
            except FileNotFoundError:
                return

    @contextmanager
    def _errors_named(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"{self.address} cannot be {what}: {str(error).splitlines()[0]}") from error


def open_place(address: str | Path) -> Place:
    """A folder by its path, or by the address of a bucket. Nothing is made or read yet.

    Raises:
        ConfigError: no file system is known for the address, or its package is missing.
    """
    from pyarrow.fs import LocalFileSystem

    text = str(address)
    if not has_scheme(text):
        return Place(text, LocalFileSystem(), str(Path(text).expanduser().absolute()))
    parts = urlsplit(text)
    if parts.password:
        raise ConfigError(
            f"{parts.scheme}://…@{parts.hostname}: no password in an address: it would be shown. Set it in the environment."
        )
    files, folder = _file_system(text, parts.scheme)
    return Place(f"{parts.scheme}://{parts.netloc}{parts.path}", files, folder.rstrip("/"))


def _file_system(text: str, scheme: str) -> tuple["FileSystem", str]:
    from pyarrow.fs import FileSystem, FSSpecHandler, PyFileSystem

    try:
        if scheme in BY_ARROW:
            files, folder = FileSystem.from_uri(text)
            return files, folder
        from fsspec.core import url_to_fs

        other, folder = url_to_fs(text)
        return PyFileSystem(FSSpecHandler(other)), str(folder)
    except (ImportError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"{scheme}:// cannot be opened ({reason}). Give a folder, or an s3:// or gs:// address."
        ) from error
