"""Pictures or sounds listed in a table, CSV or JSONL: one row each, with a path and perhaps a label."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import model_validator

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.groups import Grouping
from fastlabel_gradio.media.pictures import open_picture
from fastlabel_gradio.sources.base import SOURCES, Source, SourceOptions
from fastlabel_gradio.sources.files import file_key, id_of, locate, path_of, stamp_of
from fastlabel_gradio.sources.grouped import GroupPattern, PatternGroups, file_of
from fastlabel_gradio.sources.sound_files import read_sound, sound_key, whole_file
from fastlabel_gradio.sources.table_rows import SUFFIXES, table_rows, text_of
from fastlabel_gradio.types import Item, Kind, Media, TimeSpan

NOUNS: dict[Kind, str] = {"image": "picture", "audio": "sound"}
HELD_OUT = "test"  # the value of the split column that keeps a row out of the pool

_PART = re.compile(r"(.+)#t=(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)", re.DOTALL)
_log = logging.getLogger(__name__)


class TableOptions(SourceOptions):
    """Which table, and what its columns are called.

    Attributes:
        path: the table.
        media: what its paths name. One of a sound may name a part of the file, in seconds: `talk.wav#t=3.0,5.5`.
        root: the folder that its paths are relative to, by default the table's own.
        split_column: rows with "test" in it are kept out of the pool as a test part.
        group_column: the recording, site, speaker or burst of each row.
        group_pattern: what finds it in the id instead, see `PatternGroups`.
    """

    path: Path
    media: Kind = "image"
    root: Path | None = None
    path_column: str = "path"
    label_column: str = "label"
    split_column: str = "split"
    group_column: str | None = None
    group_pattern: GroupPattern | None = None

    @model_validator(mode="after")
    def _one_way_to_group(self) -> "TableOptions":
        if self.group_column is not None and self.group_pattern is not None:
            raise ValueError("group_column and group_pattern exclude each other: name one")
        return self


@dataclass
class _Rows:
    """What is kept of a table: label by item id in the order of the rows, and the ids of the rows that are held out.

    `groups`: by item id, of rows with something in the group column.
    """

    labels: dict[str, str | None] = field(default_factory=dict)
    held_out: set[str] = field(default_factory=set)
    groups: dict[str, str] = field(default_factory=dict)


@SOURCES.register("table")
class Table(Source):
    """The pictures or sounds that a table names, each once; its labels, if any, are reference labels.

    The table is read once, when it is opened; ids and labels are kept (about 100 MB for a million rows). A row whose
    file is missing is an item all the same, and so is a path that leads out of the root: reading it gives the reason.
    A row of the test part without a label is neither in the pool nor held out.
    """

    Options = TableOptions

    def __init__(self, options: TableOptions, base_dir: Path, cache_dir: Path) -> None:
        table = base_dir / options.path.expanduser()
        _check_table(table)
        self.kind: Kind = options.media
        self.root = table.parent if options.root is None else base_dir / options.root.expanduser()
        self._rows = _read_rows(table, self.root, options)
        noun = NOUNS[self.kind]
        if not self._rows.labels:
            raise SourceError(f"{table} names no {noun}. Fill its column '{options.path_column}', one path a row.")
        if len(self._rows.held_out) == len(self._rows.labels):
            raise SourceError(
                f"{table} leaves no {noun} to label: '{HELD_OUT}' in every row of '{options.split_column}' keeps all "
                "out. Name another column as `split_column`."
            )

        self._groups = None if options.group_pattern is None else PatternGroups(options.group_pattern)
        if self._groups:
            self._groups.check(self._rows.labels, table)
        self.grouping = self._grouping(options, table)

    def _grouping(self, options: TableOptions, table: Path) -> Grouping | None:
        """By the column or the pattern; without either, parts of a sound by their file, where there is a part."""
        if self._groups:
            return self._groups.grouping
        if options.group_column is not None:
            if not self._rows.groups:
                raise SourceError(f"{table}: column '{options.group_column}' is empty in every row. Fill group_column.")
            return Grouping("groups", f"of column {options.group_column}")
        parts = self.kind == "audio" and any(TimeSpan.split(item_id)[1] for item_id in self._rows.labels)
        return Grouping("recordings") if parts else None

    def scan(self) -> Iterator[Item]:
        """In the order of the rows."""
        for item_id in self._rows.labels:
            if item_id not in self._rows.held_out:
                yield self._item(item_id)

    def held_out(self) -> Iterator[Item]:
        """The labelled rows of the test part, in their order."""
        for item_id, label in self._rows.labels.items():
            if item_id in self._rows.held_out and label is not None:
                yield self._item(item_id)

    def read(self, item: Item, resolution: int | None = None) -> Media:
        if self.kind == "audio":
            return read_sound(self.root, item, resolution)
        return open_picture(locate(self.root, item.id), resolution)

    def content_key(self, item: Item) -> str:
        return sound_key(self.root, item) if self.kind == "audio" else file_key(locate(self.root, item.id))

    def file(self, item: Item) -> Path | None:
        return whole_file(self.root, item) if self.kind == "audio" else None

    def classes(self) -> tuple[str, ...]:
        """The distinct labels, sorted."""
        return tuple(sorted({label for label in self._rows.labels.values() if label is not None}))

    def reference_label(self, item: Item) -> str | None:
        return self._rows.labels.get(item.id)

    def group_of(self, item: Item) -> str | None:
        """What the column says or the pattern finds; a row with neither is of the group of its file."""
        if self.grouping is None:
            return None
        return self._groups.group_of(item) if self._groups else self._rows.groups.get(item.id) or file_of(item)

    def _item(self, item_id: str) -> Item:
        file_id = TimeSpan.split(item_id)[0] if self.kind == "audio" else item_id
        return Item(item_id, _stamp(self.root, file_id))


def _check_table(table: Path) -> None:
    if not table.is_file():
        raise SourceError(f"{table} is not a file. Give the path of a .csv or .jsonl table.")
    if table.suffix.lower() not in SUFFIXES:
        raise SourceError(f"{table} is no table that can be read. Known: {', '.join(SUFFIXES)}, by the file's suffix.")


def _read_rows(table: Path, root: Path, options: TableOptions) -> _Rows:
    """Of rows with the same path the first counts; where their labels disagree the log says how often."""
    rows = _Rows()
    conflicts = 0
    advice = "Name the right one as `path_column`."
    columns = (options.path_column, *([options.group_column] if options.group_column else []))
    for line, row in table_rows(table, columns, advice):
        path = text_of(row.get(options.path_column))
        if path is None:
            continue
        item_id = _part_id(path, root) if options.media == "audio" else id_of(_relative(path, root))
        if not item_id.strip("./"):
            raise SourceError(f"{table}, line {line}: '{path}' is not the path of a file.")
        label = text_of(row.get(options.label_column))
        if item_id in rows.labels:
            conflicts += rows.labels[item_id] != label
            continue
        rows.labels[item_id] = None if label is None else sys.intern(label)
        if options.group_column and (group := text_of(row.get(options.group_column))):
            rows.groups[item_id] = sys.intern(group)
        if (text_of(row.get(options.split_column)) or "").lower() == HELD_OUT:
            rows.held_out.add(item_id)
    if conflicts:
        _log.warning("%s: %d rows repeat a path with another label; the first row counts", table, conflicts)
    return rows


def _part_id(path: str, root: Path) -> str:
    """The id of a sound file or of a part of one. A file that is really called like a part is taken as that file."""
    match = _PART.fullmatch(path)
    if match is None or os.path.lexists(os.path.join(root, path)):  # noqa: PTH118
        return id_of(_relative(path, root))
    return TimeSpan(float(match[2]), float(match[3])).id_in(id_of(_relative(match[1], root)))


def _relative(path: str, root: Path) -> str:
    """The path relative to the root, plain and with '/'. It may lead out by '..', which `locate` refuses."""
    plain = os.path.normpath(path)
    if os.path.isabs(plain):  # noqa: PTH117  # strings throughout: a million rows take seconds, not half a minute
        plain = os.path.relpath(plain, root)
    return plain.replace(os.sep, "/")


def _stamp(root: Path, item_id: str) -> str:
    try:
        return stamp_of(os.stat(os.path.join(root, path_of(item_id))))  # noqa: PTH116, PTH118
    except (OSError, ValueError):
        return "missing"
