"""A file that is written whole or not at all. Streams of rows have their own way in `exports`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4


def write_atomically(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Writes beside the file, brings that to the disk, then replaces the file. Raises OSError; the old file then stays.

    Args:
        mode: who may read and write it, less what the umask takes away.
    """
    with replacing(path, mode=mode) as file:
        file.write(content)


@contextmanager
def replacing(path: Path, *, mode: int = 0o666) -> Iterator[BinaryIO]:
    """As `write_atomically`, of what is written piece by piece: the file is replaced once the block has ended well."""
    partial = path.with_name(f"{path.name}.{uuid4().hex[:8]}.partial")  # several processes may share a folder
    try:
        with open(partial, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)  # a full disk has no room for half a file
