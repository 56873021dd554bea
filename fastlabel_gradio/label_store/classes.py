"""Classes as events: what each is called and looks like now, which are part of another one, and the schema they make.

A class is made once, with an id that is never used again; all else is an event that can be undone. So an annotation keeps the
id that it was made with, and what that id means is found when it is read.
"""

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, insert, select

from fastlabel_gradio.errors import InvalidLabelsError, shown
from fastlabel_gradio.label_store.events import undone
from fastlabel_gradio.label_store.tables import class_events, labels, submissions
from fastlabel_gradio.types import Label, LabelSchema

ClassEditKind = Literal["add", "rename", "merge", "archive", "colour", "key", "description", "examples"]

MOST_EXAMPLES = 4


@dataclass(frozen=True, slots=True)
class ClassEdit:
    """One change of a class.

    Attributes:
        kind: what is changed; `add` makes a class, or brings an archived one of that name back.
        label_id: of which class; not read for `add`.
        value: for `add` and `rename` a name; for `merge` the id of the class that this one becomes a part of; for `archive`
            whether it is; for `colour` "#rrggbb", for `key` one character ("" for none of its own); for `description` a text;
            for `examples` the ids of MOST_EXAMPLES items at most.
    """

    kind: ClassEditKind
    label_id: int | None = None
    value: Any = None


class ClassEvent(NamedTuple):
    """An edit as it was stored, with its value as it was given."""

    kind: str
    label_id: int
    value: Any


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """A class as it is now.

    Attributes:
        made_as: the name that it was made with, which no other class has.
        part_of: the id of the class that it was merged into, which is part of none; None where it stands for itself.
        added: whether people made it, not the configuration.
    """

    id: int
    name: str
    made_as: str
    part_of: int | None = None
    archived: bool = False
    added: bool = False
    colour: str = ""
    key: str = ""
    description: str = ""
    examples: tuple[str, ...] = ()


Classes = dict[int, ClassInfo]


def resolve_classes(names: Mapping[int, str], events: Iterable[ClassEvent]) -> Classes:
    """Every class as it is after some events in order, by id.

    Args:
        names: the name that each was made with, by id.
        events: without those that were undone.
    """
    classes = {id_: ClassInfo(id_, name, name) for id_, name in names.items()}
    for kind, id_, value in events:
        if kind != "merge" or _root(classes, value) != id_:  # two merges, an undo and a redo may lead in a circle
            classes[id_] = replace(classes[id_], **_change(kind, value))
    roots = {id_: _root(classes, id_) for id_ in classes}
    return {id_: replace(one, part_of=None if roots[id_] == id_ else roots[id_]) for id_, one in classes.items()}


def make_schema(classes: Classes, wanted: Sequence[int], annotated: Iterable[int]) -> LabelSchema:
    """The schema: the wanted classes in their order, then those that people added or that carry labels, by id.

    Args:
        wanted: class ids; archived ones are left out, merged ones count as what they are part of.
        annotated: ids that carry labels.
    """
    added = [id_ for id_, one in classes.items() if one.added]
    rest = sorted({*added, *annotated})
    order = dict.fromkeys(_root(classes, id_) for id_ in (*wanted, *rest))
    shown_ids = [id_ for id_ in order if not classes[id_].archived]
    aliases = {id_: one.part_of for id_, one in classes.items() if one.part_of is not None}
    hidden = [id_ for id_ in classes if id_ not in shown_ids and id_ not in aliases]
    named = _distinctly_named([classes[id_] for id_ in (*shown_ids, *hidden)])
    return LabelSchema(named[: len(shown_ids)], aliases, named[len(shown_ids) :])


def clean_class_name(name: str) -> str:
    """Names are compared after Unicode NFC and without the white space around them."""
    return unicodedata.normalize("NFC", name).strip()


def ids_by_name(classes: Classes) -> dict[str, int]:
    """Class ids by the names that they were made with, and by the names that they have now where these differ."""
    called = {one.name: found.id for one in classes.values() if (found := class_called(classes, one.name))}
    return called | {one.made_as: one.id for one in classes.values()}


def class_called(classes: Classes, name: str) -> ClassInfo | None:
    """The class of that name, one that stands for itself before one that does not; None where there is none."""
    found = [one for one in classes.values() if one.name == name]
    return min(found, key=lambda one: (one.part_of is not None, one.archived), default=None)


def checked_edit(classes: Classes, edit: ClassEdit) -> ClassEdit:
    """The edit as it is to be stored. Raises InvalidLabelsError where it makes no sense."""
    if edit.kind == "add":
        return _checked_add(classes, edit)
    if edit.label_id not in classes:
        raise InvalidLabelsError(f"class {edit.label_id} is not known. Known: {_listed(classes)}.")
    if edit.kind == "rename":
        name = _clean_name(edit.value)
        other = class_called(classes, name)
        if other and other.id != edit.label_id and other.part_of is None:
            raise InvalidLabelsError(f"there is a class {shown(name)} already. Merge the two, or choose another name.")
        return replace(edit, value=name)
    if edit.kind == "merge":
        return _checked_merge(classes, edit)
    if not _FITS[edit.kind](edit.value):
        raise InvalidLabelsError(f"{edit.kind} of a class: {shown(edit.value)} cannot be used. {_VALID[edit.kind]}")
    return edit


def read_classes(connection: Connection, project: int) -> Classes:
    """Every class of a project as it is now."""
    query = select(labels.c.id, labels.c.name).where(labels.c.project == project).order_by(labels.c.id)
    names = {row.id: row.name for row in connection.execute(query)}
    events = (
        select(class_events.c.kind, class_events.c.label_id, class_events.c.value)
        .join_from(submissions, class_events, class_events.c.submission == submissions.c.id)
        .where(submissions.c.project == project, ~undone(submissions))
        .order_by(submissions.c.id, class_events.c.position)
    )
    stored = (ClassEvent(kind, id_, json.loads(value)) for kind, id_, value in connection.execute(events))
    return resolve_classes(names, stored)


def append_edit(connection: Connection, submission: int, position: int, project: int, edit: ClassEdit) -> None:
    """Appends an edit of a class that is known to a submission, at that place in it."""
    row = {"submission": submission, "position": position, "project": project, "label_id": edit.label_id}
    connection.execute(insert(class_events).values(**row, kind=edit.kind, value=json.dumps(edit.value)))


def has_edits(connection: Connection, project: int, after: int) -> bool:
    """Whether classes were edited, or an edit undone or brought back, since that submission."""
    about = submissions.c.original == class_events.c.submission
    query = (
        select(class_events.c.submission)
        .join(submissions, about | (submissions.c.id == class_events.c.submission))
        .where(submissions.c.project == project, submissions.c.id > after)
    )
    return connection.execute(query.limit(1)).first() is not None


def add_class(connection: Connection, project: int, classes: Classes, name: str) -> int:
    """Makes a class and returns its id. The name it is made with differs from all others for ever."""
    id_ = max(classes, default=-1) + 1
    made = {one.made_as for one in classes.values()}
    unique = next(text for text in (name, *(f"{name} ({n})" for n in range(2, len(made) + 3))) if text not in made)
    connection.execute(insert(labels).values(project=project, id=id_, name=unique))
    return id_


def _checked_add(classes: Classes, edit: ClassEdit) -> ClassEdit:
    name = _clean_name(edit.value)
    found = class_called(classes, name)
    if found is None or found.part_of is not None:
        return replace(edit, label_id=None, value=name)
    if not found.archived:
        raise InvalidLabelsError(f"there is a class {shown(name)} already. Choose another name.")
    return ClassEdit("archive", found.id, False)


def _checked_merge(classes: Classes, edit: ClassEdit) -> ClassEdit:
    assert edit.label_id is not None
    known = isinstance(edit.value, int) and edit.value in classes
    if not known or _root(classes, edit.value) == _root(classes, edit.label_id):
        raise InvalidLabelsError(
            f"class {edit.label_id} cannot become a part of {shown(edit.value)}. Name another class by its id: "
            f"{_listed(classes)}."
        )
    return edit


def _clean_name(value: object) -> str:
    name = clean_class_name(value) if isinstance(value, str) else ""
    if not name:
        raise InvalidLabelsError(f"{shown(value)} is no name of a class. Give a text.")
    return name


_VALID = {
    "archive": "Say true or false.",
    "colour": "Write it like #1f77b4.",
    "key": "Name one character.",
    "description": "Give a text.",
    "examples": f"List the ids of {MOST_EXAMPLES} items at most.",
}
_FITS: dict[str, Callable[[Any], bool]] = {
    "archive": lambda value: isinstance(value, bool),
    "colour": lambda value: isinstance(value, str) and (value == "" or _is_colour(value)),
    "key": lambda value: isinstance(value, str) and len(value) <= 1,
    "description": lambda value: isinstance(value, str),
    "examples": lambda value: (
        isinstance(value, list | tuple) and len(value) <= MOST_EXAMPLES and all(isinstance(id_, str) for id_ in value)
    ),
}


def _change(kind: str, value: Any) -> dict[str, Any]:
    """The fields of ClassInfo that an event sets."""
    match kind:
        case "add":
            return {"name": value, "added": True, "archived": False}
        case "rename":
            return {"name": value}
        case "merge":
            return {"part_of": value}
        case "archive":
            return {"archived": value}
        case "examples":
            return {"examples": tuple(value)}
    return {kind: value}


def _root(classes: Classes, id_: int) -> int:
    """The class that a class is part of in the end; itself where it was not merged."""
    while (part_of := classes[id_].part_of) is not None:
        id_ = part_of
    return id_


def _distinctly_named(classes: Sequence[ClassInfo]) -> tuple[Label, ...]:
    """Labels whose names differ: an undone rename may give a class the name of one that was made meanwhile."""
    taken: dict[str, int] = {}
    for one in classes:
        names = (one.name, *(f"{one.name} ({number})" for number in range(2, len(classes) + 2)))
        taken[next(name for name in names if name not in taken)] = one.id
    return tuple(Label(id_, name) for name, id_ in taken.items())


def _is_colour(text: str) -> bool:
    return len(text) == 7 and text[0] == "#" and all(sign in "0123456789abcdefABCDEF" for sign in text[1:])


def _listed(classes: Classes) -> str:
    return ", ".join(f"{one.id} {one.name}" for one in list(classes.values())[:20])
