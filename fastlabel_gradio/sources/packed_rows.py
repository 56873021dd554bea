"""PackedRows: pictures or sounds in the rows of a dataset in Hugging Face's form, a column of bytes and one of labels."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import PurePosixPath

from fastlabel_gradio.errors import SourceError, UnreadableItemError
from fastlabel_gradio.sources.grouped import RowGroupOptions
from fastlabel_gradio.sources.groups import Grouping
from fastlabel_gradio.sources.packed import PackedOptions, PackedSource
from fastlabel_gradio.sources.table_cells import Refused, group_in, label_of
from fastlabel_gradio.sources.table_columns import named_column
from fastlabel_gradio.types import Item


class RowOptions(RowGroupOptions, PackedOptions):
    """Which columns.

    Attributes:
        media_column: of the bytes; by default the only one of such, or one with a usual name.
        label_column: by default one with a usual name.
        group_column, group_pattern: see `RowGroupOptions`.
    """

    beside_identity = PackedOptions.beside_identity | RowGroupOptions.beside_identity | {"label_column"}

    media_column: str | None = None
    label_column: str | None = None


class PackedRows(PackedSource):
    """An id is a name and the number of a row, from 0: `train.parquet/0000012`."""

    @abstractmethod
    def cell(self, item: Item) -> object:
        """What the column of the bytes holds for an item. Raises UnreadableItemError."""

    @abstractmethod
    def group_in_row(self, item: Item) -> str | None:
        """What the column of the groups says of an item, None for nothing. Raises UnreadableItemError for no id of a row."""

    def group_of(self, item: Item) -> str | None:
        """What the column says or the pattern finds; a row with neither is a group of its own."""
        if self.grouping is None or self._pattern_groups:
            return super().group_of(item)
        with suppress(UnreadableItemError):
            return self.group_in_row(item) or item.id
        return item.id

    def group_rows(self, options: RowOptions, items: Callable[[], Iterable[Item]], where: object) -> None:
        """Groups by the column or the pattern that the options name. Raises SourceError where neither finds anything."""
        if options.group_pattern is not None:
            self.group_by_pattern(options.group_pattern, items(), where)
        elif options.group_column is not None:
            if not any(map(self.group_in_row, items())):
                raise SourceError(f"{where}: column '{options.group_column}' is empty in every row. Fill group_column.")
            self.grouping = Grouping("groups", f"of column {options.group_column}")

    def content(self, item: Item) -> tuple[bytes, str]:
        cell = self.cell(item)
        content = cell.get("bytes") if isinstance(cell, Mapping) else cell
        if not isinstance(content, bytes):
            raise UnreadableItemError("its row holds no bytes")
        if not content:
            raise UnreadableItemError("empty (0 bytes)")
        path = cell.get("path") if isinstance(cell, Mapping) else None
        return content, PurePosixPath(path or "").suffix.lower()


MOST_DIGITS = 19  # of a 64-bit number


def row_id(name: str, row: int) -> str:
    return f"{name}/{row:07d}"


def row_of(item_id: str) -> tuple[str, int]:
    """The inverse of `row_id`. Raises UnreadableItemError."""
    name, _, number = item_id.rpartition("/")
    if not (number.isascii() and number.isdecimal() and len(number) < MOST_DIGITS):
        raise UnreadableItemError("it is no row of the dataset")
    return name, int(number)


def label_name(value: object, names: Sequence[str]) -> str | None:
    """The class that a cell says, by number where the dataset names its classes; None for none."""
    if names and isinstance(value, int):
        return names[value] if 0 <= value < len(names) else None
    try:
        return label_of(value)
    except Refused:
        return None


def group_name(value: object, names: Sequence[str]) -> str | None:
    """The group that a cell says, by number where the dataset names them; None for none."""
    if names and isinstance(value, int):
        return names[value] if 0 <= value < len(names) else None
    return group_in(value)


def class_names(feature: object) -> tuple[str, ...]:
    """The names in a feature of Hugging Face's metadata, `{"names": [...], "_type": "ClassLabel"}`; empty for another."""
    if isinstance(feature, Mapping) and feature.get("_type") == "ClassLabel":
        names = feature.get("names")
        return tuple(map(str, names)) if isinstance(names, list) else ()
    return ()


def chosen_label(columns: Sequence[str], wanted: str | None, group: str | None = None) -> str | None:
    """The column of the labels: the wanted one, or one with a usual name beside the groups; None for none."""
    return wanted if wanted is not None else named_column([name for name in columns if name != group])


def numbered(name: str, rows: int, stamp: str) -> Iterator[Item]:
    return (Item(row_id(name, row), stamp) for row in range(rows))
