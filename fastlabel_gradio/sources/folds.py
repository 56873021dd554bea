"""Clips with a label and a fold each, named by a CSV file: what ESC-50 and UrbanSound8K have in common."""

import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, ClassVar

from pydantic import PositiveInt

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.sources.base import Source
from fastlabel_gradio.sources.files import exported_path, file_stamp, id_of
from fastlabel_gradio.sources.groups import Grouping
from fastlabel_gradio.sources.local_tree import LocalTree
from fastlabel_gradio.sources.sound_files import SoundOptions, rates_hz, read_sound, sound_key, sound_view, whole_file
from fastlabel_gradio.sources.table_rows import Row, table_rows, text_of
from fastlabel_gradio.types import Item, LeftOut, Waveform

AUDIO = "audio"


class FoldedOptions(SoundOptions):
    """Which folder.

    Attributes:
        path: the folder.
        test_fold: the fold that is kept out of the pool as a test part; none by default.
        follow_links: whether links may lead out of its folder `audio`, which may be one itself.
    """

    beside_identity = SoundOptions.beside_identity | {"follow_links"}

    path: Path | None = None
    test_fold: PositiveInt | None = None
    follow_links: bool = False


@dataclass(frozen=True, slots=True)
class Clip:
    """A row of the CSV file: a path relative to the folder `audio`, a class name, the number of a fold.

    `source`: the recording that the clip was cut from.
    """

    path: str
    label: str
    fold: int
    source: str


class FoldedClips(Source):
    """The clips of a folder where a CSV file says what its folder `audio` holds.

    A clip whose file is missing is an item all the same: reading it gives the reason.

    Attributes:
        metadata: the CSV file, relative to the folder.
        columns: those of it that are read; the first holds the name of the file, one is `fold`.
        source_column: the one of the recording that a clip was cut from. Where it is missing the name of the file tells.
        source_in_name: finds it there.
        advice: how to get the data, for messages.
    """

    medium = "audio"
    grouping = Grouping("recordings")
    left_out_nouns = ("row", "rows")
    metadata: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]
    source_column: ClassVar[str]
    source_in_name: ClassVar[re.Pattern[str]]
    advice: ClassVar[str]

    def __init__(self, options: Any, base_dir: Path, cache_dir: Path) -> None:
        folder = self._folder(options, base_dir, cache_dir)
        self._table = folder / self.metadata
        self._tree = LocalTree(folder / AUDIO, options.follow_links)
        self._options = options
        self._test_fold: int | None = options.test_fold
        self._read_table()
        self.sound_view = sound_view(options, rates_hz(self._tree, self._clips))

    @abstractmethod
    def _folder(self, options: Any, base_dir: Path, cache_dir: Path) -> Path:
        """The folder that holds `metadata` and `audio`. Raises SourceError where it is not available."""

    @abstractmethod
    def _clip(self, cells: dict[str, str], source: str, options: Any) -> Clip | None:
        """What a row says; None for one that is left out. `source`: the recording that the clip was cut from."""

    def scan(self) -> Iterator[Item]:
        """In the order of the rows, of the CSV file as it is now. Raises SourceError where it cannot be read any more."""
        if file_stamp(self._table) != self._table_stamp:
            self._read_table()
        clips = self._clips
        yield from (self._item(item_id) for item_id, clip in clips.items() if clip.fold != self._test_fold)

    def held_out(self) -> Iterator[Item]:
        """The clips of `test_fold`."""
        return (self._item(item_id) for item_id, clip in self._clips.items() if clip.fold == self._test_fold)

    def is_held_out(self, item_id: str) -> bool:
        clip = self._clips.get(item_id)
        return clip is not None and clip.fold == self._test_fold

    def left_out(self) -> Sequence[LeftOut]:
        """The clips of the test part, and rows of the CSV file that the options leave out."""
        held_out = sum(clip.fold == self._test_fold for clip in self._clips.values())
        found = (
            LeftOut(f"fold {self._test_fold}", "kept out as the test part (test_fold)", held_out),
            LeftOut("other clips", "rows of the CSV file that the options of the source leave out", self._unwanted),
        )
        return [entry for entry in found if entry.count]

    def read(self, item: Item, resolution: int | None = None) -> Waveform:
        return read_sound(self._tree, item, resolution, self.sound_view)

    def content_key(self, item: Item) -> str:
        return sound_key(self._tree, item)

    def file(self, item: Item) -> Path | None:
        return whole_file(self._tree, item, self.sound_view)

    def recording(self, item: Item) -> Path:
        return self._tree.path(item.id)

    def exported_path(self, item: Item) -> str:
        """With the folder `audio`."""
        return f"{AUDIO}/{exported_path(item.id)}"

    def classes(self) -> tuple[str, ...]:
        """The class names that occur, sorted."""
        return tuple(sorted({clip.label for clip in self._clips.values()}))

    def reference_label(self, item: Item) -> str | None:
        clip = self._clips.get(item.id)
        return None if clip is None else clip.label

    def fold_of(self, item: Item) -> int:
        """The number of the item's fold. Raises KeyError for an unknown id."""
        return self._clips[item.id].fold

    def group_of(self, item: Item) -> str | None:
        """The recording that the clip was cut from, of which there may be other clips."""
        clip = self._clips.get(item.id)
        return item.id if clip is None else clip.source

    def _source_of(self, row: Row, cells: dict[str, str]) -> str:
        name = cells[self.columns[0]]
        match = self.source_in_name.match(name)
        return text_of(row.get(self.source_column)) or (match[1] if match else name)

    def _item(self, item_id: str) -> Item:
        return Item(item_id, self._tree.stamp(item_id))

    def _read_table(self) -> None:
        """Keeps what was read before where it raises SourceError."""
        if not self._table.is_file():
            raise SourceError(f"{self._table.parents[1]} has no {self.metadata}. {self.advice}")
        stamp = file_stamp(self._table)
        clips, unwanted = self._read_clips(self._table)
        folds = sorted({clip.fold for clip in clips.values()})
        if self._test_fold is not None and (self._test_fold not in folds or len(folds) == 1):
            known = ", ".join(map(str, folds))
            raise SourceError(
                f"{self._table}: test_fold {self._test_fold} leaves no pool or no test. Its folds: {known}."
            )
        self._clips, self._unwanted, self._table_stamp = clips, unwanted, stamp

    def _read_clips(self, table: Path) -> tuple[dict[str, Clip], int]:
        """Clips by item id, and how many rows name none."""
        clips, unwanted = {}, 0
        for place, row in table_rows(table, self.columns, self.advice):
            try:
                cells = _cells(row, self.columns)
            except ValueError as error:
                raise SourceError(f"{table}, {place}: {error}. {self.advice}") from error
            clip = self._clip(cells, self._source_of(row, cells), self._options)
            if clip is None:
                unwanted += 1
            else:
                clips[id_of(clip.path)] = clip
        if not clips:
            raise SourceError(f"{table} names no clip. {self.advice}")
        return clips, unwanted


def _cells(row: Row, columns: tuple[str, ...]) -> dict[str, str]:
    """The cells that are read. Raises ValueError for an empty one, a file name that leads elsewhere, a bad fold."""
    cells = {column: text_of(row.get(column)) or "" for column in columns}
    for column, text in cells.items():
        if not text:
            raise ValueError(f"'{column}' is empty")
    name = cells[columns[0]]
    if PurePath("folder", name).name != name or name == "..":
        raise ValueError(f"'{name}' is not the name of a file")
    if not cells["fold"].isdecimal():
        raise ValueError(f"fold '{cells['fold']}' is not a number")
    return cells
