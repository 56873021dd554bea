"""Classes as events: what each is called and looks like now, which are part of another one, and the schema they make.

A class is made once, with an id that is never used again; all else is an event that can be undone. So an annotation keeps the
id that it was made with, and what that id means is found when it is read.
"""

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, func, insert, select

from fastlabel_gradio.errors import InvalidLabelsError, shown
from fastlabel_gradio.labels.events import undone
from fastlabel_gradio.labels.tables import class_events, labels, submissions
from fastlabel_gradio.types import Label, LabelSchema

ClassEditKind = Literal["add", "rename", "merge", "archive", "colour", "key", "description", "examples", "order"]

MOST_EXAMPLES = 4
MOST_CLASSES = 10_000
LONGEST_NAME = 255  # characters, as of a folder
LONGEST_DESCRIPTION = 2_000
PAGE_KEYS = (
    "+,-./=?abcefghklmnpqrsuvxz"  # that have a meaning on the page: of its tables of commands, which a test compares
)


@dataclass(frozen=True, slots=True)
class ClassEdit:
    """One change of a class.

    Attributes:
        kind: what is changed; `add` makes a class, or brings an archived one of that name back.
        label_id: of which class; not read for `add`.
        value: for `add` and `rename` a name; for `merge` the id of the class that this one becomes a part of; for `archive`
            whether it is; for `colour` "#rrggbb", for `key` one character ("" for none of its own); for `description` a text;
            for `examples` the ids of MOST_EXAMPLES items at most; for `order` the ids of classes in their order, to whichever
            of them it is said: those that are not listed come after them.
    """

    kind: ClassEditKind
    label_id: int | None = None
    value: Any = None


class ClassEvent(NamedTuple):
    """An edit as it was stored, with its value as it was given.

    `before` is what the class was called until then, where it was renamed or merged and somebody asked for that.
    """

    kind: ClassEditKind
    label_id: int
    value: Any
    before: str = ""


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """A class as it is now.

    Attributes:
        made_as: the name that it was made with, which no other class has.
        part_of: the id of the class that it was merged into, which is part of none; None where it stands for itself.
        added: whether people made it, not the configuration.
        exists: False where people made it and took that back; labels of it are kept.
        place: where people put it, from 0; None for after all that have one.
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
    exists: bool = True
    place: int | None = None


Classes = dict[int, ClassInfo]


def resolve_classes(names: Mapping[int, str], events: Iterable[ClassEvent]) -> Classes:
    """Every class as it is after some events in order, by id.

    Args:
        names: the name that each was made with, by id.
        events: without those that were undone.
    """
    classes = {id_: ClassInfo(id_, name, name) for id_, name in names.items()}
    for kind, id_, value, _ in events:
        if kind == "order":
            places = {listed: place for place, listed in enumerate(value)}
            classes = {one.id: replace(one, place=places.get(one.id)) for one in classes.values()}
        elif kind != "merge" or _root(classes, value) != id_:  # two merges, an undo and a redo may lead in a circle
            classes[id_] = replace(classes[id_], **_change(kind, value))
    roots = {id_: _root(classes, id_) for id_ in classes}
    return {id_: replace(one, part_of=None if roots[id_] == id_ else roots[id_]) for id_, one in classes.items()}


def make_schema(classes: Classes, wanted: Sequence[int], annotated: Iterable[int]) -> LabelSchema:
    """The schema: the wanted classes in their order, then those that people added or that carry labels, by id.

    Before all of these come the classes that people put in an order.

    Args:
        wanted: class ids; archived ones are left out, merged ones count as what they are part of.
        annotated: ids that carry labels.
    """
    added = [id_ for id_, one in classes.items() if one.added]
    rest = sorted({*added, *annotated})
    asked = (*wanted, *rest)
    roots = (_root(classes, id_) for id_ in asked)
    order = dict.fromkeys([*(id_ for id_ in asked if _root(classes, id_) == id_), *roots])  # a merge moves no class
    shown_ids = [id_ for id_ in _as_people_order(order, classes) if not classes[id_].archived]
    aliases = {id_: one.part_of for id_, one in classes.items() if one.part_of is not None}
    hidden = [id_ for id_ in classes if id_ not in shown_ids and id_ not in aliases]
    named = _distinctly_named([classes[id_] for id_ in (*shown_ids, *hidden)])
    return LabelSchema(named[: len(shown_ids)], aliases, named[len(shown_ids) :])


@lru_cache(maxsize=1_024)  # a file of labels says a few names a million times
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
    return min(found, key=lambda one: (one.part_of is not None, not one.exists, one.archived), default=None)


def check_typed_name(name: object) -> None:
    """Raises InvalidLabelsError for a name that turns text around; names of folders, files and other projects may."""
    signs = name if isinstance(name, str) else ""
    turning = next((sign for sign in signs if unicodedata.bidirectional(sign) in _TURNS_TEXT), None)
    if turning is not None:
        raise InvalidLabelsError(
            f"{shown(name)} is no name of a class: U+{ord(turning):04X}, {unicodedata.name(turning).lower()}, would turn "
            "the words around it. Leave that character out; Arabic and Hebrew need none."
        )


def checked_edit(classes: Classes, edit: ClassEdit) -> ClassEdit:
    """The edit as it is to be stored. Raises InvalidLabelsError where it makes no sense."""
    if edit.kind == "add":
        return _checked_add(classes, edit)
    if edit.label_id not in classes:
        raise InvalidLabelsError(f"class {edit.label_id} is not known. Known: {_listed(classes)}.")
    _check_stands_for_itself(classes, classes[edit.label_id], edit)
    if edit.kind == "rename":
        name = _clean_name(edit.value)
        other = class_called(classes, name)
        if other and other.id != edit.label_id and other.part_of is None and other.exists:
            raise InvalidLabelsError(f"there is a class {shown(name)} already. Merge the two, or choose another name.")
        return replace(edit, value=name)
    if edit.kind == "merge":
        return _checked_merge(classes, edit)
    if not _FITS[edit.kind](edit.value):
        raise InvalidLabelsError(f"{edit.kind} of a class: {shown(edit.value)} cannot be used. {_VALID[edit.kind]}")
    if edit.kind == "order" and (unknown := set(edit.value) - classes.keys()):
        raise InvalidLabelsError(f"class {min(unknown)} is not known. Known: {_listed(classes)}.")
    if edit.kind == "key" and edit.value:
        _check_key_is_not_the_pages(edit.value)
        _check_key_is_free(classes, edit)
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
    classes = resolve_classes(names, stored)
    made = select(class_events.c.label_id).where(class_events.c.project == project, class_events.c.kind == "add")
    gone = [id_ for id_ in set(connection.scalars(made)) if not classes[id_].added]
    return classes | {id_: replace(classes[id_], exists=False) for id_ in gone}


def append_edit(connection: Connection, submission: int, position: int, project: int, edit: ClassEdit) -> None:
    """Appends an edit of a class that is known to a submission, at that place in it."""
    row = {"submission": submission, "position": position, "project": project, "label_id": edit.label_id}
    connection.execute(insert(class_events).values(**row, kind=edit.kind, value=json.dumps(edit.value)))


def class_events_of(connection: Connection, numbers: Iterable[int]) -> dict[int, list[ClassEvent]]:
    """The edits of some submissions, in their order, with the names that classes had before."""
    query = select(class_events).where(class_events.c.submission.in_(numbers))
    rows = connection.execute(query.order_by(class_events.c.submission, class_events.c.position)).all()
    before = _names_before(connection, [row for row in rows if row.kind in ("rename", "merge")])
    found: dict[int, list[ClassEvent]] = {}
    for row in rows:
        name = before.get((row.submission, row.position), "")
        found.setdefault(row.submission, []).append(ClassEvent(row.kind, row.label_id, json.loads(row.value), name))
    return found


def names_had(connection: Connection, project: int) -> dict[str, int]:
    """The class that had each name last, by every name that one had, undone ones among them."""
    made = select(labels.c.name, labels.c.id).where(labels.c.project == project)
    named = select(class_events.c.value, class_events.c.label_id).where(
        class_events.c.project == project, class_events.c.kind.in_(("add", "rename"))
    )
    found = dict(connection.execute(made.order_by(labels.c.id)).tuples().all())
    events = connection.execute(named.order_by(class_events.c.submission, class_events.c.position))
    return found | {json.loads(value): id_ for value, id_ in events}


def newest_edit(connection: Connection, project: int) -> int:
    """The number of the newest submission that edited classes, or took such edits back or brought them back; 0 for none."""
    edits = select(class_events.c.submission).where(class_events.c.project == project)
    turns = select(func.max(submissions.c.id)).where(submissions.c.original.in_(edits))
    newest = connection.scalar(select(func.max(class_events.c.submission)).where(class_events.c.project == project))
    return max(newest or 0, connection.scalar(turns) or 0)


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


def _names_before(connection: Connection, edits: Sequence[Any]) -> dict[tuple[int, int], str]:
    """What the class of each edit was called when it was made, by submission and position."""
    if not edits:
        return {}
    project, ids = edits[0].project, {edit.label_id for edit in edits}
    made = select(labels.c.id, labels.c.name).where(labels.c.project == project, labels.c.id.in_(ids))
    names = dict(connection.execute(made).tuples().all())
    named = select(class_events).where(
        class_events.c.project == project, class_events.c.kind.in_(("add", "rename")), class_events.c.label_id.in_(ids)
    )
    namings = connection.execute(named.order_by(class_events.c.submission, class_events.c.position)).all()
    told = {one.submission for one in namings}
    turns = connection.execute(
        select(submissions.c.original, submissions.c.id).where(submissions.c.original.in_(told))
    ).all()

    def stood(naming: Any, then: int) -> bool:
        return len([turn for turn in turns if turn.original == naming.submission and turn.id < then]) % 2 == 0

    def name_of(edit: Any) -> str:
        place = edit.submission, edit.position
        earlier = (one for one in namings if one.label_id == edit.label_id and (one.submission, one.position) < place)
        standing = [json.loads(one.value) for one in earlier if stood(one, edit.submission)]
        return str(standing[-1] if standing else names[edit.label_id])

    return {(edit.submission, edit.position): name_of(edit) for edit in edits}


def _checked_add(classes: Classes, edit: ClassEdit) -> ClassEdit:
    name = _clean_name(edit.value)
    found = class_called(classes, name)
    if found is None or found.part_of is not None:
        if len(classes) >= MOST_CLASSES:
            raise InvalidLabelsError(f"there are {len(classes):,} classes already, and no more can be made.")
        return replace(edit, label_id=None, value=name)
    if not found.exists:
        return replace(edit, label_id=found.id, value=name)
    if not found.archived:
        raise InvalidLabelsError(f"there is a class {shown(name)} already. Choose another name.")
    return ClassEdit("archive", found.id, False)


def _checked_merge(classes: Classes, edit: ClassEdit) -> ClassEdit:
    assert edit.label_id is not None
    known = isinstance(edit.value, int) and edit.value in classes and not classes[edit.value].archived
    if not known or _root(classes, edit.value) == _root(classes, edit.label_id):
        raise InvalidLabelsError(
            f"class {edit.label_id} cannot become a part of {shown(edit.value)}. Name another class by its id: "
            f"{_listed(classes)}."
        )
    return edit


def _clean_name(value: object) -> str:
    name = clean_class_name(value) if isinstance(value, str) else ""
    if not name or any(unicodedata.category(sign) in _NO_TEXT for sign in name):
        raise InvalidLabelsError(f"{shown(value)} is no name of a class. Give a text of one line.")
    if len(name) > LONGEST_NAME:
        raise InvalidLabelsError(
            f"{shown(name)} is too long for the name of a class: {len(name):,} characters. Use {LONGEST_NAME} at most; the "
            "rest may be its description."
        )
    return name


def _check_stands_for_itself(classes: Classes, one: ClassInfo, edit: ClassEdit) -> None:
    """What was merged or archived is not changed, only an archived class is taken back."""
    if one.part_of is not None and edit.kind != "merge":
        raise InvalidLabelsError(
            f"class {shown(one.name)} was merged into {shown(classes[one.part_of].name)}. Change that one, or undo the merge."
        )
    if one.archived and edit.kind != "archive":
        raise InvalidLabelsError(f"class {shown(one.name)} is archived. Take it back first: add it again by its name.")


def _check_key_is_not_the_pages(key: str) -> None:
    """The page knows no capitals among keys."""
    if key.lower() in PAGE_KEYS:
        raise InvalidLabelsError(
            f"the key {shown(key)} is one of the page's own: {' '.join(PAGE_KEYS)}. Choose another one, such as d or w."
        )


def _check_key_is_free(classes: Classes, edit: ClassEdit) -> None:
    shown_classes = (one for one in classes.values() if not one.archived and one.part_of is None)
    other = next((one for one in shown_classes if one.key == edit.value and one.id != edit.label_id), None)
    if other:
        raise InvalidLabelsError(
            f"the key {shown(edit.value)} is that of class {shown(other.name)}. Choose another one."
        )


def _as_people_order(ids: Iterable[int], classes: Classes) -> list[int]:
    return sorted(ids, key=lambda id_: (classes[id_].place is None, classes[id_].place or 0))


_NO_TEXT = ("Cc", "Cs", "Zl", "Zp")  # control characters, half characters, ends of lines
_TURNS_TEXT = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")  # classes of bidirectional controls
_VALID = {
    "archive": "Say true or false.",
    "colour": "Write it like #1f77b4.",
    "key": "Name one character.",
    "description": f"Give a text of {LONGEST_DESCRIPTION:,} characters at most.",
    "order": "List classes, each once.",
    "examples": f"List the ids of {MOST_EXAMPLES} items at most.",
}
_FITS: dict[str, Callable[[Any], bool]] = {
    "archive": lambda value: isinstance(value, bool),
    "colour": lambda value: isinstance(value, str) and (value == "" or _is_colour(value)),
    "key": lambda value: isinstance(value, str) and len(value) <= 1 and value.isprintable() and not value.isspace(),
    "description": lambda value: isinstance(value, str) and len(value) <= LONGEST_DESCRIPTION,
    "order": lambda value: (
        isinstance(value, list | tuple)
        and len(set(value)) == len(value)
        and all(isinstance(id_, int) and not isinstance(id_, bool) for id_ in value)
    ),
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
