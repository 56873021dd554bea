"""What an export format is, and the registry of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from fastlabel_gradio.exports.folders import Folder
from fastlabel_gradio.exports.item_media import ItemMedia
from fastlabel_gradio.exports.rows import ExportRow
from fastlabel_gradio.registry import Registry
from fastlabel_gradio.types import Medium

Write = Callable[[Iterable[ExportRow], Path], Path]
WriteFolder = Callable[[Iterable[ExportRow], Folder, ItemMedia], None]


@dataclass(frozen=True, slots=True)
class Exporter:
    """An export format that is one file: its name, the suffix with the dot, its media type for HTTP, and what writes it.

    `opens_in_spreadsheets`: people open its files in a spreadsheet, which would run some names as formulas. `tells_all`: it
    wants rows with all columns, those of a file one after the other.

    `write(rows, destination)` reads the rows once, writes the file whole or not at all, and returns its path. It raises
    StoreError where the destination cannot be written; the file that was there before then stays as it was.
    """

    name: str
    suffix: str
    media_type: str
    write: Write
    opens_in_spreadsheets: bool = False
    tells_all: bool = False


@dataclass(frozen=True, slots=True)
class FolderExporter:
    """An export format that is a folder, sent as a zip: one row an item, the one that stands.

    `write(rows, folder, media)` reads the rows once and fills the folder, which takes care that it is whole or not there.
    `medium`: the only one that it is for; None for both.
    """

    name: str
    write: WriteFolder
    medium: Medium | None = None
    suffix: str = ".zip"
    media_type: str = "application/zip"
    opens_in_spreadsheets: bool = False
    tells_all: bool = True


EXPORTERS: Registry[Exporter | FolderExporter] = Registry("export format", "fastlabel.exporters")


@dataclass(frozen=True, slots=True)
class Exported:
    """What became of an export: rows that were read, and items whose file could not be added, with the reason."""

    rows: int
    unreadable: tuple[tuple[str, str], ...] = ()


def formats_for(medium: Medium) -> tuple[str, ...]:
    """The names of the formats that items of a medium can be exported in."""
    known = ((name, EXPORTERS.get(name)) for name in EXPORTERS.names())
    return tuple(name for name, one in known if isinstance(one, Exporter) or one.medium in (None, medium))


def exporter(
    name: str, suffix: str, media_type: str, opens_in_spreadsheets: bool = False, *, tells_all: bool = False
) -> Callable[[Write], Write]:
    """Decorator that registers a function as an export format."""

    def add(write: Write) -> Write:
        EXPORTERS.register(name)(Exporter(name, suffix, media_type, write, opens_in_spreadsheets, tells_all))
        return write

    return add


def folder_exporter(name: str, *, medium: Medium | None = None) -> Callable[[WriteFolder], WriteFolder]:
    """Decorator that registers a function as an export format that is a folder, for items of that medium or of both."""

    def add(write: WriteFolder) -> WriteFolder:
        EXPORTERS.register(name)(FolderExporter(name, write, medium))
        return write

    return add
