"""PackedRows: pictures or sounds in the rows of a dataset in Hugging Face's form, a column of bytes and one of labels."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.sources.packed import PackedOptions, PackedSource
from fastlabel_gradio.sources.table_cells import Refused, label_of
from fastlabel_gradio.sources.table_columns import named_column
from fastlabel_gradio.types import Item


class RowOptions(PackedOptions):
    """Which columns.

    Attributes:
        media_column: of the bytes; by default the only one of such, or one with a usual name.
        label_column: by default one with a usual name.
    """

    beside_identity = PackedOptions.beside_identity | {"label_column"}

    media_column: str | None = None
    label_column: str | None = None


class PackedRows(PackedSource):
    """An id is a name and the number of a row, from 0: `train.parquet/0000012`."""

    @abstractmethod
    def cell(self, item: Item) -> object:
        """What the column of the bytes holds for an item. Raises UnreadableItemError."""

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


def class_names(feature: object) -> tuple[str, ...]:
    """The names in a feature of Hugging Face's metadata, `{"names": [...], "_type": "ClassLabel"}`; empty for another."""
    if isinstance(feature, Mapping) and feature.get("_type") == "ClassLabel":
        names = feature.get("names")
        return tuple(map(str, names)) if isinstance(names, list) else ()
    return ()


def chosen_label(columns: Sequence[str], wanted: str | None) -> str | None:
    """The column of the labels: the wanted one, or one with a usual name; None where there is none."""
    return wanted if wanted is not None else named_column(columns)


def numbered(name: str, rows: int, stamp: str) -> Iterator[Item]:
    return (Item(row_id(name, row), stamp) for row in range(rows))
