"""What a label in a file says, what an importer is, and the registry of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from fastlabel_gradio.registry import Registry
from fastlabel_gradio.types import TimeSpan


class ImportedLabel(NamedTuple):
    """One label as a file says it. Made by the million: a dataclass that is frozen would take six times as long.

    Attributes:
        place: where in the file, for messages: "line 7".
        item: the id of an item, or the path of a file as it is written there.
        label: class name; "" where the state is no label.
        span: which part of the recording; None where the item says it, or it is whole.
        state: "label", "skip", "unsure" or "bad".
        annotator: who said it; "" where the file does not say.
        said_at: seconds since the epoch; None where the file does not say.
        source: what it came by; "import" where the file does not say.
        head_version, confidence: of the prediction that was accepted.
        is_prediction: nobody said it: a program guesses.
        lacks_suffix: the item is the path of a recording without its suffix.
        is_whole: the item is a path with all of its folders: where a file of the pool has just this one, it is meant.
    """

    place: str
    item: str
    label: str = ""
    span: TimeSpan | None = None
    state: str = "label"
    annotator: str = ""
    said_at: float | None = None
    source: str = "import"
    head_version: int | None = None
    confidence: float | None = None
    note: str = ""
    is_prediction: bool = False
    lacks_suffix: bool = False
    is_whole: bool = False


Refuse = Callable[[str, str, str], None]
Read = Callable[[Path, str, Refuse], Iterator[ImportedLabel]]


@dataclass(frozen=True, slots=True)
class Importer:
    """A format that labels come in.

    Attributes:
        recognises: whether a file is of it, given its path and the name it was sent by.
        read: `read(path, name, refuse)` yields the labels of a file, as a stream, and raises SourceError where it is none.
            What in it cannot be a label is handed to `refuse(what, why, place)`.
    """

    name: str
    recognises: Callable[[Path, str], bool]
    read: Read


IMPORTERS: Registry[Importer] = Registry("import format", "fastlabel.importers")


def importer(name: str, recognises: Callable[[Path, str], bool]) -> Callable[[Read], Read]:
    """Decorator that registers a function as a format that labels come in."""

    def add(read: Read) -> Read:
        IMPORTERS.register(name)(Importer(name, recognises, read))
        return read

    return add
