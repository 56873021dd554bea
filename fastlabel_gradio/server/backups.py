"""Backups: one file with all of a project that cannot be made again from its media, and back.

That is the labels and classes, the trained head, the encoder in use with what it learned, and what was imported. Embeddings,
thumbnails and the index of the pool are made anew.
"""

import json
import os
import shutil
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

from fastlabel_gradio import __version__
from fastlabel_gradio.errors import ConfigError, StoreError, shown
from fastlabel_gradio.exports import replaced_bytes
from fastlabel_gradio.labels import LabelStore
from fastlabel_gradio.server.stored_project import LABELS, chosen_name

FORMAT = 1
ABOUT = "backup.json"
INSIDE = "project"  # the folder in the file
MADE_ANEW = (
    *("*.f32", "pool.sqlite*", "thumbnails.sqlite*", "scan*.safetensors", "in-use.lock", "sounds/*", "tiles/*"),
    *("*-wal", "*-shm", "*.part", "*.partial", "*.layout-*.sqlite"),
)


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup holds: the project's name, how many files, and how many bytes they have unpacked."""

    project: str
    files: int
    bytes: int


def back_up(workdir: Path, project: str | None, destination: Path) -> BackedUp:
    """Writes the file, whole or not at all, also while the app runs.

    Raises:
        ConfigError: there is no such project, or its labels are in a database of their own.
        StoreError: something cannot be read or written.
    """
    name = chosen_name(workdir, project)
    folder = workdir / name
    if not (folder / LABELS).is_file():
        raise ConfigError(
            f"{folder} has no {LABELS}: its labels are in a database of their own. Back that one up with its own programs."
        )
    files, size = 0, 0
    with replaced_bytes(destination) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(ABOUT, json.dumps({"format": FORMAT, "project": name, "fastlabel": __version__}, indent=2))
        with tempfile.TemporaryDirectory(prefix="fastlabel-backup-") as temporary:
            for path in _files(folder):
                whole = _snapshot(path, Path(temporary)) if path.suffix == ".sqlite" else path
                archive.write(whole, f"{INSIDE}/{path.relative_to(folder).as_posix()}")
                files, size = files + 1, size + whole.stat().st_size
    return BackedUp(name, files, size)


def _as_it_is(label_file: Path) -> None:
    """What is done to restored labels by default."""


def restore(backup: Path, workdir: Path, complete: Callable[[Path], None] = _as_it_is) -> BackedUp:
    """Puts a project back, brought up to date for this version, where none of its name is yet.

    Args:
        complete: adds to the file of the labels what came after the backup, before that is brought up to date.

    Raises:
        ConfigError: it is no backup, or one of a later version; a project of that name is there.
        StoreError: it cannot be unpacked or read.
    """
    part = workdir / f".{uuid4().hex}.part"
    try:
        with zipfile.ZipFile(backup) as archive:
            name = _checked_name(backup, archive)
            folder = workdir / name
            if folder.exists() and any(folder.iterdir()):
                raise ConfigError(
                    f"{folder} is there already, and nothing is overwritten. Restore into another --workdir, or move it away."
                )
            part.mkdir(parents=True, mode=0o700)
            files, size = _unpack(backup, archive, part)
        complete(part / LABELS)
        LabelStore(f"sqlite:///{(part / LABELS).resolve()}", name).close()  # migrations run
        if folder.exists():
            folder.rmdir()
        part.replace(folder)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error, KeyError) as error:
        raise ConfigError(f"{backup} is no backup of FastLabel, or damaged ({error}).") from error
    except OSError as error:
        raise StoreError(
            f"{backup} cannot be restored: {error.strerror or error}. Check its path and the disk."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return BackedUp(name, files, size)


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent) / name
            relative = path.relative_to(folder).as_posix()
            if not path.is_symlink() and not any(fnmatch(relative, pattern) for pattern in MADE_ANEW):
                yield path


def _snapshot(database: Path, folder: Path) -> Path:
    """The database as it was last committed, what is in its -wal included; by SQLite's own way, beside who writes it."""
    copy = folder / f"{uuid4().hex}.sqlite"
    try:
        source = sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True, timeout=30)
        with closing(source), closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    except sqlite3.Error as error:
        raise StoreError(f"{database} cannot be read: {error}.") from error
    return copy


def _checked_name(backup: Path, archive: zipfile.ZipFile) -> str:
    about: Any = json.loads(archive.read(ABOUT)) if ABOUT in archive.namelist() else None
    name = about.get("project") if isinstance(about, dict) else None
    if not isinstance(name, str) or not isinstance(about.get("format"), int) or not _is_plain(name):
        raise ConfigError(f"{backup} is no backup of FastLabel: it has no {ABOUT} that says of which project.")
    if about["format"] > FORMAT:
        raise ConfigError(
            f"{backup} is of a later FastLabel ({shown(about.get('fastlabel'))}). Restore it with that one."
        )
    return name


def _unpack(backup: Path, archive: zipfile.ZipFile, folder: Path) -> tuple[int, int]:
    files, size = 0, 0
    for entry in archive.infolist():
        inside = PurePosixPath(entry.filename)
        if entry.is_dir() or inside.parts[:1] != (INSIDE,):
            continue
        if not all(map(_is_plain, inside.parts)):
            raise ConfigError(f"{backup} is no backup of FastLabel: it holds {shown(entry.filename)}.")
        path = folder.joinpath(*inside.parts[1:])
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with archive.open(entry) as packed, path.open("wb") as file:
            shutil.copyfileobj(packed, file)
        path.chmod(0o600)
        files, size = files + 1, size + entry.file_size
    if not (folder / LABELS).is_file():
        raise ConfigError(f"{backup} is no backup of FastLabel: it holds no {LABELS}.")
    return files, size


def _is_plain(name: str) -> bool:
    return name not in ("", ".", "..") and not any(sign in name for sign in "/\\\x00")
