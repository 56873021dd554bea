"""The file of a SQLite label store: whether it still stands at its path, and how it is written again where it does not.

On Unix a deleted file lives on for whoever has it open: labels would be acknowledged into it and be gone with the process.
So its device and inode are compared before and after each writing transaction, those of `-wal` and `-shm` too, and its
length: what another program cut off is gone. One connection stays open for all that time: it reads what was deleted.
Knows nothing of tables.
"""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from fastlabel_gradio.errors import StoreError

SIDECARS = ("-wal", "-shm")

Identity = tuple[int, int] | None  # device and inode; None where nothing stands there


class LabelFile:
    """The file that an address names, as it was when it was opened. Not thread-safe: who writes to the store guards it.

    Args:
        path: as the address has it.
        connect: opens a connection to it.
    """

    def __init__(self, path: Path, connect: Callable[[], sqlite3.Connection]) -> None:
        self.path = path
        self._connect = connect
        self._hold()

    def check(self) -> None:
        """Raises StoreError where the file or one of its sidecars is not the one that was opened."""
        problem = self._problem()
        if problem:
            raise StoreError(f"label store {self.path}: {problem}")

    def is_whole(self) -> bool:
        """Whether the file and its sidecars are those that were opened."""
        return not self._problem()

    def mend(self, let_go: Callable[[], None]) -> None:
        """Brings everything that was stored back to the path, where nothing else stands. Raises StoreError where it cannot.

        Args:
            let_go: closes every other connection to the file, so that those to come open what stands there then.
        """
        found = _identity(self.path)
        if found == self._identity:
            if self._is_cut():
                self.check()
            self._take_in_sidecars()
            let_go()
            self._keeper.close()
        elif found is None:
            self._write_again(let_go)
        else:
            self.check()
        self._hold()

    def close(self) -> None:
        self._keeper.close()

    def _hold(self) -> None:
        """Opens the connection that stays, and remembers what stands there then. Its first read opens the sidecars."""
        self._keeper = self._connect()
        self._keeper.execute("SELECT count(*) FROM sqlite_master").fetchone()
        self._real = Path(self._keeper.execute("PRAGMA database_list").fetchone()[2])
        self._identity = _identity(self.path)
        self._length = 0
        self._is_cut()
        self._sidecars = {suffix: _identity(_beside(self._real, suffix)) for suffix in SIDECARS}
        self._device = self.path.parent.stat().st_dev

    def _problem(self) -> str:
        found = _identity(self.path)
        if found is None and self._identity is not None:
            return "the file was deleted or moved while FastLabel runs."
        if found != self._identity:
            return (
                "another file was put in its place while FastLabel runs, which is left alone. Move that one away: what was "
                "labeled until now is then written there again. Nothing of this request was stored."
            )
        if self._is_cut():
            return (
                "the file was cut short by another program while FastLabel runs, and labels are gone with the rest of it. "
                "Stop FastLabel, put back a copy and start again. Nothing of this request was stored."
            )
        gone = [
            suffix for suffix, identity in self._sidecars.items() if _identity(_beside(self._real, suffix)) != identity
        ]
        return (
            f"its file {self._real.name}{gone[0]}, which holds labels too, was deleted, moved or replaced."
            if gone
            else ""
        )

    def _is_cut(self) -> bool:
        """Whether the file is shorter than it once was. SQLite makes none shorter that is not vacuumed."""
        length = self.path.stat().st_size if self.path.exists() else 0
        self._length = max(self._length, length)
        return length < self._length

    def _take_in_sidecars(self) -> None:
        """Moves the labels that only the lost -wal holds into the file itself; the connection that stays still reads them."""
        busy, *_ = self._keeper.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreError(
                f"label store {self.path}: {self._problem()} It cannot be mended while the labels are being read. Nothing "
                "of this request was stored. Send it again in a moment."
            )

    def _write_again(self, let_go: Callable[[], None]) -> None:
        try:
            self._check_disk()
            self._reserve()
            self._copy_to_path()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"label store {self.path}: the file was deleted or moved while FastLabel runs, and cannot be written again "
                f"({error}). Leave FastLabel running, it still holds all labels; make the folder writable, see that there is "
                "room, and send the request again. Nothing of it is in a file."
            ) from error
        let_go()
        self._keeper.close()

    def _check_disk(self) -> None:
        """A folder that is on another disk now is the place where a disk was mounted, and comes back with it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.parent.stat().st_dev != self._device:
            raise OSError(f"{self.path.parent} is on another disk than before: mount the old one")

    def _reserve(self) -> None:
        """Takes the place, which nobody else may have; sidecars of the old file would be read into the new one."""
        self._keeper.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for suffix in SIDECARS:
            sidecar = _beside(self.path, suffix)
            found = _identity(sidecar)
            if found is not None and found != self._sidecars[suffix]:
                raise OSError(f"{sidecar} stands there and is not ours: move it away")
            sidecar.unlink(missing_ok=True)
        os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    def _copy_to_path(self) -> None:
        try:
            copy = sqlite3.connect(self.path)
            try:
                copy.execute("PRAGMA synchronous=FULL")
                self._keeper.backup(copy)
            finally:
                copy.close()
        except (OSError, sqlite3.Error):
            self.path.unlink(missing_ok=True)  # ours: the place was free when it was taken
            raise


def _identity(path: Path) -> Identity:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
