"""From the rows of a table to items: id, label and part of each, and what was left out and why."""

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from fastlabel_gradio.sources.table_cells import (
    Refused,
    are_measurements,
    group_in,
    label_of,
    seconds_of,
)
from fastlabel_gradio.sources.table_rows import Placed, Row, text_of
from fastlabel_gradio.sources.table_tree import TableTree
from fastlabel_gradio.spreadsheet_cells import original
from fastlabel_gradio.types import LeftOut, Medium, TimeSpan

HELD_OUT = "test"  # the value of the split column that keeps a row out of the pool
TAKEN = "; the item is taken without it"
MOST_LINES = 4  # of a path or label; more are the rows after a quote that is not closed

_PART = re.compile(r"(.+)#t=(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)", re.DOTALL)

Read: TypeAlias = Callable[[Row], str]


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a row has what: the path, the label (None: nowhere), "test", begin and end of a part of a sound, the group."""

    path: str
    label: str | None
    split: str
    times: tuple[str, str] | None = None
    group: str | None = None


@dataclass
class TableItems:
    """What is kept of a table: label by item id in the order of the rows, the ids that are held out, what was left out.

    `groups`: by item id, of rows that say one.
    """

    labels: dict[str, str | None] = field(default_factory=dict)
    held_out: set[str] = field(default_factory=set)
    groups: dict[str, str] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()


class _LeftOut:
    """Counts what is left out, with the first example of each kind."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._why: dict[str, str] = {}

    def add(self, what: str, why: str, example: str, count: int = 1) -> None:
        self._counts[what] += count
        self._why.setdefault(what, f"{why} ({example})")

    def all(self) -> tuple[LeftOut, ...]:
        return tuple(LeftOut(what, self._why[what], count) for what, count in self._counts.most_common())


def items_of(
    rows: Iterable[Placed], columns: Columns, item_id: Read, label: Callable[[object], str | None]
) -> TableItems:
    """The items of a table, each once: of rows with the same id the first counts.

    A row that cannot be an item is left out, and so is a label that is no class.

    Args:
        item_id: the id of a row's item; raises Refused.
        label: the class that a cell says; raises Refused.
    """
    items, left_out = TableItems(), _LeftOut()
    for place, row in rows:
        try:
            found = _checked_id(row, columns, item_id)
        except Refused as refused:
            left_out.add(refused.what, refused.why, f"{place}: {_shown(row.get(columns.path))}")
            continue
        try:
            said = label(row.get(columns.label)) if columns.label else None
        except Refused as refused:
            left_out.add(refused.what, refused.why + TAKEN, f"{place}: {_shown(row.get(columns.label))}")
            said = None
        if found in items.labels:
            same = items.labels[found] == said
            what = "repeated path" if same else "repeated path with another label"
            left_out.add(what, "the first row counts", f"{place}: {_shown(found)}")
            continue
        items.labels[found] = None if said is None else sys.intern(said)
        if (text_of(row.get(columns.split)) or "").lower() == HELD_OUT:
            items.held_out.add(found)
        if columns.group and (group := group_in(row.get(columns.group))):
            items.groups[found] = sys.intern(group)
    _drop_measurements(items, columns, left_out)
    _count_unlabeled_test_rows(items, left_out)
    items.left_out = left_out.all()
    return items


def reader_of_ids(tree: TableTree, columns: Columns, media: Medium) -> Read:
    """Reads the id of a row's item from its path and, for a sound, from what part of it the row names."""

    def read(row: Row) -> str:
        cell = str(row[columns.path])
        if media == "image":
            return tree.file_id(cell)
        file, span = _part(tree, cell, row, columns.times)
        file_id = tree.file_id(file)
        return file_id if span is None else span.id_in(file_id)

    return read


def reader_of_exported_ids(columns: Columns, is_csv: bool) -> Read:
    """Reads the id as FastLabel wrote it."""

    def read(row: Row) -> str:
        cell = str(row[columns.path])
        return original(cell) if is_csv else cell

    return read


def reader_of_labels(is_own_export: bool, is_csv: bool) -> Callable[[object], str | None]:
    """Reads labels; those of FastLabel's own export as they were written, "NA" and "1.0" too."""
    if not is_own_export:
        return label_of
    return lambda cell: (original(str(cell)) if is_csv else str(cell)) if text_of(cell) else None


def _checked_id(row: Row, columns: Columns, item_id: Read) -> str:
    if any(text_of(cell) for cell in _beyond(row)):
        raise Refused("row with too many cells", "put quotes around a name that holds the separator of cells")
    cell = row.get(columns.path)
    if text_of(cell) is None:
        raise Refused("row without a path", f"its '{columns.path}' is empty")
    if isinstance(cell, list | dict):
        raise Refused("path that is a list", "write one path a row")
    if max(str(row.get(column)).count("\n") for column in (columns.path, columns.label)) > MOST_LINES:
        raise Refused("cell of many lines", "a quote is opened there and not closed: the rows after it are inside")
    return item_id(row)


def _beyond(row: Row) -> list[object]:
    cells = row.get(None)
    return cells if isinstance(cells, list) else []


def _part(tree: TableTree, cell: str, row: Row, times: tuple[str, str] | None) -> tuple[str, TimeSpan | None]:
    """The file and the part of it. A file that is really called like a part is taken as that file."""
    match = _PART.fullmatch(cell.strip())
    if match and not tree.is_there(cell.strip()):
        return match[1], TimeSpan(float(match[2]), float(match[3]))
    if times is None:
        return cell, None
    return cell, TimeSpan(seconds_of(row.get(times[0])), seconds_of(row.get(times[1])))


def _drop_measurements(items: TableItems, columns: Columns, left_out: _LeftOut) -> None:
    labels = {label for label in items.labels.values() if label is not None}
    if are_measurements(labels):
        count = sum(label is not None for label in items.labels.values())
        why = f"{len(labels)} different numbers are a measurement, no classes: name another column as `label_column`{TAKEN}"
        left_out.add("number as a label", why, f"column '{columns.label}'", count)
        items.labels = dict.fromkeys(items.labels)


def _count_unlabeled_test_rows(items: TableItems, left_out: _LeftOut) -> None:
    unlabeled = [item_id for item_id in items.held_out if items.labels[item_id] is None]
    if unlabeled:
        why = "a test part measures by its labels"
        left_out.add("row of the test part without a label", why, _shown(min(unlabeled)), len(unlabeled))


def _shown(cell: object) -> str:
    text = str(cell)
    return f"'{text[:80]}…'" if len(text) > 80 else f"'{text}'"
