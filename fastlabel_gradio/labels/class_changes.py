"""Changes of classes by name, as people send them, as the edits of `classes.py`, which name them by id."""

from collections.abc import Sequence

from fastlabel_gradio.errors import InvalidLabelsError, shown
from fastlabel_gradio.labels.classes import ClassEdit, ClassEditKind, Classes, class_called, clean_class_name

LOOKS: tuple[ClassEditKind, ...] = ("colour", "key", "description", "examples")


def add(name: str) -> list[ClassEdit]:
    return [ClassEdit("add", value=name)]


def rename(classes: Classes, old: str, new: str) -> list[ClassEdit]:
    return [ClassEdit("rename", id_called(classes, old), new)]


def merge(classes: Classes, part: str, into: str) -> list[ClassEdit]:
    return [ClassEdit("merge", id_called(classes, part), id_called(classes, into))]


def archive(classes: Classes, name: str, *, archived: bool) -> list[ClassEdit]:
    """Raises InvalidLabelsError where it is, or is not, archived already."""
    id_ = id_called(classes, name)
    if classes[id_].archived == archived:
        raise InvalidLabelsError(f"class {shown(name)} is {'archived already' if archived else 'not archived'}.")
    return [ClassEdit("archive", id_, archived)]


def order(classes: Classes, names: Sequence[str]) -> list[ClassEdit]:
    """Raises InvalidLabelsError for no names at all."""
    ids = [id_called(classes, name) for name in names]
    if not ids:
        raise InvalidLabelsError("the order of the classes lists none. Name those that come first.")
    return [ClassEdit("order", ids[0], ids)]


def look(classes: Classes, name: str, values: dict[str, object]) -> list[ClassEdit]:
    """What is given of colour, key, description and examples. Raises InvalidLabelsError for none of them."""
    id_ = id_called(classes, name)
    edits = [ClassEdit(kind, id_, values[kind]) for kind in LOOKS if values.get(kind) is not None]
    if not edits:
        raise InvalidLabelsError(f"nothing is set of class {shown(name)}. Give one of {', '.join(LOOKS)}.")
    return edits


def id_called(classes: Classes, name: str) -> int:
    """The class of that name: one that stands for itself before archived and merged ones. Raises InvalidLabelsError."""
    found = class_called(classes, clean_class_name(name))
    if found is None:
        known = ", ".join(one.name for one in classes.values() if one.part_of is None)[:500]
        raise InvalidLabelsError(f"class {shown(name)} is not known. Known: {known or 'none; add one first'}.")
    return found.id
