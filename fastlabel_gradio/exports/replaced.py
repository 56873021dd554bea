"""A file that takes another's place once it is whole. Of content that is there at once `atomic_file` writes one."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast
from uuid import uuid4

from fastlabel_gradio.errors import StoreError


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
