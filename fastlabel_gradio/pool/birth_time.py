"""When a file or folder came into being. File systems give the number (inode) of a removed folder to the next new one."""

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any

# struct statx and its flags: https://man7.org/linux/man-pages/man2/statx.2.html
_AT_FDCWD = -100
_STATX_BTIME = 0x800
_STATX_BYTES = 256
_BTIME_OFFSET = 80


def birth_ns(path: Path) -> int:
    """Nanoseconds since the epoch, through links; 0 where the file system does not tell, or there is none."""
    try:
        status: Any = path.stat()
    except OSError:
        return 0
    if hasattr(status, "st_birthtime_ns"):
        return int(status.st_birthtime_ns)
    return round(status.st_birthtime * 1e9) if hasattr(status, "st_birthtime") else _birth_ns_of_linux(path)


def _birth_ns_of_linux(path: Path) -> int:
    """Python's os.stat leaves it out."""
    statx = _statx()
    if statx is None:
        return 0
    buffer = ctypes.create_string_buffer(_STATX_BYTES)
    if statx(_AT_FDCWD, os.fsencode(path), 0, _STATX_BTIME, buffer) != 0:
        return 0
    if not ctypes.c_uint32.from_buffer(buffer, 0).value & _STATX_BTIME:
        return 0
    seconds = ctypes.c_int64.from_buffer(buffer, _BTIME_OFFSET).value
    return seconds * 1_000_000_000 + ctypes.c_uint32.from_buffer(buffer, _BTIME_OFFSET + 8).value


@cache
def _statx() -> Any:
    """The C library's function; None where it has none."""
    try:
        return ctypes.CDLL(None).statx
    except (OSError, AttributeError, TypeError):
        return None
