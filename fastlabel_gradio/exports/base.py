"""What an export format is, the registry of them, and the file that takes another's place once it is whole."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO, cast
from uuid import uuid4

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.exports.rows import ExportRow
from fastlabel_gradio.registry import Registry

Write = Callable[[Iterable[ExportRow], Path], Path]


@dataclass(frozen=True, slots=True)
class Exporter:
    """An export format that is one file: its name, the suffix with the dot, its media type for HTTP, and what writes it.

    `opens_in_spreadsheets`: people open its files in a spreadsheet, which would run some names as formulas.

    `write(rows, destination)` reads the rows once, writes the file whole or not at all, and returns its path. It raises
    StoreError where the destination cannot be written; the file that was there before then stays as it was.
    """

    name: str
    suffix: str
    media_type: str
    write: Write
    opens_in_spreadsheets: bool = False


EXPORTERS: Registry[Exporter] = Registry("export format", "fastlabel.exporters")


def exporter(name: str, suffix: str, media_type: str, opens_in_spreadsheets: bool = False) -> Callable[[Write], Write]:
    """Decorator that registers a function as an export format."""

    def add(write: Write) -> Write:
        EXPORTERS.register(name)(Exporter(name, suffix, media_type, write, opens_in_spreadsheets))
        return write

    return add


@contextmanager
def replaced_file(destination: Path) -> Iterator[TextIO]:
    """A UTF-8 file, line ends written as they are, that takes the destination's place once the block has ended well.

    Raises:
        StoreError: the folder is missing, the disk full, the destination no file, or a text no Unicode.
    """
    with _replaced(destination, binary=False) as file:
        yield cast(TextIO, file)


@contextmanager
def replaced_bytes(destination: Path) -> Iterator[BinaryIO]:
    """As `replaced_file`, of bytes."""
    with _replaced(destination, binary=True) as file:
        yield cast(BinaryIO, file)


def write_array(file: TextIO, texts: Iterable[str]) -> None:
    """Writes JSON texts as they come, as the entries of one array, each on a line."""
    file.write("[")
    for place, text in enumerate(texts):
        file.write(f",\n{text}" if place else f"\n{text}")
    file.write("\n]\n")


@contextmanager
def _replaced(destination: Path, *, binary: bool) -> Iterator[object]:
    if not destination.parent.is_dir():
        raise StoreError(
            f"export {destination}: folder {destination.parent} does not exist. Create it or choose another."
        )
    part = destination.with_name(f".{uuid4().hex}.part")
    try:
        with part.open("xb") if binary else part.open("x", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(destination)
    except UnicodeEncodeError as error:
        raise StoreError(
            f"export {destination}: {error.object!r} is no Unicode text. Rename that item or label."
        ) from error
    except OSError as error:
        raise StoreError(
            f"export {destination}: {error.strerror or error}. Free space or choose another path."
        ) from error
    finally:
        part.unlink(missing_ok=True)
