"""Merging: what two people said of the same data, each in a working directory of their own, in one."""

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.labels import ClassEdit, LabelStore, Taken, Told
from fastlabel_gradio.labels.classes import ids_by_name
from fastlabel_gradio.labels.resolve import kind_of
from fastlabel_gradio.server.backups import back_up, restore
from fastlabel_gradio.server.stored_project import LABELS, chosen_name

MERGED = "merge"  # the batch id of what came over

Key = tuple[str, str, str]  # item, annotator, kind of source


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
    coming = list(theirs.told())
    ids, fresh = _class_ids(ours, theirs, coming, now)
    renamed = _two_people(ours.told(), coming, ids)
    taken = ours.take_in((_translated(one, ids, renamed) for one in coming), MERGED)
    return Merged(taken, _conflicts(ours.told()), renamed, tuple(fresh))


def _class_ids(
    ours: LabelStore, theirs: LabelStore, coming: Iterable[Told], now: float
) -> tuple[dict[int, int], list[str]]:
    """Their class ids to ours, by the names that classes have now; those that labels need are added."""
    used = {one.said.label_id for one in coming}
    names = {id_: name for id_, name in theirs.schema().known_names.items() if id_ in used}
    known = ids_by_name(ours.classes())
    fresh = list(dict.fromkeys(name for name in names.values() if name not in known))
    if fresh:
        ours.edit_classes(MERGED, [ClassEdit("add", value=name) for name in fresh], now=now)
        known = ids_by_name(ours.classes())
    return {id_: known[name] for id_, name in names.items()}, fresh


def _two_people(before: Iterable[Told], coming: Iterable[Told], ids: Mapping[int, int]) -> dict[str, str]:
    """Annotators of one name who said different things of one item, with a name that contradicts nobody.

    So the second one keeps that name when the same is merged again.
    """
    said = {_key(one): _says(one) for one in before}
    own: dict[str, dict[Key, object]] = {}
    for one in coming:
        if one.source != "auto":
            own.setdefault(one.annotator, {})[_key(one)] = _says(one, ids)

    def agrees(annotator: str, name: str) -> bool:
        return all(said.get((item, name, kind), says) == says for (item, _, kind), says in own[annotator].items())

    two = sorted(annotator for annotator in own if not agrees(annotator, annotator))
    names = {annotator: (f"{annotator} ({number})" for number in count(2)) for annotator in two}
    return {annotator: next(name for name in names[annotator] if agrees(annotator, name)) for annotator in two}


def _translated(one: Told, ids: Mapping[int, int], renamed: Mapping[str, str]) -> Told:
    label_id = one.said.label_id
    said = one.said if label_id is None else replace(one.said, label_id=ids[label_id])
    return one._replace(said=said, annotator=renamed.get(one.annotator, one.annotator))


def _conflicts(told: Iterable[Told]) -> int:
    """Items of which people said different things."""
    says: dict[str, tuple[object, object]] = {}
    differing: set[str] = set()
    for one in told:
        if one.source != "auto" and says.setdefault(one.item_id, _says(one)) != _says(one):
            differing.add(one.item_id)
    return len(differing)


def _says(one: Told, ids: Mapping[int, int] | None = None) -> tuple[object, object]:
    label_id = one.said.label_id
    return (label_id if label_id is None or ids is None else ids[label_id]), one.said.state


def _key(one: Told) -> Key:
    return one.item_id, one.annotator, kind_of(one.source)
