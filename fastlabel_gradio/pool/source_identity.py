"""Which data the labels of a working directory belong to, so that they are found again through a link or at a new place.

A source at a path is known by that path, by the number and birth of its folder or file, and by landmarks: name, size and the
beginning of a few of its files. `source.json` in the project's folder keeps all three with the source's options. Nothing here
opens a source.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import Enum
from hashlib import blake2b
from itertools import count, islice
from pathlib import Path
from typing import Any

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.pool.birth_time import birth_ns
from fastlabel_gradio.sources import SOURCES, SourceOptions
from fastlabel_gradio.sources.folder_walk import subfolders, walk
from fastlabel_gradio.sources.image_folder import SUFFIXES as PICTURE_SUFFIXES
from fastlabel_gradio.sources.sound_files import SUFFIXES as SOUND_SUFFIXES

RECORD = "source.json"
LANDMARKS = 4  # files of the first folder, and as many other folders with one file each
HASHED_BYTES = 65_536
SURE_LANDMARKS = 4  # fewer may be the same by chance: a logo, an empty picture


class Match(Enum):
    """How a place is related to what was recorded."""

    SAME = "the same data"
    COPY = "the same files at another place, but not all of them, or the recorded place is still there"
    REPLACED = "other data at the recorded path"
    OTHER = "other data"


@dataclass(frozen=True, slots=True)
class Landmark:
    """A file: its path relative to the folder ("" where the source is a file itself), its bytes, a hash of the first."""

    name: str
    size: int
    beginning: str


@dataclass(frozen=True, slots=True)
class Place:
    """A folder or file as it is now, or was when it was recorded."""

    path: str
    device: int
    inode: int
    born_ns: int
    landmarks: tuple[Landmark, ...]

    def match(self, now: "Place") -> Match:
        """How this record is related to a place as it is now."""
        standing = [_landmark(Path(now.path), mark.name) for mark in self.landmarks]
        unchanged = sum(found == mark for found, mark in zip(standing, self.landmarks, strict=True))
        if self.path == now.path:
            is_doubtful = bool(self.landmarks) and unchanged == 0 and not self._is_file
            return Match.REPLACED if is_doubtful and not self._is_same_node(now) else Match.SAME
        if self._is_same_node(now) and (unchanged or self.born_ns):
            return Match.SAME
        if not self.landmarks or 2 * unchanged < len(self.landmarks):
            return Match.OTHER
        is_gone = not os.path.exists(self.path)  # noqa: PTH110  # False also where it may not be asked
        is_many = unchanged >= SURE_LANDMARKS or self._is_file
        if is_gone and is_many and unchanged == len(self.landmarks):
            return Match.SAME
        return Match.COPY if is_gone or is_many else Match.OTHER

    def _is_same_node(self, now: "Place") -> bool:
        """Whether it is one folder or file. Devices are counted anew at each start of a system, births are not."""
        if self.born_ns and now.born_ns:
            return (self.inode, self.born_ns) == (now.inode, now.born_ns)
        return (self.device, self.inode) == (now.device, now.inode)

    @property
    def _is_file(self) -> bool:
        return any(not mark.name for mark in self.landmarks)


def place_of(path: Path) -> Place | None:
    """A folder or file with its landmarks, through links; None where there is none. Reads the beginnings of nine files."""
    try:
        real = path.resolve(strict=True)
        status = real.stat()
    except (OSError, RuntimeError):
        return None
    names = dict.fromkeys(_names(real) if real.is_dir() else [""])
    marks = [mark for name in names if (mark := _landmark(real, name))]
    return Place(str(real), status.st_dev, status.st_ino, birth_ns(real), tuple(marks))


def check_owner(folder: Path, kind: str, options: dict[str, object], base_dir: Path) -> None:
    """Sees to it that a project's folder holds the labels of this source, and records where that is now.

    Labels are kept by item id, and ids of another source may be the same.

    Args:
        folder: of the project; one without a record belongs to whom asks first.
        kind, options: of the source, as configured; relative paths are relative to `base_dir`.

    Raises:
        ConfigError: it holds those of another source.
    """
    parsed = SOURCES.get(kind).Options.model_validate(options)
    now = place_of(path) if (path := data_path(options, base_dir)) else None
    record = folder / RECORD
    text = json.dumps({**_written(kind, parsed), "place": asdict(now) if now else None}, indent=2, sort_keys=True)
    if record.exists():
        _check_same(record, kind, parsed, now, base_dir)
        if record.read_bytes() == text.encode():
            return
    write_atomically(record, text.encode())


def find_workdir(base: Path, usual: Path, path: Path) -> tuple[Path, str]:
    """The working directory below `base` that holds the labels of a folder or table, and what to say of the choice.

    Args:
        usual: the one that the path's name gives. It is taken unless it holds labels of other data, or another one is sure
            to hold those of this data, which was moved or renamed.
    """
    now = place_of(path)
    if now is None:
        return usual, ""
    places = [(workdir, place) for workdir, _, place in _recorded_places(base)]
    same = [(workdir, place) for workdir, place in places if place.match(now) is Match.SAME]
    if any(workdir == usual for workdir, _ in same):
        return usual, ""
    if same:
        workdir, place = max(same, key=lambda found: found[0].stat().st_mtime)
        return workdir, f"{now.path} was at {place.path} before: its labels are in {workdir}."
    copies = [(workdir, place) for workdir, place in places if place.match(now) is Match.COPY]
    says = [f"{workdir} holds labels of files like these, from {place.path}." for workdir, place in copies]
    says += [f"To go on with them, start with --workdir {copies[0][0]}"] if copies else []
    if any(workdir == usual for workdir, _ in places):
        says.append(f"{usual} holds labels of other data that was at {path}.")
        usual = next(free for number in count(2) if not (free := usual.with_name(f"{usual.name}-{number}")).exists())
    return usual, " ".join(says)


def earlier_workdir(base: Path, usual: Path, data: Mapping[str, Path | None]) -> str:
    """That another working directory holds labels of a configuration's projects, which was moved or renamed; "" for none.

    Args:
        usual: the one that the configuration's path gives; nothing is said once it is there.
        data: what the source of each project reads, by the project's name.
    """
    places = {name: now for name, path in data.items() if path and (now := place_of(path))}
    if usual.exists() or not places:
        return ""
    for workdir, project, place in _recorded_places(base):
        if project in places and place.match(places[project]) is Match.SAME:
            return (
                f"{workdir} holds labels of '{project}' in {place.path}, from another configuration or place of it. "
                f"To go on with them, start with --workdir {workdir}"
            )
    return ""


def data_path(options: Mapping[str, Any], base_dir: Path) -> Path | None:
    """The folder or file that a source with these options reads; None for one that reads none, or fetches it."""
    inner = options.get("of")
    if isinstance(inner, Mapping):
        return data_path(inner, base_dir)
    path = options.get("path")
    if path is None or "://" in str(path):
        return None
    return base_dir / Path(str(path)).expanduser()


def _recorded_places(base: Path) -> Iterator[tuple[Path, str, Place]]:
    """Every working directory below `base`, with the name of each project in it and the place that this belongs to."""
    for record in sorted(base.glob(f"*/*/{RECORD}")):
        with suppress(ConfigError):  # a damaged one is told of when its project is opened
            if place := _recorded_place(_read(record), Path("/")):
                yield record.parent.parent, record.parent.name, place


def _check_same(record: Path, kind: str, options: SourceOptions, now: Place | None, base_dir: Path) -> None:
    recorded = _read(record)
    place = _recorded_place(recorded, base_dir)
    match = place.match(now) if place and now else None
    is_same = _comparable(recorded, type(options), match is not None) == _comparable(
        _written(kind, options), type(options), match is not None
    )
    if is_same and match in (None, Match.SAME, Match.COPY):
        return
    if is_same and match is Match.REPLACED:
        assert now
        raise ConfigError(
            f"{now.path} was replaced: the files that were looked at when it was labeled ({record.parent}) have other "
            f"content now. Choose another --workdir for other data. If it is the same data, edited, delete {record}."
        )
    before = place.path if place else json.dumps({key: value for key, value in recorded.items() if key != "place"})
    raise ConfigError(
        f"{record.parent} holds the labels of another source: {before}; this start names "
        f"{now.path if now and place and now.path != place.path else json.dumps(_written(kind, options))}. "
        f"Choose another --workdir, or delete {record} if it is the same data."
    )


def _written(kind: str, options: SourceOptions) -> dict[str, Any]:
    """What tells one source from another: its options but for those that change no id, of a source inside it too."""
    values = {"kind": kind, **options.model_dump(mode="json", exclude=set(options.beside_identity))}
    if isinstance(inner := values.get("of"), dict):
        inner_kind = str(inner.pop("kind"))
        values["of"] = _written(inner_kind, SOURCES.get(inner_kind).Options.model_validate(inner))
    return values


def _comparable(recorded: Mapping[str, Any], options: type[SourceOptions], is_placed: bool) -> object:
    """What has to be equal: options, with the defaults of later ones, and without the path where a place stands for it."""
    values = {key: value for key, value in recorded.items() if key not in ("kind", "place")}
    try:
        compared = _written(str(recorded.get("kind")), options.model_validate(values))
    except (ValueError, KeyError, ConfigError):  # damaged, or the options of another source
        return None
    return _without_path(compared) if is_placed else compared


def _without_path(values: Mapping[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in values.items() if key != "path"}
    return {**rest, "of": _without_path(rest["of"])} if isinstance(rest.get("of"), Mapping) else rest


def _read(record: Path) -> dict[str, Any]:
    """Raises ConfigError where it cannot be read or is damaged."""
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        content, reason = None, f" ({error})"
    else:
        reason = ""
    if not isinstance(content, dict):
        raise ConfigError(
            f"{record} is damaged{reason}: it does not say which source the labels beside it belong to. If that is the "
            f"source of this start, delete {RECORD}; if not, choose another --workdir."
        )
    return content


def _recorded_place(recorded: Mapping[str, Any], base_dir: Path) -> Place | None:
    """The place of a record; of earlier versions' records the path alone, without landmarks."""
    try:
        place = recorded["place"]
        return place and Place(**{**place, "landmarks": tuple(Landmark(**mark) for mark in place["landmarks"])})
    except (KeyError, TypeError):
        path = data_path(recorded, base_dir)
        return Place(str(path.resolve()), -1, -1, 0, ()) if path else None


def _names(folder: Path) -> Iterator[str]:
    """A few items of the folder, the first ones and the first of each of a few sub-folders: the same ones each time."""
    suffixes = PICTURE_SUFFIXES + SOUND_SUFFIXES
    yield from islice(walk(folder, suffixes, in_order=True), LANDMARKS)
    for name in subfolders(folder)[: LANDMARKS + 1]:
        yield from (f"{name}/{below}" for below in islice(walk(folder / name, suffixes, in_order=True), 1))


def _landmark(folder: Path, name: str) -> Landmark | None:
    path = folder / name if name else folder
    try:
        with path.open("rb") as file:
            return Landmark(name, path.stat().st_size, blake2b(file.read(HASHED_BYTES), digest_size=16).hexdigest())
    except (OSError, ValueError):
        return None
