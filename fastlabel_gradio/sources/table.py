"""Pictures or sounds listed in a table, CSV, JSON or Parquet: one row each, with a path and perhaps a label."""

import itertools
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import model_validator

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.media.pictures import open_picture
from fastlabel_gradio.sources.address import Place, is_address
from fastlabel_gradio.sources.base import SOURCES, Source
from fastlabel_gradio.sources.files import exported_path
from fastlabel_gradio.sources.grouped import PatternGroups, RowGroupOptions, file_id_of
from fastlabel_gradio.sources.groups import Grouping
from fastlabel_gradio.sources.other_programs import other_program, time_columns
from fastlabel_gradio.sources.remote_options import RemoteOptions
from fastlabel_gradio.sources.sound_files import SoundOptions, rates_hz, read_sound, sound_key, sound_view, whole_file
from fastlabel_gradio.sources.table_columns import (
    LABEL,
    PATH,
    group_column,
    is_own_export,
    label_column,
    other_column,
    path_column,
)
from fastlabel_gradio.sources.table_file import TableFile
from fastlabel_gradio.sources.table_format import looks_like_a_file
from fastlabel_gradio.sources.table_items import (
    HELD_OUT,
    Columns,
    TableItems,
    items_of,
    reader_of_exported_ids,
    reader_of_ids,
    reader_of_labels,
)
from fastlabel_gradio.sources.table_rows import SUFFIXES, TableRows, text_of
from fastlabel_gradio.sources.table_search import LOOKED_AT, where_files_are
from fastlabel_gradio.sources.table_tree import TableTree
from fastlabel_gradio.types import Item, LeftOut, Media, Medium, TimeSpan

NOUNS: dict[Medium, str] = {"image": "picture", "audio": "sound"}
SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")

_log = logging.getLogger(__name__)


class TableOptions(RowGroupOptions, SoundOptions, RemoteOptions):
    """Which table, and what its columns are called.

    Attributes:
        path: the table, also one of a bucket or a web server.
        media: what its paths name. One of a sound may name a part of the file, in seconds: `talk.wav#t=3.0,5.5`.
        root: the folder that its paths are relative to, by default the table's own.
        path_column, label_column: where no column is called so by default, one with another usual name is taken.
        split_column: rows with "test" in it are kept out of the pool as a test part.
        start_column, end_column: seconds at which the part of a sound begins and ends, both or none.
        encoding: of the table, where it cannot be found out.
        group_column, group_pattern: see `RowGroupOptions`.
        follow_links: whether links may lead out of the root. The root itself may be a link.
    """

    # An id is a path below the root, whichever columns it was read from.
    beside_identity = (
        SoundOptions.beside_identity
        | RemoteOptions.beside_identity
        | RowGroupOptions.beside_identity
        | {
            *("path_column", "label_column", "split_column", "start_column", "end_column", "encoding"),
            "follow_links",
        }
    )

    path: Place
    media: Medium = "image"
    root: Place | None = None
    path_column: str = PATH
    label_column: str = LABEL
    split_column: str = "split"
    start_column: str | None = None
    end_column: str | None = None
    encoding: str | None = None
    follow_links: bool = False

    @model_validator(mode="after")
    def _sound_options_are_for_sounds(self) -> "TableOptions":
        given = sorted(self.model_fields_set & SoundOptions.model_fields.keys())
        if self.media != "audio" and given:
            raise ValueError(f"{', '.join(given)}: for sounds only; set `media: audio` where the paths name sounds")
        return self

    @model_validator(mode="after")
    def _both_times_of_a_sound(self) -> "TableOptions":
        if (self.start_column is None) != (self.end_column is None):
            raise ValueError("start_column and end_column belong together: name both")
        if self.start_column is not None and self.media == "image":
            raise ValueError("start_column is for sounds: set media to audio (--kind audio on the command line)")
        return self


@SOURCES.register("table")
class Table(Source):
    """The pictures or sounds that a table names, each once; its labels, if any, are reference labels.

    The table is read when it is opened, and again by a scan that finds it changed; ids and labels are kept (about 100 MB
    for a million rows). A row whose file is missing is an item all the same, and so is a path or a link that leads out of the
    root: reading it gives the reason. A row of the test part without a label is neither in the pool nor held out.
    """

    Options = TableOptions
    left_out_nouns = ("row or label", "rows or labels")

    def __init__(self, options: TableOptions, base_dir: Path, cache_dir: Path) -> None:
        self._file = TableFile(options.path, base_dir, cache_dir)
        self._options = options
        self.medium: Medium = options.media
        self.tree = TableTree(options.root or self._file.folder, base_dir, cache_dir, options)
        self._notice = ""
        self._read_table()
        self._groups = None if options.group_pattern is None else PatternGroups(options.group_pattern)
        if self._groups:
            self._groups.check(self._items.labels, self._file)
        self.grouping = self._grouping()
        self._look_for_files()
        if self.medium == "audio":
            files = (TimeSpan.split(item_id)[0] for item_id in self._items.labels)
            self.sound_view = sound_view(options, rates_hz(self.tree, files))

    @property
    def notice(self) -> str:
        """That none of the first files is there, and where they may be."""
        return self._notice

    def scan(self) -> Iterator[Item]:
        """In the order of the rows, of the table as it is now. Raises SourceError where it cannot be read any more."""
        if self._file.newest()[1] != self._table_stamp:
            self._read_table()
        self._look_for_files()
        items = self._items
        for item_id in items.labels:
            if item_id not in items.held_out:
                yield self._item(item_id)

    def is_held_out(self, item_id: str) -> bool:
        return item_id in self._items.held_out

    def held_out(self) -> Iterator[Item]:
        """The labelled rows of the test part, in their order."""
        for item_id, label in self._items.labels.items():
            if item_id in self._items.held_out and label is not None:
                yield self._item(item_id)

    def left_out(self) -> Sequence[LeftOut]:
        """Rows that are no item of the pool, and labels that are no class."""
        why = f"kept out as the test part by '{self._options.split_column}'"
        test = LeftOut(HELD_OUT, why, sum(self._items.labels[item_id] is not None for item_id in self._items.held_out))
        return (test, *self._items.left_out) if test.count else self._items.left_out

    def read(self, item: Item, resolution: int | None = None) -> Media:
        if self.medium == "audio":
            return read_sound(self.tree, item, resolution, self.sound_view)
        return open_picture(self.tree.path(item.id, item.stamp), resolution)

    def content_key(self, item: Item) -> str:
        if self.medium == "audio":
            return sound_key(self.tree, item)
        return self.tree.key(item.id, item.stamp)

    def file(self, item: Item) -> Path | None:
        if self.medium == "image":
            return None
        return whole_file(self.tree, item, self.sound_view)

    def recording(self, item: Item) -> Path:
        return self.tree.recording(TimeSpan.split(item.id)[0])

    def exported_path(self, item: Item) -> str:
        return exported_path(item.id)

    def classes(self) -> tuple[str, ...]:
        """The distinct labels, sorted."""
        return tuple(sorted({label for label in self._items.labels.values() if label is not None}))

    def reference_label(self, item: Item) -> str | None:
        return self._items.labels.get(item.id)

    def group_of(self, item: Item) -> str | None:
        """What the column says or the pattern finds; a row with neither is of the group of its file."""
        if self.grouping is None:
            return None
        return self._groups.group_of(item) if self._groups else self._items.groups.get(item.id) or file_id_of(item)

    def _grouping(self) -> Grouping | None:
        """By the column or the pattern; without either, parts of a sound by their file, where there is a part."""
        if self._groups:
            return self._groups.grouping
        if self._options.group_column is not None:
            return Grouping("groups", f"of column {self._options.group_column}")
        parts = self.medium == "audio" and any(TimeSpan.split(item_id)[1] for item_id in self._items.labels)
        return Grouping("recordings") if parts else None

    def _read_table(self) -> None:
        """Keeps what was read before where it raises SourceError."""
        options, noun = self._options, NOUNS[self.medium]
        table, stamp = self._file.newest()
        _check_table(table)
        items = _read_items(table, self.tree, options)
        if not items.labels:
            raise SourceError(f"{table} names no {noun}. {_reasons(items) or _advice(options)}")
        if len(items.held_out) == len(items.labels):
            raise SourceError(
                f"{table} leaves no {noun} to label: '{HELD_OUT}' in every row of '{options.split_column}' keeps all "
                "out. Name another column as `split_column`."
            )
        if options.group_column is not None and not items.groups:
            raise SourceError(f"{table}: column '{options.group_column}' is empty in every row. Fill group_column.")
        self._items, self._table_stamp = items, stamp

    def _look_for_files(self) -> None:
        first = list(itertools.islice(self._items.labels, LOOKED_AT))
        notice = ""
        if self._file.local is not None and isinstance(self.tree.root, Path):
            here = [item_id for item_id in first if not is_address(item_id)]
            notice = where_files_are(self._file.local, self.tree.root, here)
        if notice and notice != self._notice:
            _log.warning("%s", notice)
        self._notice = notice

    def _item(self, item_id: str) -> Item:
        file_id = TimeSpan.split(item_id)[0] if self.medium == "audio" else item_id
        return Item(item_id, self.tree.stamp(file_id))


def _check_table(table: Path) -> None:
    if not table.is_file():
        raise SourceError(f"{table} is not a file. Give the path of a .csv or .jsonl table.")
    suffix = table.suffix.lower()
    if suffix in SPREADSHEETS:
        raise SourceError(f"{table} is a spreadsheet, no table that can be read. Save its sheet as CSV and give that.")
    if suffix not in SUFFIXES:
        raise SourceError(f"{table} is no table that can be read. Known: {', '.join(SUFFIXES)}, by the file's suffix.")


def _read_items(table: Path, tree: TableTree, options: TableOptions) -> TableItems:
    rows = TableRows(table, options.encoding)
    own = is_own_export(rows.columns)
    columns = _columns(rows, options)
    read_id = reader_of_ids(tree, columns, options.media)
    if own and columns.path == "item_id":
        read_id = reader_of_exported_ids(columns, is_csv=rows.is_csv)
    return items_of(rows, columns, read_id, reader_of_labels(own, is_csv=rows.is_csv))


def _columns(rows: TableRows, options: TableOptions) -> Columns:
    """Raises SourceError where a column is missing, or the file is one of another program."""

    def holds_paths(column: str) -> bool:
        cells = [row[column] for _, row in rows.first if text_of(row.get(column))]
        return sum(map(looks_like_a_file, cells)) * 2 > len(cells)

    table, names = rows.table, rows.columns
    if options.path_column == PATH and not is_own_export(names):
        found = other_program(table, names, [name for name in names if name in ("Species", "Common name", "Label")])
        if found:
            raise SourceError(found)
    path = path_column(table, options.path_column, names, holds_paths)
    split = other_column(options.split_column, names)
    group = None if options.group_column is None else group_column(table, options.group_column, names)
    label = label_column(table, options.label_column, names, taken=(path, split, group))
    return Columns(path, label, split, _times(rows, options), group)


def _times(rows: TableRows, options: TableOptions) -> tuple[str, str] | None:
    """The columns of begin and end. Says where the table seems to have some that nobody named."""
    if options.start_column is not None and options.end_column is not None:
        named = (other_column(options.start_column, rows.columns), other_column(options.end_column, rows.columns))
        missing = [name for name in named if name not in rows.columns]
        if missing:
            raise SourceError(
                f"{rows.table}: no column '{missing[0]}'. Its columns: {', '.join(rows.columns)}. "
                "`start_column` and `end_column` name two of them."
            )
        return named
    found = time_columns(rows.columns) if options.media == "audio" and not is_own_export(rows.columns) else None
    if found:
        _log.warning(
            '%s: whole files are taken. If its columns name parts of them, say --set "start_column=%s" --set '
            '"end_column=%s"',
            rows.table,
            *found,
        )
    return None


def _reasons(items: TableItems) -> str:
    return "; ".join(f"{left.count} x {left.what}: {left.why}" for left in items.left_out)


def _advice(options: TableOptions) -> str:
    return f"Fill its column '{options.path_column}', one path a row."
