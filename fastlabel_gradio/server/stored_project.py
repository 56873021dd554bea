"""Stored project: labels and source of a working directory, beside a running app or without one. Nothing is embedded."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from fastlabel_gradio.errors import ConfigError, shown
from fastlabel_gradio.exports import ExportRow
from fastlabel_gradio.exports.row_stream import Choice, said_rows
from fastlabel_gradio.labels import LabelStore
from fastlabel_gradio.pool.source_identity import RECORD
from fastlabel_gradio.sources import Source, open_source
from fastlabel_gradio.types import Item

LABELS = "labels.sqlite"


@dataclass(frozen=True, slots=True)
class StoredProject:
    """One project of a working directory, opened by `open_stored`."""

    name: str
    folder: Path
    source: Source
    label_store: LabelStore

    def export_rows(self, annotator: str, choice: Choice) -> Iterator[ExportRow]:
        """As `Project.export_rows`, without what needs a head or an index. Raises ConfigError where that is wanted."""
        if choice.predictions or choice.query is not None:
            raise ConfigError(
                "predictions and queries are answered by the running app: GET /api/export with `predictions` or `query`."
            )
        expand = self.source.sound_view.expand if self.source.sound_view.expand > 1 else None
        for row in said_rows(self.label_store, self.label_store.schema(), choice):
            path = self.source.exported_path(Item(row.item_id))
            yield replace(row, path=path, expand=expand, medium=self.source.medium)


def project_names(workdir: Path) -> list[str]:
    """The projects in a working directory, sorted."""
    return sorted(record.parent.name for record in workdir.glob(f"*/{RECORD}"))


def chosen_name(workdir: Path, name: str | None) -> str:
    """The project that is meant: the one of that name, or the only one. Raises ConfigError."""
    names = project_names(workdir)
    if name in names:
        return str(name)
    if not names:
        raise ConfigError(
            f"{workdir} is no working directory of FastLabel: no project is in it. Name another --workdir."
        )
    if name is None and len(names) == 1:
        return names[0]
    what = f"project {shown(name)} is not in {workdir}" if name else f"{workdir} has several projects"
    raise ConfigError(f"{what}. Choose one of them: --project {' or --project '.join(names)}")


@contextmanager
def open_stored(workdir: Path, name: str | None = None) -> Iterator[StoredProject]:
    """A project of a working directory, closed at the end of the block.

    Raises:
        ConfigError, SourceError, StoreError: there is none, or it cannot be opened.
    """
    chosen = chosen_name(workdir, name)
    folder = workdir / chosen
    if not (folder / LABELS).is_file():
        raise ConfigError(
            f"{folder} has no {LABELS}: its labels are in a database of their own, or none were given yet."
        )
    recorded = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    options = {key: value for key, value in recorded.items() if key not in ("kind", "place")}
    source = open_source(recorded["kind"], options, folder, workdir / "downloads")
    label_store = LabelStore(f"sqlite:///{(folder / LABELS).resolve()}", chosen)
    try:
        yield StoredProject(chosen, folder, source, label_store)
    finally:
        label_store.close()
