"""A bucket that is mounted as a folder keeps what a project on a local disk would lose with that disk.

Such a mount (NFS, FUSE, the storage of a Space) is no place for a database: locks and memory that processes share do not hold
there. So the database stays on the local disk, and into the bucket go whole files that are never changed: snapshots (the
backups of `backups.py`) and, every few seconds in which something was said, the events since (`sealed_events.py`) and what
happened in Finish (`sealed_finish.py`). Each start writes into a folder of its own, a generation, so that a process that
should be gone already cannot spoil the files of the one that took over; it sees that there is a later generation, and stops.
"""

import functools
import logging
import re
import secrets
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.errors import FastLabelError, StoreError
from fastlabel_gradio.server.access.invite_command import INVITES_FILE, SECRET_FILE
from fastlabel_gradio.server.backups import back_up, restore
from fastlabel_gradio.server.sealed_events import StoreState, apply_events, read_events, state_of
from fastlabel_gradio.server.sealed_finish import FilesSeen, apply_finish, files_seen, write_finish
from fastlabel_gradio.server.stored_project import LABELS

log = logging.getLogger(__name__)

SEAL_EVERY_S = 10.0
SNAPSHOT_EVERY_S = 300.0  # while something changes: it holds the head too
LATE_S = 60.0  # without a seal, after which `check` says so
GENERATIONS_KEPT = 2

_GENERATION = re.compile(r"(\d{6})-[0-9a-f]{8}")
_SEALED = re.compile(r"(\d{8})\.(fastlabel|events|finish)")


class Sealer:
    """Seals the labels of one project into a bucket, in a thread of its own, from `start` to `close`.

    Args:
        bucket: a folder, made if missing. workdir: the local one. project: its name in both.
    """

    def __init__(self, bucket: Path, workdir: Path, project: str) -> None:
        self._workdir, self._project = workdir, project
        self._label_file = workdir / project / LABELS
        self._folder = bucket / project
        self._generation: Path | None = None
        self._number = 0  # of the newest sealed file
        self._sealed = StoreState(0, -1)
        self._finish: FilesSeen = {}
        self._snapshot_at = 0.0
        self._good_at = time.monotonic()
        self._problem = ""
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"seal {project}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def check(self) -> None:
        """Raises StoreError where labels do not reach the bucket any more."""
        if self._problem and time.monotonic() - self._good_at > LATE_S:
            raise StoreError(f"labels do not reach the bucket: {self._problem}")

    def seal(self) -> None:
        """Seals what was said since the last time. Raises StoreError, OSError."""
        generation = self._own_generation()
        state, finish = state_of(self._label_file), files_seen(self._label_file.parent)
        if (state, finish) == (self._sealed, self._finish):
            return
        if self._number == 0 or time.monotonic() - self._snapshot_at > SNAPSHOT_EVERY_S:
            self._write_snapshot(generation, state, finish)
            return
        # The events are read first and written last: what was accepted stands in the journal of Finish before it is a label.
        now, events = read_events(self._label_file, self._sealed.submission)
        if finish != self._finish:
            self._finish = write_finish(self._label_file.parent, self._finish, self._next(generation, "finish"))
            self._number += 1
        if now != self._sealed:
            write_atomically(self._next(generation, "events"), events)
            self._number, self._sealed = self._number + 1, now

    def close(self) -> None:
        """Seals the last of it, with the newest head, and ends the thread."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()
        try:
            state, finish = state_of(self._label_file), files_seen(self._label_file.parent)
            self._write_snapshot(self._own_generation(), state, finish)
        except (FastLabelError, OSError) as error:
            log.error("The last labels of '%s' did not reach the bucket: %s", self._project, error)

    def _run(self) -> None:
        while True:
            try:
                self.seal()
                self._good_at, self._problem = time.monotonic(), ""
            except (FastLabelError, OSError) as error:  # it may pass: a mount that is away for a moment
                if not self._problem:
                    log.error("Labels of '%s' do not reach the bucket, it is tried again: %s", self._project, error)
                self._problem = str(error)
            if self._closed.wait(SEAL_EVERY_S):
                return

    def _own_generation(self) -> Path:
        """Raises StoreError where another process took over; OSError."""
        known = _generations(self._folder)
        if self._generation is None or not self._generation.is_dir():
            last = int(known[-1].name.partition("-")[0]) if known else 0
            generation = self._folder / f"{last + 1:06d}-{secrets.token_hex(4)}"
            generation.mkdir(parents=True)
            self._generation, self._number, self._sealed, self._finish = generation, 0, StoreState(0, -1), {}
        elif known and known[-1].name > self._generation.name:
            raise StoreError(
                f"another process seals into {self._folder} since this one was started. What is labeled here is not kept: "
                "stop this one, and label in the other."
            )
        return self._generation

    def _next(self, generation: Path, kind: str) -> Path:
        return generation / f"{self._number + 1:08d}.{kind}"

    def _write_snapshot(self, generation: Path, state: StoreState, finish: FilesSeen) -> None:
        """Both are of before the snapshot: what comes in between is in the next files too, which does no harm."""
        back_up(self._workdir, self._project, self._next(generation, "fastlabel"))
        self._number += 1
        self._sealed, self._finish, self._snapshot_at = state, finish, time.monotonic()
        for number, path in _sealed(generation):
            if number < self._number:
                path.unlink()
        for old in _generations(self._folder)[:-GENERATIONS_KEPT]:
            shutil.rmtree(old)


def restore_sealed(bucket: Path, workdir: Path, project: str) -> bool:
    """Puts a project back that is not on the local disk; returns whether there was something to put back.

    Raises:
        ConfigError, StoreError: what is sealed cannot be put back. OSError.
    """
    if (workdir / project / LABELS).exists():
        return False
    for generation in reversed(_generations(bucket / project)):
        sealed = _sealed(generation)
        snapshots = [(number, path) for number, path in sealed if path.suffix == ".fastlabel"]
        if not snapshots:  # its process was gone before the first one
            continue
        start, snapshot = snapshots[-1]
        later = [path for number, path in sealed if number > start]
        restore(snapshot, workdir, functools.partial(_apply_all, later))
        log.warning("'%s' was put back from %s.", project, generation)
        return True
    return False


def keep_secret(bucket: Path, workdir: Path) -> None:
    """Has the secret that signs tokens be the same after the local disk was emptied. Raises OSError."""
    here, there = workdir / SECRET_FILE, bucket / SECRET_FILE
    if there.exists() and not here.exists():
        write_atomically(here, there.read_bytes())
    elif here.exists() and not there.exists():
        bucket.mkdir(parents=True, exist_ok=True)
        write_atomically(there, here.read_bytes())


def restore_invites(bucket: Path, workdir: Path) -> None:
    """Puts the invites of an emptied local disk back; where they are there, the bucket gets them. Raises OSError."""
    here, there = workdir / INVITES_FILE, bucket / INVITES_FILE
    if there.exists() and not here.exists():
        write_atomically(here, there.read_bytes(), mode=0o600)
    else:
        keep_invites(bucket, workdir)


def keep_invites(bucket: Path, workdir: Path) -> None:
    """Has the bucket hold the invites as they are here, or none. Where it takes no file, the log says what that means."""
    here, there = workdir / INVITES_FILE, bucket / INVITES_FILE
    try:
        if here.exists():
            bucket.mkdir(parents=True, exist_ok=True)
            write_atomically(there, here.read_bytes(), mode=0o600)
        else:
            there.unlink(missing_ok=True)
    except OSError as error:
        log.error(
            "Invites did not reach the bucket: a start on an emptied disk would not know what was changed last (%s).",
            error,
        )


def _apply_all(sealed: Sequence[Path], label_file: Path) -> None:
    """Each as a whole or not at all. Events up to the first that cannot be used: later ones build on it."""
    for path in (one for one in sealed if one.suffix == ".finish"):
        try:
            apply_finish(path, label_file.parent)
        except StoreError as error:
            log.error("What was sealed of Finish is not put back: %s", error)
    for path in (one for one in sealed if one.suffix == ".events"):
        try:
            apply_events(path, label_file)
        except StoreError as error:
            log.error("Labels that were sealed last are not put back: %s", error)
            return


def _generations(folder: Path) -> list[Path]:
    """Oldest first."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if _GENERATION.fullmatch(path.name))


def _sealed(generation: Path) -> list[tuple[int, Path]]:
    """The files of a generation with their numbers, ascending."""
    found = ((_SEALED.fullmatch(path.name), path) for path in generation.iterdir())
    return sorted((int(match[1]), path) for match, path in found if match)
