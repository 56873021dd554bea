"""A file that is written whole or not at all. Streams of rows have their own way in `exports`."""

import os
from pathlib import Path
from uuid import uuid4


def write_atomically(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Writes beside the file, brings that to the disk, then replaces the file. Raises OSError; the old file then stays.

    Args:
        mode: who may read and write it, less what the umask takes away.
    """
    partial = path.with_name(f"{path.name}.{uuid4().hex[:8]}.partial")  # several processes may share a folder
    try:
        with open(partial, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)  # a full disk has no room for half a file
        raise
