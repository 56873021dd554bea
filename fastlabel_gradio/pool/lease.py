"""PoolLease: which process fills a pool's folder. One at a time; the system frees the lease however that one ends.

It is a lock of the operating system on a file (`flock`), not a row with a heartbeat: the index of a pool is a SQLite file in
WAL mode, which processes of one machine alone can share anyway, and such a lock is free in the moment in which its process
dies. Processes of several machines have a folder each.
"""

from pathlib import Path

from filelock import FileLock, Timeout

from fastlabel_gradio.errors import ConfigError

LOCK = "in-use.lock"
RESCAN = "rescan.wanted"


class PoolLease:
    """The lease on one folder, taken at once where it is free. May be used from any thread.

    Args:
        folder: made if missing.
        may_follow: whether this process may go on without the lease.

    Raises:
        ConfigError: another process has it, and this one may not go on without. OSError.
    """

    def __init__(self, folder: Path, *, may_follow: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.is_shared = may_follow
        self._wanted = folder / RESCAN
        self._lock = FileLock(folder / LOCK, thread_local=False)
        if not self.take() and not may_follow:
            raise ConfigError(
                f"{folder} is in use by another FastLabel. Open that one's page, stop it, or choose another --workdir. "
                "(Processes that share a `database:` may share the folder.)"
            )

    @property
    def is_held(self) -> bool:
        """Whether this process fills the folder."""
        return self._lock.is_locked

    def take(self) -> bool:
        """Takes the lease where it is free; returns whether this process has it."""
        if not self._lock.is_locked:
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                return False
        return True

    def ask_for_rescan(self) -> None:
        """Has the process that fills the folder list the source again. Raises OSError."""
        self._wanted.touch()

    def take_wish(self) -> bool:
        """Whether a process asked for that since the last look."""
        if not self._wanted.exists():
            return False
        self._wanted.unlink(missing_ok=True)
        return True

    def release(self) -> None:
        """Gives the lease to whoever asks next."""
        self._lock.release()
