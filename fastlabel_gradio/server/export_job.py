"""One export of a project: what was chosen, in a format, as a file, a folder or a zip; and what there is to say of it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fastlabel_gradio.exports import (
    EXPORTERS,
    Exported,
    Exporter,
    ExportRow,
    FolderExporter,
    How,
    ItemMedia,
    harmless_rows,
    new_folder,
    new_zip,
    split_items,
)
from fastlabel_gradio.exports.row_stream import Choice
from fastlabel_gradio.types import Item, State

if TYPE_CHECKING:
    from fastlabel_gradio.server.project import Project
    from fastlabel_gradio.server.stored_project import StoredProject

COUNTED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """What somebody wants.

    Attributes:
        format: a name of EXPORTERS.
        splits: share of each part of the data by its name; empty for none.
        spreadsheet_safe: in what spreadsheets open, names that they would run as formulas are marked.
        how: whether the files of a folder are copies or links; a zip has copies.
        only_names: a folder tree is only told, not made.
    """

    format: str = "csv"
    choice: Choice = field(default_factory=Choice)
    splits: dict[str, float] = field(default_factory=dict)
    seed: int = 0
    spreadsheet_safe: bool = True
    how: How = "copy"
    only_names: bool = False


def export(
    project: "Project | StoredProject",
    annotator: str,
    order: ExportOrder,
    destination: Path,
    tell: Callable[[int], None] = lambda rows: None,
) -> Exported:
    """Writes it whole or not at all. A format that is a folder becomes a zip where the destination ends so.

    Args:
        annotator: whose labels where a project has several sets of them.
        tell: is given the number of rows now and then.

    Raises:
        FastLabelError: an unknown format or class, a destination that cannot be written.
    """
    exporter = EXPORTERS.get(order.format)
    counted = _Counted(tell)
    rows = counted(_rows(project, annotator, order, exporter))
    if isinstance(exporter, Exporter):
        exporter.write(harmless_rows(rows) if _is_marked(exporter, order) else rows, destination)
        return Exported(counted.rows)
    source = project.source
    media = ItemMedia(source.medium, source.recording, source.read, order.only_names)
    is_zip = destination.suffix.lower() == exporter.suffix
    with new_zip(destination) if is_zip else new_folder(destination, order.how) as folder:
        exporter.write(rows, folder, media)
    return Exported(counted.rows, tuple(media.unreadable))


def _is_marked(exporter: Exporter, order: ExportOrder) -> bool:
    return exporter.opens_in_spreadsheets and order.spreadsheet_safe


def _rows(
    project: "Project | StoredProject", annotator: str, order: ExportOrder, exporter: Exporter | FolderExporter
) -> Iterator[ExportRow]:
    choice = order.choice
    if exporter.tells_all:
        choice = replace(choice, columns="all")
    if isinstance(exporter, FolderExporter):
        choice = replace(choice, only_standing=True, states=(State.LABEL.value,))
    rows = project.export_rows(annotator, choice)
    if not order.splits:
        return rows
    group_of = project.source.group_of
    known = project.export_rows(annotator, replace(choice, columns="all", only_standing=True))
    items = ((row.item_id, row.said_or_predicted, group_of(Item(row.item_id))) for row in known)
    split_of = split_items(items, order.splits, order.seed)
    return (replace(row, split=split_of(row.item_id, group_of(Item(row.item_id)))) for row in rows)


class _Counted:
    """Counts rows while they pass."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self.rows = 0
        self._tell = tell

    def __call__(self, rows: Iterable[ExportRow]) -> Iterator[ExportRow]:
        for row in rows:
            self.rows += 1
            if self.rows % COUNTED_AT_ONCE == 0:
                self._tell(self.rows)
            yield row
        self._tell(self.rows)
