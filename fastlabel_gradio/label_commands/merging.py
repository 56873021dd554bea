"""Merging: what two people said of the same data, each in a working directory of their own, in one."""

import heapq
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count, groupby
from pathlib import Path

from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.labels import ClassEdit, LabelStore, Taken, Told
from fastlabel_gradio.labels.classes import ids_by_name
from fastlabel_gradio.labels.resolve import kind_of
from fastlabel_gradio.server.backups import back_up, restore
from fastlabel_gradio.server.stored_project import LABELS, chosen_name
from fastlabel_gradio.types import State

MERGED = "merge"  # the batch id of what came over

Says = tuple[int | None, State]
Said = dict[tuple[str, str], Says]  # of one item, by annotator and kind of source
Both = tuple[Said, Said]


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of a merge.

    Attributes:
        taken: opinions of the second one. conflicts: items on which opinions differ, all of them kept.
        renamed: annotators of one name who are two people, and what the second one's is called now.
        new_classes: that came over.
    """

    taken: Taken
    conflicts: int
    renamed: dict[str, str] = field(default_factory=dict)
    new_classes: tuple[str, ...] = ()


def merge(first: Path, second: Path, out: Path, project: str | None, *, now: float) -> Merged:
    """Takes the labels of the second working directory into the first one, or into a copy of that.

    What stands in the first one stays; where the second one says otherwise that is a second opinion. Annotators of one name
    who contradict each other are two people: the second one gets a number.

    Args:
        out: the first one, or a folder without that project, which gets a copy of it without embeddings.
        project: which one, where they have several.

    Raises:
        ConfigError, StoreError: one of them is no working directory, or the copy cannot be written.
    """
    name = chosen_name(first, project)
    for workdir in (first, second):
        chosen_name(workdir, name)
        if not (workdir / name / LABELS).is_file():
            raise ConfigError(f"{workdir / name} has no {LABELS}: labels in a database of their own cannot be merged.")
    if first.resolve() == second.resolve():
        raise ConfigError(f"{first} and {second} are the same working directory. Name two.")
    if out.resolve() != first.resolve():
        with tempfile.TemporaryDirectory(prefix="fastlabel-merge-") as folder:
            back_up(first, name, Path(folder) / "first")
            restore(Path(folder) / "first", out)
    ours, theirs = (LabelStore(f"sqlite:///{(workdir / name / LABELS).resolve()}", name) for workdir in (out, second))
    try:
        return _merged(ours, theirs, now)
    finally:
        ours.close()
        theirs.close()


def _merged(ours: LabelStore, theirs: LabelStore, now: float) -> Merged:
    """Reads each store item by item, as often as it is asked something; neither is held in memory."""
    ids, fresh = _class_ids(ours, theirs, now)
    renamed = _two_people(_said_of_same(ours.told(), theirs.told(), ids))
    taken = ours.take_in((_translated(one, ids, renamed) for one in theirs.told()), MERGED)
    return Merged(taken, _conflicts(ours.told()), renamed, tuple(fresh))


def _class_ids(ours: LabelStore, theirs: LabelStore, now: float) -> tuple[dict[int, int], list[str]]:
    """Their class ids to ours, by the names that classes have now; those that labels need are added."""
    used = {one.said.label_id for one in theirs.told()}
    names = {id_: name for id_, name in theirs.schema().known_names.items() if id_ in used}
    known = ids_by_name(ours.classes())
    fresh = list(dict.fromkeys(name for name in names.values() if name not in known))
    if fresh:
        ours.edit_classes(MERGED, [ClassEdit("add", value=name) for name in fresh], now=now)
        known = ids_by_name(ours.classes())
    return {id_: known[name] for id_, name in names.items()}, fresh


def _said_of_same(ours: Iterable[Told], theirs: Iterable[Told], ids: Mapping[int, int]) -> Iterator[Both]:
    """Of every item that something is said of: what ours say of it, and theirs, in our ids. Both are told by item id."""
    told = ((one, True) for one in ours), ((one, False) for one in theirs)
    for _, of_item in groupby(heapq.merge(*told, key=_item), key=_item):
        sides: Both = {}, {}
        for one, is_ours in of_item:
            if is_ours:
                sides[0][one.annotator, kind_of(one.source)] = _says(one)
            elif one.source != "auto":
                sides[1][one.annotator, kind_of(one.source)] = _says(one, ids)
        yield sides


def _two_people(items: Iterable[Both]) -> dict[str, str]:
    """Annotators of one name who said different things of one item, with a name that contradicts nobody.

    So the second one keeps that name when the same is merged again.
    """
    differ = {
        (theirs, ours)
        for said, coming in items
        for (theirs, kind), says in coming.items()
        for (ours, other), known in said.items()
        if kind == other and says != known
    }
    two = sorted(theirs for theirs, ours in differ if theirs == ours)
    names = {annotator: (f"{annotator} ({number})" for number in count(2)) for annotator in two}
    return {annotator: next(name for name in names[annotator] if (annotator, name) not in differ) for annotator in two}


def _translated(one: Told, ids: Mapping[int, int], renamed: Mapping[str, str]) -> Told:
    label_id = one.said.label_id
    said = one.said if label_id is None else replace(one.said, label_id=ids[label_id])
    return one._replace(said=said, annotator=renamed.get(one.annotator, one.annotator))


def _conflicts(told: Iterable[Told]) -> int:
    """Items of which people said different things; those of one item come one after the other."""
    by_item = groupby(told, lambda one: one.item_id)
    return sum(len({_says(one) for one in of_item if one.source != "auto"}) > 1 for _, of_item in by_item)


def _says(one: Told, ids: Mapping[int, int] | None = None) -> Says:
    label_id = one.said.label_id
    return (label_id if label_id is None or ids is None else ids[label_id]), one.said.state


def _item(told: tuple[Told, bool]) -> str:
    return told[0].item_id
