"""One import: the labels of a file become labels, suggestions or reference labels of a project."""

import secrets
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from fastlabel_gradio.errors import ConfigError, StoreError, shown
from fastlabel_gradio.imports import ImportedLabel, LeftOutLabels, Matched, Spool, match, read_labels
from fastlabel_gradio.labels import ClassEdit, LabelStore, Told
from fastlabel_gradio.labels.classes import clean_class_name, ids_by_name
from fastlabel_gradio.types import LabelSource, LeftOut, Said, State

if TYPE_CHECKING:
    from fastlabel_gradio.server.project import Project

As = Literal["labels", "suggestions", "references"]
Unknown = Literal["add", "refuse"]
MOST_NEW_CLASSES = 500
PAGE_ITEMS = 10_000

_STATES = {state.value: state for state in State}


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of an import.

    Attributes:
        id: by which `take_back` undoes it; "" where nothing was stored as labels.
        taken: labels and states that were read, `as_` what they were taken.
        added, known, older: of labels, as `Taken` has them; of the others `added` is all.
        new_classes: that were added for it.
        left_out: what was not taken, with the reason and examples.
    """

    id: str
    as_: As
    added: int
    known: int = 0
    older: int = 0
    new_classes: tuple[str, ...] = ()
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def left_out_count(self) -> int:
        return sum(one.count for one in self.left_out)

    def text(self) -> str:
        """In a sentence or two, for people."""
        nouns = {"labels": "labels", "suggestions": "suggestions", "references": "reference labels"}
        told = [f"{self.added:,} {nouns[self.as_]} taken in"]
        told += [f"{self.known:,} known already"] if self.known else []
        told += [f"{self.older:,} older than a later label of the same annotator"] if self.older else []
        told += [f"{self.left_out_count:,} left out"] if self.left_out else []
        classes = f" New classes: {', '.join(self.new_classes[:10])}." if self.new_classes else ""
        reasons = "".join(f" {one.count:,} x {one.what}: {one.why}." for one in self.left_out[:5])
        return f"{'; '.join(told)}.{classes}{reasons}"


@dataclass(slots=True)
class ImportProgress:
    """How far an import is: labels that were read, and how many of them were stored since."""

    read: int = 0
    stored: int = 0

    def reading(self, labels: Iterable[ImportedLabel]) -> Iterator[ImportedLabel]:
        """The labels, counted while they pass."""
        for one in labels:
            self.read += 1
            yield one

    def storing(self, found: Iterable[Matched]) -> Iterator[Matched]:
        """What was put aside, counted while it passes."""
        for one in found:
            self.stored += 1
            yield one


def import_labels(
    project: "Project",
    annotator: str,
    path: Path,
    name: str,
    as_: As = "labels",
    unknown: Unknown = "add",
    format: str | None = None,
    now: float | None = None,
    progress: ImportProgress | None = None,
) -> Imported:
    """Takes in what a file says. What means no item is listed, and the rest is taken.

    The file is read to its end before anything is stored: nothing is taken of one that is damaged.

    A label comes under the annotator, time and source that the file gives it. Where it gives none, it is the importing
    annotator's, of now, with the source `import`, and never a correction of what they said themselves.

    Args:
        name: as the file was called where it comes from.
        unknown: whether classes that the project does not have are added, or their labels are left out.
        progress: is kept up to date.

    Raises:
        SourceError: it is no file of labels. ConfigError: so many new classes that the column cannot be one of classes.
        StoreError: the disk is full.
    """
    left_out, so_far = LeftOutLabels(), progress or ImportProgress()
    try:
        with Spool() as spool:
            labels = so_far.reading(read_labels(path, name, left_out.add, format))
            found = match(_wanted(labels, as_, left_out), _pool_ids(project), left_out.add)
            names: dict[str, None] = {}
            spool.put(_noted(_first(found, as_, left_out), names))
            aside = so_far.storing(chain.from_iterable(spool.blocks()))
            if as_ == "labels":
                return _take_in(project, annotator, aside, names, unknown, left_out, now or time.time())
            known = project.suggestions if as_ == "suggestions" else project.references
            return Imported("", as_, known.put(_given(aside)), left_out=left_out.all())
    except OSError as error:
        raise StoreError(
            f"{name}: {error.strerror or error}. Make room in {tempfile.gettempdir()}, and import it again."
        ) from error


def take_back(project: "Project", annotator: str, import_id: str) -> int:
    """Undoes an import of labels as one; returns how many submissions that were, 0 where nothing of it stands."""
    count = project.label_store(annotator).take_back_all(annotator, f"import-{import_id}", now=time.time())
    _follow(project, annotator)
    return count


def _wanted(labels: Iterable[ImportedLabel], as_: As, left_out: LeftOutLabels) -> Iterator[ImportedLabel]:
    for one in labels:
        if as_ == "labels" and one.is_prediction:
            left_out.add("prediction", "nobody said it: import the file as suggestions for these", one.place)
        elif as_ != "labels" and one.state != State.LABEL.value:
            left_out.add(f"state '{one.state}'", "it is no class", one.place)
        else:
            yield one


def _pool_ids(project: "Project") -> Iterator[str]:
    """Every item of the pool; while it is still being listed, as the source lists it."""
    if project.pipeline.progress.state != "done" or project.pipeline.progress.scanning:
        yield from (item.id for item in project.source.scan())
        return
    after = -1
    while page := project.store.in_order(after, PAGE_ITEMS):
        yield from (item.id for _, item in page)
        after = page[-1][0]


def _class_ids(
    store: LabelStore, annotator: str, names: Iterable[str], unknown: Unknown, now: float
) -> tuple[dict[str, int], list[str]]:
    """Class ids by name, and the names that were added for this."""
    ids = ids_by_name(store.classes())
    fresh = [name for name in names if name not in ids] if unknown == "add" else []
    if len(fresh) > MOST_NEW_CLASSES:
        raise ConfigError(
            f"{len(fresh):,} classes are new, such as {shown(fresh[0])}; {MOST_NEW_CLASSES} at most are added by one import. "
            "Is it the column of classes? Call that one 'label'. Nothing was taken in."
        )
    if fresh:
        store.edit_classes(annotator, [ClassEdit("add", value=name) for name in fresh], now=now)
        ids = ids_by_name(store.classes())
    return ids, fresh


def _take_in(
    project: "Project",
    annotator: str,
    found: Iterable[Matched],
    names: Iterable[str],
    unknown: Unknown,
    left_out: LeftOutLabels,
    now: float,
) -> Imported:
    store, import_id = project.label_store(annotator), secrets.token_hex(8)
    ids, fresh = _class_ids(store, annotator, names, unknown, now)
    told = (one for part in _parts(found) for one in _told(part, store, annotator, ids, left_out, now))
    taken = store.take_in(told, f"import-{import_id}")
    _follow(project, annotator)
    return Imported(
        import_id if taken.added else "", "labels", taken.added, taken.known, taken.older, tuple(fresh), left_out.all()
    )


def _follow(project: "Project", annotator: str) -> None:
    """Has the labeler see what is stored, now where nobody else is writing, or else within a second after them."""
    with suppress(StoreError):  # nothing of the import failed
        project.labeler(annotator).catch_up()


def _told(
    found: Sequence[Matched],
    store: LabelStore,
    annotator: str,
    ids: dict[str, int],
    left_out: LeftOutLabels,
    now: float,
) -> Iterator[Told]:
    own = store.said_by(annotator, {one.item_id for one in found if not one.label.annotator})
    for label, item_id in found:
        label_id = ids.get(clean_class_name(label.label)) if label.label else None
        if label.label and label_id is None:
            left_out.add(
                "unknown class", "add it, or import with unknown classes added", f"{label.place}: {label.label!r}"
            )
            continue
        said = Said(label_id, _STATES[label.state], True, label.head_version, label.confidence, label.note)
        mine = None if label.annotator else own.get(item_id)
        if mine and (mine.label_id, mine.state) != (said.label_id, said.state):
            left_out.add("item that you labeled otherwise", "your own label stays", f"{label.place}: {item_id!r}")
            continue
        said_at = now if label.said_at is None else label.said_at
        yield Told(item_id, label.annotator or annotator, said_at, said, cast(LabelSource, label.source))


def _parts(found: Iterable[Matched]) -> Iterator[list[Matched]]:
    rest = iter(found)
    while part := list(islice(rest, PAGE_ITEMS)):
        yield part


def _first(found: Iterable[Matched], as_: As, left_out: LeftOutLabels) -> Iterator[Matched]:
    """Of what one annotator says of one item by one kind of source the first, or of all that is said of it the first.

    Held are some 80 bytes a label: hashes. Of a million labels two have the same once in some 30 million times.
    """
    seen: dict[int, int] = {}
    numbers: dict[tuple[str, str], int] = {}
    for one in found:
        label, item_id = one
        key = hash((item_id, label.annotator, label.source) if as_ == "labels" else item_id)
        says = numbers.setdefault((label.label, label.state), len(numbers))
        before = seen.get(key)
        if before is None:
            seen[key] = says
            yield one
        elif before != says:
            left_out.add("second label of an item", "the first one counts", f"{label.place}: {label.label!r}")


def _noted(found: Iterable[Matched], names: dict[str, None]) -> Iterator[Matched]:
    """What passes, with the names of its classes written down."""
    for one in found:
        if one.label.label:
            names.setdefault(clean_class_name(one.label.label))
        yield one


def _given(found: Iterable[Matched]) -> Iterator[tuple[str, str, float]]:
    for label, item_id in found:
        if name := clean_class_name(label.label):
            yield item_id, name, label.confidence or 1.0
