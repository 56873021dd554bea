"""FileCache: files that were fetched, on disk, bounded in bytes. The one that was not used for longest goes first."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from uuid import uuid4

from fastlabel_gradio.errors import UnavailableItemError

KEPT_SHARE = 0.8  # of the limit, after room was made
SPARED_S = 10.0  # a file that was used so lately may be about to be opened
ABANDONED_S = 3600.0  # a download that has not grown for so long is of a process that was killed
GB = 1e9

_PARTIAL = ".part"


class FileCache:
    """May be used from several threads and by several processes at once.

    A file appears under its name when it is there as a whole, so that a kill during the download leaves none that is torn.

    Args:
        folder: may be deleted at any time.
        limit_bytes: exceeded by no more than what is in use.
    """

    def __init__(self, folder: Path, limit_bytes: float) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._bytes: int | None = None  # None before the first look

    def path(self, name: str, suffix: str, fetch: Callable[[Path], None]) -> Path:
        """The file of that name, fetched unless it is there.

        Args:
            fetch: writes it to the path that it gets. Raises UnreadableItemError.

        Raises:
            UnreadableItemError: from `fetch`. UnavailableItemError: it cannot be written.
        """
        return self.find(name, suffix) or self._fetched(self._place(name, suffix), fetch)

    def find(self, name: str, suffix: str) -> Path | None:
        """The file of that name, used now, if it is there."""
        path = self._place(name, suffix)
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def _place(self, name: str, suffix: str) -> Path:
        return self._folder / f"{blake2b(name.encode('utf-8', 'surrogateescape'), digest_size=16).hexdigest()}{suffix}"

    def _fetched(self, path: Path, fetch: Callable[[Path], None]) -> Path:
        partial = path.with_name(f"{path.stem}.{uuid4().hex[:8]}{_PARTIAL}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fetch(partial)
            size = partial.stat().st_size
            partial.replace(path)
            self._make_room(size)
        except OSError as error:
            raise UnavailableItemError(f"cannot be kept in the cache: {error.strerror or error}") from error
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
        return path

    def _make_room(self, more: int) -> None:
        with self._lock:
            if self._bytes is None:
                self._bytes = sum(size for _, size, _ in self._files())
            else:
                self._bytes += more
            if self._bytes > self._limit_bytes:
                self._bytes = self._dropped()

    def _dropped(self) -> int:
        """Deletes files until KEPT_SHARE of the limit is left; returns how many bytes are."""
        files = sorted(self._files())
        left = sum(size for _, size, _ in files)
        now = time.time()
        for used_at, size, path in files:
            if left <= KEPT_SHARE * self._limit_bytes or now - used_at < SPARED_S:
                break
            path.unlink(missing_ok=True)
            left -= size
        return left

    def _files(self) -> list[tuple[float, int, Path]]:
        """When each was used last, its bytes, and where it is. Abandoned downloads are deleted."""
        found = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another process made room
                status = path.stat()
                if path.suffix != _PARTIAL:
                    found.append((status.st_mtime, status.st_size, path))
                elif time.time() - status.st_mtime > ABANDONED_S:
                    path.unlink()
        return found


def cache_of(place: object, cache_dir: Path, limit_gb: float) -> FileCache:
    """The cache of what belongs to a folder or an address."""
    name = blake2b(str(place).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
    return FileCache(cache_dir / "remote" / name, limit_gb * GB)
